#!/usr/bin/env python3
"""Write the models of test/zoo/models: small vision transformers as exporters and tools write them.

    make_zoo.py [--out FOLDER] [--only REGEX]

Needs torch 2.15.0, timm 1.0.31, transformers 5.24.0, torchvision 0.29.2, onnx 1.23.2, onnxscript
0.7.2 and onnxruntime 1.32.0, and nothing from a network. Weights are random, seeds fixed: no
weight is anybody's.

A model is FAMILY.EXPORTER[.VARIANT].onnx: families.py has families, exporting.py what is done to
every model, variants.py what tools make of them; OPSET in `opsetNN`; `batch` has an open batch
axis, `open` all of them, as Optimum declares them. Beside it lies what onnxruntime computes for
the images in images16.npy (images8.npy), as NAME.npy; models.json says what is special about one:

    images     the file of images, if not images16.npy
    flags      of vitq-opt and of vitq-run on the ONNX file
    quantized  what onnxruntime computes has roundings of its own, so that no number is as near as
               those of a float model
"""

import argparse
import dataclasses
import json
import logging
import pathlib
import re
import sys

import numpy as np
import onnx
import torch

import exporting
import families
import variants

COUNT = 8
SIZE = families.Size(image=16, patch=4, width=24)
LARGEST_FILE, LARGEST_SUM = 300_000, 8_000_000


@dataclasses.dataclass
class Entry:
    family: str
    exporter: str = "dynamo"
    variant: str = ""
    # Of families.Size
    size: dict = dataclasses.field(default_factory=dict)
    flags: tuple = ()

    @property
    def name(self):
        return ".".join(filter(None, (self.family, self.exporter, self.variant)))


def both(*names, **options):
    return [Entry(name, exporter, **options) for name in names for exporter in ("dynamo", "script")]


def only(exporter, *names, **options):
    return [Entry(name, exporter, **options) for name in names]


def variant(family, exporter, *names, **options):
    return [Entry(family, exporter, name, **options) for name in names]


def pyramids(exporter, *names):
    """With convolutions or windows: of the sizes that measure.py has."""
    size = families.Size(depth=2)
    return [
        Entry(name, exporter, size=dataclasses.asdict(size) | {"image": families.IMAGES.get(name, size.image)})
        for name in names]  # fmt: skip


ENTRIES = [
    *both(
        "timm_vit", "timm_vit_tokens", "timm_deit_distilled", "timm_dinov2_reg", "timm_vit_siglip",
        "timm_vit_clip_quickgelu", "timm_cait", "timm_vit_18x2", "timm_qk_norm", "hf_vit", "hf_vit_pooler",
        "hf_dinov2_interpolated", "hf_siglip", "hf_clip", "hf_owlvit", "tv_vit", "timm_beit", "timm_relpos", "hf_beit",
        "timm_convit"),
    *only(
        "dynamo", "timm_vit_gap", "timm_beit3", "timm_flexivit", "timm_vit_pwee", "hf_vit_tokens", "hf_dinov2_reg",
        "hf_yolos", "hf_mlcd"),
    *only("script", "timm_vit_rpn", "hf_vit_msn", "hf_deit_distilled"),
    # With TorchScript's exporter these are errors of torch's own.
    *only(
        "dynamo", "timm_vit_resize", "timm_dinov3", "timm_dinov3_swiglu", "timm_eva02", "timm_eva02_base",
        "timm_vit_rope_mixed", "timm_pe_core", "timm_naflexvit", "timm_naflexvit_map", "timm_aimv2", "timm_vit_dwee",
        "hf_dinov3"),
    *only(
        "script", "timm_beitv2", "timm_relpos_cls", "timm_srelpos", "hf_beit_shared", "hf_data2vec", "hf_siglip2"),
    *both("own_head_by_head", "own_unfold", "own_rearranged", "own_patch_norms", "own_batch_norm", "own_rms_norm"),
    *only("dynamo", "own_einsum", "own_post_norm", "own_hard_swish", "own_scaled_input", "own_grid", "own_normalized"),
    *only("dynamo", "own_pixels", size=dict(image=8, patch=1, width=48)),
    *pyramids("dynamo", "timm_swin", "timm_pit", "tv_maxvit"),
    *pyramids("script", "timm_hiera", "timm_poolformer", "timm_fastvit", "timm_repvit"),
    *variant("timm_vit", "dynamo", "opset18", "opset21", "opset23", "opset24", "batch"),
    *variant("hf_vit", "dynamo", "opset22", "opset23", "batch"),
    *variant("timm_dinov3", "dynamo", "opset23"),
    *variant("hf_vit_eager", "script", "opset11", "opset13", "opset16"),
    *variant("timm_vit", "script", "opset14", "opset20", "batch"),
    *variant("hf_vit", "script", "open"),
    *variant("hf_clip", "script", "open"),
    *variant("timm_vit", "dynamo", "half", "half_weights", "ort"),
    *variant("timm_vit", "script", "ort", "ort_vit"),
    *variant("hf_clip", "dynamo", "ort"),
    *variant("hf_vit", "script", "ort_vit"),
    *variant("hf_vit_eager", "script", "ort_vit"),
    *variant("hf_clip", "script", "ort_clip"),
    *variant("hf_vit", "dynamo", "packed"),
    *variant(
        "timm_vit", "dynamo", "qdq", "qdq_channels", "qdq_symmetric", "qdq_int16", "qdq_matmul", "qdq_int4", "qop",
        "qop_channels", "dynamic", "dynamic_channels"),
    *variant("hf_vit", "dynamo", "qdq_channels", "dynamic"),
    *variant("timm_vit", "script", "qdq_channels", "qop"),
]  # fmt: skip


def export(entry, size, images):
    """The model, and the one whose numbers count (None: the model itself)."""
    image = torch.tensor(exporting.normalized(images[:1]))
    module = exporting.perturb(families.FAMILIES[entry.family](size), seed=1)
    opset = re.fullmatch(r"opset(\d+)", entry.variant)
    model = exporting.export(
        module, image, entry.exporter, opset=int(opset[1]) if opset else None,
        dynamic_batch=entry.variant == "batch", open_axes=range(4) if entry.variant == "open" else ())  # fmt: skip
    if entry.variant in variants.VARIANTS:
        changed, reference = variants.VARIANTS[entry.variant](model, exporting.normalized(images))
        return exporting.clean(changed), reference
    return model, model


def write(entry, out):
    """The line of models.json."""
    size = dataclasses.replace(SIZE, **entry.size)
    images = exporting.pictures(COUNT, size.image)
    model, reference = export(entry, size, images)
    onnx.save(model, out / f"{entry.name}.onnx")
    np.save(out / f"{entry.name}.npy", exporting.run(reference or model, images))
    np.save(out / f"images{size.image}.npy", images)
    facts = {}
    if size.image != SIZE.image:
        facts["images"] = f"images{size.image}.npy"
    if entry.flags:
        facts["flags"] = list(entry.flags)
    if reference is None:
        facts["quantized"] = True
    return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "models")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    arguments.out.mkdir(parents=True, exist_ok=True)
    index = arguments.out / "models.json"
    facts = {}
    failed = []
    for entry in ENTRIES:
        if not re.search(arguments.only, entry.name):
            continue
        try:
            with exporting.quiet():
                facts[entry.name] = write(entry, arguments.out)
        except Exception as error:  # of any library on the way
            failed.append(entry.name)
            print(f"{entry.name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        size = (arguments.out / f"{entry.name}.onnx").stat().st_size
        print(f"{entry.name}: {size} bytes", flush=True)
        if size > LARGEST_FILE:
            failed.append(entry.name)
            print(f"{entry.name}: larger than {LARGEST_FILE} bytes", file=sys.stderr)
    if arguments.only and index.exists():
        facts = json.loads(index.read_text()) | facts
    index.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
    total = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(f"{len(facts)} models, {total} bytes")
    if total > LARGEST_SUM:
        print(f"more than {LARGEST_SUM} bytes", file=sys.stderr)
    return 1 if failed or total > LARGEST_SUM else 0


if __name__ == "__main__":
    sys.exit(main())
