"""same_model.py A.onnx B.onnx: whether B is A, with some of its tensors in another file."""

import sys

import numpy as np
import onnx
from onnx import numpy_helper

a, b = onnx.load(sys.argv[1]), onnx.load(sys.argv[2], load_external_data=False)
places = {entry.value for t in b.graph.initializer for entry in t.external_data if entry.key == "location"}
moved = sum(bool(t.external_data) for t in b.graph.initializer)
b = onnx.load(sys.argv[2])
assert a.graph.node == b.graph.node
for x, y in zip(a.graph.initializer, b.graph.initializer, strict=True):
    assert x.name == y.name and np.array_equal(numpy_helper.to_array(x), numpy_helper.to_array(y)), x.name
print(f"{moved} of {len(b.graph.initializer)} tensors are in {', '.join(places)}, all are the same")
