#!/usr/bin/env bash
# ONNX Runtime 1.32.0 computes three different things for auto_pad=SAME_UPPER and SAME_LOWER where the stride is longer
# than the window, so that the formula of the operators' text, (outputs - 1) * stride + window - inputs, asks for less
# than no padding:
#   MaxPool  loads and fails in the first run: "padding values must be non-negative". That takes no more than a window
#            of 1 with a stride of 2 on an even size, which is how a network subsamples.
#   AveragePool, LpPool  leave out the first elements: of 1 .. 9, window 1 and stride 5, they take 2 and 7.
#   Conv     does so for SAME_UPPER and not for SAME_LOWER, where it takes 1 and 6, as VALID does and as TensorFlow,
#            whose padding this is, does for all three.
# So a convolution of weight 1 and a pooling with the same attributes read other elements.
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


def run(op, size, stride, padding):
    """A window of 1 over the elements 1, 2, ..., size."""
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "weight"] if op == "Conv" else ["x"], ["y"], kernel_shape=[1], strides=[stride],
                          auto_pad=padding)], "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, -(-size // stride)])],
        [numpy_helper.from_array(np.ones((1, 1, 1), np.float32), "weight")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(made, full_check=True)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    try:
        return session.run(None, {"x": np.arange(1, size + 1, dtype=np.float32)[None, None]})[0].ravel().tolist()
    except Exception as error:
        return "fails" if "padding values must be non-negative" in str(error) else str(error)


expected = {
    (9, 5): {("MaxPool", "SAME_UPPER"): "fails", ("MaxPool", "SAME_LOWER"): "fails", ("MaxPool", "VALID"): [1, 6],
             ("AveragePool", "SAME_UPPER"): [2, 7], ("AveragePool", "SAME_LOWER"): [2, 7],
             ("AveragePool", "VALID"): [1, 6], ("LpPool", "SAME_UPPER"): [2, 7], ("LpPool", "SAME_LOWER"): [2, 7],
             ("Conv", "SAME_UPPER"): [2, 7], ("Conv", "SAME_LOWER"): [1, 6], ("Conv", "VALID"): [1, 6]},
    (4, 2): {("MaxPool", "SAME_UPPER"): "fails", ("MaxPool", "VALID"): [1, 3], ("AveragePool", "SAME_UPPER"): [1, 3],
             ("Conv", "SAME_UPPER"): [1, 3]},
}
changed = False
for (size, stride), cases in expected.items():
    for (op, padding), expect in cases.items():
        seen = run(op, size, stride, padding)
        print(f"{op}, {padding}, window 1, stride {stride}, of 1 to {size}: {seen}")
        changed |= seen != expect
if changed:
    sys.exit("not as described")
PYTHON
