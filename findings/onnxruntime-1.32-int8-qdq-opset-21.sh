#!/usr/bin/env bash
# ONNX Runtime 1.32.0 does not load, with its default graph optimizations, a valid QDQ model of opset 21
# whose int8 activations of three axes go into MatMul and Add: "Node (..._q) Op (QuantizeLinear)
# [TypeInferenceError] output_dtype INT8 does not match y_zero_point type UINT8". The optimizer makes
# a Gemm of the two behind a Reshape, carries the dequantization over that, and gives the
# QuantizeLinear that it inserts a zero point of another type than its output_dtype, an attribute that
# opset 21 brought. This is the usual linear layer of a transformer, as any quantizer writes it.
#
# The same model loads with opset 19, with uint8 codes (zero point + 128: the same reals), with two axes,
# without the Add, or with optimizations off. A quantizer that targets opset 21 for its 4 and 16-bit
# types does well to write activations of 8 bits as uint8.
#
# Seen with onnxruntime 1.32.0 and onnx 1.23.2, CPython 3.11 on x86-64.
#
# Installs them in a temporary folder; needs python3 (3.10 or later) with venv, and a network.
# Exit status 1 when onnxruntime behaves otherwise than this says.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)


def model(opset=21, codes=np.int8, axes=3, add=True):
    shape = [2, 4, 8][-axes:]
    constants = {"scale": np.float32(0.1), "zero": codes(3), "weight": np.ones((8, 3), np.float32)}
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("QuantizeLinear", ["positive", "scale", "zero"], ["codes"]),
        helper.make_node("DequantizeLinear", ["codes", "scale", "zero"], ["reals"]),
        helper.make_node("MatMul", ["reals", "weight"], ["product" if add else "y"]),
    ]
    if add:
        constants["bias"] = np.zeros(3, np.float32)
        nodes.append(helper.make_node("Add", ["product", "bias"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape[:-1] + [3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()


def load(data, optimize=True):
    options = onnxruntime.SessionOptions()
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        return str(error)
    return "loads"


results = {
    "int8, three axes, Add, opset 21": load(model()),
    "optimizations off": load(model(), optimize=False),
    "opset 19": load(model(opset=19)),
    "uint8": load(model(codes=np.uint8)),
    "two axes": load(model(axes=2)),
    "no Add": load(model(add=False)),
}
for case, result in results.items():
    print(f"{case}: {result}")
first, *others = results.values()
expected = "output_dtype INT8 does not match y_zero_point type UINT8" in first and all(r == "loads" for r in others)
print("as described" if expected else "otherwise than described")
sys.exit(not expected)
PYTHON
