# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling and quantizing models."""
from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import tempfile
import typing

import numpy

from . import _errors, _vitq
from ._program import Program, _write

if typing.TYPE_CHECKING:
    import onnx

    Model = typing.Union[str, os.PathLike, bytes, onnx.ModelProto]
    Images = typing.Union[str, os.PathLike, numpy.ndarray, typing.Iterable, "Ranges"]


def compile(model: Model, calibration: Images | None = None, *, preprocess: str = "", recipe: str = "default",
            target: str = "native", name: str | None = None, report: str = "facts", **options) -> Program:
    """Compiles an ONNX model to an integer program.

    model: a path, the bytes, or an onnx.ModelProto.
    calibration: a few dozen images: a folder of pictures or a .npy (a path), uint8 pixels [N, H, W, C], or an iterable
        of such images [H, W, C] (PIL's too); or the `Ranges` that `calibrate` measured. Without it the option
        `load_ranges` or a quantized model's own scales are used.
    preprocess: how a picture becomes the model's input, as vitq-opt --preprocess:
        "resize=248,crop=224,mean=0.5,std=0.5".
        Sizes apply to `calibration` too; mean and std are computed by the program.
    recipe: "default", "best", "minmax" or "ivit".
    target: the CPU, "native" or as vitq-opt --target.
    name: a C identifier; that of the model's file if it is not given.
    report: "facts", or "measured": `Program.report` then compares every op with the float model on the calibration
        images, which takes a while.
    options: every other option of vitq-opt --compile, with underscores: weight_bits=4, bits="auto:size=3MB", or
        bits={"layers": {"/blocks.0/mlp/fc1/Add": 4}} in place of a file of that; nonlinear="shift", batch=8 (images
        of one run), output="logits", shape="image:1x3x224x224". True and False are "on" and "off".

    Raises CompileError, whose text names the ONNX node and says what to do. Warnings are Python's, remarks go to the
    logger "vitq". Other Python threads run meanwhile.
    """
    content, file = _read(model)
    with _written(options) as options, _calibration(calibration) as data:
        pairs = _pairs(options, recipe=recipe, target=target, report=report, preprocess=preprocess,
                       name=name or _identifier(file))
        program, said = _vitq.Program.compile(content, file, pairs + data)
    _errors.tell(said)
    return Program(program)


def quantize(model: Model, calibration: Images | None = None, *, preprocess: str = "", recipe: str = "default",
             **options) -> onnx.ModelProto:
    """Quantizes an ONNX model and returns it as one: float operators between QuantizeLinear and DequantizeLinear.

    Arguments and errors as of `compile`. Needs the package onnx.
    """
    import onnx

    content, file = _read(model)
    with _written(options) as options, _calibration(calibration) as data:
        pairs = _pairs(options, recipe=recipe, preprocess=preprocess)
        return onnx.load_from_string(_vitq.quantize(content, file, pairs + data))


class Ranges:
    """What calibration saw of the values of one model. The bytes are the file of vitq-opt --save-ranges."""

    def __init__(self, content: bytes):
        self._content = content

    @classmethod
    def load(cls, path: str | os.PathLike) -> Ranges:
        return cls(pathlib.Path(path).read_bytes())

    def save(self, path: str | os.PathLike) -> None:
        _write(pathlib.Path(path), self._content)

    def __bytes__(self) -> bytes:
        return self._content

    def __eq__(self, other) -> bool:
        return isinstance(other, Ranges) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def images(self) -> int:
        """How many they are from."""
        return json.loads(self._content)["images"]

    def __repr__(self) -> str:
        return f"<vitq.Ranges of {self.images} images>"


def calibrate(model: Model, images: Images | typing.Iterable[Ranges], *, preprocess: str = "", **options) -> Ranges:
    """Measures the ranges of a float model, which `compile` takes as its calibration.

    images: as of `compile`; or `Ranges` of parts, which are merged: the result is, to the last digit, that of all
        images at once. vitq.distributed.calibrate measures parts on several machines.
    preprocess, options, errors: as of `compile`.
    """
    content, file = _read(model)
    parts = list(images) if _are_ranges(images) else None
    with tempfile.TemporaryDirectory(prefix="vitq-") as folder, _calibration(parts if parts else images) as data:
        result = pathlib.Path(folder) / "ranges.json"
        pairs = _pairs(options, preprocess=preprocess, save_ranges=result)
        _errors.tell(_vitq.calibrate(content, file, pairs + data))
        return Ranges(result.read_bytes())


def _are_ranges(images) -> bool:
    return isinstance(images, (list, tuple)) and bool(images) and all(isinstance(part, Ranges) for part in images)


def _read(model: Model) -> tuple[bytes, str]:
    """The bytes of a model, and what messages call it."""
    if isinstance(model, (bytes, bytearray)):
        return bytes(model), "the model"
    if hasattr(model, "SerializeToString"):
        return model.SerializeToString(), "the model"
    path = pathlib.Path(model)
    content = path.read_bytes()
    # Where weights lie in files beside it; the compiler takes a model whole.
    if b"location" in content:
        content = _with_weights(path, content)
    return content, os.fspath(path)


def _with_weights(path: pathlib.Path, content: bytes) -> bytes:
    try:
        import onnx
        from onnx.external_data_helper import uses_external_data
    except ImportError:
        return content
    try:
        model = onnx.load_from_string(content)
    except Exception:  # The compiler says better what is wrong with it.
        return content
    if not any(uses_external_data(tensor) for tensor in model.graph.initializer):
        return content
    return onnx.load(os.fspath(path)).SerializeToString()


def _identifier(file: str) -> str:
    stem = re.sub(r"\W", "_", pathlib.Path(file).stem, flags=re.ASCII) if file != "the model" else "model"
    return stem if stem and not stem[0].isdigit() else f"_{stem}"


def _pairs(options: dict, **known) -> list[tuple[str, str]]:
    def text(value) -> str:
        if isinstance(value, bool):
            return "on" if value else "off"
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)

    return [(key.replace("_", "-"), text(value)) for key, value in {**known, **options}.items()
            if value is not None and value != ""]


@contextlib.contextmanager
def _written(options: dict):
    """The options, of which those that are a dict go to files that the compiler reads."""
    with tempfile.TemporaryDirectory(prefix="vitq-") as folder:
        written = dict(options)
        for key, value in options.items():
            if isinstance(value, dict):
                path = pathlib.Path(folder) / f"{key}.json"
                path.write_text(json.dumps(value))
                written[key] = f"@{path}"
        yield written


@contextlib.contextmanager
def _calibration(images: Images | None):
    """The option that names them; what is in memory is a file meanwhile."""
    parts = [images] if isinstance(images, Ranges) else images
    if images is None:
        yield []
    elif _are_ranges(parts):
        with tempfile.TemporaryDirectory(prefix="vitq-") as folder:
            paths = [os.path.join(folder, f"{number}.json") for number in range(len(parts))]
            for path, part in zip(paths, parts):
                pathlib.Path(path).write_bytes(bytes(part))
            yield [("load-ranges", ",".join(paths))]
    elif isinstance(images, (str, os.PathLike)):
        yield [("data", os.fspath(images))]
    else:
        pixels = images
        if not isinstance(images, numpy.ndarray):
            pixels = numpy.stack([numpy.asarray(image) for image in images])
        if pixels.dtype != numpy.uint8 or pixels.ndim not in (3, 4):
            raise ValueError("calibration images must be uint8 pixels [N, H, W, C], or gray ones [N, H, W], but are "
                             f"{pixels.dtype} {list(pixels.shape)}")
        with tempfile.TemporaryDirectory(prefix="vitq-") as folder:
            path = os.path.join(folder, "calibration.npy")
            numpy.save(path, numpy.ascontiguousarray(pixels))
            yield [("data", path)]
