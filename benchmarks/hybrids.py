#!/usr/bin/env python3
"""Write vision transformers with windows or convolutions, as timm and transformers build them.

    benchmarks/hybrids.py --out DIR [NAME...]

NAME is one of MODELS below, of the published sizes. Needs torch, timm and transformers; the graph
is what TorchScript's exporter writes. Weights are random and perturbed as those of the small models
in test/zoo: no zero biases, layer scales or position tables. Nothing is downloaded.
"""
import argparse
import dataclasses
import pathlib
import sys

MACS = "macs"
ZOO = pathlib.Path(__file__).resolve().parent.parent / "test" / "zoo"


@dataclasses.dataclass(frozen=True)
class Hybrid:
    title: str
    image: int
    library: str


MODELS = {
    "swin_tiny_patch4_window7_224": Hybrid("Swin-T", 224, "timm"),
    "segformer_b0": Hybrid("SegFormer-B0", 224, "transformers"),
    "mobilevit_xxs": Hybrid("MobileViT-XXS", 256, "timm"),
    "efficientvit_b0": Hybrid("EfficientViT-B0", 224, "timm"),
}


def segformer(classes=1000):
    """MiT-B0 with its head for classes: SegformerConfig's own numbers are those of nvidia/mit-b0."""
    import torch
    import transformers

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = transformers.SegformerForImageClassification(transformers.SegformerConfig(num_labels=classes))

        def forward(self, image):
            return self.model(image).logits

    return Logits()


def build(name):
    """An onnx.ModelProto from `image` [1, 3, size, size], pixels normalized to [-1, 1], to logits. Its
    metadata have `macs`, the multiply-accumulates of all convolutions and matrix products as torch counts them."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    sys.path.insert(0, str(ZOO))
    import exporting

    torch.manual_seed(0)
    if MODELS[name].library == "timm":
        import timm

        module = timm.create_model(name, pretrained=False)
    else:
        module = segformer()
    module = exporting.perturb(module, seed=1)
    image = torch.tensor(exporting.normalized(exporting.pictures(1, MODELS[name].image)))
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        module(image)
    model = exporting.export(module, image, "script")
    model.metadata_props.add(key=MACS, value=str(counter.get_total_flops() // 2))
    return model


def macs(path):
    """What `build` counted of a model that it wrote."""
    import onnx

    return next(int(entry.value) for entry in onnx.load(str(path)).metadata_props if entry.key == MACS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"models to write (default: all): {', '.join(MODELS)}")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder to write NAME.onnx to")
    arguments = parser.parse_args()
    for name in arguments.names or MODELS:
        if name not in MODELS:
            sys.exit(f"hybrids.py: no model '{name}'; there are {', '.join(MODELS)}")
    try:
        import timm  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        sys.exit(f"hybrids.py: {error.name} is missing: pip install torch timm transformers onnx onnxscript")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or MODELS:
        path = arguments.out / f"{name}.onnx"
        path.write_bytes(build(name).SerializeToString())
        print(path)


if __name__ == "__main__":
    main()
