"""Random choices for the cases of differential.py."""

import numpy as np
from onnx import helper

# The last one that both know.
LAST_OPSET = 25
FLOATS = [np.float32, np.float64]
INTS = [np.int32, np.int64]
ALL_INTS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


class Draw:
    """Random choices, and the node that they make."""

    def __init__(self, rng):
        self.rng = rng
        self.inputs = []
        self.nodes = []
        self.outputs = 1

    def pick(self, items):
        return items[self.rng.integers(len(items))]

    def chance(self, probability):
        return self.rng.random() < probability

    def int(self, low, high):
        """low <= result <= high"""
        return int(self.rng.integers(low, high + 1))

    def opset(self, low=11, high=LAST_OPSET):
        return self.int(low, high)

    def shape(self, low=1, high=4, sizes=5, empty=0.0):
        shape = [self.int(1, sizes) for _ in range(self.int(low, high))]
        if shape and self.chance(empty):
            shape[self.int(0, len(shape) - 1)] = 0
        return shape

    def values(self, shape, dtype=np.float32, low=-4.0, high=4.0):
        dtype = np.dtype(dtype)
        if dtype == np.bool_:
            return self.rng.random(shape) < 0.5
        if dtype.kind in "iu":
            info = np.iinfo(dtype)
            return self.rng.integers(max(low, info.min), min(high, info.max), size=shape, endpoint=True).astype(dtype)
        return (self.rng.random(shape) * (high - low) + low).astype(dtype)

    def broadcastable(self, shape):
        """A shape that broadcasts with `shape`."""
        other = [1 if self.chance(0.3) else size for size in shape]
        return other[self.int(0, len(other)):] if self.chance(0.3) else other

    def input(self, array):
        self.inputs.append(np.asarray(array))
        return f"i{len(self.inputs) - 1}"

    def ints(self, values):
        return self.input(np.array(values, np.int64))

    def node(self, op, inputs, **attributes):
        attributes = {key: value for key, value in attributes.items() if value is not None}
        outputs = [f"o{i}" for i in range(self.outputs)]
        self.nodes.append(helper.make_node(op, inputs, outputs, name="/op", **attributes))

    def axes(self, rank, some=True):
        """Distinct axes, in any order, some of them negative."""
        count = self.int(1 if some else 0, rank)
        axes = [int(a) for a in self.rng.permutation(rank)[:count]]
        return [a - rank if self.chance(0.3) else a for a in axes]

    def axis(self, rank):
        return self.int(-rank, rank - 1)
