"""vitq itself: vitq-opt compiles a shared library, which is called directly."""
import ctypes
import json
import os
import pathlib
import subprocess
import time

import numpy

RUN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
RUN_PROFILED = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
RUN_MT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)


class Head(ctypes.Structure):
    """include/vitq/Target/Program.h up to ABI version 1."""

    _fields_ = [("abi_version", ctypes.c_uint32), ("name", ctypes.c_char_p), ("run", RUN),
                ("manifest", ctypes.c_char_p)]


class Struct(ctypes.Structure):
    """The same from ABI version 2 on."""

    _fields_ = Head._fields_ + [("run_profiled", RUN_PROFILED), ("run_mt", RUN_MT)]


class Program:
    """A shared library that vitq-opt wrote, run in `threads` threads."""

    def __init__(self, path, threads=1):
        self.library = ctypes.CDLL(os.path.abspath(path))
        self.struct = Head.in_dll(self.library, "vitq_program_v1")
        if self.struct.abi_version >= 2:
            self.struct = Struct.in_dll(self.library, "vitq_program_v1")
        self.manifest = json.loads(self.struct.manifest)
        self.threads = threads
        if threads > 1 and not getattr(self.struct, "run_mt", None):
            raise RuntimeError("the program has no run_mt: this vitq-opt has no --openmp")
        self.output = numpy.zeros(self.manifest["output"]["shape"], numpy.int32)
        extra = (threads - 1) * (self.manifest.get("thread_arena_bytes") or 0)
        raw = numpy.zeros(self.manifest["arena_bytes"] + extra + 64, numpy.uint8)
        self.arena = raw[-raw.ctypes.data % 64:]

    def set_pixels(self, pixels):
        shape = tuple(self.manifest["input"]["shape"])
        if pixels.shape != shape:
            raise ValueError(f"the program takes pixels {shape}, not {pixels.shape}")
        self.pixels = numpy.ascontiguousarray(pixels)
        self.pointers = (self.pixels.ctypes.data, self.output.ctypes.data, self.arena.ctypes.data)

    def run(self):
        if self.threads > 1:
            status = self.struct.run_mt(*self.pointers, self.threads)
        else:
            status = self.struct.run(*self.pointers)
        if status:
            raise RuntimeError(f"the program returned {status}")

    def logits(self):
        return self.output.copy()

    def profile(self, runs):
        """The median ticks of each step, and how many ticks a second has; None
        where the program has no profile."""
        steps = self.manifest.get("steps") or []
        if not steps or not getattr(self.struct, "run_profiled", None):
            return None
        ticks = numpy.zeros((runs, len(steps) + 1), numpy.uint64)
        seconds = []
        self.run()
        for row in ticks:
            start = time.perf_counter()
            if self.struct.run_profiled(*self.pointers, row.ctypes.data):
                raise RuntimeError("the profiled program failed")
            seconds.append(time.perf_counter() - start)
        totals = (ticks[:, -1] - ticks[:, 0]).astype(float)
        return {
            "ticks": numpy.median(numpy.diff(ticks.astype(numpy.int64), axis=1), axis=0).tolist(),
            "ticks_per_second": float(numpy.median(totals / numpy.array(seconds))),
        }


class Vitq:
    title, packages, int8 = "vitq", (), True

    def prepare(self, job, folder):
        output = pathlib.Path(folder) / "program.so"
        command = [job["vitq_opt"], job["models"]["packed"], "--compile", f"--calibration-data={job['calibration']}",
                   f"--preprocess={job['preprocess']}", f"--target={job['target']}", "--emit=so", "-o", str(output)]
        command += job["vitq_flags"]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        log = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed ({process.returncode}):\n{log[-1500:]}")
        manifest = Program(output).manifest
        return {"program": str(output), "manifest": manifest, "compile_seconds": time.perf_counter() - start,
                "compile_peak_mib": usage.ru_maxrss / 1024, "file_bytes": output.stat().st_size}

    def load(self, artifact, threads):
        return Program(artifact["program"], threads)
