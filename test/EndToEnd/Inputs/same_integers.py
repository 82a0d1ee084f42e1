"""same_integers.py MODEL.onnx IMAGES.npy INTEGERS.npy: whether a model's results are these integers times its scale.

Evaluates it in floats of 32 bits on as many images as there are results, of mean and deviation 0.5 where there are channels
to normalize. Prints how many nodes of each operator there are.
"""

import collections
import pathlib
import sys

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "models"))
import onnx_numpy  # noqa: E402

model = onnx.load(sys.argv[1])
expected = np.load(sys.argv[3])
pixels = np.load(sys.argv[2])[: len(expected)]
pixels = pixels if pixels.ndim == 4 else pixels[..., None]
for operator, count in sorted(collections.Counter(n.op_type for n in model.graph.node).items()):
    print(operator, count)
metadata = {entry.key: entry.value for entry in model.metadata_props}
inputs = (pixels / np.float32(255)).astype(np.float32)
if metadata.get("vitq.preprocess"):
    inputs = (inputs - np.float32(0.5)) / np.float32(0.5)
name, output = model.graph.input[0].name, model.graph.output[0].name
results = [onnx_numpy.run(model, {name: image[None].transpose(0, 3, 1, 2)})[output] for image in inputs]
results = np.concatenate(results)
scale = np.float32(1)
constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
last = {n.output[0]: n for n in model.graph.node}[model.graph.node[-1].input[0]]
if last.op_type == "Mul" and last.input[1] in constants:
    scale = constants[last.input[1]]
wrong = results != (expected.reshape(results.shape).astype(np.float32) * scale).astype(np.float32)
if wrong.any():
    sys.exit(f"{wrong.sum()} of {wrong.size} results differ: {results[wrong][:5]}, {expected.reshape(results.shape)[wrong][:5]}")
print(f"{results.size} results are the same")
