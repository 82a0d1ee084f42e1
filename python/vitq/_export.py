# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of timm and transformers: exported, with their preprocessing, compiled."""
from __future__ import annotations

import inspect
import io
import json
import pathlib
import tempfile
import warnings

from ._compile import compile
from ._program import Program

OPSET = 17


def from_timm(model, images, **options) -> Program:
    """Compiles a model of timm.

    model: the model (timm.create_model(...)), or its name, which is created with its pretrained weights.
    images: a few dozen pictures to calibrate on, as `vitq.compile` takes them.
    options: those of `vitq.compile`. `preprocess` is that of the model's configuration unless it is given.
    """
    import timm
    import timm.data

    if isinstance(model, str):
        model = timm.create_model(model, pretrained=True)
    config = timm.data.resolve_model_data_config(model)
    # The configuration is that of the weights; a model made for other pictures (img_size=) says so itself.
    size = getattr(getattr(model, "patch_embed", None), "img_size", None)
    if size:
        config = {**config, "input_size": (config["input_size"][0], *size)}
    with tempfile.TemporaryDirectory(prefix="vitq-") as folder:
        path = pathlib.Path(folder) / "config.json"
        path.write_text(json.dumps({"pretrained_cfg": config}))
        options.setdefault("preprocess", f"@{path}")
        return compile(_export(model, config["input_size"]), images, **options)


def from_transformers(model, images, processor=None, **options) -> Program:
    """Compiles an image classifier of transformers.

    model: the model (AutoModelForImageClassification.from_pretrained(...)), or its name.
    images: a few dozen pictures to calibrate on, as `vitq.compile` takes them.
    processor: the model's image processor (AutoImageProcessor...), which `preprocess` is taken from unless that is
        given; loaded by the name where `model` is one.
    options: those of `vitq.compile`.
    """
    import transformers

    if isinstance(model, str):
        processor = processor or transformers.AutoImageProcessor.from_pretrained(model)
        model = transformers.AutoModelForImageClassification.from_pretrained(model)
    if processor is None and "preprocess" not in options:
        raise ValueError("a model that is no name needs its image processor, or preprocess=")
    with tempfile.TemporaryDirectory(prefix="vitq-") as folder:
        if processor is not None:
            processor.save_pretrained(folder)
            options.setdefault("preprocess", f"@{folder}/preprocessor_config.json")
        side = model.config.image_size
        height, width = side if isinstance(side, (list, tuple)) else (side, side)
        return compile(_export(_logits(model), (model.config.num_channels, height, width)), images, **options)


def _logits(model):
    """The model with its logits as its only output."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixels):
            return self.model(pixel_values=pixels).logits

    return Logits()


def _export(model, size) -> bytes:
    import torch

    # Before torch 2.5 there was one exporter.
    which = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    model = model.eval()
    buffer = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.zeros(1, *size), buffer, opset_version=OPSET, input_names=["image"],
                          output_names=["logits"], **which)
    return buffer.getvalue()
