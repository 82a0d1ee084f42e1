#!/usr/bin/env python3
"""Write small random-weight ONNX vision transformers for the frontend tests.

    /usr/bin/python3 make_models.py --out DIR [--only SUBSTRING]

Needs Debian's python3-torch and python3-onnx (bookworm: torch 1.13, onnx 1.12)
and nothing from a network. Seeded: the same versions write the same files.

For every good model it writes NAME.onnx (under 200 kB) and NAME.npz, which has
    images   uint8   [4,16,16,3]
    input    float32 [4,3,16,16], (images / 255 - 0.5) / 0.5, channels first
    output   float32 [4,10], what torch computes, one image at a time
NAME is VARIANT_opNN with NN the opset. Models have a batch of 1 unless the
list below says otherwise. All take 16x16 RGB images, use 4x4 patches (16
tokens), width 32, 4 heads (head size 8), 2 blocks, 10 classes.

    timm_like      class token, packed qkv + unbind, erf GELU; dynamic batch
    timm_external  timm_like with its weights in a second file (opset 17)
    hf_like        Hugging Face ViTForImageClassification: separate q, k, v,
                   eps 1e-12, its parameter names; dynamic batch
    hf_optimum     the same with batch, channels, height and width dynamic, as
                   the Optimum exporter declares them (opsets 14 and 17)
    mean_pool      no class token; qkv by chunk(3); mean over tokens, then norm
    layer_scale    gamma * branch; qkv[0], qkv[1], qkv[2] (Gather)
    quick_gelu     x * sigmoid(1.702 x), norm after the embedding, projection
                   without a bias, no bias on q, k, v (CLIP)
    tanh_gelu      the tanh GELU as torch decomposes it
    tanh_gelu_pow  the same written with x ** 3 (Hugging Face's "gelu_new")
    post_norm      x = norm(x + branch(x)), ReLU
    mha            torch.nn.MultiheadAttention, its slow path (3-d attention)
    conv_stem      two strided 3x3 convolutions (batch norm folded in) with
                   ReLU, then a 1x1 projection; mean pooling
    mobile_stem    a strided convolution, an inverted residual block, a strided
                   depthwise 5x5, a dilated 3x3 in groups, a 1x1 projection
    hard_swish     nn.Hardswish in the MLP
    registers      tokens that are put in behind the position embedding
    torch_var      LayerNorms by x.var(), biased and not, weights [1, 1, C]

each at opsets 11, 13, 14 and 17. The installed onnx stops at opset 17, so these
are rewritten from an opset-17 export by hand:

    gelu_op20, tanh_gelu_op20   the Gelu operator, approximate none and tanh
    mean_pool_op18              ReduceMean with its axes as an input
    guarded_op17                hf_like with an all-zero mask in front of each Softmax
                                and Where(IsNaN(p), 0, p) behind it, as dynamo
                                writes torch's attention
    final_softmax_op17          hf_like that ends in a Softmax

Models that a frontend must refuse (no .npz):

    bad_lstm                a standard operator that is not supported (LSTM)
    bad_domain              a node of the domain com.microsoft
    bad_opset7              opset 7
    bad_float16             float16 weights and activations
    bad_string              a string tensor that the first output needs
    bad_truncated           the first two thirds of a good file
    bad_undefined_value     a node reads a value that nothing makes
    bad_external_missing    the external-data file is not there
    bad_external_short      the external-data file ends too early
    bad_external_escape     the external-data location is ../secret.data
"""

import argparse
import io
import os
import sys
import time
import warnings

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from refused_models import write_bad
from torch import nn
from vit_modules import (CHANNELS, SIZE, TOKENS, Attention, ConvStem, ExportedGelu, HfClassifier, MobileStem, NewGELU,
                         QuickGELU, TorchAttention, VisionTransformer, WithRegisters, with_var_norms)

OPSETS = (11, 13, 14, 17)
SIZE_LIMIT = 200_000


# --------------------------------------------------------------------------
# Weights, inputs, export
# --------------------------------------------------------------------------


def randomize(model, seed):
    """Weights that leave no parameter at its trivial value."""
    generator = torch.Generator().manual_seed(seed)

    def normal(shape, std, mean=0.0):
        return torch.randn(shape, generator=generator) * std + mean

    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("gamma"):
                p.copy_(normal(p.shape, 0.15, 0.4))
            elif "token" in name or "pos" in name:
                p.copy_(normal(p.shape, 0.5))
            elif p.ndim >= 2:
                fan_in = p[0].numel()
                p.copy_(normal(p.shape, 1.2 * fan_in**-0.5))
            elif name.endswith("weight"):  # of a norm
                p.copy_(normal(p.shape, 0.2, 1.0))
            else:
                p.copy_(normal(p.shape, 0.1))
        for name, b in model.named_buffers():
            if name.endswith("running_mean"):
                b.copy_(normal(b.shape, 0.2))
            elif name.endswith("running_var"):
                b.copy_(normal(b.shape, 0.2).abs() + 0.8)
    return model.eval()


def make_images():
    """Four images with smooth structure and a little noise."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (4, CHANNELS, 4, 4)).astype(np.float64)
    fine = coarse.repeat(SIZE // 4, axis=2).repeat(SIZE // 4, axis=3)
    fine += rng.normal(0, 20, fine.shape)
    return np.clip(np.rint(fine), 0, 255).astype(np.uint8)


IMAGES = make_images()
INPUT = (IMAGES.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(
    0.5
)


def export(model, opset, dynamic=(), input_name="input"):
    """`dynamic`: the input's axes that get a name instead of a size."""
    buffer = io.BytesIO()
    placeholders = any(isinstance(m, ExportedGelu) for m in model.modules())
    axes = {}
    if dynamic:
        axes = {input_name: dict(dynamic), "logits": {0: dict(dynamic)[0]}}
    torch.onnx.export(
        model,
        torch.zeros(1, CHANNELS, SIZE, SIZE),
        buffer,
        input_names=[input_name],
        output_names=["logits"],
        opset_version=opset,
        dynamic_axes=axes or None,
        custom_opsets={"vitq.test": 1} if placeholders else None,
    )
    proto = onnx.load_from_string(buffer.getvalue())
    if not placeholders:
        onnx.checker.check_model(proto, full_check=True)
    return proto


def expected(model):
    with torch.no_grad():
        return torch.cat([model(x[None]) for x in torch.from_numpy(INPUT)]).numpy()


def set_opset(proto, version):
    del proto.opset_import[:]
    proto.opset_import.append(helper.make_opsetid("", version))
    # The IR version each ONNX release that brought the opset asks for.
    proto.ir_version = max(proto.ir_version, {18: 8, 20: 9}[version])


def to_gelu_op(proto):
    """Opset 20 with the placeholder nodes of ExportedGelu made Gelu nodes."""
    for i, node in enumerate(proto.graph.node):
        if node.domain == "vitq.test":
            approximate = node.attribute[0].s.decode()
            kwargs = {} if approximate == "none" else {"approximate": approximate}
            new = helper.make_node(
                "Gelu", node.input, node.output, name=node.name, **kwargs
            )
            proto.graph.node[i].CopyFrom(new)
    axes_to_inputs(proto)
    set_opset(proto, 20)
    return proto


def axes_to_inputs(proto):
    """From opset 18 on ReduceMean takes its axes as an input."""
    for node in proto.graph.node:
        if node.op_type != "ReduceMean":
            continue
        for attribute in [a for a in node.attribute if a.name == "axes"]:
            name = node.output[0] + "_axes"
            proto.graph.initializer.append(
                numpy_helper.from_array(np.array(attribute.ints, np.int64), name)
            )
            node.input.append(name)
            node.attribute.remove(attribute)


def guard(proto):
    """Attention as the exporter of torch 2 writes it."""
    mask = np.zeros((1, 1, TOKENS + 1, TOKENS + 1), np.float32)
    proto.graph.initializer.extend(
        [numpy_helper.from_array(mask, "mask"), numpy_helper.from_array(np.float32(0), "zero")]
    )
    nodes = []
    for node in proto.graph.node:
        if node.op_type != "Softmax":
            nodes.append(node)
            continue
        source, result, name = node.input[0], node.output[0], node.name
        node.input[0], node.output[0] = name + ".masked", name + ".p"
        nodes += [
            helper.make_node("Add", [source, "mask"], [name + ".masked"], name=name + ".mask"),
            node,
            helper.make_node("IsNaN", [name + ".p"], [name + ".nan"], name=name + ".isnan"),
            helper.make_node("Where", [name + ".nan", "zero", name + ".p"], [result], name=name + ".where"),
        ]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    return proto


def end_in_softmax(proto):
    proto.graph.node.append(
        helper.make_node("Softmax", ["logits"], ["probabilities"], name="/softmax", axis=-1)
    )
    proto.graph.output[0].name = "probabilities"
    return proto


def softmax(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True)).astype(np.float32)


def to_opset18(proto):
    axes_to_inputs(proto)
    set_opset(proto, 18)
    return proto


class Writer:
    def __init__(self, folder, only):
        self.folder, self.only, self.count = folder, only, 0
        os.makedirs(folder, exist_ok=True)

    def wants(self, name):
        return self.only in name

    def path(self, name):
        return os.path.join(self.folder, name)

    def note(self, *names):
        for name in names:
            size = os.path.getsize(self.path(name))
            assert size < SIZE_LIMIT, (name, size)
            self.count += 1
            print("%8d  %s" % (size, name))

    def good(self, name, proto, output, external=False):
        if external:
            data = name + ".onnx.data"
            if os.path.exists(self.path(data)):
                os.remove(self.path(data))  # onnx would append to it
            onnx.save_model(
                proto,
                self.path(name + ".onnx"),
                save_as_external_data=True,
                all_tensors_to_one_file=True,
                location=data,
                size_threshold=64,
            )
            self.note(data)
        else:
            onnx.save(proto, self.path(name + ".onnx"))
        np.savez(self.path(name + ".npz"), images=IMAGES.transpose(0, 2, 3, 1).copy(), input=INPUT, output=output)
        self.note(name + ".onnx", name + ".npz")

    def bad(self, name, data):
        if not isinstance(data, bytes):
            data = data.SerializeToString()
        with open(self.path(name + ".onnx"), "wb") as f:
            f.write(data)
        self.note(name + ".onnx")


# --------------------------------------------------------------------------
# Models to accept
# --------------------------------------------------------------------------


def variants():
    """name -> (how to make the module, keyword arguments for export)."""
    batch = {"dynamic": ((0, "batch"),)}
    hf = {"input_name": "pixel_values", "dynamic": ((0, "batch_size"),)}
    vit = VisionTransformer
    return {
        "timm_like": (vit, batch),
        "hf_like": (HfClassifier, hf),
        "mean_pool": (
            lambda: vit(attention=lambda: Attention("chunk"), pool="mean"),
            {},
        ),
        "layer_scale": (
            lambda: vit(attention=lambda: Attention("index"), scale=True),
            {},
        ),
        "quick_gelu": (
            lambda: vit(
                attention=lambda: Attention(qkv_bias=False),
                act=QuickGELU,
                pre_norm=True,
                patch_bias=False,
                eps=1e-5,
            ),
            {},
        ),
        "tanh_gelu": (lambda: vit(act=lambda: nn.GELU(approximate="tanh")), {}),
        "tanh_gelu_pow": (lambda: vit(act=NewGELU), {}),
        "post_norm": (lambda: vit(act=nn.ReLU, post_norm=True, eps=1e-5), {}),
        "mha": (lambda: vit(attention=TorchAttention), {}),
        "conv_stem": (lambda: vit(stem=ConvStem(), pool="mean"), {}),
        "hard_swish": (lambda: vit(act=nn.Hardswish), {}),
        "registers": (WithRegisters, {}),
        "torch_var": (lambda: with_var_norms(vit()), {}),
        "mobile_stem": (lambda: vit(stem=MobileStem(), pool="mean"), {}),
    }


def write_good(writer):
    table = variants()
    for i, (name, (make, kwargs)) in enumerate(table.items()):
        model = None
        for opset in OPSETS:
            full = "%s_op%d" % (name, opset)
            if not writer.wants(full):
                continue
            if model is None:
                model = randomize(make(), 100 + i)
                output = expected(model)
            writer.good(full, export(model, opset, **kwargs), output)

    names = {0: "batch_size", 1: "num_channels", 2: "height", 3: "width"}
    for opset in (14, 17):
        full = "hf_optimum_op%d" % opset
        if writer.wants(full):
            model = randomize(HfClassifier(), 200)
            proto = export(model, opset, tuple(names.items()), "pixel_values")
            writer.good(full, proto, expected(model))

    if writer.wants("timm_external_op17"):
        model = randomize(VisionTransformer(), 201)
        proto = export(model, 17, ((0, "batch"),))
        writer.good("timm_external_op17", proto, expected(model), external=True)

    for name, approximate in (("gelu_op20", "none"), ("tanh_gelu_op20", "tanh")):
        if writer.wants(name):
            make = lambda: VisionTransformer(act=lambda: ExportedGelu(approximate))
            model = randomize(make(), 202)
            writer.good(name, to_gelu_op(export(model, 17)), expected(model))

    for name, change, result in (
        ("guarded_op17", guard, lambda logits: logits),
        ("final_softmax_op17", end_in_softmax, softmax),
    ):
        if writer.wants(name):
            model = randomize(HfClassifier(), 204)
            proto = change(export(model, 17, input_name="pixel_values"))
            writer.good(name, proto, result(expected(model)))

    if writer.wants("mean_pool_op18"):
        model = randomize(table["mean_pool"][0](), 203)
        writer.good("mean_pool_op18", to_opset18(export(model, 17)), expected(model))


def main():
    parser = argparse.ArgumentParser(
        description="Write small ONNX models for vitq's frontend tests."
    )
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument(
        "--only",
        default="",
        metavar="SUBSTRING",
        help="write only the models whose name contains this",
    )
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    start = time.time()
    writer = Writer(args.out, args.only)
    write_good(writer)
    write_bad(writer)
    print("%d files in %.1f s" % (writer.count, time.time() - start))
    return 0 if writer.count else "nothing matches --only"


if __name__ == "__main__":
    sys.exit(main())
