"""Cases of differential.py: products, windows, normalizations, composite operators and chains of operators."""

import numpy as np
from onnx import helper

from draw import FLOATS, INTS


# --------------------------------------------------------------------------
# Products, windows, normalizations
# --------------------------------------------------------------------------

def matmul(d):
    batch = d.shape(0, 2)
    m, k, n = d.int(1, 5), d.int(1, 6), d.int(1, 5)
    a, b = d.broadcastable(batch) + [m, k], batch + [k, n]
    if d.chance(0.1):
        a = [k]
    elif d.chance(0.1):
        b = [k]
    dtype = d.pick(FLOATS + INTS)
    d.node("MatMul", [d.input(d.values(a, dtype)), d.input(d.values(b, dtype))])
    return d.opset(13)


def gemm(d):
    m, k, n = d.int(1, 5), d.int(1, 6), d.int(1, 5)
    ta, tb = d.int(0, 1), d.int(0, 1)
    names = [d.input(d.values([k, m] if ta else [m, k])), d.input(d.values([n, k] if tb else [k, n]))]
    if d.chance(0.7):
        names.append(d.input(d.values(d.pick([[n], [1, n], [m, 1], [m, n], [1], []]))))
    d.node("Gemm", names, transA=ta, transB=tb, alpha=float(d.rng.random() + 0.2), beta=float(d.rng.random()))
    return d.opset(13)


def einsum(d):
    sizes = {label: d.int(1, 4) for label in "abcde"}
    terms = ["".join(d.rng.permutation(list("abcde"))[:d.int(1, 3)]) for _ in range(d.int(1, 3))]
    used = sorted(set("".join(terms)))
    output = "".join(d.rng.permutation(used)[:d.int(0, len(used))])
    dots = d.chance(0.3)
    batch = d.shape(1, 2) if dots else []
    equation = ",".join(("..." if dots else "") + t for t in terms)
    if d.chance(0.8):
        equation += "->" + ("..." if dots else "") + output
    shapes = [batch + [sizes[c] for c in t] for t in terms]
    d.node("Einsum", [d.input(d.values(s, d.pick([np.float32]))) for s in shapes], equation=equation)
    return d.opset(12)


def window(d, kernel, image):
    attributes = {"strides": [d.int(1, 3) for _ in kernel]}
    dilations = [d.int(1, 2) for _ in kernel]
    if all((k - 1) * t + 1 <= i for k, t, i in zip(kernel, dilations, image)):
        attributes["dilations"] = dilations
    choice = d.int(0, 3)
    if choice == 0:
        attributes["pads"] = [d.int(0, k - 1) for k in kernel * 2]
    elif choice == 1:
        attributes["auto_pad"] = d.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
        attributes["dilations"] = [1 for _ in kernel]
        attributes["strides"] = [min(s, k) for s, k in zip(attributes["strides"], kernel)]
    return attributes


def conv(d):
    rank, groups = d.int(1, 3), d.int(1, 3)
    kernel = [d.int(1, 3) for _ in range(rank)]
    image = [d.int(k, 6) for k in kernel]
    depth, channels = d.int(1, 2), d.int(1, 2) * groups
    names = [d.input(d.values([d.int(1, 2), depth * groups] + image)), d.input(d.values([channels, depth] + kernel))]
    if d.chance(0.5):
        names.append(d.input(d.values([channels])))
    d.node("Conv", names, group=groups, kernel_shape=kernel, **window(d, kernel, image))
    return d.opset()


def pool(op):
    def draw(d):
        rank = d.int(1, 3)
        kernel = [d.int(1, 3) for _ in range(rank)]
        image = [d.int(k, 6) for k in kernel]
        opset = d.pick([11, 12, 19, 22, 25])
        values = d.input(d.values([d.int(1, 2), d.int(1, 2)] + image))
        if op.startswith("Global"):
            d.node(op, [values])
            return opset
        attributes = window(d, kernel, image)
        if op == "AveragePool":
            attributes["count_include_pad"] = d.int(0, 1)
            if opset < 19:
                attributes.pop("dilations", None)
        elif d.chance(0.3) and "auto_pad" not in attributes:
            attributes["ceil_mode"] = 1
        d.node(op, [values], kernel_shape=kernel, **attributes)
        return opset
    return draw


def softmax(op):
    def draw(d):
        shape = d.shape(1, 4)
        d.node(op, [d.input(d.values(shape, d.pick(FLOATS)))], axis=d.axis(len(shape)))
        return d.opset()
    return draw


def layer_norm(d):
    shape = d.shape(2, 4)
    axis = d.int(1, len(shape) - 1)
    names = [d.input(d.values(shape)), d.input(d.values(shape[axis:]))]
    if d.chance(0.7):
        names.append(d.input(d.values(shape[axis:])))
    d.node("LayerNormalization", names, axis=axis if d.chance(0.5) else axis - len(shape), epsilon=1e-3)
    return d.opset(17)


def channel_norm(op):
    def draw(d):
        groups = d.int(1, 2)
        channels = groups * d.int(1, 3)
        shape = [d.int(1, 2), channels, d.int(2, 4), d.int(2, 4)]
        names = [d.input(d.values(shape)), d.input(d.values([channels])), d.input(d.values([channels]))]
        if op == "BatchNormalization":
            names += [d.input(d.values([channels])), d.input(d.values([channels], np.float32, 0.1, 3))]
        d.node(op, names, epsilon=1e-3, num_groups=groups if op == "GroupNormalization" else None)
        return d.opset(21) if op == "GroupNormalization" else d.opset(14)
    return draw


def rms_norm(d):
    shape = d.shape(2, 4)
    axis = d.int(1, len(shape) - 1)
    d.node("RMSNormalization", [d.input(d.values(shape)), d.input(d.values(shape[axis:]))],
           axis=axis if d.chance(0.5) else axis - len(shape), epsilon=1e-3)
    return d.opset(23)


def lp_norm(d):
    shape = d.shape(1, 4)
    d.node("LpNormalization", [d.input(d.values(shape))], axis=d.axis(len(shape)), p=d.int(1, 2))
    return d.opset()


# --------------------------------------------------------------------------
# Composite operators: of data only
# --------------------------------------------------------------------------

def attention(d):
    batch, heads, tokens, keys, width = d.int(1, 2), d.int(1, 3), d.int(1, 5), d.int(1, 5), d.int(1, 4)
    attributes = {"scale": float(d.rng.random() + 0.2) if d.chance(0.5) else None}
    if d.chance(0.5):
        shapes = [[batch, heads, tokens, width]] + [[batch, heads, keys, width]] * 2
    else:
        shapes = [[batch, tokens, heads * width]] + [[batch, keys, heads * width]] * 2
        attributes.update(q_num_heads=heads, kv_num_heads=heads)
    names = [d.input(d.values(shape)) for shape in shapes]
    if d.chance(0.4):
        names.append(d.input(d.values([tokens, keys])))
    d.node("Attention", names, **attributes)
    return d.opset(23)


def rotary_embedding(d):
    batch, heads, tokens, width = d.int(1, 2), d.int(1, 3), d.int(1, 5), 2 * d.int(1, 3)
    tables = [d.values([batch, tokens, width // 2], low=-1, high=1)[:1].repeat(batch, 0) for _ in range(2)]
    d.node("RotaryEmbedding", [d.input(d.values([batch, heads, tokens, width])), *map(d.input, tables)],
           interleaved=d.int(0, 1))
    return d.opset(23)


def microsoft(op):
    def draw(d):
        shape = [d.int(1, 2), d.int(1, 4), 2 * d.int(1, 4)]
        channels = shape[-1]
        # Gelu of what lies below -2.5 is lost in floats.
        names, attributes = [d.input(d.values(shape, low=-1.5))], {}
        vector = lambda: d.input(d.values([channels], low=-1))  # noqa: E731
        if op in ("BiasGelu", "FastGelu"):
            names.append(vector())
        elif op == "QuickGelu":
            attributes["alpha"] = 1.702
        elif op == "FusedMatMul":
            names.append(d.input(d.values(d.pick([[channels, 3], [3, channels]]))))
            attributes = {"alpha": 0.5, "transB": int(d.inputs[1].shape[0] == 3 and channels != 3)}
        elif op.startswith("Skip"):
            names += [d.input(d.values(shape)), vector()] + ([vector()] if op == "SkipLayerNormalization" else [])
            attributes["epsilon"] = 1e-3
        elif op == "MultiHeadAttention":
            names += [d.input(d.values(shape)), d.input(d.values(shape))]
            attributes["num_heads"] = 2
        elif op == "Attention":
            names += [d.input(d.values([channels, 3 * channels], low=-1, high=1)), d.input(d.values([3 * channels]))]
            attributes["num_heads"] = 2
        d.node(op, names, domain="com.microsoft", **attributes)
        return d.opset(17, 21)
    return draw


# --------------------------------------------------------------------------
# Chains
# --------------------------------------------------------------------------

def chain(d, nodes, opset):
    """Nodes as (operator, inputs, attributes); the last one's output is the result."""
    for i, (op, names, attributes) in enumerate(nodes):
        output = "o0" if i + 1 == len(nodes) else f"t{i}"
        d.nodes.append(helper.make_node(op, names, [output], name=f"/{op}{i}", **attributes))
    return opset


def chain_layer_norm(d):
    shape = d.shape(2, 4)
    x, axes = d.input(d.values(shape)), {"axes": [-1]}
    two, eps = d.input(np.float32(2)), d.input(np.float32(1e-3))
    gamma, beta = d.input(d.values(shape[-1:])), d.input(d.values(shape[-1:]))
    return chain(d, [("ReduceMean", [x], axes), ("Sub", [x, "t0"], {}), ("Pow", ["t1", two], {}),
                     ("ReduceMean", ["t2"], axes), ("Add", ["t3", eps], {}), ("Sqrt", ["t4"], {}),
                     ("Div", ["t1", "t5"], {}), ("Mul", ["t6", gamma], {}), ("Add", ["t7", beta], {})], d.opset(13, 17))


def chain_attention(d):
    batch, heads, tokens, width = d.int(1, 2), d.int(1, 3), d.int(1, 5), d.int(1, 4)
    q, k, v = (d.input(d.values([batch, heads, tokens, width])) for _ in range(3))
    scale = d.input(np.float32(width**-0.5))
    shape = d.ints([batch, tokens, -1])
    return chain(d, [("Transpose", [k], {"perm": [0, 1, 3, 2]}), ("MatMul", [q, "t0"], {}), ("Mul", ["t1", scale], {}),
                     ("Softmax", ["t2"], {"axis": -1}), ("MatMul", ["t3", v], {}),
                     ("Transpose", ["t4"], {"perm": [0, 2, 1, 3]}), ("Reshape", ["t5", shape], {})], d.opset(13))


def chain_gelu(d):
    x, root, one, half = d.input(d.values(d.shape(), low=-3)), *(d.input(np.float32(v)) for v in (1.4142135, 1, 0.5))
    return chain(d, [("Div", [x, root], {}), ("Erf", ["t0"], {}), ("Add", ["t1", one], {}), ("Mul", [x, "t2"], {}),
                     ("Mul", ["t3", half], {})], d.opset(13))


def chain_shapes(d):
    shape = d.shape(2, 4)
    x = d.input(d.values(shape))
    axis, first = d.int(0, len(shape) - 1), d.input(np.array([0], np.int64))
    index = d.input(np.array(axis, np.int64))
    minus = d.ints([-1])
    return chain(d, [("Shape", [x], {}), ("Gather", ["t0", index], {"axis": 0}), ("Unsqueeze", ["t1", first], {}),
                     ("Concat", ["t2", minus], {"axis": 0}), ("Reshape", [x, "t3"], {})], d.opset(13))


def chain_positions(d):
    """A position table resized as exporters write it."""
    side, width, target = d.int(2, 5), d.int(1, 3), d.int(1, 9)
    table = d.input(d.values([1, side * side, width]))
    grid, sizes, back = d.ints([1, side, side, width]), d.ints([1, width, target, target]), d.ints([1, -1, width])
    mode = d.pick(["cubic", "linear"])
    return chain(d, [("Reshape", [table, grid], {}), ("Transpose", ["t0"], {"perm": [0, 3, 1, 2]}),
                     ("Resize", ["t1", "", "", sizes], {"mode": mode, "antialias": d.int(0, 1)}),
                     ("Transpose", ["t2"], {"perm": [0, 2, 3, 1]}), ("Reshape", ["t3", back], {})], d.opset(18))
