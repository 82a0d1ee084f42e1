# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of timm and transformers, with random weights; skipped where the packages are not installed."""
import numpy
import pytest

import vitq

PICTURES = numpy.random.default_rng(0).integers(0, 256, (8, 80, 72, 3), numpy.uint8)


def test_timm():
    timm = pytest.importorskip("timm")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", img_size=64, depth=2, num_classes=10)
    program = vitq.from_timm(model, PICTURES)
    assert program.input_shape == (1, 64, 64, 3)
    preprocess = program.manifest["preprocess"]
    assert "mean=0.5" in preprocess and "crop=64" in preprocess
    pixels = PICTURES[:4, :64, :64]
    with torch.no_grad():
        expected = model.eval()(torch.tensor(pixels).permute(0, 3, 1, 2) / 255 * 2 - 1).numpy()
    noise = program.logits(pixels) - expected
    assert 10 * numpy.log10((expected**2).sum() / (noise**2).sum()) > 15


def test_transformers():
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    config = transformers.ViTConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
                                    image_size=64, num_labels=10)
    model = transformers.ViTForImageClassification(config)
    processor = transformers.ViTImageProcessor(size={"height": 64, "width": 64})
    program = vitq.from_transformers(model, PICTURES, processor)
    assert program.input_shape == (1, 64, 64, 3)
    with pytest.raises(ValueError, match="needs its image processor, or preprocess="):
        vitq.from_transformers(model, PICTURES)
