"""composites.py check VITQ-RUN FOLDER | write CASE MODEL.onnx INPUT.npy

Models of one composite operator each, on the image seen as tokens [1, 6, 8]. `check`
has VITQ-RUN compute all of them, with files in FOLDER, and compares with composites.json: values of onnxruntime 1.32 or, for what it does
not have, of onnx.reference 1.23 (`composites.py expect`, which needs these packages).
"""

import json
import math
import pathlib
import struct
import subprocess
import sys

from onnx_writer import FLOAT, INT8, UINT8, Model, Ref, encode_node, image, load_npy, number, save_npy, text

MS = "com.microsoft"
EXPECTED = pathlib.Path(__file__).with_name("composites.json")


def tokens(m, name="t", rows=6, columns=8):
    m.ints("token_shape", [1, rows, columns])
    return m.node("Reshape", ["x", "token_shape"], [name], name="/tokens")


def finish(m, name):
    """As one row, which vitq-run prints."""
    m.ints("row", [1, -1])
    m.node("Reshape", [name, "row"], ["y"], name="/row")
    return m


def projections(m, width=8, kv_width=None):
    tokens(m)
    for i, part in enumerate("qkv"):
        w = kv_width if kv_width and part != "q" else width
        m.weights("w" + part, [8, w], seed=i)
        m.node("MatMul", ["t", "w" + part], [part], name="/" + part)


def split_heads(m, heads, names="qkv"):
    m.ints("head_shape", [0, 0, heads, -1])
    for part in names:
        m.node("Reshape", [part, "head_shape"], [part + "r"])
        m.node("Transpose", [part + "r"], [part + "h"], perm=[0, 2, 1, 3])


def attention(opset=23, heads4=True, mask=None, heads=2, kv_heads=None, **attributes):
    m = Model(opset)
    projections(m, kv_width=8 // heads * kv_heads if kv_heads else None)
    inputs = ["q", "k", "v"]
    if heads4:
        split_heads(m, heads)
        inputs = ["qh", "kh", "vh"]
    else:
        attributes |= {"q_num_heads": heads, "kv_num_heads": kv_heads or heads}
    if mask == "bool":
        m.bools("mask", [6, 6], [int((i // 6 + i % 6) % 3 != 1) for i in range(36)])
    elif mask == "row":
        m.bools("mask", [6, 6], [int(i // 6 != 2) for i in range(36)])
    elif mask == "float":
        m.weights("mask", [1, 2, 6, 6], seed=9, scale=2)
    m.node("Attention", inputs + (["mask"] if mask else []), ["a"], name="/attention", **attributes)
    return finish(m, "a")


def rms(axis=-1, opset=23):
    m = Model(opset)
    tokens(m)
    m.weights("g", [6, 8] if axis == 1 else [8], shift=1)
    m.node("RMSNormalization", ["t", "g"], ["n"], axis=axis, epsilon=1e-3)
    return finish(m, "n")


def rotary(heads4=True, positions=False, domain="", **attributes):
    m = Model(23, domains=[MS] if domain else [])
    tokens(m)
    size = 4 if heads4 or "num_heads" in attributes else 8
    half = attributes.get("rotary_embedding_dim", size) // 2
    name = "t"
    if heads4:
        split_heads(m, 2, "t")
        name = "th"
    rows = 10 if positions else 6
    for table, function in (("cos", math.cos), ("sin", math.sin)):
        values = [function(t / (2.0 * i + 1)) for t in range(rows) for i in range(half)]
        m.floats(table, [rows, half] if positions else [1, rows, half], values)
    if positions:
        m.ints("positions", [3, 1, 4, 1, 5, 9], [1, 6])
    inputs = [name, "positions", "cos", "sin"] if domain else [name, "cos", "sin"] + (["positions"] if positions else [])
    m.node("RotaryEmbedding", inputs, ["r"], domain=domain, **attributes)
    return finish(m, "r")


def channel_norm(kind, opset, groups=None, inputs=("scale", "bias")):
    m = Model(opset)
    m.ints("image_shape", [1, 4, 3, 4])
    m.node("Reshape", ["x", "image_shape"], ["i"])
    size = groups if kind == "GroupNormalization" and opset < 21 else 4
    for i, name in enumerate(inputs):
        m.weights(name, [size], seed=i, shift=1 if name in ("scale", "var") else 0)
    extra = {"num_groups": groups} if groups else {}
    m.node(kind, ["i", *inputs], ["n"], epsilon=1e-3, **extra)
    return finish(m, "n")


def layer_norm_axes():
    m = Model(17)
    tokens(m)
    m.weights("g", [6, 8], shift=1)
    m.weights("b", [8], seed=1)
    m.node("LayerNormalization", ["t", "g", "b"], ["n"], axis=1)
    return finish(m, "n")


def activation(kind, bias=False, opset=17, domain=MS, **attributes):
    m = Model(opset, domains=[MS] if domain else [])
    tokens(m)
    if bias:
        m.weights("b", [8])
    m.node(kind, ["t"] + (["b"] if bias else []), ["a"], domain=domain, **attributes)
    return finish(m, "a")


def fused_matmul(linear=False, **attributes):
    m = Model(17, domains=[MS])
    tokens(m)
    if linear:
        m.weights("w", [5, 8])
        m.node("FusedMatMul", ["t", "w"], ["p"], domain=MS, transB=1, **attributes)
    else:
        m.ints("batches", [2, 3, 8])
        m.node("Reshape", ["t", "batches"], ["b"])
        m.node("FusedMatMul", ["b", "b"], ["p"], domain=MS, **attributes)
    return finish(m, "p")


def skip_norm(kind="SkipLayerNormalization", bias=True, sums=False):
    m = Model(17, domains=[MS])
    tokens(m)
    m.weights("s", [1, 6, 8], seed=3)
    m.weights("g", [8], seed=4, shift=1)
    m.weights("be", [8], seed=5)
    m.weights("b", [8], seed=6)
    inputs = ["t", "s", "g"] + (["be"] if kind == "SkipLayerNormalization" else []) + (["b"] if bias else [])
    outputs = ["n", "", "", "sum"] if sums else ["n"]
    m.node(kind, inputs, outputs, domain=MS, epsilon=1e-3, name="/skip")
    return finish(m, m.node("Add", ["n", "sum"], ["z"]) if sums else "n")


def simplified_norm():
    m = Model(17)
    tokens(m)
    m.weights("g", [8], seed=4, shift=1)
    m.node("SimplifiedLayerNormalization", ["t", "g"], ["n"], epsilon=1e-3, axis=-1)
    return finish(m, "n")


def packed_attention(bias=True, mask=None, **attributes):
    m = Model(17, domains=[MS])
    tokens(m)
    m.weights("w", [8, 24])
    m.weights("b", [24], seed=1)
    inputs = ["t", "w"] + (["b"] if bias else [])
    if mask:
        m.tensors.append(int32("mask", *mask))
        inputs += ([] if bias else [""]) + ["mask"]
    m.node("Attention", inputs, ["a"], domain=MS, num_heads=2, name="/attention", **attributes)
    return finish(m, "a")


def int32(name, shape, values):
    return b"".join(number(1, n) for n in shape) + number(2, 6) + text(8, name) + text(
        9, struct.pack(f"<{len(values)}i", *values))


def multi_head(form="separate", bias=False, **attributes):
    m = Model(17, domains=[MS])
    inputs = ["q", "k", "v"]
    if form == "separate":
        projections(m)
    else:
        tokens(m)
        m.weights("w", [8, 24])
        m.node("MatMul", ["t", "w"], ["p"])
        m.ints("packed", [1, 6, 2, 3, 4])
        m.node("Reshape", ["p", "packed"], ["q"])
        inputs = ["q"]
    if form == "unpacked":
        m.ints("merged", [1, 6, 8])
        m.node("Split", ["q"], ["q5", "k5", "v5"], axis=3)
        inputs = [m.node("Reshape", [part + "5", "merged"], [part + "3"]) for part in "qkv"]
    if bias:
        m.weights("b", [24], seed=5)
        inputs.append("b")
    m.node("MultiHeadAttention", inputs, ["a"], domain=MS, num_heads=2, name="/attention", **attributes)
    return finish(m, "a")


def group_query(packed=False, heads=4, kv_heads=2, **attributes):
    m = Model(17, domains=[MS])
    m.tensors += [int32("last", [1], [5]), int32("count", [], [6])]
    if packed:
        tokens(m)
        m.weights("w", [8, 8 * (heads + 2 * kv_heads)])
        m.node("MatMul", ["t", "w"], ["p"])
    else:
        projections(m, width=8 * heads, kv_width=8 * kv_heads)
    inputs = ["p", "", ""] if packed else ["q", "k", "v"]
    m.node("GroupQueryAttention", [*inputs, "", "", "last", "count"], ["a", "keys", "values"], domain=MS, num_heads=heads,
           kv_num_heads=kv_heads, name="/attention", **attributes)
    return finish(m, "a")


def coded_attention(columns=False, shared_zero=None, **attributes):
    m = Model(17, domains=[MS])
    tokens(m)
    m.raw("step", [], FLOAT, struct.pack("<f", 0.0625))
    m.raw("zero", [], UINT8, bytes([131]))
    m.node("QuantizeLinear", ["t", "step", "zero"], ["codes"], name="/codes")
    m.raw("w", [8, 24], INT8, bytes((i * 37 + 11) % 256 for i in range(192)))
    m.weights("b", [24], seed=1)
    count = 24 if columns else 1
    m.raw("steps", [24] if columns else [], FLOAT, struct.pack(f"<{count}f", *[(i % 5 + 1) / 512 for i in range(count)]))
    if shared_zero is None:
        m.raw("zeros", [24] if columns else [], INT8, bytes(count))
    else:
        m.raw("zeros", [], INT8, bytes([shared_zero]))
    m.node("QAttention", ["codes", "w", "b", "step", "steps", "", "zero", "zeros"], ["a"], domain=MS, num_heads=2,
           name="/attention", **attributes)
    return finish(m, "a")


def surrounded_pool():
    m = Model(17)
    m.raw("lowest", [], FLOAT, struct.pack("<f", -math.inf))
    m.ints("around", [0, 0, 0, 1, 0, 0, 1, 1])
    m.node("Pad", ["x", "around", "lowest"], ["p"], name="/pad")
    m.node("MaxPool", ["p"], ["m"], name="/pool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 0])
    return finish(m, "m")


def fused_gemm():
    m = Model(17, domains=[MS])
    m.ints("rows", [6, 8])
    m.node("Reshape", ["x", "rows"], ["t"])
    m.weights("w", [8, 5])
    m.weights("b", [5], seed=1)
    m.node("FusedGemm", ["t", "w", "b"], ["p"], domain=MS, activation="Relu", alpha=0.5)
    return finish(m, "p")


def fused_conv():
    m = Model(17, domains=[MS])
    m.weights("w", [4, 3, 2, 2])
    m.weights("b", [4], seed=1)
    m.node("FusedConv", ["x", "w", "b"], ["p"], domain=MS, activation="Relu", strides=[2, 2], kernel_shape=[2, 2])
    return finish(m, "p")


def functions():
    """A function that calls another one; attributes go through, one has a default, and an
    input comes out as it is."""
    m = Model(18, domains=["local"])
    tokens(m)
    m.function("Scale", "local", ["v"], ["out", "v2"], [
        encode_node("LeakyScale", ["v"], ["u"], name="inner", domain="local", slope=Ref("slope")),
        encode_node("Add", ["u", "v"], ["out"], name="sum"),
        encode_node("Softmax", ["u"], ["v2"], axis=Ref("axis"), name="softmax"),
    ], attributes=["slope", "axis"])
    m.function("LeakyScale", "local", ["v", "unused"], ["out"], [
        encode_node("Constant", [], ["c"], value_float=Ref("slope")),
        encode_node("Mul", ["v", "c"], ["out"]),
    ], defaults={"slope": 0.75})
    m.node("Scale", ["t"], ["a", "p"], domain="local", name="first", slope=0.5, axis=1)
    m.node("Scale", ["a"], ["b", ""], domain="local", name="second")
    m.node("Add", ["b", "p"], ["z"])
    return finish(m, "z")


def old_opset():
    """Opset 9 has these operands as attributes."""
    m = Model(9)
    m.node("Pad", ["x"], ["p"], pads=[0, 0, 1, 0, 0, 0, 0, 1], mode="constant", value=0.0)
    m.node("Slice", ["p"], ["s"], starts=[1, 0], ends=[1000, -1], axes=[2, 3])
    m.node("Dropout", ["s"], ["d"], ratio=0.5)
    m.node("Unsqueeze", ["d"], ["u"], axes=[0])
    m.node("Squeeze", ["u"], ["q"], axes=[0])
    m.node("Split", ["q"], ["h1", "h2"], axis=3, split=[1, 3])
    m.node("ReduceMean", ["h2"], ["r"], axes=[1], keepdims=0)
    m.node("Softmax", ["r"], ["f"], axis=1)
    return finish(m, "f")


CASES = {
    "attention_heads": lambda: attention(),
    "attention_merged": lambda: attention(heads4=False, scale=0.3),
    "attention_bool_mask": lambda: attention(mask="bool"),
    "attention_masked_row": lambda: attention(mask="row"),
    "attention_float_mask": lambda: attention(mask="float", is_causal=1),
    "attention_causal": lambda: attention(opset=24, is_causal=1),
    "attention_softcap": lambda: attention(opset=24, softcap=0.5, mask="bool"),
    "attention_groups": lambda: attention(heads4=False, heads=4, kv_heads=2),
    "attention_window": lambda: attention(opset=25, left_window_size=2, right_window_size=1),
    "rms_norm": rms,
    "rms_norm_axes": lambda: rms(axis=1),
    "rotary": rotary,
    "rotary_interleaved": lambda: rotary(interleaved=1),
    "rotary_part": lambda: rotary(heads4=False, positions=True, num_heads=2, rotary_embedding_dim=2),
    "rotary_microsoft": lambda: rotary(heads4=False, positions=True, domain=MS, num_heads=2),
    "group_norm_18": lambda: channel_norm("GroupNormalization", 18, groups=2),
    "group_norm_21": lambda: channel_norm("GroupNormalization", 21, groups=2),
    "instance_norm": lambda: channel_norm("InstanceNormalization", 17),
    "batch_norm": lambda: channel_norm("BatchNormalization", 15, inputs=("scale", "bias", "mean", "var")),
    "layer_norm_axes": layer_norm_axes,
    "swish": lambda: activation("Swish", opset=24, domain="", alpha=0.5),
    "gelu": lambda: activation("Gelu"),
    "bias_gelu": lambda: activation("BiasGelu", bias=True),
    "fast_gelu": lambda: activation("FastGelu", bias=True),
    "quick_gelu": lambda: activation("QuickGelu"),
    "quick_gelu_alpha": lambda: activation("QuickGelu", alpha=0.7),
    "fused_matmul": lambda: fused_matmul(transB=1, alpha=0.25),
    "fused_matmul_a": lambda: fused_matmul(transA=1, alpha=0.25),
    "fused_matmul_batch": lambda: fused_matmul(transBatchA=1, transBatchB=1, transB=1),
    "fused_matmul_linear": lambda: fused_matmul(linear=True, alpha=0.5),
    "fused_gemm": fused_gemm,
    "fused_conv": fused_conv,
    "skip_norm": skip_norm,
    "skip_norm_sum": lambda: skip_norm(sums=True, bias=False),
    "skip_simplified": lambda: skip_norm("SkipSimplifiedLayerNormalization"),
    "simplified_norm": simplified_norm,
    "packed_attention": packed_attention,
    "packed_attention_mask": lambda: packed_attention(mask=([1, 6], [1, 1, 0, 1, 1, 0]), unidirectional=1),
    "packed_attention_length": lambda: packed_attention(bias=False, mask=([1], [4]), scale=0.2),
    "multi_head": lambda: multi_head(bias=True),
    "multi_head_packed": lambda: multi_head("packed", unidirectional=1),
    "group_query": group_query,
    "group_query_packed": lambda: group_query(packed=True, local_window_size=2, scale=0.4),
    "coded_attention": coded_attention,
    "coded_attention_columns": lambda: coded_attention(columns=True, unidirectional=1),
    "coded_attention_shared_zero": lambda: coded_attention(columns=True, shared_zero=5),
    "surrounded_pool": surrounded_pool,
    "functions": functions,
    "old_opset": old_opset,
}


# What onnxruntime has only on other devices, in other words.
EQUIVALENT = {"multi_head_packed": lambda: multi_head("unpacked", unidirectional=1)}


def expect():
    import numpy as np
    import onnx
    import onnxruntime
    from onnx.reference import ReferenceEvaluator

    values = {}
    for case, make in CASES.items():
        model = EQUIVALENT.get(case, make)()
        x = np.array(image(), dtype=np.float32).reshape(model.shape)
        try:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            session = onnxruntime.InferenceSession(model.encode(), options, providers=["CPUExecutionProvider"])
            y, source = session.run(None, {"x": x})[0], "onnxruntime"
        except Exception:
            y, source = ReferenceEvaluator(onnx.load_from_string(model.encode())).run(None, {"x": x})[0], "reference"
        print(case, source, y.size)
        values[case] = [round(float(v), 6) for v in y.ravel()]
    lines = ",\n".join(f'"{case}": {json.dumps(v)}' for case, v in values.items())
    EXPECTED.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


def run(tool, folder, case):
    """What is wrong with the case, or nothing."""
    model, paths = CASES[case](), [folder / f"{case}.{kind}" for kind in ("onnx", "npy", "out.npy")]
    model.save(paths[0])
    save_npy(paths[1], model.shape, image())
    command = [tool, paths[0], f"--inputs={paths[1]}", f"--dump-outputs={paths[2]}"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        return result.stderr
    got, want = load_npy(paths[2]), json.loads(EXPECTED.read_text(encoding="utf-8"))[case]
    # Values are rounded to six digits, and float32 both here and there.
    if len(got) == len(want) and max(abs(a - b) for a, b in zip(got, want)) <= 5e-6 * max(1, *map(abs, want)):
        return ""
    return f"{case}: {got[:4]}..., expected {want[:4]}..."


def main():
    command, *arguments = sys.argv[1:]
    if command == "expect":
        expect()
    elif command == "write":
        model = CASES[arguments[0]]()
        model.save(arguments[1])
        save_npy(arguments[2], model.shape, image())
    else:
        tool, folder = arguments[0], pathlib.Path(arguments[1])
        folder.mkdir(exist_ok=True)
        sys.exit("\n".join(filter(None, (run(tool, folder, case) for case in CASES))) or 0)


if __name__ == "__main__":
    main()
