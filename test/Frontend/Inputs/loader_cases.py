"""loader_cases.py KIND MODEL.onnx: models for the tests of what is around the operators."""

import math
import struct
import sys

from onnx_writer import FLOAT, FLOAT16, Model, encode_node

SCOPES = "pkg.torch.onnx.name_scopes"


def classify(m, name, width):
    """The model's end: means of tokens [1, N, width], classes."""
    m.node("Relu", [name], ["last"], name="/last")
    m.node("GlobalAveragePool", [m.node("Transpose", ["last"], ["last_c"], perm=[0, 2, 1])], ["pooled"])
    m.ints("flat", [0, -1])
    m.node("Reshape", ["pooled", "flat"], ["features"])
    m.weights("head", [width, 3])
    m.node("MatMul", ["features", "head"], ["y"])
    return m


def embed(m, image="x"):
    """Patches of 2 x 2 as tokens [1, 4, 8]."""
    m.weights("patch", [8, 3, 2, 2])
    m.node("Conv", [image, "patch"], ["p"], name="/patch", strides=[2, 2], kernel_shape=[2, 2])
    m.ints("tokens", [0, 8, -1])
    m.node("Reshape", ["p", "tokens"], ["c"])
    return m.node("Transpose", ["c"], ["t"], perm=[0, 2, 1])


def external(location):
    m = Model()
    m.external("w", [48, 3], location)
    m.ints("flat", [1, 48])
    m.node("Reshape", ["x", "flat"], ["r"])
    m.node("MatMul", ["r", "w"], ["y"])
    return m


def misfit():
    m = Model(18)
    embed(m)
    m.node("Gelu", ["t"], ["g1"], name="/gelu1")
    m.node("Gelu", ["g1"], ["g2"], name="/gelu2")
    m.node("ReduceMean", ["g2"], ["y"], name="/mean", axes=[1], keepdims=0)
    return m


def early_input():
    m = Model(11)
    m.ints("axes", [0])
    m.node("Unsqueeze", ["x", "axes"], ["y"], name="/unsqueeze")
    return m


def removed():
    m = Model(11)
    m.floats("scales", [4], [1.0, 1.0, 2.0, 2.0])
    m.node("Upsample", ["x", "scales"], ["y"], name="/up")
    return m


def changed():
    """Opset 27 changed Range, not Relu."""
    m = Model(27, ir=14)
    m.node("Relu", ["x"], ["r"])
    for name, value in (("zero", 0), ("three", 3), ("one", 1)):
        m.ints(name, [value], [])
    m.node("Range", ["zero", "three", "one"], ["i"], name="/range")
    m.node("Gather", ["r", "i"], ["y"], axis=3)
    return m


def unchanged():
    m = Model(28, ir=14)
    embed(m)
    m.node("Gelu", ["t"], ["g"])
    return classify(m, "g", 8)


def function_opset():
    m = Model(17, domains=["local"])
    m.function("F", "local", ["v"], ["out"], [encode_node("Softmax", ["v"], ["out"], name="s")], opset=11)
    m.node("F", ["x"], ["y"], domain="local", name="/call")
    return m


def recursion():
    m = Model(17, domains=["local"])
    m.function("F", "local", ["v"], ["out"], [encode_node("F", ["v"], ["out"], domain="local")])
    m.node("F", ["x"], ["y"], domain="local", name="/call")
    return m


def arity():
    m = Model(17, domains=["local"])
    m.function("F", "local", ["v"], ["out"], [encode_node("Relu", ["v"], ["out"])])
    m.node("F", ["x", "x"], ["y"], domain="local", name="/call")
    return m


def failures():
    """Three causes, on five nodes; what reads their results has none of its own."""
    m = Model(17)
    m.ints("wrong", [5, 7])
    parts = []
    for i in range(3):
        m.node("Reshape", ["x", "wrong"], [f"a{i}"], name=f"/reshape{i}")
        parts.append(f"a{i}")
    m.node("Flatten", ["x"], ["f"], name="/flatten", axis=9)
    m.node("Softmax", ["x"], ["s"], name="/softmax", axis=7)
    m.node("Concat", parts + ["f", "s"], ["y"], name="/join", axis=0)
    return m


def names():
    """Nodes as PyTorch writes them: a linear layer of two, twice; a container; none."""
    m = Model(20)

    def scope(*path):
        return {SCOPES: repr(["", *path]), "pkg.torch.onnx.stack_trace": "File /home/someone/secret.py",
                "pkg.torch.onnx.class_hierarchy": "['secret.Class']"}

    m.weights("patch", [8, 3, 2, 2])
    m.node("Conv", ["x", "patch"], ["p"], name="node_conv2d", strides=[2, 2], kernel_shape=[2, 2],
           metadata=scope("embed", "embed.proj", "conv2d"))
    m.ints("tokens", [0, 8, -1])
    m.node("Reshape", ["p", "tokens"], ["c"], name="node_view", metadata=scope("embed", "view"))
    m.node("Transpose", ["c"], ["t"], name="node_transpose", metadata=scope("embed", "transpose"), perm=[0, 2, 1])
    source = "t"
    for i in (1, 2):
        path = ("blocks", "blocks.0", "blocks.0.mlp", f"blocks.0.mlp.fc{i}", f"linear_{i}")
        m.weights(f"w{i}", [8, 8], seed=i)
        m.weights(f"b{i}", [8], seed=i)
        m.node("MatMul", [source, f"w{i}"], [f"m{i}"], name=f"node_MatMul_{i}", metadata=scope(*path))
        source = m.node("Add", [f"m{i}", f"b{i}"], [f"l{i}"], name=f"node_linear_{i}", metadata=scope(*path))
        if i == 1:
            source = m.node("Relu", [source], ["r"], name="node_relu",
                            metadata=scope("blocks", "blocks.0", "blocks.0.mlp", "relu"))
    m.node("Add", ["t", source], ["sum"], name="node_add", metadata={SCOPES: "no list"})
    return classify(m, "sum", 8)


def open_shape(kind):
    """All axes of the image open."""
    m = Model(17, shape=("batch", "channels", "height", "width"))
    image = m.node("Cast", ["x"], ["cast"], name="/cast", to=1)
    if kind == "linear":
        m.ints("grid", [1, 3, 2, 2, 2, 2])
        m.node("Reshape", [image, "grid"], ["g"])
        m.node("Transpose", ["g"], ["gt"], perm=[0, 2, 4, 1, 3, 5])
        m.ints("rows", [1, 4, 12])
        m.node("Reshape", ["gt", "rows"], ["r"])
        m.weights("w", [12, 8])
        m.node("MatMul", ["r", "w"], ["t"], name="/patch")
    else:
        embed(m, image)
    if kind == "none":
        return classify(m, "t", 8)
    if kind == "matrix":
        m.weights("table", [4, 8], seed=1)
        m.ints("ids", [0, 1, 2, 3], [1, 4])
        m.node("Gather", ["table", "ids"], ["position"])
    else:
        m.weights("position", [1, 1, 4, 8] if kind == "rank4" else [1, 4, 8], seed=1)
    m.node("Add", ["t", "position"], ["sum"])
    if kind == "rank4":
        m.ints("squeezed", [1, 4, 8])
        m.node("Reshape", ["sum", "squeezed"], ["sum3"])
        return classify(m, "sum3", 8)
    return classify(m, "sum", 8)


def unshaped():
    m = Model(17, shape=None)
    embed(m)
    return classify(m, "t", 8)


def refused():
    """Composite operators with what they do not support, one node each."""
    m = Model(25, domains=["com.microsoft"])
    m.ints("rows", [1, 6, 8])
    m.node("Reshape", ["x", "rows"], ["t"])
    m.weights("w", [8, 24])
    m.weights("v8", [8])
    m.weights("v3", [3])
    m.weights("cube", [1, 6, 8])
    m.bools("mask", [4, 6], [1] * 24)
    m.weights("table", [1, 6, 3])
    m.ints("key_mask", [1, 1, 1, 1, 1, 1], [1, 1, 6])
    heads, ms = {"q_num_heads": 2, "kv_num_heads": 2}, {"domain": "com.microsoft"}
    results = []

    def refuse(kind, inputs, outputs=("out",), name="", **attributes):
        named = [f"{o}{len(results)}" if o else "" for o in outputs]
        m.node(kind, inputs, named, name=f"/{name}", **attributes)
        results.append([o for o in named if o][-1])

    refuse("Attention", ["t", "t", "t", "", "cube"], name="past", **heads)
    refuse("Attention", ["t", "t", "t"], ("out", "", "", "qk"), name="qk", **heads)
    refuse("Attention", ["t", "t", "t", "mask"], name="mask", **heads)
    refuse("Attention", ["t", "t", "t"], name="heads", q_num_heads=3, kv_num_heads=2)
    refuse("Attention", ["t", "t", "t"], name="groups", q_num_heads=2, kv_num_heads=4)
    refuse("Attention", ["t", "t", "t"], name="scale", scale=-1.0, **heads)
    refuse("RotaryEmbedding", ["t", "table", "table"], name="tables", num_heads=2)
    refuse("RotaryEmbedding", ["t", "table", "table"], name="odd", num_heads=2, rotary_embedding_dim=3)
    refuse("Attention", ["t", "w"], name="unknown", num_heads=2, window=3, **ms)
    refuse("Attention", ["t", "w"], name="rotary", num_heads=2, do_rotary=1, **ms)
    refuse("Attention", ["t", "w"], name="sizes", num_heads=2, qkv_hidden_sizes=[8, 8, 9], **ms)
    refuse("Attention", ["t", "w", "", "t"], name="data_mask", num_heads=2, **ms)
    refuse("Attention", ["t", "w", "", "v8"], name="float_mask", num_heads=2, **ms)
    refuse("Attention", ["t", "w", "", "key_mask"], name="form", num_heads=2, **ms)
    refuse("MultiHeadAttention", ["t"], name="alone", num_heads=2, **ms)
    refuse("MultiHeadAttention", ["t", "t", "t", "v8"], name="bias", num_heads=2, **ms)
    refuse("QAttention", ["t", "t", "v8", "v8", "v8"], name="no_weight", num_heads=2, **ms)
    refuse("GroupQueryAttention", ["t", "t", "t", "cube"], name="cache", num_heads=2, kv_num_heads=2, **ms)
    refuse("GroupQueryAttention", ["t", "t", "t", "", "", "v8"], name="lengths", num_heads=2, kv_num_heads=2, **ms)
    refuse("GroupQueryAttention", ["t", "t", "t"], name="inside", num_heads=2, kv_num_heads=2, do_rotary=1, **ms)
    refuse("GroupQueryAttention", ["t", "t", "t"], name="smooth", num_heads=2, kv_num_heads=2, smooth_softmax=1, **ms)
    refuse("GroupQueryAttention", ["t", "t", "t"], name="window", num_heads=2, kv_num_heads=2, local_window_size=0,
           **ms)
    refuse("GroupQueryAttention", ["t", "t"], name="half", num_heads=2, kv_num_heads=2, **ms)
    m.raw("lowest", [], FLOAT, struct.pack("<f", -math.inf))
    m.ints("around", [0, 0, 1, 1, 0, 0, 1, 1])
    m.ints("across", [0, 1, 0, 0, 0, 0, 0, 0])
    m.node("Pad", ["x", "around", "lowest"], ["surrounded"], name="/surround")
    refuse("Relu", ["surrounded"], name="reads")
    refuse("Pad", ["x", "across", "lowest"], name="channels")
    refuse("FusedConv", ["x", "conv"], name="function", activation="Elu", **ms)
    m.weights("conv", [4, 3, 2, 2])
    refuse("FusedMatMul", ["t", "w"], name="attribute", beta=1.0, **ms)
    refuse("BatchNormalization", ["x", "v3", "v3", "v3", "v3"], name="training", training_mode=1)
    refuse("BatchNormalization", ["x", "v8", "v3", "v3", "v3"], name="vector")
    refuse("GroupNormalization", ["x", "v3", "v3"], name="count", num_groups=2)
    refuse("RMSNormalization", ["t", "v8"], name="epsilon", epsilon=-1.0)
    refuse("Einsum", ["t", "t"], name="sum", equation="bij,bkl->bik")
    refuse("Einsum", ["x", "x"], name="diagonal", equation="abcc,abcd->abd")
    m.node("Concat", results, ["y"], name="/join", axis=0)
    return m


def surrounded():
    m = Model(17)
    m.raw("lowest", [], FLOAT, struct.pack("<f", -math.inf))
    m.ints("around", [0, 0, 1, 1, 0, 0, 1, 1])
    m.node("Pad", ["x", "around", "lowest"], ["y"], name="/surround")
    return m


def half():
    m = Model(17)
    embed(m)
    m.raw("b", [8], FLOAT16, struct.pack("<8e", *[i / 8 for i in range(8)]))
    m.node("Cast", ["b"], ["bf"], to=1)
    m.node("Add", ["t", "bf"], ["z"])
    return classify(m, "z", 8)


def many_roots():
    m = Model(17)
    source = "x"
    for i in range(6):
        source = m.node("Sqrt", [source], [f"c{i}"], name=f"/root{i}")
    m.ints("tokens", [1, 3, 16])
    m.node("Reshape", [source, "tokens"], ["r"])
    m.node("Transpose", ["r"], ["t"], perm=[0, 2, 1])
    return classify(m, "t", 3)


def batch_norm(where):
    """Behind a convolution; before a linear layer and behind it, tokens moved to rows."""
    m = Model(17)

    def norm(source, name, width):
        for i, part in enumerate(("g", "b", "m", "v")):
            m.weights(name + part, [width], seed=i, scale=0.4, shift=1 if part in "gv" else 0)
        return m.node("BatchNormalization", [source] + [name + part for part in "gbmv"], [name], name="/" + name)

    if where == "conv":
        m.weights("patch", [8, 3, 2, 2])
        m.node("Conv", ["x", "patch"], ["p"], name="/patch", strides=[2, 2], kernel_shape=[2, 2])
        m.ints("tokens", [0, 8, -1])
        m.node("Reshape", [norm("p", "n", 8), "tokens"], ["c"])
        m.node("Transpose", ["c"], ["t"], perm=[0, 2, 1])
        return classify(m, "t", 8)
    if where == "image":
        return classify(m, embed(m, norm("x", "n", 3)), 8)
    embed(m)
    m.weights("w", [8, 8], seed=7)
    if where == "behind":
        m.node("MatMul", ["t", "w"], ["l"], name="/linear")
        m.ints("rows", [4, 8])
        m.ints("back", [1, 4, 8])
        m.node("Reshape", ["l", "rows"], ["lr"])
        m.node("Reshape", [norm("lr", "n", 8), "back"], ["z"])
        m.node("Relu", ["z"], ["zr"])
        return classify(m, "zr", 8)
    if where == "before":
        m.node("Relu", ["t"], ["tr"])
        m.node("Transpose", ["tr"], ["tt"], perm=[0, 2, 1])
        m.node("Transpose", [norm("tt", "n", 8)], ["back"], perm=[0, 2, 1])
        m.node("MatMul", ["back", "w"], ["l"], name="/linear")
        m.node("Relu", ["l"], ["zr"])
        return classify(m, "zr", 8)
    # Alone: nothing linear beside it.
    m.node("Relu", ["t"], ["tr"])
    m.node("Transpose", ["tr"], ["tt"], perm=[0, 2, 1])
    m.node("Relu", [norm("tt", "n", 8)], ["nr"])
    m.node("Transpose", ["nr"], ["zr"], perm=[0, 2, 1])
    return classify(m, "zr", 8)


def ir(version):
    m = misfit()
    m.opset, m.ir = 20, version
    return m


KINDS = {
    "misfit": misfit, "early_input": early_input, "removed": removed, "changed": changed, "unchanged": unchanged,
    "function_opset": function_opset, "recursion": recursion, "arity": arity, "failures": failures, "names": names,
    "half": half,
    "surrounded": surrounded, "unshaped": unshaped, "refused": refused, "many_roots": many_roots,
}


def main():
    kind, path = sys.argv[1:]
    kind, _, argument = kind.partition(":")
    special = {"external": external, "open": open_shape, "batch_norm": batch_norm, "ir": lambda text: ir(int(text))}
    (special[kind](argument) if argument else KINDS[kind]()).save(path)


if __name__ == "__main__":
    main()
