#!/usr/bin/env bash
# Sigmoid of float32 in ONNX Runtime 1.32.0 (CPU) is 0 from -18 down, and is not monotonic before that: sigmoid(-17)
# is 8.9e-8, twice its value (4.1e-8), and more than sigmoid(-16), which is 6.0e-8, half of its value. Errors are those
# of a number near 1 (about 1e-7), not of the result, of which float32 has all 24 bits down to -87. What needs the tail
# breaks: Log(Sigmoid(-18)) is minus infinity instead of -18, and classes that a detector or a focal loss tells
# apart by small probabilities change their order. Exp and Reciprocal in the same library have the tail,
# 1 / (1 + exp(-x)) spelt in nodes is right to 1e-6, and Sigmoid of float64 to 1e-7.
#
# Seen with onnxruntime 1.32.0 and onnx 1.23.2, CPython 3.11 on x86-64 with AVX2 and AVX-512.
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


onnxruntime.set_default_logger_severity(3)


def run(nodes, x):
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [output]) for op, inputs, output in nodes], "graph",
        [helper.make_tensor_value_info("x", kind, [x.size])],
        [helper.make_tensor_value_info("y", kind, [x.size])], [numpy_helper.from_array(np.ones(1, x.dtype), "one")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(made, full_check=True)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


x = np.arange(-20, -7, dtype=np.float32)
exact = 1 / (1 + np.exp(-x.astype(np.float64)))
single = run([("Sigmoid", ["x"], "y")], x)
double = run([("Sigmoid", ["x"], "y")], x.astype(np.float64))
spelt = run([("Neg", ["x"], "m"), ("Exp", ["m"], "e"), ("Add", ["e", "one"], "d"), ("Reciprocal", ["d"], "y")], x)
with np.errstate(divide="ignore"):
    logs = run([("Sigmoid", ["x"], "s"), ("Log", ["s"], "y")], x)
print("     x    sigmoid(x)      exactly  as nodes  log(sigmoid(x))")
for row in zip(x, single, exact, spelt, logs):
    print("{:6.0f}  {:12.4e} {:12.4e}  {:.2e}  {:.4f}".format(*row))
at = {int(value): i for i, value in enumerate(x)}
as_described = {
    "0 from -18 down": not single[:3].any() and np.isneginf(logs[:3]).all(),
    "not monotonic": single[at[-17]] > 1.5 * exact[at[-17]] and single[at[-17]] > single[at[-16]],
    "nearly right from -12 up": np.allclose(single[at[-12]:], exact[at[-12]:], rtol=0.01, atol=0),
    "right in float64": np.allclose(double, exact, rtol=1e-7, atol=0),
    "right as nodes": np.allclose(spelt, exact, rtol=1e-6, atol=0),
}
for what, holds in as_described.items():
    print(f"{what}: {holds}")
sys.exit(0 if all(as_described.values()) else "not as described")
PYTHON
