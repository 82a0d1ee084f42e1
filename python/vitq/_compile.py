# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling and quantizing models."""
from __future__ import annotations

import contextlib
import os
import pathlib
import re
import tempfile
import typing

import numpy

from . import _errors, _vitq
from ._program import Program

if typing.TYPE_CHECKING:
    import onnx

    Model = typing.Union[str, os.PathLike, bytes, onnx.ModelProto]
    Images = typing.Union[str, os.PathLike, numpy.ndarray, typing.Iterable]


def compile(model: Model, calibration: Images | None = None, *, preprocess: str = "", recipe: str = "default",
            target: str = "native", name: str | None = None, report: str = "facts", **options) -> Program:
    """Compiles an ONNX model to an integer program.

    model: a path, the bytes, or an onnx.ModelProto.
    calibration: a few dozen images: a folder of pictures or a .npy (a path), uint8 pixels [N, H, W, C], or an iterable
        of such images [H, W, C] (PIL's too). Without it the option `load_ranges` or a quantized model's own scales
        are used.
    preprocess: how a picture becomes the model's input, as vitq-opt --preprocess:
        "resize=248,crop=224,mean=0.5,std=0.5".
        Sizes apply to `calibration` too; mean and std are computed by the program.
    recipe: "default", "best", "minmax" or "ivit".
    target: the CPU, "native" or as vitq-opt --target.
    name: a C identifier; that of the model's file if it is not given.
    report: "facts", or "measured": `Program.report` then compares every op with the float model on the calibration
        images, which takes a while.
    options: every other option of vitq-opt --compile, with underscores: weight_bits=4, bits="auto:size=3MB",
        nonlinear="shift", batch=8 (of an axis that the model leaves open), output="logits",
        shape="image:1x3x224x224". True and False are "on" and "off".

    Raises CompileError, whose text names the ONNX node and says what to do. Warnings are Python's, remarks go to the
    logger "vitq". Other Python threads run meanwhile.
    """
    content, file = _read(model)
    pairs = _pairs(options, recipe=recipe, target=target, report=report, preprocess=preprocess,
                   name=name or _identifier(file))
    with _calibration(calibration) as data:
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
    pairs = _pairs(options, recipe=recipe, preprocess=preprocess)
    with _calibration(calibration) as data:
        return onnx.load_from_string(_vitq.quantize(content, file, pairs + data))


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
def _calibration(images: Images | None):
    """The option that names them; images in memory are a file meanwhile."""
    if images is None:
        yield []
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
