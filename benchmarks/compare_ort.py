#!/usr/bin/env python3
"""Time a vitq program against ONNX Runtime's fp32, interleaved, on one core.

Needs `pip install onnxruntime numpy`. Example:

    benchmarks/compare_ort.py --program vit_tiny.so --model vit_tiny_dynamo_op17.onnx

Both run in this process, pinned to one core, one run each in turn, so that what
disturbs the machine disturbs both alike; medians of many runs and their ratio are
printed. Preprocessing is in neither time.
"""
import argparse
import ctypes
import json
import os
import statistics
import time

import numpy as np


class Program:
    """A shared library that vitq-opt wrote (include/vitq/Target/Program.h)."""

    class Struct(ctypes.Structure):
        _fields_ = [
            ("abi_version", ctypes.c_uint32),
            ("name", ctypes.c_char_p),
            ("run", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)),
            ("manifest", ctypes.c_char_p),
        ]

    def __init__(self, path):
        self.library = ctypes.CDLL(os.path.abspath(path))
        self.program = self.Struct.in_dll(self.library, "vitq_program_v1")
        self.manifest = json.loads(self.program.manifest)
        shape = self.manifest["input"]["shape"]
        self.pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        self.output = np.zeros(self.manifest["output"]["shape"], dtype=np.int32)
        raw = np.zeros(self.manifest["arena_bytes"] + 64, dtype=np.uint8)
        self.arena = raw[-raw.ctypes.data % 64:]

    def __call__(self):
        status = self.program.run(self.pixels.ctypes.data, self.output.ctypes.data, self.arena.ctypes.data)
        assert status == 0, status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="shared library written by vitq-opt")
    parser.add_argument("--model", required=True, help="the float ONNX model")
    parser.add_argument("--runs", type=int, default=100, help="timed runs of each")
    parser.add_argument("--core", type=int, default=0, help="core to pin to")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {arguments.core})
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    node = session.get_inputs()[0]
    shape = [size if isinstance(size, int) and size > 0 else 1 for size in node.shape]
    feed = {node.name: np.random.default_rng(0).standard_normal(shape, dtype=np.float32)}
    program = Program(arguments.program)

    runners = {"vitq": program, "onnxruntime fp32": lambda: session.run(None, feed)}
    times = {name: [] for name in runners}
    for run in range(arguments.runs + 5):
        for name, runner in runners.items():
            start = time.perf_counter()
            runner()
            if run >= 5:
                times[name].append(1e3 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        ordered = sorted(values)
        print(f"{name:18} median {medians[name]:8.3f} ms   p10 {ordered[len(ordered) // 10]:8.3f}   "
              f"p90 {ordered[9 * len(ordered) // 10]:8.3f}")
    print(f"onnxruntime {onnxruntime.__version__} fp32 / vitq = {medians['onnxruntime fp32'] / medians['vitq']:.2f}")


if __name__ == "__main__":
    main()
