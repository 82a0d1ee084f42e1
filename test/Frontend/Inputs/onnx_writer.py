"""Writes small ONNX files and arrays without any package.

A model is made node by node:

    model = Model(opset=23)
    model.node("Relu", ["x"], ["y"], alpha=1.0)
    model.save(path)

The image is x [1, 3, 4, 4], the result y. Attributes are numbers, lists of numbers, texts
or, for those of a function, Ref("name").
"""

import struct

FLOAT, UINT8, INT8, INT64, BOOL, FLOAT16, BFLOAT16 = 1, 2, 3, 7, 9, 10, 16


class Ref(str):
    """An attribute of a node in a function that is the function's."""


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def real(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def text(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def attribute(name, value):
    head = text(1, name)
    if isinstance(value, Ref):
        return head + text(21, value) + number(20, 1)
    if isinstance(value, str):
        return head + text(4, value) + number(20, 3)
    if isinstance(value, float):
        return head + real(2, value) + number(20, 1)
    if isinstance(value, int):
        return head + number(3, value) + number(20, 2)
    if value and isinstance(value[0], float):
        return head + b"".join(real(7, v) for v in value) + number(20, 6)
    return head + b"".join(number(8, v) for v in value) + number(20, 7)


def encode_node(kind, inputs, outputs, name="", domain="", metadata=None, overload="", **attributes):
    out = b"".join(text(1, i) for i in inputs) + b"".join(text(2, o) for o in outputs)
    out += (text(3, name) if name else b"") + text(4, kind)
    out += b"".join(text(5, attribute(k, v)) for k, v in attributes.items())
    out += (text(7, domain) if domain else b"") + (text(8, overload) if overload else b"")
    for key, value in (metadata or {}).items():
        out += text(9, text(1, key) + text(2, value))
    return out


def encode_value(name, shape, dtype=FLOAT):
    """Sizes that are texts are open; so is a shape that is None, its rank too."""
    dims = b"".join(text(1, text(2, n) if isinstance(n, str) else number(1, n)) for n in shape or ())
    return text(1, name) + text(2, text(1, number(1, dtype) + (b"" if shape is None else text(2, dims))))


class Model:
    def __init__(self, opset=17, shape=(1, 3, 4, 4), domains=(), ir=8):
        self.opset, self.shape, self.domains, self.ir = opset, shape, domains, ir
        self.nodes, self.tensors, self.functions = [], [], []
        self.out_shape = []

    def node(self, kind, inputs, outputs, **rest):
        self.nodes.append(encode_node(kind, inputs, outputs, **rest))
        return outputs[0]

    def raw(self, name, shape, dtype, data):
        self.tensors.append(b"".join(number(1, n) for n in shape) + number(2, dtype) + text(8, name) + text(9, data))
        return name

    def external(self, name, shape, location, offset=0):
        entries = text(13, text(1, "location") + text(2, location)) + text(13, text(1, "offset") + text(2, str(offset)))
        self.tensors.append(b"".join(number(1, n) for n in shape) + number(2, FLOAT) + text(8, name) + entries +
                            number(14, 1))
        return name

    def floats(self, name, shape, values):
        return self.raw(name, shape, FLOAT, struct.pack(f"<{len(values)}f", *values))

    def ints(self, name, values, shape=None):
        return self.raw(name, [len(values)] if shape is None else shape, INT64, struct.pack(f"<{len(values)}q", *values))

    def bools(self, name, shape, values):
        return self.raw(name, shape, BOOL, bytes(values))

    def weights(self, name, shape, seed=0, scale=0.5, shift=0.0):
        """Numbers without a pattern, the same on every machine."""
        count, state, values = 1, seed * 7919 + 12345, []
        for n in shape:
            count *= n
        for _ in range(count):
            state = (state * 1103515245 + 12345) % (1 << 31)
            values.append(((state >> 8) % 2001 - 1000) / 1000 * scale + shift)
        return self.floats(name, list(shape), values)

    def function(self, name, domain, inputs, outputs, nodes, attributes=(), opset=None, defaults=None):
        out = text(1, name) + b"".join(text(4, i) for i in inputs) + b"".join(text(5, o) for o in outputs)
        out += b"".join(text(6, a) for a in attributes) + b"".join(text(7, n) for n in nodes)
        out += text(9, number(2, opset or self.opset)) + b"".join(text(9, text(1, d) + number(2, 1)) for d in self.domains)
        out += text(10, domain) + b"".join(text(11, attribute(k, v)) for k, v in (defaults or {}).items())
        self.functions.append(out)

    def encode(self):
        graph = b"".join(text(1, n) for n in self.nodes) + text(2, "g") + b"".join(text(5, t) for t in self.tensors)
        graph += text(11, encode_value("x", self.shape)) + text(12, encode_value("y", self.out_shape))
        out = number(1, self.ir) + text(7, graph) + text(8, number(2, self.opset))
        out += b"".join(text(8, text(1, d) + number(2, 1)) for d in self.domains)
        return out + b"".join(text(25, f) for f in self.functions)

    def save(self, path):
        with open(path, "wb") as file:
            file.write(self.encode())


def image(count=48):
    """The input of all cases."""
    return [((i * 37) % 41 - 20) / 16 for i in range(count)]


def save_npy(path, shape, values):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() +
                   struct.pack(f"<{len(values)}f", *values))


def load_npy(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return list(struct.unpack(f"<{(len(data) - start) // 4}f", data[start:]))
