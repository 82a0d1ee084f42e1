#!/usr/bin/env bash
# ONNX Runtime 1.32.0 computes Pow of int64 through double and rounds, where every step and the result fit
# 64 bits: x^1 is not x from 2^53 + 1 on, and 3^39 = 4052555153018976267 becomes 4052555153018976256. The
# operator's type constraints allow int64 bases and exponents, and its text has no floating-point arithmetic in it;
# onnx's reference evaluator gives the exact integers, and so does Mul in ONNX Runtime itself for the same product.
# Graphs that compute sizes, hashes or seeds as integers lose digits without a warning.
#
# Seen with onnxruntime 1.32.0 and onnx 1.23.2, CPython 3.11 on x86-64, with and without graph optimizations.
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
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def model(op):
    graph = helper.make_graph(
        [helper.make_node(op, ["a", "b"], ["y"])], "graph",
        [helper.make_tensor_value_info(name, TensorProto.INT64, [1]) for name in "ab"],
        [helper.make_tensor_value_info("y", TensorProto.INT64, [1])])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(made, full_check=True)
    return made


def results(op, a, b):
    made, feeds = model(op), {"a": np.array([a], np.int64), "b": np.array([b], np.int64)}
    computed = []
    for level in (onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
        computed.append(int(session.run(None, feeds)[0][0]))
    return computed, int(ReferenceEvaluator(made).run(None, feeds)[0][0])


changed = False
for base, exponent, seen in ((2**53, 1, 2**53), (2**53 + 1, 1, 2**53), (3, 33, 3**33), (3, 39, 4052555153018976256),
                             (94906267, 2, 94906267**2 - 1)):
    computed, reference = results("Pow", base, exponent)
    print(f"{base}^{exponent}: onnxruntime {computed[0]}, exactly {base**exponent}")
    changed |= computed != [seen, seen] or reference != base**exponent
computed, reference = results("Mul", 3**20, 3**19)
print(f"3^20 * 3^19: onnxruntime {computed[0]}")
changed |= computed != [3**39, 3**39]
if changed:
    sys.exit("not as described")
PYTHON
