"""ONNX Runtime: float, and the int8 models that its own quantizer makes."""
import pathlib

from peers.common import FloatSession, calibration


def open_session(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Fp32:
    title, packages, int8 = "ONNX Runtime fp32", ("onnxruntime",), False

    def prepare(self, job, folder):
        return {"model": job["models"]["packed"]}

    def load(self, artifact, threads):
        session = open_session(artifact["model"], threads)
        name = session.get_inputs()[0].name
        return FloatSession(artifact["job"], lambda x: session.run(None, {name: x})[0])


class Quantized(Fp32):
    """`write(source, output, job)` makes the model."""

    packages, int8 = ("onnxruntime", "onnx"), True
    form = "packed"

    def prepare(self, job, folder):
        if self.form not in job["models"]:
            raise RuntimeError(f"this model was not exported with {self.form} q, k and v")
        output = pathlib.Path(folder) / "model.onnx"
        extra = self.write(job["models"][self.form], output, job, pathlib.Path(folder)) or {}
        return {"model": str(output), "file_bytes": output.stat().st_size, **extra}


def preprocessed(source, folder):
    """What its guide asks for before quantization: shapes and graph optimization."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    output = folder / "preprocessed.onnx"
    quant_pre_process(str(source), str(output), skip_symbolic_shape=True)
    return output


def weight_options(job):
    """Per channel and, where u8 x s8 products may saturate, 7 bits: its guide's advice."""
    from onnxruntime.quantization import QuantType

    return {"weight_type": QuantType.QInt8, "per_channel": True, "reduce_range": not job["exact_u8s8"]}


class Dynamic(Quantized):
    title = "ONNX Runtime dynamic int8"

    def write(self, source, output, job, folder):
        from onnxruntime.quantization import quantize_dynamic

        ready = preprocessed(source, folder)
        quantize_dynamic(str(ready), str(output), op_types_to_quantize=["MatMul", "Gemm"], **weight_options(job))
        ready.unlink()


class DynamicFused(Quantized):
    title = "ONNX Runtime dynamic int8, fused attention"
    form = "separate"

    def write(self, source, output, job, folder):
        import onnx
        from onnxruntime.quantization import quantize_dynamic
        from onnxruntime.transformers import optimizer
        from onnxruntime.transformers.fusion_options import FusionOptions

        fused = folder / "fused.onnx"
        model = optimizer.optimize_model(str(source), model_type="vit", num_heads=job["heads"],
                                         hidden_size=job["width"], opt_level=0,
                                         optimization_options=FusionOptions("vit"))
        model.save_model_to_file(str(fused))
        quantize_dynamic(str(fused), str(output), op_types_to_quantize=["MatMul", "Gemm", "Attention"],
                         extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT}, **weight_options(job))
        fused.unlink()
        attention = model.get_fused_operator_statistics().get("Attention", 0)
        if not attention:
            raise RuntimeError("onnxruntime.transformers.optimizer fused no attention of this model")
        return {"note": f"{attention} attention blocks fused"}


class StaticQdq(Quantized):
    title = "ONNX Runtime static QDQ"
    op_types = None  # Its default list.

    def write(self, source, output, job, folder):
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

        ready = preprocessed(source, folder)
        name = open_session(ready, 1).get_inputs()[0].name

        class Reader(CalibrationDataReader):
            def __init__(self):
                self.images = iter(calibration(job))

            def get_next(self):
                image = next(self.images, None)
                return None if image is None else {name: image}

        quantize_static(str(ready), str(output), Reader(), quant_format=QuantFormat.QDQ,
                        activation_type=QuantType.QUInt8, op_types_to_quantize=self.op_types, **weight_options(job))
        ready.unlink()


class StaticQdqLinear(StaticQdq):
    """Linear layers only; the rest stays float."""

    title = "ONNX Runtime static QDQ, linear layers only"
    op_types = ["MatMul", "Gemm", "Conv"]
