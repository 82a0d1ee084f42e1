#!/usr/bin/env python3
"""make_onnx.py KIND FILE: writes a small ONNX model with something wrong in it.

Encodes the few messages it needs itself, so that no package is needed. The model is
x [1,3,4,4] -> Conv /proj (2x2 patches, 8 wide) -> Reshape, Transpose -> tokens [1,4,8]
-> Flatten -> Gemm /head -> y [1,10].
KIND is `good`, a name from the table at the end, or for external data of the weight
`external:LOCATION` (384 bytes are wanted).
"""

import struct
import sys

FLOAT, INT64 = 1, 7


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, shape, values, dtype=FLOAT):
    packed = struct.pack(f"<{len(values)}{'f' if dtype == FLOAT else 'q'}", *values)
    return b"".join(number(1, n) for n in shape) + number(2, dtype) + text(8, name) + text(9, packed)


def external(name, shape, location):
    entry = text(1, "location") + text(2, location)
    return b"".join(number(1, n) for n in shape) + number(2, FLOAT) + text(8, name) + text(13, entry) + number(14, 1)


def ints(name, values):
    return text(5, text(1, name) + b"".join(number(8, v) for v in values) + number(20, 7))


def node(kind, name, inputs, outputs, attributes=b""):
    names = b"".join(text(1, i) for i in inputs) + b"".join(text(2, o) for o in outputs)
    return names + text(3, name) + text(4, kind) + attributes


def value(name, shape):
    dims = b"".join(text(1, number(1, n)) for n in shape)
    return text(1, name) + text(2, text(1, number(1, FLOAT) + text(2, dims)))


def weights(count):
    return [((i * 7) % 13 - 6) / 16 for i in range(count)]


class Parts:
    """The graph's parts, for the functions below to change."""

    def __init__(self):
        self.image = [1, 3, 4, 4]
        self.tensors = {
            "proj.weight": ([8, 3, 2, 2], weights(96)),
            "proj.bias": ([8], weights(8)),
            "head.weight": ([10, 32], weights(320)),
            "head.bias": ([10], weights(10)),
        }
        self.external = {}
        self.outputs = ["y"]
        self.nodes = [
            ("Conv", "/proj", ["x", "proj.weight", "proj.bias"], ["p"],
             lambda: ints("strides", [2, 2]) + ints("kernel_shape", [2, 2])),
            ("Reshape", "/reshape", ["p", "shape"], ["c"], lambda: b""),
            ("Transpose", "/transpose", ["c"], ["t"], lambda: ints("perm", [0, 2, 1])),
            ("Flatten", "/flatten", ["t"], ["f"], lambda: b""),
            ("Gemm", "/head", ["f", "head.weight", "head.bias"], ["y"],
             lambda: text(5, text(1, "transB") + number(3, 1) + number(20, 2))),
        ]

    def encode(self):
        graph = b"".join(text(1, node(k, n, i, o, a())) for k, n, i, o, a in self.nodes) + text(2, "g")
        for name, (shape, values) in self.tensors.items():
            location = self.external.get(name)
            data = external(name, shape, location) if location else tensor(name, shape, values)
            graph += text(5, data)
        graph += text(5, tensor("shape", [3], [1, 8, 4], INT64))
        graph += text(11, value("x", self.image))
        graph += b"".join(text(12, value(name, [1, 10])) for name in self.outputs)
        return number(1, 8) + text(7, graph) + text(8, number(2, 17))


def cycle(parts):
    parts.nodes[3:4] = [("Add", "/loop/add", ["t", "r"], ["q"], lambda: b""),
                        ("Relu", "/loop/relu", ["q"], ["r"], lambda: b""),
                        ("Flatten", "/flatten", ["r"], ["f"], lambda: b"")]


def self_loop(parts):
    parts.nodes[3] = ("Flatten", "/flatten", ["f"], ["f"], lambda: b"")


def rank(parts):
    parts.image = [3, 4, 4]


def kernel(parts):
    parts.image = [1, 4, 4, 4]


def features(parts):
    parts.tensors["head.weight"] = ([10, 31], weights(310))


def bias(parts):
    parts.tensors["head.bias"] = ([9], weights(9))


def data(parts):
    parts.tensors["head.weight"] = ([10, 32], weights(319))


def negative(parts):
    parts.tensors["head.bias"] = ([-10], weights(10))


def twice(parts):
    parts.nodes.insert(3, ("Relu", "/again", ["t"], ["c"], lambda: b""))


def huge(parts):
    parts.image = [1, 3, 2**40, 2**40]


def outputs(*names):
    def change(parts):
        parts.outputs = list(names)
    return change


def put(name, number_):
    def change(parts):
        parts.tensors[name][1][5] = number_
    return change


KINDS = {
    "good": lambda parts: None,
    "cycle": cycle,
    "self_loop": self_loop,
    "rank": rank,
    "kernel": kernel,
    "features": features,
    "bias": bias,
    "data": data,
    "negative": negative,
    "twice": twice,
    "huge": huge,
    "no_output": outputs(),
    "undefined_output": outputs("z"),
    "two_outputs": outputs("y", "p"),
    "nan": put("head.weight", float("nan")),
    "infinite": put("proj.bias", float("-inf")),
}


def main():
    kind, path = sys.argv[1:]
    parts = Parts()
    if kind.startswith("external:"):
        parts.external["proj.weight"] = kind.removeprefix("external:")
    else:
        KINDS[kind](parts)
    with open(path, "wb") as file:
        file.write(parts.encode())


if __name__ == "__main__":
    main()
