"""run_onnx.py MODEL.onnx IMAGES.npy LOGITS.npy [--limit=N]: evaluate a model on images with mean and deviation 0.5.

Prints its interface and how many nodes of each operator it has.
"""

import collections
import pathlib
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "models"))
import onnx_numpy  # noqa: E402

model = onnx.load(sys.argv[1])


def interface(value):
    return f"{value.name} {[d.dim_value for d in value.type.tensor_type.shape.dim]}"


print(f"opset {model.opset_import[0].version}, input {interface(model.graph.input[0])}, "
      f"output {interface(model.graph.output[0])}")
for operator, count in sorted(collections.Counter(n.op_type for n in model.graph.node).items()):
    print(operator, count)
pixels = np.load(sys.argv[2])
pixels = pixels if pixels.ndim == 4 else pixels[..., None]
for argument in sys.argv[4:]:
    pixels = pixels[: int(argument.partition("=")[2])]
inputs = ((pixels / np.float32(255) - 0.5) / 0.5).astype(np.float32).transpose(0, 3, 1, 2)
name, output = model.graph.input[0].name, model.graph.output[0].name
np.save(sys.argv[3], np.concatenate([onnx_numpy.run(model, {name: image[None]})[output] for image in inputs]))
