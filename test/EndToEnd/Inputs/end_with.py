"""Prints a float phase of ten classes with something behind its logits.
end_with.py KIND FILE"""

import re
import sys

LOGITS = "tensor<1x10xf32>"


def slice_of(result, offset, size, x="%x"):
    return (
        f"{result} = vit.slice {x} offsets [0, {offset}] sizes [1, {size}] strides [1, 1] : {LOGITS} -> tensor<1x{size}xf32>",
        size,
    )


def function(name, x="%x"):
    return f"%y = vit.{name} {x} : {LOGITS} -> {LOGITS}", 10


KINDS = {
    "softmax": [function("softmax")],
    "sigmoid": [function("sigmoid")],
    "tanh": [function("tanh")],
    "gelu": [function("gelu erf")],
    "hard_swish": [function("hard_swish")],
    "slice": [slice_of("%y", 2, 5)],
    "permutation": [(f"%y = vit.gather %x indices [7, 3, 9, 1, 0, 2, 8, 6, 4, 5] axis 1 : {LOGITS} -> {LOGITS}", 10)],
    "halves": [
        slice_of("%a", 0, 4),
        slice_of("%b", 4, 6),
        (f"%y = vit.concat %b, %a axis 1 : (tensor<1x6xf32>, tensor<1x4xf32>) -> {LOGITS}", 10),
    ],
    "chosen_softmax": [(f"%p = vit.softmax %x : {LOGITS} -> {LOGITS}", 10), slice_of("%y", 3, 7, "%p")],
}

kind, path = sys.argv[1:]
text = open(path).read()
classes = KINDS[kind][-1][1]
result = re.search(r"return (%\w+) : ", text).group(1)
lines = [f'    {line.replace("%x", result)} loc("end.{i}")' for i, (line, _) in enumerate(KINDS[kind])]
text = text.replace(f"-> {LOGITS} {{", f"-> tensor<1x{classes}xf32> {{", 1)
text = text.replace(f"    return {result} : {LOGITS}", "\n".join(lines) + f"\n    return %y : tensor<1x{classes}xf32>")
print(text)
