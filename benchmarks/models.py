#!/usr/bin/env python3
"""Write the vision transformers that the benchmark measures, with random weights.

    benchmarks/models.py --out DIR [NAME...] [--depth N] [--form packed|separate]

NAME is one of

    deit_t, deit_s, vit_b   ImageNet transformers of width 192, 384 and 768 with
                            heads of 64 channels, 12 blocks, 224x224 pixels in
                            patches of 16: 197 tokens with the class token
    vit_s_384               width 384 on 384x384 pixels: 577 tokens
    swin_t                  windows of 49 tokens with the sizes of Swin-T

and another number of blocks for the first four with --depth (or as deit_t_d24).

The weights are drawn so that activations look like those of a trained model to a
quantizer: LayerNorm gammas around 1, attention scores with a standard deviation
near 1.5, channels of the residual stream that differ in scale, a residual stream
that grows with depth. They depend on the tensor's name only, so both forms of a
model compute the same function:

    packed      one matrix for q, k and v, as timm's models are exported
    separate    three matrices, as Hugging Face's are exported; ONNX Runtime's
                fusion of attention reads this form only

What swin_t leaves out: the relative position bias, and the cyclic shift of every
other block with its mask; neither has contractions. Windows are cut and joined as
in Swin, patches are merged as in Swin, and every matrix has Swin-T's shape.
"""
import argparse
import dataclasses
import pathlib
import sys
import zlib

OPSET = 17


@dataclasses.dataclass(frozen=True)
class Vit:
    """A plain vision transformer with a class token."""

    width: int
    heads: int
    depth: int = 12
    image: int = 224
    patch: int = 16
    classes: int = 1000


@dataclasses.dataclass(frozen=True)
class Swin:
    """Windows of `window` x `window` tokens; heads of 32 channels."""

    width: int = 96
    depths: tuple = (2, 2, 6, 2)
    window: int = 7
    image: int = 224
    patch: int = 4
    classes: int = 1000


MODELS = {
    "deit_t": Vit(192, 3),
    "deit_s": Vit(384, 6),
    "vit_b": Vit(768, 12),
    "vit_s_384": Vit(384, 6, image=384),
    "swin_t": Swin(),
}


def find(name):
    """The model of that name; NAME_dN has N blocks. ValueError if there is none."""
    base, separator, depth = name.rpartition("_d")
    if separator and depth.isdigit() and int(depth) > 0 and isinstance(MODELS.get(base), Vit):
        return dataclasses.replace(MODELS[base], depth=int(depth))
    if name not in MODELS:
        raise ValueError(f"no model '{name}'; there are {', '.join(MODELS)}, and NAME_dN with N blocks")
    return MODELS[name]


def macs(name):
    """Multiply-accumulates of one image, in all matrix products."""
    config = find(name)
    side = config.image // config.patch
    total = side**2 * 3 * config.patch**2 * config.width
    if isinstance(config, Vit):
        tokens, width = side**2 + 1, config.width
        return total + config.depth * (12 * tokens * width**2 + 2 * tokens**2 * width) + width * config.classes
    tokens, width = side**2, config.width
    for stage, depth in enumerate(config.depths):
        if stage:
            tokens, width = tokens // 4, 2 * width
            total += tokens * 2 * width * width
        total += depth * (12 * tokens * width**2 + 2 * tokens * config.window**2 * width)
    return total + width * config.classes


class Graph:
    """Nodes and weights of an ONNX graph, named by module path as PyTorch does.
    `trained`: arrays by name that take the place of random ones."""

    def __init__(self, trained=None):
        from onnx import helper, numpy_helper  # Only writing needs onnx.

        self.helper, self.numpy_helper, self.trained = helper, numpy_helper, trained or {}
        self.nodes, self.initializers, self.names = [], [], set()

    def node(self, op, inputs, scope, **attributes):
        name = f"/{scope}/{op}".replace(".", "/")
        count = 0
        while (unique := name if not count else f"{name}_{count}") in self.names:
            count += 1
        self.names.add(unique)
        output = unique + "_output_0"
        self.nodes.append(self.helper.make_node(op, inputs, [output], name=unique, **attributes))
        return output

    def constant(self, array, name):
        if name not in self.names:
            self.names.add(name)
            self.initializers.append(self.numpy_helper.from_array(array, name))
        return name

    def integers(self, values):
        import numpy

        text = "x".join(str(value) for value in (values if isinstance(values, (list, tuple)) else [values]))
        kind = "shape" if isinstance(values, (list, tuple)) else "index"
        return self.constant(numpy.array(values, numpy.int64), f"{kind}_{text}")

    def scalar(self, value, name):
        import numpy

        return self.constant(numpy.array(value, numpy.float32), name)

    def weight(self, name, shape, deviation, mean=0.0, output_spread=0.0):
        return self.constant(self.draw(name, shape, deviation, mean, output_spread), name)

    def draw(self, name, shape, deviation, mean=0.0, output_spread=0.0):
        """Normally distributed; `output_spread`: of the logarithm of the scale of
        each output channel (the last axis)."""
        import numpy

        if self.trained:
            values = self.trained[name]
            if values.shape != tuple(shape):
                raise ValueError(f"'{name}' has the shape {values.shape}, not {tuple(shape)}")
            return values
        rng = numpy.random.default_rng([7, zlib.crc32(name.encode())])
        values = mean + deviation * rng.standard_normal(shape, dtype=numpy.float32)
        if output_spread:
            values *= numpy.exp(output_spread * rng.standard_normal(shape[-1], dtype=numpy.float32))
        return values.astype(numpy.float32)

    def reshape(self, x, shape, scope):
        return self.node("Reshape", [x, self.integers(list(shape))], scope)

    def transpose(self, x, permutation, scope):
        return self.node("Transpose", [x], scope, perm=list(permutation))

    # Layers.

    def linear(self, x, inputs, outputs, scope, gain=1.0, spread=0.0):
        """x W + b, as PyTorch exports nn.Linear on three axes."""
        weight = self.weight(scope + ".weight", (inputs, outputs), gain / inputs**0.5, output_spread=spread)
        product = self.node("MatMul", [x, weight], scope)
        return self.node("Add", [self.weight(scope + ".bias", (outputs,), 0.1 * gain), product], scope)

    def layer_norm(self, x, width, scope):
        gamma = self.weight(scope + ".weight", (width,), 0.2, mean=1.0)
        beta = self.weight(scope + ".bias", (width,), 0.1)
        return self.node("LayerNormalization", [x, gamma, beta], scope, axis=-1, epsilon=1e-6)

    def gelu(self, x, scope):
        scaled = self.node("Div", [x, self.scalar(2**0.5, "sqrt_2")], scope)
        shifted = self.node("Add", [self.node("Erf", [scaled], scope), self.scalar(1, "one")], scope)
        return self.node("Mul", [self.node("Mul", [x, shifted], scope), self.scalar(0.5, "half")], scope)

    def mlp(self, x, width, scope):
        hidden = self.gelu(self.linear(x, width, 4 * width, scope + ".fc1"), scope + ".act")
        return self.linear(hidden, 4 * width, width, scope + ".fc2", gain=1.2, spread=0.5)


class Attention:
    """Multi-head self-attention on [batch, tokens, width]; batch: of windows."""

    def __init__(self, graph, batch, tokens, width, heads, scope, form):
        self.graph, self.batch, self.tokens, self.width = graph, batch, tokens, width
        self.heads, self.size, self.scope, self.form = heads, width // heads, scope, form

    def __call__(self, x):
        graph, scope = self.graph, self.scope
        q, k, v = (self.packed if self.form == "packed" else self.separate)(x)
        scores = graph.node("MatMul", [q, k], scope)
        if self.form == "packed":
            scores = graph.node("Mul", [scores, graph.scalar(self.size**-0.5, f"scale_{self.size}")], scope)
        else:
            scores = graph.node("Div", [scores, graph.scalar(self.size**0.5, f"sqrt_{self.size}")], scope)
        probabilities = graph.node("Softmax", [scores], scope, axis=-1)
        heads = graph.transpose(graph.node("MatMul", [probabilities, v], scope), [0, 2, 1, 3], scope)
        merged = graph.reshape(heads, [self.batch, self.tokens, self.width], scope)
        return graph.linear(merged, self.width, self.width, scope + ".proj", gain=1.5, spread=0.5)

    def parts(self):
        """Weights [width, width] and biases of q, k and v."""
        import numpy

        scope, width = self.scope, self.width
        if self.graph.trained:
            weights = numpy.split(self.graph.trained[scope + ".qkv.weight"], 3, axis=1)
            biases = numpy.split(self.graph.trained[scope + ".qkv.bias"], 3)
            return list(zip(weights, biases))
        gains = {"q": 1.2, "k": 1.2, "v": 1.0}
        return [(self.graph.draw(f"{scope}.{part}.weight", (width, width), gain / width**0.5),
                 self.graph.draw(f"{scope}.{part}.bias", (width,), 0.1)) for part, gain in gains.items()]

    def packed(self, x):
        import numpy

        graph, scope = self.graph, self.scope + ".qkv"
        weights, biases = zip(*self.parts())
        product = graph.node("MatMul", [x, graph.constant(numpy.concatenate(weights, 1), scope + ".weight")], scope)
        qkv = graph.node("Add", [graph.constant(numpy.concatenate(biases), scope + ".bias"), product], scope)
        qkv = graph.reshape(qkv, [self.batch, self.tokens, 3, self.heads, self.size], self.scope)
        qkv = graph.transpose(qkv, [2, 0, 3, 1, 4], self.scope)
        q, k, v = (graph.node("Gather", [qkv, graph.integers(i)], self.scope, axis=0) for i in range(3))
        return q, graph.transpose(k, [0, 1, 3, 2], self.scope), v

    def separate(self, x):
        graph, result = self.graph, []
        for name, (weight, bias) in zip("qkv", self.parts()):
            scope = f"{self.scope}.{name}"
            product = graph.node("MatMul", [x, graph.constant(weight, scope + ".weight")], scope)
            y = graph.node("Add", [graph.constant(bias, scope + ".bias"), product], scope)
            y = graph.reshape(y, [self.batch, self.tokens, self.heads, self.size], self.scope)
            result.append(graph.transpose(y, [0, 2, 3, 1] if name == "k" else [0, 2, 1, 3], self.scope))
        return result


def embed_patches(graph, config, batch):
    """Pixels to [batch, patches, width]."""
    shape = (config.width, 3, config.patch, config.patch)
    weight = graph.weight("patch_embed.proj.weight", shape, 0.6 / (3 * config.patch**2) ** 0.5)
    bias = graph.weight("patch_embed.proj.bias", (config.width,), 0.1)
    x = graph.node("Conv", ["input", weight, bias], "patch_embed.proj", kernel_shape=[config.patch] * 2,
                   strides=[config.patch] * 2, pads=[0, 0, 0, 0], dilations=[1, 1], group=1)
    x = graph.reshape(x, [batch, config.width, (config.image // config.patch) ** 2], "patch_embed")
    return graph.transpose(x, [0, 2, 1], "patch_embed")


def write_head(graph, x, config, width):
    weight = graph.weight("head.weight", (config.classes, width), 1.5 / width**0.5)
    bias = graph.weight("head.bias", (config.classes,), 0.05)
    graph.nodes.append(graph.helper.make_node("Gemm", [x, weight, bias], ["output"], name="/head/Gemm", transB=1))


def write_vit(graph, config, form, batch):
    tokens = (config.image // config.patch) ** 2 + 1
    token = graph.weight("cls_token", (1, 1, config.width), 0.5)
    patches = embed_patches(graph, config, batch)
    if batch != 1:
        shape = graph.node("Shape", [patches], "cls_token")
        size = graph.node("Gather", [shape, graph.integers([0])], "cls_token", axis=0)
        size = graph.node("Concat", [size, graph.integers([1, config.width])], "cls_token", axis=0)
        token = graph.node("Expand", [token, size], "cls_token")
    x = graph.node("Concat", [token, patches], "pos_embed", axis=1)
    x = graph.node("Add", [x, graph.weight("pos_embed", (1, tokens, config.width), 0.3)], "pos_embed")
    for i in range(config.depth):
        scope = f"blocks.{i}"
        attention = Attention(graph, batch, tokens, config.width, config.heads, scope + ".attn", form)
        x = graph.node("Add", [x, attention(graph.layer_norm(x, config.width, scope + ".norm1"))], scope)
        mlp = graph.mlp(graph.layer_norm(x, config.width, scope + ".norm2"), config.width, scope + ".mlp")
        x = graph.node("Add", [x, mlp], scope)
    x = graph.layer_norm(x, config.width, "norm")
    x = graph.node("Gather", [x, graph.integers(0)], "pool", axis=1)
    write_head(graph, x, config, config.width)


def swin_block(graph, x, scope, config, side, width, form, batch):
    """x: [batch, side * side, width]."""
    count, window = side // config.window, config.window
    y = graph.layer_norm(x, width, scope + ".norm1")
    y = graph.reshape(y, [batch, count, window, count, window, width], scope)
    y = graph.transpose(y, [0, 1, 3, 2, 4, 5], scope)
    y = graph.reshape(y, [batch * count**2, window**2, width], scope)
    y = Attention(graph, batch * count**2, window**2, width, width // 32, scope + ".attn", form)(y)
    y = graph.reshape(y, [batch, count, count, window, window, width], scope)
    y = graph.transpose(y, [0, 1, 3, 2, 4, 5], scope)
    y = graph.reshape(y, [batch, side * side, width], scope)
    x = graph.node("Add", [x, y], scope)
    mlp = graph.mlp(graph.layer_norm(x, width, scope + ".norm2"), width, scope + ".mlp")
    return graph.node("Add", [x, mlp], scope)


def write_swin(graph, config, form, batch):
    side, width = config.image // config.patch, config.width
    x = graph.layer_norm(embed_patches(graph, config, batch), width, "patch_embed.norm")
    for stage, depth in enumerate(config.depths):
        if stage:  # Four neighbouring tokens become one of twice the width.
            scope = f"layers.{stage}.downsample"
            x = graph.reshape(x, [batch, side // 2, 2, side // 2, 2, width], scope)
            x = graph.transpose(x, [0, 1, 3, 4, 2, 5], scope)
            side //= 2
            x = graph.reshape(x, [batch, side * side, 4 * width], scope)
            x = graph.linear(graph.layer_norm(x, 4 * width, scope + ".norm"), 4 * width, 2 * width, scope)
            width *= 2
        for i in range(depth):
            x = swin_block(graph, x, f"layers.{stage}.blocks.{i}", config, side, width, form, batch)
    x = graph.layer_norm(x, width, "norm")
    x = graph.node("ReduceMean", [x], "head.global_pool", axes=[1], keepdims=0)
    write_head(graph, x, config, width)


def build(name, form="packed", open_batch=False, trained=None):
    """The model as an onnx.ModelProto: `input` [batch, 3, image, image], pixels
    normalized to [-1, 1], to `output` [batch, classes]. The batch is 1, or left open."""
    from onnx import TensorProto, helper

    config, graph = find(name), Graph(trained)
    if open_batch and isinstance(config, Swin):
        raise ValueError("the windows of swin_t are written for a batch of 1 only")
    batch = 0 if open_batch else 1  # To Reshape, 0 means the input's extent.
    (write_swin if isinstance(config, Swin) else write_vit)(graph, config, form, batch)
    extent = "batch" if open_batch else 1
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [extent, 3, config.image, config.image])]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [extent, config.classes])]
    proto = helper.make_graph(graph.nodes, name, inputs, outputs, graph.initializers)
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vitq-benchmarks")
    model.ir_version = 8
    return model


def trained_weights(path):
    """The arrays of a model that timm exported, by module path; weights of linear
    layers as [inputs, outputs]."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            module = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            weights[module + ".weight"] = weights[node.input[1]]
    return weights


def pictures(count, size, seed=11):
    """Smooth pictures with some noise, uint8 [count, size, size, 3]."""
    import numpy

    rng = numpy.random.default_rng([seed, size])
    y, x = numpy.meshgrid(*[numpy.arange(size, dtype=numpy.float32) / size] * 2, indexing="ij")
    result = numpy.empty((count, size, size, 3), numpy.uint8)
    for image in result:
        values = numpy.zeros((size, size, 3), numpy.float32)
        for octave in range(1, 6):
            for _ in range(4):
                fy, fx = rng.uniform(-1, 1, 2) * 2**octave
                wave = numpy.cos(2 * numpy.pi * (fy * y + fx * x + rng.uniform()))
                values += wave[..., None] * rng.uniform(-1, 1, 3) / octave
        values += rng.normal(0, 0.15, values.shape)
        contrast, brightness = rng.uniform(25, 75), rng.uniform(80, 175)
        image[:] = numpy.clip(brightness + contrast * values / values.std(), 0, 255)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="models to write (default: all)")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder to write NAME.onnx to")
    parser.add_argument("--depth", type=int, help="number of blocks")
    parser.add_argument("--form", choices=["packed", "separate"], default="packed", help="of q, k and v")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or list(MODELS):
        name = f"{name}_d{arguments.depth}" if arguments.depth else name
        try:
            model = build(name, arguments.form)
        except ValueError as error:
            sys.exit(f"models.py: {error}")
        path = arguments.out / f"{name}.onnx"
        path.write_bytes(model.SerializeToString())
        print(path)


if __name__ == "__main__":
    main()
