"""make_quantized.py KIND OUT.onnx: small models that misuse an operator of quantized models."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

constants, nodes = [], []
MS = "com.microsoft"


def c(name, array):
    constants.append(numpy_helper.from_array(np.asarray(array), name))
    return name


def n(op, inputs, outputs="y", domain="", **attributes):
    outputs = [outputs] if isinstance(outputs, str) else outputs
    nodes.append(helper.make_node(op, inputs, outputs, name="/" + outputs[0], domain=domain, **attributes))
    return outputs[0]


f, u8, i8 = np.float32, np.uint8, np.int8
s, z = c("s", f(0.1)), c("z", u8(3))
w, wz = c("w", np.ones((4, 4), i8)), c("wz", i8(0))


def codes(name="q"):
    return n("QuantizeLinear", ["x", s, z], name)


def dynamic():
    n("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"])


KINDS = {
    "scale_input": lambda: n("QuantizeLinear", ["x", "x", z]),
    "scale_ints": lambda: n("QuantizeLinear", ["x", c("t", np.int64(1)), z]),
    "scale_zero": lambda: n("QuantizeLinear", ["x", c("t", f(0)), z]),
    "scale_nan": lambda: n("QuantizeLinear", ["x", c("t", f("nan")), z]),
    "scale_count": lambda: n("QuantizeLinear", ["x", c("t", np.ones(3, f)), c("u", np.zeros(3, u8))], axis=3),
    "scale_blocks": lambda: n("QuantizeLinear", ["x", c("t", np.ones((2, 2), f)), c("u", np.zeros((2, 2), u8))]),
    "zero_count": lambda: n("QuantizeLinear", ["x", s, c("t", np.zeros(2, u8))]),
    "zero_type": lambda: n("QuantizeLinear", ["x", s, c("t", np.int64(0))]),
    "zero_wide": lambda: n("DequantizeLinear", [c("t", np.ones(4, np.int32)), s, c("u", np.int32(1))]),
    "zero_differs": lambda: n("DequantizeLinear", [codes(), s, wz]),
    "axis": lambda: n("QuantizeLinear", ["x", c("t", np.ones(4, f)), c("u", np.zeros(4, u8))], axis=7),
    "quantize_twice": lambda: n("QuantizeLinear", [codes(), s, z]),
    "dequantize_floats": lambda: n("DequantizeLinear", ["x", s, z]),
    "wide_data": lambda: n("QuantizeLinear", ["x", s, c("t", np.int32(0))]),
    "computes": lambda: n("Relu", [codes()]),
    "joins": lambda: n("Concat", [codes(), n("QuantizeLinear", ["x", c("t", f(0.2)), z], "r")], axis=1),
    "joins_floats": lambda: n("Concat", [codes(), c("t", np.ones((1, 1, 4, 4), f))], axis=1),
    "moves_channels": lambda: n(
        "Transpose", [n("QuantizeLinear", ["x", c("t", np.arange(1, 5, dtype=f)), c("u", np.zeros(4, u8))], "q", axis=3)]
    ),
    "conv_bias": lambda: n(
        "QLinearConv", [codes(), s, z, c("k", np.ones((2, 1, 2, 2), i8)), s, wz, s, z, c("b", np.ones(2, f))]
    ),
    "conv_weight": lambda: n("QLinearConv", [codes(), s, z, codes("r"), s, z, s, z, c("b", np.ones(2, np.int32))]),
    "gemm_rank": lambda: n("QGemm", [codes(), s, z, w, s, wz], domain=MS),
    "dynamic_relu": lambda: (dynamic(), n("Relu", ["q"])),
    "dynamic_constant": lambda: n("DynamicQuantizeLinear", [c("t", np.ones(4, f))], ["y", "ys", "yz"]),
    "dynamic_zero": lambda: (dynamic(), n("MatMulInteger", ["q", w, z, wz])),
    "integer_floats": lambda: n("MatMulInteger", ["x", w]),
    "integer_weight": lambda: (dynamic(), n("MatMulInteger", ["q", c("t", np.ones((4, 4), np.int32)), "qz"])),
    "integer_cast": lambda: (dynamic(), n("MatMulInteger", ["q", w, "qz", wz], "p"), n("Cast", ["p"], to=7)),
    "integer_factor": lambda: (dynamic(), n("MatMulInteger", ["q", w, "qz", wz], "p"), n("Mul", ["p", "x"])),
    "integer_result": lambda: (dynamic(), n("MatMulInteger", ["q", w, "qz", wz])),
    "bias_scale": lambda: n(
        "Gemm",
        [
            n("DequantizeLinear", [n("Reshape", [codes(), c("t", np.array([1, 16]))], "r"), s, z], "d"),
            n("DequantizeLinear", [c("v", np.ones((16, 2), i8)), s], "vd"),
            n("DequantizeLinear", [c("b", np.ones(2, np.int32)), s], "bd"),
        ],
    ),
    "weight_i16": lambda: n(
        "Gemm",
        [
            n("Reshape", ["x", c("t", np.array([1, 16]))], "r"),
            n("DequantizeLinear", [c("v", np.ones((16, 2), np.int16)), s], "vd"),
        ],
    ),
    "weight_rows": lambda: n(
        "Gemm",
        [
            n("Reshape", ["x", c("t", np.array([1, 16]))], "r"),
            n("DequantizeLinear", [c("v", np.ones((16, 2), i8)), c("u", np.arange(1, 17, dtype=f))], "vd", axis=0),
        ],
    ),
    "concat_inputs": lambda: n("QLinearConcat", [s, z, codes(), s, z, s], domain=MS, axis=1),
    "maximum": lambda: n("Relu", [n("ReduceMax", ["x"], "m", axes=[3])]),
    "maximum_axis": lambda: n("ReduceMax", ["x"], axes=[0]),
    "maximum_other": lambda: n("Sub", [n("Relu", ["x"], "r"), n("ReduceMax", ["x"], "m", axes=[3])]),
}

KINDS |= {
    "leaky_relu": lambda: n("DequantizeLinear", [n("QLinearLeakyRelu", [codes(), s, z, s, z], "l", MS, alpha=0.25), s, z]),
    "leaky_slope": lambda: n("QLinearLeakyRelu", [codes(), s, z, s, z], domain=MS, alpha=2.0),
    "where": lambda: n(
        "DequantizeLinear",
        [n("QLinearWhere", [c("t", np.eye(4) > 0), codes(), s, z, c("v", u8(7)), s, z, s, z], "chosen", MS), s, z],
    ),
    "where_number": lambda: n("QLinearWhere", ["x", codes(), s, z, c("v", u8(7)), s, z, s, z], domain=MS),
    "vector": lambda: n(
        "Add", ["x", n("DequantizeLinear", [c("t", np.ones(4, i8)), c("u", np.arange(1, 5, dtype=f))], "d")]
    ),
    "cast_codes": lambda: n("Cast", [codes()], to=1),
}

KINDS[sys.argv[1]]()
graph = helper.make_graph(
    nodes,
    "quantized",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    constants,
)
opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MS, 1)]
onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), sys.argv[2])
