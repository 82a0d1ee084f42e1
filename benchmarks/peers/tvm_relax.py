"""Apache TVM: Relax, its default CPU pipeline, not tuned (tuning takes hours)."""
import os
import pathlib

from peers.common import FloatSession
from peers.onnx_runtime import StaticQdqLinear


class Fp32:
    title, packages, int8 = "TVM fp32, not tuned", ("apache-tvm", "onnx"), False

    def prepare(self, job, folder):
        return self.compile(job["models"]["packed"], pathlib.Path(folder))

    def compile(self, model, folder):
        import onnx
        import tvm
        from tvm.relax.frontend.onnx import from_onnx

        module = from_onnx(onnx.load(model), keep_params_in_input=False)
        built = tvm.compile(module, target=tvm.target.Target.from_device("cpu"))
        output = folder / "model.so"
        built.export_library(str(output))
        return {"model": str(output), "file_bytes": output.stat().st_size}

    def load(self, artifact, threads):
        os.environ["TVM_NUM_THREADS"] = str(threads)
        import tvm
        from tvm import relax

        device = tvm.cpu()
        machine = relax.VirtualMachine(tvm.runtime.load_module(artifact["model"]), device)

        def execute(x):
            result = machine["main"](tvm.runtime.tensor(x, device))
            return (result[0] if isinstance(result, (list, tuple)) or hasattr(result, "__len__") else result).numpy()

        return FloatSession(artifact["job"], execute)


class Qdq(Fp32):
    """The static QDQ model of ONNX Runtime's quantizer."""

    title = "TVM, QDQ model of ONNX Runtime's quantizer"
    packages, int8 = Fp32.packages + ("onnxruntime",), True

    def prepare(self, job, folder):
        source = StaticQdqLinear().prepare(job, folder)["model"]
        return self.compile(source, pathlib.Path(folder))
