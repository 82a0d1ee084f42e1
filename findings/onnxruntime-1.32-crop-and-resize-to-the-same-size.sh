#!/usr/bin/env bash
# ONNX Runtime 1.32.0 returns the input of a Resize unchanged along every axis whose size stays the same, whatever
# region (roi) or scale was asked for. With coordinate_transformation_mode=tf_crop_and_resize that is a crop that does
# not crop: the middle half of 8 elements, enlarged to 8 again, is [0 1 2 .. 7] and should be [1.75 2.25 .. 5.25].
# Enlarged to 7 or 9 the same region is cropped. Whether a picture is zoomed then depends on whether the crop's target
# happens to have the picture's own size. So it is for scales that leave the size alone (1.2 for 4 elements): these
# sample at distances of 1 / 1.2 by the operator's text, and in onnx's reference evaluator.
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
from onnx.reference import ReferenceEvaluator


def resize(count, coordinates, roi=None, scale=None, size=None):
    """`count` elements 0, 1, ...: onnxruntime's result and the reference's."""
    values = {"roi": roi and np.array([0, roi[0], 1, roi[1]], np.float32),
              "scales": scale and np.array([1, scale], np.float32), "sizes": size and np.array([1, size], np.int64)}
    graph = helper.make_graph(
        [helper.make_node("Resize", ["x"] + [name if value is not None else "" for name, value in values.items()],
                          ["y"], mode="linear", coordinate_transformation_mode=coordinates)], "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, count])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, None])],
        [numpy_helper.from_array(value, name) for name, value in values.items() if value is not None])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(made, full_check=True)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {"x": np.arange(count, dtype=np.float32)[None]}
    return session.run(None, feeds)[0][0], ReferenceEvaluator(made).run(None, feeds)[0][0]


changed = False
cases = [(f"the middle half of 8 elements as {size}", size != 8,
          dict(count=8, coordinates="tf_crop_and_resize", roi=(0.25, 0.75), size=size)) for size in (7, 8, 9)]
cases += [(f"4 elements by a scale of {scale}, {coordinates}", scale != 1.2,
           dict(count=4, coordinates=coordinates, scale=scale))
          for coordinates in ("half_pixel", "asymmetric") for scale in (1.2, 1.3)]
for what, equal, arguments in cases:
    computed, reference = resize(**arguments)
    print(f"{what}: onnxruntime {np.round(computed, 4)}, reference {np.round(reference, 4)}")
    close = np.allclose(computed, reference, atol=1e-5)
    changed |= close != equal or (not equal and not np.array_equal(computed, np.arange(arguments["count"])))
if changed:
    sys.exit("not as described")
PYTHON
