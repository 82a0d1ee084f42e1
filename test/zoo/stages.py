"""One model through the compiler, stage by stage. Needs nothing but Python.

stages:  import   vitq-opt reads the model and recovers its patterns; no elementary op is left
         float    the float interpreter gives onnxruntime's numbers
         compile  the integer program, by the default recipe
         native   the compiled program computes what the integer interpreter computes
         sqnr     and that is close to the float model
"""

import array
import ast
import dataclasses
import math
import pathlib
import re
import struct
import subprocess

STAGES = ("import", "float", "compile", "native", "sqnr")
PREPROCESS = "--preprocess=mean=0.5,std=0.5"
# Of the largest number: sums of a few hundred products of float32, in another order.
FLOAT_TOLERANCE = 1e-4
LEAST_SQNR = 30.0
SECONDS = 300


@dataclasses.dataclass
class Result:
    stage: str  # the first that failed; empty: none
    message: str = ""
    sqnr: float = math.nan
    error: float = math.nan  # of the float phase, relative to the largest number

    @property
    def passed(self):
        return not self.stage


class Failure(Exception):
    pass


def load_npy(path):
    """The shape of an array of float32 or int32, and its elements."""
    data = pathlib.Path(path).read_bytes()
    if data[:6] != b"\x93NUMPY":
        raise ValueError(f"{path}: not an array of NumPy")
    (length,) = struct.unpack_from("<H" if data[6] == 1 else "<I", data, 8)
    begin = 8 + (2 if data[6] == 1 else 4)
    header = ast.literal_eval(data[begin : begin + length].decode("latin1"))
    kinds = {"<f4": "f", "<i4": "i"}
    if header["fortran_order"] or header["descr"] not in kinds:
        raise ValueError(f"{path}: {header}")
    return header["shape"], array.array(kinds[header["descr"]], data[begin + length :])


def difference(got, expected):
    """The largest, relative to the largest number expected."""
    if len(got[1]) != len(expected[1]):
        raise Failure(f"{got[0]} elements, expected {expected[0]}")
    if not all(map(math.isfinite, got[1])):
        raise Failure("not all elements are finite")
    largest = max(map(abs, expected[1]))
    return max(abs(a - b) for a, b in zip(got[1], expected[1])) / largest


class Check:
    """The stages of one model; `folder` is where files go."""

    def __init__(self, tools, folder, model, images, expected, flags=(), quantized=False):
        self.tools = pathlib.Path(tools)
        self.flags = flags
        self.quantized = quantized
        self.folder = pathlib.Path(folder)
        self.model = model
        self.images = f"{images}"
        self.expected = load_npy(expected)
        self.folder.mkdir(parents=True, exist_ok=True)

    def call(self, tool, *arguments):
        command = [str(self.tools / tool), *map(str, arguments)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(command)}: {SECONDS} s were not enough") from None
        if done.returncode:
            raise Failure(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
        return done.stdout

    def run(self):
        result = Result("")
        for stage in STAGES:
            try:
                getattr(self, "check_" + stage)(result)
            except (Failure, OSError, ValueError) as error:
                return dataclasses.replace(result, stage=stage, message=str(error))
        return result

    def check_import(self, result):
        self.call("vitq-opt", self.model, *self.flags, "--vitq-to-float", "--vit-verify-float", "-o", "/dev/null")

    def check_float(self, result):
        output = self.folder / "float.npy"
        self.call("vitq-run", self.model, *self.flags, f"--images={self.images}", PREPROCESS, f"--dump-outputs={output}")
        result.error = difference(load_npy(output), self.expected)
        if result.error > FLOAT_TOLERANCE and not self.quantized:
            raise Failure(f"{result.error:.2g} from onnxruntime's output, more than {FLOAT_TOLERANCE}")

    def check_compile(self, result):
        self.call(
            "vitq-opt", self.model, *self.flags, "--compile", f"--calibration-data={self.images}", PREPROCESS,
            "--emit=bytecode", "-o", self.folder / "integer.mlirbc")  # fmt: skip
        self.call(
            "vitq-opt", self.folder / "integer.mlirbc", "--compile", "--target=native", "--emit=so",
            "-o", self.folder / "program.so")  # fmt: skip

    def check_native(self, result):
        outputs = []
        for program in ("integer.mlirbc", "program.so"):
            outputs.append(self.folder / f"{program}.npy")
            self.call(
                "vitq-run", self.folder / program, f"--images={self.images}", f"--dump-outputs={outputs[-1]}")
        if outputs[0].read_bytes() != outputs[1].read_bytes():
            raise Failure("the interpreter and the compiled program disagree")

    def check_sqnr(self, result):
        manifest = re.search(rb'"output":\{[^}]*"scale":([-+.e0-9]+)', (self.folder / "program.so").read_bytes())
        if not manifest:
            raise Failure("the manifest has no scale of the output")
        scale = float(manifest[1])
        codes = load_npy(self.folder / "program.so.npy")
        expected = self.expected[1]
        if len(codes[1]) != len(expected):
            raise Failure(f"{codes[0]} elements, expected {self.expected[0]}")
        noise = sum((scale * code - value) ** 2 for code, value in zip(codes[1], expected))
        result.sqnr = 10 * math.log10(sum(value**2 for value in expected) / noise) if noise else math.inf
        if result.sqnr < LEAST_SQNR:
            raise Failure(f"{result.sqnr:.1f} dB, expected {LEAST_SQNR}")
