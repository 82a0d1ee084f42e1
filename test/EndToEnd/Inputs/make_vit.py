"""Prints a ViT of the shape of ViT-Tiny with N blocks, calibrated: the float phase
with a range on each value. make_vit.py N

Weights are small repeating patterns, one seed for each constant, so that no two are
equal and blocks cannot be merged."""

import struct
import sys

BLOCKS = int(sys.argv[1])
SIZE, PATCH, DIM, HEADS, CLASSES = 224, 16, 192, 3, 1000
TOKENS = (SIZE // PATCH) ** 2 + 1
HEAD = DIM // HEADS

body, resources = [], []
values = 0


def tensor(*shape):
    return "tensor<" + "".join(f"{n}x" for n in shape) + "f32>"


def constant(*shape, low=-0.05, high=0.05):
    """A blob of pseudo-random numbers that repeat after 251."""
    global values
    name, count = f"c{len(resources)}", 1
    for n in shape:
        count *= n
    seed = len(resources) + 1
    numbers = [low + (high - low) * ((i * i * 7 + i * seed + seed) % 251) / 250 for i in range(251)]
    pattern = b"".join(struct.pack("<f", x) for x in numbers)
    data = (pattern * (count // 251 + 1))[: 4 * count]
    resources.append(f'{name}: "0x04000000{data.hex()}"')
    body.append(f"%{name} = arith.constant dense_resource<{name}> : {tensor(*shape)}")
    return f"%{name}"


def op(text, operands, shape, low=-4.0, high=4.0, functional=True):
    """`text` with {range} for the attribute; operands as (name, shape)."""
    global values
    result = f"%v{values}"
    types = ", ".join(tensor(*s) for _, s in operands)
    types = f"({types})" if functional else types
    attributes = f"{{vit.range = array<f64: {low}, {high}>}}"
    text = text.format(*(name for name, _ in operands), range=attributes)
    body.append(f'{result} = {text} : {types} -> {tensor(*shape)} loc("node{values}")')
    values += 1
    return result, shape


def norm(x):
    gamma, beta = constant(DIM, low=0.5, high=1.5), constant(DIM)
    return op("vit.layer_norm {0}, {1}, {2} eps 1.0e-6 {range}", [x, (gamma, [DIM]), (beta, [DIM])], x[1])


def linear(x, outputs):
    inputs = x[1][-1]
    weight, bias = constant(outputs, inputs), constant(outputs)
    operands = [x, (weight, [outputs, inputs]), (bias, [outputs])]
    return op("vit.linear {0}, {1}, {2} {range}", operands, x[1][:-1] + [outputs])


def heads(x):
    x = op(f"vit.reshape {{0}} to [1, {TOKENS}, {HEADS}, {HEAD}] {{range}}", [x], [1, TOKENS, HEADS, HEAD], functional=False)
    return op("vit.transpose {0} by [0, 2, 1, 3] {range}", [x], [1, HEADS, TOKENS, HEAD], functional=False)


def attention(x):
    q, k, v = (heads(linear(x, DIM)) for _ in range(3))
    scores = [1, HEADS, TOKENS, TOKENS]
    s = op("vit.matmul {0}, {1} transpose_rhs scale 1.250000e-01 {range}", [q, k], scores)
    p = op("vit.softmax {0} {range}", [s], scores, 0.0, 1.0, functional=False)
    y = op("vit.matmul {0}, {1} {range}", [p, v], [1, HEADS, TOKENS, HEAD])
    y = op("vit.transpose {0} by [0, 2, 1, 3] {range}", [y], [1, TOKENS, HEADS, HEAD], functional=False)
    y = op(f"vit.reshape {{0}} to [1, {TOKENS}, {DIM}] {{range}}", [y], [1, TOKENS, DIM], functional=False)
    return linear(y, DIM)


def add(x, y):
    return op("vit.add {0}, {1} {range}", [x, y], x[1], -8.0, 8.0)


def mlp(x):
    hidden = linear(x, 4 * DIM)
    hidden = op("vit.gelu erf {0} {range}", [hidden], hidden[1], -0.17, 4.0, functional=False)
    return linear(hidden, DIM)


weight, bias = constant(DIM, 3, PATCH, PATCH), constant(DIM)
image = ("%image", [1, 3, SIZE, SIZE])
x = op("vit.patch_embed {0}, {1}, {2} {range}", [image, (weight, [DIM, 3, PATCH, PATCH]), (bias, [DIM])], [1, TOKENS - 1, DIM])
token = (constant(1, 1, DIM), [1, 1, DIM])
x = op("vit.concat {0}, {1} axis 1 {range}", [token, x], [1, TOKENS, DIM])
x = add(x, (constant(1, TOKENS, DIM), [1, TOKENS, DIM]))
for _ in range(BLOCKS):
    x = add(x, attention(norm(x)))
    x = add(x, mlp(norm(x)))
x = norm(x)
x = op("vit.gather {0} indices [0] axis 1 {range}", [x], [1, 1, DIM], functional=False)
x = op(f"vit.reshape {{0}} to [1, {DIM}] {{range}}", [x], [1, DIM], functional=False)
logits, shape = linear(x, CLASSES)

print('module attributes {vit.preprocess = "mean=0.5,std=0.5"} {')
print(f"func.func @main(%image: {tensor(*image[1])} {{vit.range = array<f64: -1.0, 1.0>}}) -> {tensor(*shape)} {{")
print("\n".join("  " + line for line in body))
print(f"  return {logits} : {tensor(*shape)}\n}}\n}}")
print("{-# dialect_resources: { builtin: {\n" + ",\n".join(resources) + "\n} } #-}")
