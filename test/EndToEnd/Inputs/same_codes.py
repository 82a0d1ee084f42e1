"""same_codes.py A.onnx B.onnx: all scales, zero points and integer weights of A are those of B."""

import collections
import sys

import numpy as np
import onnx
from onnx import numpy_helper


def grids(path):
    """Scales and zero points of the casts, and codes of the weights; how often there is each."""
    model = onnx.load(path)
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    found = collections.Counter()
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            scale, zero = (constants[name] for name in node.input[1:3])
            grid = (tuple(f"{s:.5g}" for s in np.ravel(scale)), tuple(np.ravel(zero)), str(zero.dtype))
            codes = constants.get(node.input[0])
            found[grid + (None if codes is None else codes.tobytes(),)] += 1
    return found


a, b = grids(sys.argv[1]), grids(sys.argv[2])
# How often moves repeat a cast says nothing.
only = set(a) - set(b)
for scale, zero, dtype, codes in only:
    print("only in", sys.argv[1], scale[:4], zero[:4], dtype, "weight" if codes else "")
sys.exit(int(bool(only)))
