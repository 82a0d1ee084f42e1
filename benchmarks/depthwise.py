#!/usr/bin/env python3
"""Depthwise convolutions against what their products alone need.

Compiles modules of one vitq.depthwise_conv2d each, whose sums are stored or requantized to bytes, runs them in turn on
one core, and prints medians. The limit is the time of the multiply-accumulates at the measured peak of vpmaddwd and
vpaddd (or of --limit's loop of peak.c). Loads bind nothing: of a column of K rows each tap is read once for all sums
under it, less than half a byte for each multiply-accumulate.
"""

import argparse
import ctypes
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Size of the kernel, stride, size of the map, channels, bits of a code.
SHAPES = [(3, 1, 56, 64, 8), (3, 2, 56, 64, 8), (5, 1, 56, 64, 8), (5, 2, 56, 64, 8), (7, 1, 28, 96, 8),
          (3, 1, 14, 256, 8), (3, 1, 56, 64, 16)]


def module(kernel, stride, size, channels, bits, requantized):
    chance = random.Random(1)
    weights = "".join(f"{chance.randrange(256):02X}" for _ in range(kernel * kernel * channels))
    pad, result = kernel // 2, (size - 1) // stride + 1
    x, y = (f"tensor<1x{side}x{side}x{channels}x" for side in (size, result))
    code = "input <unsigned, zero = 131> " if bits == 8 else ""
    multipliers = ", ".join(str(chance.randrange(1 << 30, (1 << 31) - 1)) for _ in range(channels))
    shifts = ", ".join(["38" if bits == 8 else "46"] * channels)
    tail = (f"  %y = vitq.requant %a by <[{multipliers}], [{shifts}]> round half_up result <unsigned, zero = 120> : "
            f"{y}i32> -> {y}i8>\n  return %y : {y}i8>\n") if requantized else f"  return %a : {y}i32>\n"
    macs = result * result * channels * kernel * kernel
    return macs, (
        f"func.func @main(%x: {x}i{bits}>) -> {y}{'i8' if requantized else 'i32'}> {{\n"
        f"  %k = arith.constant dense<\"0x{weights}\"> : tensor<{kernel}x{kernel}x{channels}xi8>\n"
        f"  %a = vitq.depthwise_conv2d %x, %k strides [{stride}, {stride}] pads [{pad}, {pad}, {pad}, {pad}] {code}: "
        f"({x}i{bits}>, tensor<{kernel}x{kernel}x{channels}xi8>) -> {y}i32>\n{tail}}}\n")


class Program:
    BYTES = 1 << 22 # of an input or an output, at most

    def __init__(self, build, target, text, folder, number):
        source, library = folder / f"{number}.mlir", folder / f"{number}.so"
        source.write_text(text)
        subprocess.run([build / "bin" / "vitq-opt", source, "--compile", f"--target={target}", "--emit=so",
                        "--name=depthwise", "-o", library], check=True)
        arena = int(re.search(rb'"arena_bytes":(\d+)', library.read_bytes())[1])
        self.run = ctypes.CDLL(str(library)).depthwise_run
        self.buffers = [self.aligned(size) for size in (self.BYTES, self.BYTES, arena)]
        self.times = []

    def aligned(self, size):
        memory = ctypes.create_string_buffer(size + 64)
        return ctypes.c_void_p((ctypes.addressof(memory) + 63) // 64 * 64), memory

    def turn(self, runs=4):
        arguments = [pointer for pointer, _ in self.buffers]
        self.run(*arguments)
        begin = time.perf_counter_ns()
        for _ in range(runs):
            self.run(*arguments)
        self.times.append((time.perf_counter_ns() - begin) / runs / 1e3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vitq-build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--target", default="native")
    parser.add_argument("--limit", default="madd512", help="a loop of peak.c (machine.py): vnni512, madd256 ...")
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    cores = machine.choose_cores(1)
    os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory() as name:
        folder, rows = pathlib.Path(name), []
        for shape in SHAPES:
            pair = [module(*shape, requantized) for requantized in (False, True)]
            rows.append((shape, pair[0][0], [Program(arguments.vitq_build, arguments.target, text, folder,
                                                     2 * len(rows) + i) for i, (_, text) in enumerate(pair)]))
        peak, best = machine.Peak(machine.build_peak(folder), arguments.limit, cores), 0.0
        for _ in range(arguments.rounds):
            best = max(best, peak.repeat(1))
            for _, _, programs in rows:
                for program in programs:
                    program.turn()
    print(f"limit: {machine.INSTRUCTIONS[arguments.limit]}, {best:.0f} GMAC/s\n")
    print("| kernel | stride | map | bits | limit us | sums us | of the limit | requantized us | of the limit |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (kernel, stride, size, channels, bits), macs, programs in rows:
        limit = macs / best / 1e3
        cells = [f"{statistics.median(p.times):.1f} | {100 * limit / statistics.median(p.times):.0f} %"
                 for p in programs]
        print(f"| {kernel}x{kernel} | {stride} | {size}x{size}x{channels} | {bits} | {limit:.1f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
