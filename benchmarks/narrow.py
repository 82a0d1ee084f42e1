#!/usr/bin/env python3
"""Weights of few bits against those of 8, whole models and one row.

Compiles a model (models.py) for each number of bits, and a module of one product of one row, runs the programs in turn on
one core, and prints what they take beside 8 bits. The weights of the row are flushed from the caches before each run
(x86-64 only), as those of a classifier are after the blocks before it. README.md says how to read the table.
"""

import argparse
import ctypes
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import machine
import models

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "peers"))
import vitq  # noqa: E402, of the folder above

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLUSH = """#include <emmintrin.h>
void flush(const char *at, long bytes) {
  for (long i = 0; i < bytes; i += 64)
    _mm_clflush(at + i);
  _mm_mfence();
}
"""


def one_row(bits, depth, columns):
    """A module: codes [1, depth] times weights of a bell's shape that reach the end of their range."""
    limit = (1 << (bits - 1)) - 1
    random = numpy.random.default_rng(1)
    weights = numpy.clip(numpy.rint(random.normal(0, limit / 3.2, (columns, depth))), -limit, limit).astype(numpy.int8)
    weights[:, 0] = limit
    row, matrix, sums = f"tensor<1x{depth}xi8>", f"tensor<{columns}x{depth}xi8>", f"tensor<1x{columns}xi32>"
    return (f"func.func @main(%x: {row}) -> {sums} {{\n"
            f"  %w = arith.constant dense<\"0x{weights.tobytes().hex().upper()}\"> : {matrix}\n"
            f"  %y = vitq.matmul %x, %w transpose_rhs lhs <unsigned, zero = 128> : ({row}, {matrix}) -> {sums}\n"
            f"  return %y : {sums}\n}}\n")


class Timed:
    """A program and what its runs took."""

    def __init__(self, path, flush=None):
        self.program, self.flush, self.times, self.ticks = vitq.Program(path), flush, [], []
        shape = self.program.manifest["input"]["shape"]
        self.program.set_pixels(numpy.random.default_rng(2).integers(0, 256, shape).astype(numpy.uint8))
        self.program.run()
        self.mapped = []
        for line in pathlib.Path("/proc/self/maps").read_text().splitlines():
            if line.endswith(str(path)) and line.split()[1].startswith("r"):
                first, last = (int(text, 16) for text in line.split()[0].split("-"))
                self.mapped.append((first, last - first))

    def turn(self):
        if self.flush:
            for first, size in self.mapped:
                self.flush(ctypes.c_void_p(first), ctypes.c_long(size))
        else:
            self.program.run()
        start = time.process_time()
        self.program.run()
        self.times.append(time.process_time() - start)
        row = numpy.zeros(len(self.program.manifest["steps"]) + 1, numpy.uint64)
        self.program.struct.run_profiled(*self.program.pointers, row.ctypes.data)
        self.ticks.append(numpy.diff(row.astype(numpy.int64)))

    def milliseconds(self):
        return 1e3 * statistics.median(self.times)

    def linear_ticks(self):
        """Of layers with one product; of each the fastest run, as ticks pass while others run."""
        fastest = numpy.min(self.ticks, axis=0)
        return sum(ticks for ticks, step in zip(fastest, self.program.manifest["steps"])
                   if step["op"].count("vitq.matmul") == 1)


class Compiler:
    def __init__(self, arguments, folder):
        self.tool, self.target, self.folder = arguments.vitq_build / "bin" / "vitq-opt", arguments.target, folder

    def compile(self, source, name, *flags):
        library = self.folder / f"{name}.so"
        subprocess.run([self.tool, source, "--compile", f"--target={self.target}", "--emit=so", "-o", library, *flags],
                       check=True)
        return library

    def model(self, name, bits):
        source, pictures = self.folder / f"{name}.onnx", self.folder / "pictures.npy"
        if not source.exists():
            source.write_bytes(models.build(name).SerializeToString())
            numpy.save(pictures, models.pictures(8, models.find(name).image))
        return self.compile(source, f"{name}-{bits}", f"--calibration-data={pictures}",
                            "--preprocess=mean=0.5,std=0.5", *([f"--weight-bits={bits}"] if bits < 8 else []))

    def row(self, bits, depth, columns):
        source = self.folder / f"row-{bits}.mlir"
        source.write_text(one_row(bits, depth, columns))
        return self.compile(source, f"row-{bits}")


def make_flush(folder):
    source, library = folder / "flush.c", folder / "flush.so"
    source.write_text(FLUSH)
    for compiler in ("clang-22", "clang", "gcc", "cc"):
        if subprocess.run(["which", compiler], capture_output=True).returncode == 0:
            subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
            return ctypes.CDLL(str(library)).flush
    sys.exit("narrow.py: no C compiler (clang-22, clang, gcc or cc) for the loop that flushes caches")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="deit_s", help="of models.py (default: deit_s)")
    parser.add_argument("--bits", default="8,7,6,5,4,3,2", help="bits of weights, 8 first")
    parser.add_argument("--row", default="2048,16384", metavar="K,N", help="depth and columns of the row")
    parser.add_argument("--vitq-build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--target", default="x86-64-v3")
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    bits = [int(text) for text in arguments.bits.split(",")]
    depth, columns = (int(text) for text in arguments.row.split(","))
    os.sched_setaffinity(0, machine.choose_cores(1))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        compiler, flush = Compiler(arguments, folder), make_flush(folder)
        whole = [Timed(compiler.model(arguments.model, each)) for each in bits]
        rows = [Timed(compiler.row(each, depth, columns), flush) for each in bits]
        for _ in range(arguments.rounds):
            for program in whole + rows:
                program.turn()
        print(f"{arguments.model}, {arguments.target}; one row: {depth} x {columns}\n")
        print("| bits | MB of weights | ms | times as fast | linear layers | one row, ms | times as fast |")
        print("|---|---|---|---|---|---|---|")
        for each, program, row in zip(bits, whole, rows):
            print(f"| {each} | {program.program.manifest['weight_bytes'] / 1e6:.1f} | {program.milliseconds():.1f} | "
                  f"{whole[0].milliseconds() / program.milliseconds():.2f} | "
                  f"{whole[0].linear_ticks() / program.linear_ticks():.2f} | {row.milliseconds():.2f} | "
                  f"{rows[0].milliseconds() / row.milliseconds():.2f} |")


if __name__ == "__main__":
    sys.exit(main())
