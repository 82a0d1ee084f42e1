"""What is measured: vitq, and the peers it is compared with.

A peer is a class with

    title       what the tables call it
    packages    what it needs from PyPI
    int8        whether its program multiplies 8-bit integers
    prepare(job, folder)      makes what it runs; returns what `load` needs, as JSON
    load(artifact, threads)   returns an object with

        set_pixels(pixels)    uint8 [batch, height, width, 3]: the next input
        run()                 one inference of it; preprocessing is in no time
        logits()              what it gave, [batch, classes]

All of it runs in a process of its own (worker.py). `job` has the keys that
compare.make_job gives it. Heavy packages are imported in these functions only.
"""
import importlib
import importlib.metadata

# The name on the command line: module and class.
PEERS = {
    "vitq": ("vitq", "Vitq"),
    "ort_fp32": ("onnx_runtime", "Fp32"),
    "ort_dynamic": ("onnx_runtime", "Dynamic"),
    "ort_fused": ("onnx_runtime", "DynamicFused"),
    "ort_qdq": ("onnx_runtime", "StaticQdq"),
    "ort_qdq_linear": ("onnx_runtime", "StaticQdqLinear"),
    "openvino_fp32": ("open_vino", "Fp32"),
    "openvino_int8": ("open_vino", "Int8"),
    "iree_fp32": ("iree_cpu", "Fp32"),
    "iree_qdq": ("iree_cpu", "Qdq"),
    "tvm_fp32": ("tvm_relax", "Fp32"),
    "tvm_qdq": ("tvm_relax", "Qdq"),
}
QUICK = ["vitq", "ort_fp32", "ort_dynamic", "ort_fused", "ort_qdq", "openvino_fp32", "openvino_int8"]


def get(name):
    """An instance; imports nothing but the peer's own module."""
    module, kind = PEERS[name]
    return getattr(importlib.import_module(f"peers.{module}"), kind)()


def versions(peer):
    """The installed version of each package, None where it is missing."""
    found = {}
    for package in peer.packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found
