"""linear_codes.py MODEL.onnx: the types of codes that products with constant weights read, behind moves."""

import sys

import onnx
from onnx import numpy_helper

model = onnx.load(sys.argv[1])
constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
producers = {output: node for node in model.graph.node for output in node.output}


def before_moves(name):
    while name in producers and producers[name].op_type in ("Reshape", "Transpose", "Slice", "Concat", "Identity"):
        name = producers[name].input[0]
    return producers.get(name)


found = set()
for node in model.graph.node:
    if node.op_type in ("MatMul", "Conv"):
        weight, read = producers.get(node.input[1]), before_moves(node.input[0])
        if weight is not None and weight.input[0] in constants and read is not None:
            if read.op_type == "DequantizeLinear":
                found.add(str(constants[read.input[2]].dtype))
print("\n".join(sorted(found)))
