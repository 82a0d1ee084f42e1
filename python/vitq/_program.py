# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled programs."""
from __future__ import annotations

import json
import os
import pathlib
import tempfile
import typing

import numpy

from . import _vitq
from ._pictures import Pictures


class Output(typing.NamedTuple):
    """One output of a program: integers of 32 bits."""

    name: str  #: what the model calls it
    shape: tuple[int, ...]  #: with the batch in front
    scale: float  #: a real value is this times the integer; 0 if it is not known
    offset: int  #: in the memory of all outputs, in bytes


class Program:
    """An integer program for one processor. Calls of it let other threads run, and may come from several at once."""

    def __init__(self, program: _vitq.Program):
        self._program = program
        self.outputs = [Output(name, tuple(shape), scale, offset) for name, shape, scale, offset in program.outputs]

    @property
    def name(self) -> str:
        return self._program.name

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """[batch, height, width, channels] of uint8 pixels."""
        return tuple(self._program.input[0])

    @property
    def manifest(self) -> dict:
        """What the program says of itself: shapes, scales, preprocessing, bytes of weights, code and arena."""
        return json.loads(self._program.manifest)

    @property
    def report(self) -> dict:
        """What vitq-opt --report=FILE.json writes; empty of a program that was loaded."""
        return json.loads(self._program.report or "{}")

    def __call__(self, images, *, threads: int = 1):
        """Runs the program on uint8 pixels [N, H, W, C], or on one image [H, W, C]. Gray ones need no axis of channels.

        Pixels are as the model's preprocessing leaves them before it normalizes: resized and cropped, channels last.
        Returns int32 of the output's shape with N in front (without it for one image); of a program with several
        outputs a dict of their names. N need be no multiple of the batch that was compiled: the last one is filled up.
        `threads` run different images at once.

        Raises ValueError for other shapes or types, RuntimeError for a program that is for another processor.
        """
        pixels = numpy.asarray(images)
        batch, *size = self.input_shape
        if size[2] == 1 and pixels.shape[-2:] == tuple(size[:2]):
            pixels = pixels[..., None]
        single = pixels.ndim == 3
        if single:
            pixels = pixels[None]
        if pixels.dtype != numpy.uint8:
            raise ValueError(f"the images must be uint8 pixels, but are {pixels.dtype}")
        if pixels.ndim != 4 or list(pixels.shape[1:]) != size:
            raise ValueError(f"the images must have the shape [N, {', '.join(map(str, size))}], but have "
                             f"{list(pixels.shape)}")
        if threads < 1:
            raise ValueError("threads must be at least 1")
        count = len(pixels)
        missing = -count % batch
        if missing:
            pixels = numpy.concatenate([pixels, numpy.repeat(pixels[-1:], missing, axis=0)])
        memory = self._program.run(numpy.ascontiguousarray(pixels), threads)
        results = {output.name: self._take(memory, output, count)[0 if single else slice(None)]
                   for output in self.outputs}
        return results if len(results) > 1 else next(iter(results.values()))

    @staticmethod
    def _take(memory, output: Output, count: int):
        size = 4 * int(numpy.prod(output.shape))
        part = numpy.ascontiguousarray(memory[:, output.offset:output.offset + size])
        return part.view(numpy.int32).reshape(-1, *output.shape[1:])[:count]

    def pictures(self, path: str | os.PathLike) -> Pictures:
        """The pictures of a folder, or of a .npy of pixels, as this program takes them."""
        pictures = Pictures(path, self.manifest["preprocess"], self.input_shape[3])
        if pictures.size != self.input_shape[1:]:
            raise ValueError(f"the pictures of {os.fspath(path)} come out as {list(pictures.size)} (height, width, "
                             f"channels), the program takes {list(self.input_shape[1:])}")
        return pictures

    def logits(self, images, *, threads: int = 1):
        """The same as float32: integers times the outputs' scales. Raises ValueError where a scale is not known."""
        unknown = [output.name for output in self.outputs if not output.scale > 0]
        if unknown:
            raise ValueError(f"the scale of {', '.join(unknown)} is not known")
        results = self(images, threads=threads)
        if len(self.outputs) == 1:
            return results.astype(numpy.float32) * numpy.float32(self.outputs[0].scale)
        return {output.name: results[output.name].astype(numpy.float32) * numpy.float32(output.scale)
                for output in self.outputs}

    def save(self, path: str | os.PathLike) -> None:
        """Writes a shared library (FILE.so: for vitq-run, C programs and `load`), an object (FILE.o) with its header
        FILE.h and its manifest FILE.json beside it, or a model for ONNX Runtime (FILE.onnx) with the library of its
        operator, FILE.so, beside it."""
        path = pathlib.Path(path)
        if path.suffix == ".so":
            self._program.write_library(os.fspath(path))
        elif path.suffix == ".onnx":
            self._program.write_onnx_operator(os.fspath(path))
        elif path.suffix == ".o":
            contents = {path: self.to_bytes(), path.with_suffix(".json"): self._program.manifest.encode()}
            if self._program.header:
                contents[path.with_suffix(".h")] = self._program.header.encode()
            for where, content in contents.items():
                _write(where, content)
        else:
            raise ValueError(f"a program is saved as FILE.so, FILE.o or FILE.onnx, not as {path.name}")

    def to_bytes(self) -> bytes:
        """The object, which `load` takes too. Raises ValueError for a program that was loaded from a library."""
        if not self._program.object:
            raise ValueError("a program that was loaded from a library has no object; copy the library")
        return self._program.object

    def __reduce__(self):
        return (load, (self.to_bytes(),))

    def __repr__(self) -> str:
        target = self.manifest["target"]
        return f"<vitq.Program {self.name} for {target}: uint8 {list(self.input_shape)} to " \
               + ", ".join(f"{output.name} {list(output.shape)}" for output in self.outputs) + ">"


def load(program: str | os.PathLike | bytes) -> Program:
    """A program that `Program.save` or vitq-opt wrote (FILE.so, FILE.o), or that `Program.to_bytes` gave.

    Its code runs in this process: load only what you would run. Raises CompileError for what is no program, or one for
    another processor.
    """
    if isinstance(program, (bytes, bytearray)):
        return Program(_vitq.Program.load(bytes(program)))
    path = pathlib.Path(program)
    if path.suffix == ".o":
        return Program(_vitq.Program.load(path.read_bytes()))
    return Program(_vitq.Program.open(os.fspath(path)))


def _write(path: pathlib.Path, content: bytes) -> None:
    """Whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(content)
    try:
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError:
        os.unlink(file.name)
        raise
