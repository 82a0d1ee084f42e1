"""IREE: compiled for this processor through its ONNX importer, `local-task` device
for several threads and `local-sync` for one."""
import pathlib

from peers.common import FloatSession
from peers.onnx_runtime import StaticQdqLinear


class Fp32:
    title, packages, int8 = "IREE fp32", ("iree-base-compiler", "iree-base-runtime", "onnx"), False

    def prepare(self, job, folder):
        return self.compile(job["models"]["packed"], pathlib.Path(folder))

    def compile(self, model, folder):
        import iree.compiler
        import onnx
        from iree.compiler.tools.import_onnx import __main__ as importer

        upgraded, text, output = folder / "opset17.onnx", folder / "model.mlir", folder / "model.vmfb"
        proto = onnx.load(model)
        proto.graph.name = "main_graph"
        onnx.save(proto, str(upgraded))
        status = importer.main(importer.parse_arguments([str(upgraded), "-o", str(text)]))
        if status:
            raise RuntimeError("iree-import-onnx failed")
        iree.compiler.compile_file(str(text), output_file=str(output), input_type="onnx",
                                   target_backends=["llvm-cpu"],
                                   extra_args=["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"])
        for path in (upgraded, text):
            path.unlink()
        return {"model": str(output), "file_bytes": output.stat().st_size}

    def load(self, artifact, threads):
        import iree.runtime

        flags = iree.runtime.flags
        flags.parse_flags(f"--task_topology_group_count={threads}")
        config = iree.runtime.Config("local-sync" if threads == 1 else "local-task")
        with open(artifact["model"], "rb") as file:
            module = iree.runtime.VmModule.copy_buffer(config.vm_instance, file.read())
        module = iree.runtime.load_vm_module(module, config)
        return FloatSession(artifact["job"], lambda x: module.main_graph(x).to_host())


class Qdq(Fp32):
    """IREE does not quantize: the static QDQ model of ONNX Runtime's quantizer."""

    title = "IREE, QDQ model of ONNX Runtime's quantizer"
    packages, int8 = Fp32.packages + ("onnxruntime",), True

    def prepare(self, job, folder):
        source = StaticQdqLinear().prepare(job, folder)["model"]
        return self.compile(source, pathlib.Path(folder))
