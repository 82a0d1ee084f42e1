"""has_scales.py MODEL.onnx MODULE.mlir: every scale and zero point of a QuantizeLinear occurs in the module.

A scale may have a factor that the model multiplies by beside the cast: attention's 1/sqrt(d).
"""

import re
import sys

import onnx
from onnx import numpy_helper

model = onnx.load(sys.argv[1])
constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
types = re.findall(r"!quant\.uniform<[iu]\d+(?:<[^>]*>)?:f32, ([0-9.eE+-]+)(?::(-?\d+))?>", open(sys.argv[2]).read())
have = {(float(f"{float(scale):.6g}"), int(zero or 0)) for scale, zero in types}
missing = []
for node in model.graph.node:
    if node.op_type != "QuantizeLinear":
        continue
    scale, zero = float(constants[node.input[1]]), int(constants[node.input[2]])
    wanted = {(float(f"{scale * factor:.6g}"), z) for factor in (1, 0.25, 4) for z in (zero, zero - 128, 0)}
    if not wanted & have:
        missing.append((node.name, scale, zero))
print(missing)
sys.exit(bool(missing))
