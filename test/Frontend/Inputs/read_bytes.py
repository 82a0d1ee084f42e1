"""read_bytes.py STYLE MODEL.onnx OUT.onnx: the model with an image of bytes as input.

STYLE, words joined by "-":
    cast    Cast, Div by 255, Sub and Div by 0.5 in front
    dq      DequantizeLinear with scale 1/127.5 and zero point 128
    nhwc    channels come last
    open    only the channels have a size
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

style = sys.argv[1].split("-")
model = onnx.load(sys.argv[2])
graph = model.graph
image = graph.input[0]
batch, channels, height, width = (d.dim_value for d in image.type.tensor_type.shape.dim)
shape = [batch, height, width, channels] if "nhwc" in style else [batch, channels, height, width]
if "open" in style:
    names = ["batch", "height", "width", None] if "nhwc" in style else ["batch", None, "height", "width"]
    shape = [name or channels for name in names]
nodes = []


def constant(name, value):
    graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def node(op, inputs, output, **attributes):
    nodes.append(helper.make_node(op, inputs, [output], name="/" + output, **attributes))
    return output


value = "bytes"
if "nhwc" in style:
    value = node("Transpose", [value], "bytes/planes", perm=[0, 3, 1, 2])
if "cast" in style:
    half = constant("bytes/half", np.full((1, 1, 1, 1), 0.5, np.float32))
    value = node("Cast", [value], "bytes/float", to=TensorProto.FLOAT)
    value = node("Div", [value, constant("bytes/255", np.float32(255))], "bytes/unit")
    value = node("Sub", [value, half], "bytes/centered")
    node("Div", [value, half], image.name)
else:
    scale, zero = constant("bytes/scale", np.float32(1 / 127.5)), constant("bytes/zero", np.uint8(128))
    node("DequantizeLinear", [value, scale, zero], image.name)
rest = list(graph.node)
del graph.node[:]
graph.node.extend(nodes + rest)
graph.input.remove(image)
graph.input.append(helper.make_tensor_value_info("bytes", TensorProto.UINT8, shape))
onnx.save(model, sys.argv[3])
