"""OpenVINO: float, and int8 by NNCF's post-training quantization."""
import pathlib

from peers.common import FloatSession, calibration


class Fp32:
    title, packages, int8 = "OpenVINO fp32", ("openvino",), False

    def prepare(self, job, folder):
        return {"model": job["models"]["packed"]}

    def load(self, artifact, threads):
        import openvino

        core = openvino.Core()
        # fp32 stays fp32 on processors where OpenVINO would choose bf16.
        options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                   "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
        compiled = core.compile_model(core.read_model(artifact["model"]), "CPU", options)
        request = compiled.create_infer_request()
        return FloatSession(artifact["job"], lambda x: request.infer([x], share_inputs=True)[compiled.output(0)])


class Int8(Fp32):
    title, packages, int8 = "OpenVINO int8 (NNCF)", ("openvino", "nncf"), True

    def prepare(self, job, folder):
        import nncf
        import openvino

        images = calibration(job)
        quantized = nncf.quantize(openvino.Core().read_model(job["models"]["packed"]), nncf.Dataset(images),
                                  model_type=nncf.ModelType.TRANSFORMER, subset_size=len(images))
        output = pathlib.Path(folder) / "model.xml"
        openvino.save_model(quantized, str(output), compress_to_fp16=False)
        return {"model": str(output), "file_bytes": sum(f.stat().st_size for f in output.parent.glob("model.*"))}
