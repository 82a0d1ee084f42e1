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
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

SIZE, CHANNELS, PATCH, DIM, HEADS, DEPTH, CLASSES = 16, 3, 4, 32, 4, 2, 10
TOKENS = (SIZE // PATCH) ** 2
OPSETS = (11, 13, 14, 17)
SIZE_LIMIT = 200_000


# --------------------------------------------------------------------------
# Building blocks
# --------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, split="unbind", qkv_bias=True):
        super().__init__()
        self.scale = (DIM // HEADS) ** -0.5
        self.split = split
        self.qkv = nn.Linear(DIM, 3 * DIM, bias=qkv_bias)
        self.proj = nn.Linear(DIM, DIM)

    def forward(self, x):
        b, n, c = x.shape
        if self.split == "chunk":
            q, k, v = (
                t.reshape(b, n, HEADS, c // HEADS).transpose(1, 2)
                for t in self.qkv(x).chunk(3, dim=-1)
            )
        else:
            qkv = self.qkv(x).reshape(b, n, 3, HEADS, c // HEADS)
            qkv = qkv.permute(2, 0, 3, 1, 4)
            if self.split == "unbind":
                q, k, v = qkv.unbind(0)
            else:
                q, k, v = qkv[0], qkv[1], qkv[2]
        attn = (q @ k.transpose(-2, -1)) * self.scale
        attn = attn.softmax(dim=-1)
        return self.proj((attn @ v).transpose(1, 2).reshape(b, n, c))


class TorchAttention(nn.Module):
    def __init__(self):
        super().__init__()
        # In eval mode the dropout does nothing, but a rate other than zero
        # keeps torch off its fused path, which has no ONNX equivalent.
        self.mha = nn.MultiheadAttention(DIM, HEADS, dropout=0.1, batch_first=True)

    def forward(self, x):
        return self.mha(x, x, x, need_weights=False)[0]


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class NewGELU(nn.Module):
    def forward(self, x):
        inner = (2.0 / np.pi) ** 0.5 * (x + 0.044715 * torch.pow(x, 3.0))
        return 0.5 * x * (1.0 + torch.tanh(inner))


class GeluOp(torch.autograd.Function):
    """Exports as one placeholder node, which to_gelu_op() makes a Gelu."""

    @staticmethod
    def forward(ctx, x, approximate):
        return F.gelu(x, approximate=approximate)

    @staticmethod
    def symbolic(g, x, approximate):
        out = g.op("vitq.test::Gelu", x, approximate_s=approximate)
        out.setType(x.type())
        return out


class ExportedGelu(nn.Module):
    def __init__(self, approximate):
        super().__init__()
        self.approximate = approximate

    def forward(self, x):
        return GeluOp.apply(x, self.approximate)


class Mlp(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.fc1 = nn.Linear(DIM, 2 * DIM)
        self.act = act
        self.fc2 = nn.Linear(2 * DIM, DIM)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class LayerScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(DIM))

    def forward(self, x):
        return x * self.gamma


class VarNorm(nn.Module):
    """A LayerNorm that calls x.var(), biased or not."""

    def __init__(self, unbiased, eps=1e-6):
        super().__init__()
        self.unbiased, self.eps = unbiased, eps
        self.weight = nn.Parameter(torch.ones(1, 1, DIM))
        self.bias = nn.Parameter(torch.zeros(1, 1, DIM))

    def forward(self, x):
        x = x[:, None] if x.ndim == 2 else x
        var = x.var(dim=-1, keepdim=True, unbiased=self.unbiased)
        x = (x - x.mean(dim=-1, keepdim=True)) / torch.sqrt(var + self.eps)
        return x * self.weight + self.bias


def with_var_norms(model):
    for i, block in enumerate(model.blocks):
        block.norm1, block.norm2 = VarNorm(i > 0), VarNorm(i == 0)
    model.norm = VarNorm(False)
    return model


class Block(nn.Module):
    def __init__(self, attn, act, scale, post_norm, eps):
        super().__init__()
        self.norm1 = nn.LayerNorm(DIM, eps=eps)
        self.attn = attn
        self.ls1 = LayerScale() if scale else nn.Identity()
        self.norm2 = nn.LayerNorm(DIM, eps=eps)
        self.mlp = Mlp(act)
        self.ls2 = LayerScale() if scale else nn.Identity()
        self.post_norm = post_norm

    def forward(self, x):
        if self.post_norm:
            x = self.norm1(x + self.attn(x))
            return self.norm2(x + self.mlp(x))
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class ConvStem(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, 12, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(12)
        self.conv2 = nn.Conv2d(12, 24, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(24)
        self.proj = nn.Conv2d(24, DIM, 1)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.proj(x)


class VisionTransformer(nn.Module):
    def __init__(
        self,
        attention=Attention,
        act=nn.GELU,
        pool="token",
        scale=False,
        post_norm=False,
        pre_norm=False,
        patch_bias=True,
        stem=None,
        eps=1e-6,
    ):
        super().__init__()
        self.patch_embed = stem or nn.Conv2d(
            CHANNELS, DIM, PATCH, stride=PATCH, bias=patch_bias
        )
        self.pool = pool
        tokens = TOKENS
        if pool == "token":
            self.cls_token = nn.Parameter(torch.zeros(1, 1, DIM))
            tokens += 1
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, DIM))
        self.norm_pre = nn.LayerNorm(DIM, eps=eps) if pre_norm else nn.Identity()
        self.blocks = nn.Sequential(
            *[Block(attention(), act(), scale, post_norm, eps) for _ in range(DEPTH)]
        )
        self.norm = nn.Identity() if post_norm else nn.LayerNorm(DIM, eps=eps)
        self.head = nn.Linear(DIM, CLASSES)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        if self.pool == "token":
            x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        x = self.norm_pre(x + self.pos_embed)
        x = self.blocks(x)
        if self.pool == "token":
            return self.head(self.norm(x)[:, 0])
        return self.head(self.norm(x.mean(dim=1)))


class WithRegisters(VisionTransformer):
    """Register tokens between the class token and the patches (DINOv2)."""

    def __init__(self):
        super().__init__()
        self.register_tokens = nn.Parameter(torch.zeros(1, 2, DIM))
        del self.norm_pre

    def norm_pre(self, x):
        registers = self.register_tokens.expand(x.shape[0], -1, -1)
        return torch.cat((x[:, :1], registers, x[:, 1:]), dim=1)


# --------------------------------------------------------------------------
# Hugging Face's layout, written out here because transformers is not a
# dependency; module names and the order of operations follow its ViT.
# --------------------------------------------------------------------------


class HfPatchEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.projection = nn.Conv2d(CHANNELS, DIM, PATCH, stride=PATCH)

    def forward(self, x):
        _, channels, height, width = x.shape
        if channels != CHANNELS:
            raise ValueError("wrong number of channels")
        if height != SIZE or width != SIZE:
            raise ValueError("wrong image size")
        return self.projection(x).flatten(2).transpose(1, 2)


class HfEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, DIM))
        self.patch_embeddings = HfPatchEmbeddings()
        self.position_embeddings = nn.Parameter(torch.zeros(1, TOKENS + 1, DIM))
        self.dropout = nn.Dropout(0.0)

    def forward(self, x):
        batch = x.shape[0]
        x = self.patch_embeddings(x)
        cls_tokens = self.cls_token.expand(batch, -1, -1)
        x = torch.cat((cls_tokens, x), dim=1) + self.position_embeddings
        return self.dropout(x)


class HfSelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(DIM, DIM)
        self.key = nn.Linear(DIM, DIM)
        self.value = nn.Linear(DIM, DIM)
        self.dropout = nn.Dropout(0.0)

    def transpose_for_scores(self, x):
        shape = x.size()[:-1] + (HEADS, DIM // HEADS)
        return x.view(shape).permute(0, 2, 1, 3)

    def forward(self, x):
        mixed_query = self.query(x)
        key = self.transpose_for_scores(self.key(x))
        value = self.transpose_for_scores(self.value(x))
        query = self.transpose_for_scores(mixed_query)
        scores = torch.matmul(query, key.transpose(-1, -2))
        scores = scores / (DIM // HEADS) ** 0.5
        probs = self.dropout(F.softmax(scores, dim=-1))
        context = torch.matmul(probs, value).permute(0, 2, 1, 3).contiguous()
        return context.view(context.size()[:-2] + (DIM,))


class HfDense(nn.Module):
    def __init__(self, inputs, outputs, act=None):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.intermediate_act_fn = act

    def forward(self, x):
        x = self.dense(x)
        return self.intermediate_act_fn(x) if self.intermediate_act_fn else x


class HfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = HfSelfAttention()
        self.output = HfDense(DIM, DIM)

    def forward(self, x):
        return self.output(self.attention(x))


class HfLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = HfAttention()
        self.intermediate = HfDense(DIM, 2 * DIM, nn.GELU())
        self.output = HfDense(2 * DIM, DIM)
        self.layernorm_before = nn.LayerNorm(DIM, eps=1e-12)
        self.layernorm_after = nn.LayerNorm(DIM, eps=1e-12)

    def forward(self, x):
        x = self.attention(self.layernorm_before(x)) + x
        return self.output(self.intermediate(self.layernorm_after(x))) + x


class HfEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList([HfLayer() for _ in range(DEPTH)])

    def forward(self, x):
        for layer in self.layer:
            x = layer(x)
        return x


class HfModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = HfEmbeddings()
        self.encoder = HfEncoder()
        self.layernorm = nn.LayerNorm(DIM, eps=1e-12)

    def forward(self, x):
        return self.layernorm(self.encoder(self.embeddings(x)))


class HfClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.vit = HfModel()
        self.classifier = nn.Linear(DIM, CLASSES)

    def forward(self, pixel_values):
        return self.classifier(self.vit(pixel_values)[:, 0, :])


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


# --------------------------------------------------------------------------
# Models to refuse
# --------------------------------------------------------------------------


def tiny(middle=(), opset=17, dtype=TensorProto.FLOAT, extra=(), source="tokens"):
    """Patch embedding, `middle`, mean pooling and a head, written by hand.

    `middle` reads `tokens` [1,16,32] and may define the value `source`.
    """
    rng = np.random.default_rng(11)
    kind = np.float16 if dtype == TensorProto.FLOAT16 else np.float32

    def weight(name, shape):
        return numpy_helper.from_array(
            (rng.standard_normal(shape) * 0.1).astype(kind), name
        )

    nodes = [
        helper.make_node(
            "Conv",
            ["input", "patch.weight", "patch.bias"],
            ["patches"],
            name="/patch_embed/Conv",
            kernel_shape=[PATCH, PATCH],
            strides=[PATCH, PATCH],
        ),
        helper.make_node(
            "Reshape", ["patches", "shape"], ["flat"], name="/patch_embed/Reshape"
        ),
        helper.make_node(
            "Transpose", ["flat"], ["tokens"], name="/Transpose", perm=[0, 2, 1]
        ),
        *middle,
        helper.make_node(
            "ReduceMean", [source], ["pooled"], name="/pool", axes=[1], keepdims=0
        ),
        helper.make_node(
            "Gemm",
            ["pooled", "head.weight", "head.bias"],
            ["logits"],
            name="/head/Gemm",
            transB=1,
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", dtype, [1, CHANNELS, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", dtype, [1, CLASSES])],
        [
            weight("patch.weight", (DIM, CHANNELS, PATCH, PATCH)),
            weight("patch.bias", (DIM,)),
            numpy_helper.from_array(np.array([1, DIM, TOKENS], np.int64), "shape"),
            weight("head.weight", (CLASSES, DIM)),
            weight("head.bias", (CLASSES,)),
            *extra,
        ],
    )
    model = helper.make_model(
        graph,
        producer_name="vitq-test",
        opset_imports=[helper.make_opsetid("", opset)],
    )
    model.ir_version = 8
    return model


def bad_lstm():
    rng = np.random.default_rng(12)
    extra = [
        numpy_helper.from_array(rng.standard_normal(s).astype(np.float32) * 0.1, n)
        for n, s in (("lstm.W", (1, 4 * DIM, DIM)), ("lstm.R", (1, 4 * DIM, DIM)))
    ]
    extra.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    nodes = [
        helper.make_node(
            "Transpose", ["tokens"], ["steps"], name="/t1", perm=[1, 0, 2]
        ),
        helper.make_node(
            "LSTM",
            ["steps", "lstm.W", "lstm.R"],
            ["hidden"],
            name="/blocks/lstm/LSTM",
            hidden_size=DIM,
        ),
        helper.make_node("Squeeze", ["hidden", "one"], ["squeezed"], name="/squeeze"),
        helper.make_node("Transpose", ["squeezed"], ["x"], name="/t2", perm=[1, 0, 2]),
    ]
    model = tiny(nodes, extra=extra, source="x")
    onnx.checker.check_model(model, full_check=True)
    return model


def bad_domain():
    node = helper.make_node(
        "LongformerAttention", ["tokens"], ["x"], name="/blocks/act", domain="com.microsoft"
    )
    model = tiny([node], source="x")
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def bad_string():
    """A sound graph that returns the names of the classes before their scores."""
    node = helper.make_node("Identity", ["names"], ["first"], name="/class_names")
    text = helper.make_tensor(
        "names", TensorProto.STRING, [CLASSES], [b"class%d" % i for i in range(CLASSES)]
    )
    model = tiny([node], extra=[text])
    model.graph.output.insert(
        0, helper.make_tensor_value_info("first", TensorProto.STRING, [CLASSES])
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def bad_external(location, length=None):
    model = tiny()
    tensor = model.graph.initializer[0]
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", location),
        ("offset", "0"),
        ("length", str(length or size)),
    ):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return model


def write_bad(writer):
    def undefined():
        node = helper.make_node(
            "Add", ["tokens", "nowhere"], ["x"], name="/blocks/add"
        )
        return tiny([node], source="x")

    def truncated():
        data = tiny().SerializeToString()
        return data[: len(data) * 2 // 3]

    def float16():
        model = tiny(dtype=TensorProto.FLOAT16)
        onnx.checker.check_model(model, full_check=True)
        return model

    def opset7():
        model = tiny(opset=7)
        onnx.checker.check_model(model, full_check=True)
        return model

    def external_short():
        name = "bad_external_short.onnx.data"
        with open(writer.path(name), "wb") as f:
            f.write(bytes(100))
        writer.note(name)
        return bad_external(name)

    onnx.checker.check_model(tiny(), full_check=True)
    for name, make in (
        ("bad_lstm", bad_lstm),
        ("bad_domain", bad_domain),
        ("bad_opset7", opset7),
        ("bad_float16", float16),
        ("bad_string", bad_string),
        ("bad_truncated", truncated),
        ("bad_undefined_value", undefined),
        (
            "bad_external_missing",
            lambda: bad_external("bad_external_missing.onnx.data"),
        ),
        ("bad_external_short", external_short),
        ("bad_external_escape", lambda: bad_external("../secret.data")),
    ):
        if writer.wants(name):
            writer.bad(name, make())


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
