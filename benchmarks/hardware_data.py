"""Codes as a compiled model has them: operands of the first MLP's first product, at 8, 4, 3 and 2 bits.

vitq-opt compiles the model to integers; a copy of the module returns the product's left operand (through a product with
the identity, since a program's results have 32 bits), which vitq-run computes for images. Weights, biases and the
requantizer's multipliers are read from the module.
"""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRODUCT = re.compile(r"%\w+ = vitq\.matmul (%\w+), (%\w+), (%\w+) transpose_rhs lhs (<[^>]*>) .*?"
                     r"\((tensor<1x(\d+)x(\d+)x(i\d)>), tensor<(\d+)x\d+xi\d>")


class Codes:
    """`x` [rows, K] and `w` [N, K] as signed operands; `sums` [rows, N] with the bias; `multipliers`, `shifts` [N] of the
    requantizer behind, and `codes` [rows, N], its results."""

    def __init__(self, bits, x, w, bias, multipliers, shifts):
        self.bits, self.w, self.multipliers, self.shifts = bits, w, multipliers, shifts
        # Unsigned codes, as an element of signed operands gets them.
        self.x = x - (1 << (bits - 1))
        self.sums = x @ w.T + bias
        top = 1 << (bits - 1)
        self.codes = ((self.sums * multipliers + (1 << (shifts - 1))) >> shifts).clip(-top, top - 1)


def constant(text, name, bits):
    """Of a value of the module: an array of its integers."""
    import numpy

    resource = re.search(re.escape(name) + r' = arith\.constant (dense(?:_resource)?)<"?([^">]+)"?> : tensor<([\dx]+)xi(\d+)>',
                         text)
    dims = [int(n) for n in resource[3].split("x")]
    # A resource begins with its alignment.
    data = resource[2].removeprefix("0x") if resource[1] == "dense" else re.search(
        r'^\s*"?' + re.escape(resource[2]) + r'"?: "0x[0-9A-F]{8}([0-9A-F]*)"', text, re.M)[1]
    wide = resource[4] == "32"
    values = numpy.frombuffer(bytes.fromhex(data), dtype="<i4" if wide else "i1").astype(numpy.int64)
    if not wide and bits < 8:
        # A byte holds a code's bits.
        values = ((values & ((1 << bits) - 1)) ^ (1 << (bits - 1))) - (1 << (bits - 1))
    return values.reshape(dims)


def tapped(text):
    """The product's match, and the module that returns its left operand."""
    match = next(m for m in PRODUCT.finditer(text) if int(m[9]) == 4 * int(m[7]))
    x, code, operand, tokens, k, element = match[1], match[4], match[5], match[6], int(match[7]), match[8]
    eye = ", ".join("[" + ", ".join("1" if i == j else "0" for j in range(k)) + "]" for i in range(k))
    result = f"tensor<1x{tokens}x{k}xi32>"
    text = re.sub(r"(func\.func @main\(.*?\) -> )tensor<[^>]*>", rf"\g<1>{result}", text, count=1)
    text = re.sub(r"    return %\w+ : tensor<[^>]*>",
                  f"    %eye = arith.constant dense<[{eye}]> : tensor<{k}x{k}x{element}>\n"
                  f"    %tap = vitq.matmul {x}, %eye transpose_rhs lhs {code} : ({operand}, tensor<{k}x{k}x{element}>) -> "
                  f"{result}\n    return %tap : {result}", text, count=1)
    return match, text


def codes(build, model, calibration, preprocess, images, bits, work):
    """The codes of a model at so many bits."""
    import numpy

    path = work / f"codes{bits}.mlir"
    few = [] if bits == 8 else [f"--weight-bits={bits}", f"--activation-bits={bits}"]
    subprocess.run([build / "vitq-opt", model, "--compile", f"--calibration-data={calibration}",
                    f"--preprocess={preprocess}", "--stop-after=integer", "--emit=mlir", "-o", path, *few], check=True)
    text = path.read_text()
    match, tap = tapped(text)
    (work / f"tap{bits}.mlir").write_text(tap)
    out = work / f"x{bits}.npy"
    subprocess.run([build / "vitq-run", work / f"tap{bits}.mlir", f"--images={images}", "--limit=2",
                    f"--dump-outputs={out}"], check=True, stdout=subprocess.DEVNULL)
    x = numpy.load(out).astype(numpy.int64).reshape(-1, int(match[7]))
    after = text[match.end():]
    by = re.search(r"vitq\.requant %\w+ by <\[([^\]]*)\], \[([^\]]*)\]>", after)
    numbers = [numpy.array([int(n) for n in group.split(",")]) for group in by.groups()]
    return Codes(bits, x, constant(text, match[2], bits), constant(text, match[3], bits), *numbers)
