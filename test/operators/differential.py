"""differential.py FOLDER|FILE COUNT SEED [OPERATOR...]: random models of single operators, and what ONNX Runtime computes.

Writes FOLDER/OPERATOR.records, COUNT cases each, in the format of Case.h, for vitq-operators, or all into one FILE, which
ends in .records: Inputs/recent.records has operators that the ONNX project's cases in Debian do not. An operator has a function
below that draws one case: attributes, opset, types, shapes and values. What ONNX Runtime refuses is drawn again.
scripts/differential.sh runs this.
"""

import contextlib
import pathlib
import struct
import sys
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

# Where ONNX Runtime 1.32 computes something else than the operator's text says; the cases are not drawn.
DEVIATIONS = {
    "AveragePool": "SAME_UPPER and SAME_LOWER with a stride longer than the window: starts behind the first element, and "
                   "so does MaxPool",
    "Cast": "of reals outside an integer type: what the processor does; the text leaves it open, vitq saturates",
    "Pow": "of integers is computed in double: wrong from 2^53 on",
    "Gelu": "as x / 2 * (1 + erf(x / sqrt 2)) in float: nothing is left of it below -4",
    "Resize": "coordinates are computed in float: an output that lies half way between two inputs may take another; "
              "scales of tf_crop_and_resize are those of the whole axis, not of the region; an axis that keeps its "
              "size is left as it is, whatever its scale and its region",
    "Sigmoid": "is off by 2e-4 of its value at -10, by a tenth at -15, and 0 below -18",
    "Slice": "a step below 0 and an end of INT64_MAX: goes to the first element, as for INT64_MIN",
}

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


# --------------------------------------------------------------------------
# One operand, two operands
# --------------------------------------------------------------------------

UNARY = {
    "Abs": (-4, 4), "Acos": (-1, 1), "Acosh": (1, 9), "Asin": (-1, 1), "Asinh": (-9, 9), "Atan": (-9, 9),
    "Atanh": (-0.99, 0.99), "Ceil": (-9, 9), "Celu": (-4, 4), "Cos": (-50, 50), "Cosh": (-5, 5), "Elu": (-4, 4),
    "Erf": (-4, 4), "Exp": (-20, 20), "Floor": (-9, 9), "Gelu": (-2.5, 6), "HardSigmoid": (-5, 5),
    "HardSwish": (-5, 5), "LeakyRelu": (-4, 4), "Log": (0.01, 50), "Mish": (-9, 9), "Neg": (-4, 4),
    "Reciprocal": (0.1, 9), "Relu": (-4, 4), "Round": (-9, 9), "Selu": (-4, 4), "Shrink": (-3, 3),
    "Sigmoid": (-5, 15), "Sign": (-4, 4), "Sin": (-50, 50), "Sinh": (-5, 5), "Softplus": (-20, 20),
    "Softsign": (-9, 9), "Sqrt": (0, 50), "Swish": (-5, 9), "Tan": (-1.5, 1.5), "Tanh": (-9, 9), "ThresholdedRelu": (-4, 4),
}
SINCE = {"Gelu": 20, "Swish": 24, "HardSwish": 14, "Mish": 18, "Celu": 12, "Round": 11}
PARAMETERS = {"Celu": ["alpha"], "Elu": ["alpha"], "HardSigmoid": ["alpha", "beta"], "LeakyRelu": ["alpha"],
              "Selu": ["alpha", "gamma"], "Swish": ["alpha"], "ThresholdedRelu": ["alpha"], "Shrink": ["bias", "lambd"]}


def unary(op):
    def draw(d):
        low, high = UNARY[op]
        dtype = d.pick(FLOATS)
        if op in ("Abs", "Neg", "Sign") and d.chance(0.4):
            dtype = d.pick([np.int8, np.int32, np.int64])
        values = d.values(d.shape(0, 4, empty=0.05), dtype, low, high)
        if op == "Round" and d.chance(0.5):
            values = np.round(values * 2) / 2
        attributes = {name: float(d.rng.random() + 0.1) for name in PARAMETERS.get(op, []) if d.chance(0.7)}
        if op == "Gelu":
            attributes["approximate"] = d.pick(["none", "tanh"])
        d.node(op, [d.input(values.astype(dtype))], **attributes)
        return d.opset(SINCE.get(op, 9))
    return draw


def binary(op):
    def draw(d):
        shape = d.shape(0, 4, empty=0.05)
        dtype = d.pick(FLOATS + INTS + ([] if op in ("Add", "Sub", "Mul", "Div") else [np.uint8, np.uint64]))
        if op in ("And", "Or", "Xor"):
            dtype = np.bool_
        if op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
            dtype = d.pick(ALL_INTS)
        a, b = d.values(d.broadcastable(shape), dtype), d.values(shape, dtype)
        if d.chance(0.2) and np.dtype(dtype).kind in "iu" and op != "Div" and op != "Mod":
            a = d.values(a.shape, dtype, -2**62, 2**62)
        if op in ("Div", "Mod") and np.dtype(dtype).kind in "iu":
            b = np.where(b == 0, dtype(3), b).astype(dtype)
        attributes = {}
        if op == "Mod":
            attributes["fmod"] = 1 if np.dtype(dtype).kind == "f" else d.int(0, 1)
            if np.dtype(dtype).kind == "f":
                b = np.where(np.abs(b) < 0.1, dtype(0.7), b).astype(dtype)
        d.node(op, [d.input(a), d.input(b)], **attributes)
        return d.opset(18 if op.startswith("Bitwise") else 13)
    return draw


def variadic(op):
    def draw(d):
        shape = d.shape(0, 4)
        dtype = d.pick(FLOATS + ([] if op in ("Sum", "Mean") else INTS + [np.uint64]))
        d.node(op, [d.input(d.values(d.broadcastable(shape), dtype)) for _ in range(d.int(1, 4))])
        return d.opset(13)
    return draw


def pow_(d):
    shape = d.shape(0, 3)
    base, exponent = d.pick(FLOATS + INTS), d.pick(FLOATS + INTS)
    low = 0.1 if np.dtype(base).kind == "f" and np.dtype(exponent).kind == "f" else -3
    if np.dtype(base).kind in "iu":
        b, e = d.values(shape, base, 1, 6), d.values(d.broadcastable(shape), exponent, 0, 5)
        if np.dtype(exponent).kind == "f":
            e = np.round(e)
    else:
        b, e = d.values(shape, base, low if low > 0 else 0.2, 4), d.values(d.broadcastable(shape), exponent, -3, 3)
    d.node("Pow", [d.input(b), d.input(e.astype(exponent))])
    return d.opset(13)


def bit_shift(d):
    dtype = d.pick([np.uint8, np.uint32, np.uint64])
    shape = d.shape(0, 3)
    bits = np.dtype(dtype).itemsize * 8
    d.node("BitShift", [d.input(d.values(shape, dtype, 0, 2**62)), d.input(d.values(shape, dtype, 0, bits + 2))],
           direction=d.pick(["LEFT", "RIGHT"]))
    return d.opset()


def prelu(d):
    shape = d.shape(1, 4)
    d.node("PRelu", [d.input(d.values(shape)), d.input(d.values([1 if d.chance(0.4) else s for s in shape]))])
    return d.opset()


def where(d):
    shape = d.shape(0, 4, empty=0.05)
    dtype = d.pick(FLOATS + INTS + [np.uint8])
    d.node("Where", [d.input(d.values(d.broadcastable(shape), np.bool_)), d.input(d.values(shape, dtype)),
                     d.input(d.values(d.broadcastable(shape), dtype))])
    return d.opset()


def clip(d):
    dtype = d.pick(FLOATS + [np.int8, np.int32, np.int64, np.uint8, np.uint64])
    names = [d.input(d.values(d.shape(0, 3), dtype, -9, 9))]
    low = d.values([], dtype, -5, 2)
    names.append(d.input(low) if d.chance(0.7) else "")
    if d.chance(0.7):
        names.append(d.input((low + d.values([], dtype, 0, 5)).astype(dtype)))
    d.node("Clip", names)
    return d.opset(12)


CAST_TYPES = FLOATS + ALL_INTS + [np.bool_, np.float16]


def cast(d):
    source, target = d.pick(CAST_TYPES), d.pick(CAST_TYPES)
    # Reals outside the type are left open; see DEVIATIONS.
    low, high = -100, 100
    if np.dtype(source).kind == "f" and np.dtype(target).kind == "u":
        low = 0
    values = d.values(d.shape(0, 3), source, low, high)
    if np.dtype(source).kind in "iu" and d.chance(0.3):
        values = d.values(values.shape, source, -2**50, 2**50)
    number = helper.np_dtype_to_tensor_dtype(np.dtype(target))
    if d.chance(0.3):
        d.node("CastLike", [d.input(values), d.input(d.values([1], target))])
        return d.opset(15)
    d.node("Cast", [d.input(values)], to=number)
    return d.opset(13)


def predicate(op):
    def draw(d):
        values = d.values(d.shape(0, 3), d.pick(FLOATS))
        flat = values.reshape(-1)
        for value in (np.nan, np.inf, -np.inf):
            if flat.size and d.chance(0.6):
                flat[d.int(0, flat.size - 1)] = value
        attributes = {}
        if op == "IsInf":
            attributes = {"detect_negative": d.int(0, 1), "detect_positive": d.int(0, 1)}
        d.node(op, [d.input(flat.reshape(values.shape))], **attributes)
        return d.opset(13)
    return draw


def not_(d):
    d.node("Not", [d.input(d.values(d.shape(0, 3), np.bool_))])
    return d.opset()


# --------------------------------------------------------------------------
# Reductions, orders
# --------------------------------------------------------------------------


def reduce(op):
    def draw(d):
        dtype = d.pick(FLOATS + ([] if "Log" in op or op in ("ReduceL2",) else INTS))
        shape = d.shape(1, 4)
        positive = "LogSum" == op[-6:]
        values = d.values(shape, dtype, 0.1 if positive else -3, 3)
        opset = d.pick([9, 11, 13, 17, 18, 20, 23, 25])
        as_input = opset >= (13 if op == "ReduceSum" else 18)
        names, attributes = [d.input(values)], {"keepdims": d.int(0, 1)}
        if d.chance(0.8):
            axes = d.axes(len(shape))
            if as_input:
                names.append(d.ints(axes))
            else:
                attributes["axes"] = axes
        elif as_input and d.chance(0.5) and op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"):
            attributes["noop_with_empty_axes"] = d.int(0, 1)
        d.node(op, names, **attributes)
        return opset
    return draw


def arg(op):
    def draw(d):
        shape = d.shape(1, 4)
        values = d.values(shape, d.pick([np.float32, np.int32]))
        if d.chance(0.5):
            values = np.round(values / 2).astype(values.dtype)
        d.node(op, [d.input(values)], axis=d.axis(len(shape)), keepdims=d.int(0, 1), select_last_index=d.int(0, 1))
        return d.opset(13)
    return draw


def top_k(d):
    shape = d.shape(1, 4)
    axis = d.axis(len(shape))
    values = d.values(shape, d.pick([np.float32, np.float64, np.int64, np.int32]))
    if d.chance(0.5):
        values = np.round(values).astype(values.dtype)
    if values.dtype.kind == "f" and d.chance(0.2):
        values.reshape(-1)[d.int(0, values.size - 1)] = np.nan
    d.outputs = 2
    d.node("TopK", [d.input(values), d.ints([d.int(0, shape[axis])])], axis=axis, largest=d.int(0, 1), sorted=1)
    return d.opset()


def cum_sum(d):
    shape = d.shape(1, 4, empty=0.05)
    d.node("CumSum", [d.input(d.values(shape, d.pick(FLOATS + INTS))), d.input(np.array(d.axis(len(shape)), np.int64))],
           exclusive=d.int(0, 1), reverse=d.int(0, 1))
    return d.opset()


# --------------------------------------------------------------------------
# Indices
# --------------------------------------------------------------------------


def gather(d):
    shape = d.shape(1, 4)
    axis = d.axis(len(shape))
    indices = d.values(d.shape(0, 3), d.pick(INTS), -shape[axis], shape[axis] - 1)
    d.node("Gather", [d.input(d.values(shape, d.pick(FLOATS + INTS))), d.input(indices)], axis=axis)
    return d.opset()


def gather_elements(d):
    shape = d.shape(1, 4)
    axis = d.axis(len(shape))
    indices = [d.int(1, s) for s in shape]
    indices[axis] = d.int(1, 6)
    d.node("GatherElements", [d.input(d.values(shape, d.pick(FLOATS + INTS))),
                              d.input(d.values(indices, d.pick(INTS), -shape[axis], shape[axis] - 1))], axis=axis)
    return d.opset(13)


def tuples(d, shape, batch, width, extra):
    return np.stack([d.values(shape[:batch] + extra, np.int64, -shape[batch + k], shape[batch + k] - 1)
                     for k in range(width)], axis=-1)


def gather_nd(d):
    shape = d.shape(1, 4)
    batch = d.int(0, len(shape) - 1)
    width = d.int(1, len(shape) - batch)
    d.node("GatherND", [d.input(d.values(shape, d.pick(FLOATS + INTS))),
                        d.input(tuples(d, shape, batch, width, d.shape(0, 2)))], batch_dims=batch)
    return d.opset(12)


def reduction(d):
    opset = d.pick([11, 13, 16, 18, 20, 24])
    kinds = ["none"] + (["add", "mul"] if opset >= 16 else []) + (["min", "max"] if opset >= 18 else [])
    kind = d.pick(kinds)
    return opset, (kind if opset >= 16 else None), kind


def scatter_elements(d):
    shape = d.shape(1, 4)
    axis = d.axis(len(shape))
    opset, attribute, kind = reduction(d)
    dtype = d.pick([np.float32, np.int64])
    sizes = [d.int(1, s) for s in shape]
    if kind == "none":  # which of two updates of one element stays is open
        order = np.argsort(d.rng.random(sizes), axis=axis)
        indices = order.astype(np.int64)
    else:
        indices = d.values(sizes, np.int64, -shape[axis], shape[axis] - 1)
    d.node("ScatterElements", [d.input(d.values(shape, dtype)), d.input(indices), d.input(d.values(sizes, dtype))],
           axis=axis, reduction=attribute)
    return opset


def scatter_nd(d):
    shape = d.shape(1, 4)
    width = d.int(1, len(shape))
    opset, attribute, kind = reduction(d)
    dtype = d.pick([np.float32, np.int64])
    indices = tuples(d, shape, 0, width, d.shape(1, 2))
    if kind == "none":
        flat = indices.reshape(-1, width) % np.array(shape[:width])
        indices = np.unique(flat, axis=0)
    updates = d.values(list(indices.shape[:-1]) + shape[width:], dtype)
    d.node("ScatterND", [d.input(d.values(shape, dtype)), d.input(indices), d.input(updates)], reduction=attribute)
    return opset


def one_hot(d):
    shape = d.shape(0, 3)
    depth = d.int(1, 6)
    d.node("OneHot", [d.input(d.values(shape, np.int64, -depth - 1, depth + 1)), d.input(np.array(depth, np.int64)),
                      d.input(d.values([2], d.pick([np.float32, np.int64])))], axis=d.axis(len(shape) + 1))
    return d.opset()


def compress(d):
    shape = d.shape(1, 4)
    axis = d.axis(len(shape)) if d.chance(0.7) else None
    length = int(np.prod(shape)) if axis is None else shape[axis]
    d.node("Compress", [d.input(d.values(shape)), d.input(d.values([d.int(1, length)], np.bool_))], axis=axis)
    return d.opset()


def non_zero(d):
    d.node("NonZero", [d.input(d.values(d.shape(1, 4, empty=0.05), d.pick([np.bool_, np.int64]), -1, 1))])
    return d.opset(13)


# --------------------------------------------------------------------------
# Moves
# --------------------------------------------------------------------------


def reshape(d):
    shape = d.shape(1, 4)
    factors = [int(np.prod(shape))]
    if d.chance(0.5):
        factors = [shape[0], -1]
    target = factors if d.chance(0.5) else [0] * (len(shape) - 1) + [-1]
    d.node("Reshape", [d.input(d.values(shape, d.pick(FLOATS + INTS))), d.ints(target)])
    return d.opset()


def flatten(d):
    shape = d.shape(1, 4)
    d.node("Flatten", [d.input(d.values(shape))], axis=d.int(-len(shape), len(shape)))
    return d.opset()


def squeeze(d):
    shape = [1 if d.chance(0.5) else s for s in d.shape(1, 5)]
    ones = [i for i, s in enumerate(shape) if s == 1]
    opset, names, attributes = d.opset(), [d.input(d.values(shape))], {}
    if ones and d.chance(0.7):
        axes = [int(a) - (len(shape) if d.chance(0.3) else 0) for a in d.rng.permutation(ones)[:d.int(1, len(ones))]]
        if opset >= 13:
            names.append(d.ints(axes))
        else:
            attributes["axes"] = axes
    d.node("Squeeze", names, **attributes)
    return opset


def unsqueeze(d):
    shape = d.shape(0, 3)
    opset, rank = d.opset(), len(shape) + d.int(1, 2)
    axes = [int(a) - (rank if d.chance(0.3) else 0) for a in d.rng.permutation(rank)[:rank - len(shape)]]
    names, attributes = [d.input(d.values(shape))], {}
    if opset >= 13:
        names.append(d.ints(axes))
    else:
        attributes["axes"] = axes
    d.node("Unsqueeze", names, **attributes)
    return opset


def transpose(d):
    shape = d.shape(1, 5, empty=0.05)
    perm = [int(a) for a in d.rng.permutation(len(shape))] if d.chance(0.8) else None
    d.node("Transpose", [d.input(d.values(shape, d.pick(FLOATS + INTS + [np.uint8])))], perm=perm)
    return d.opset()


def expand(d):
    shape = d.shape(1, 4)
    d.node("Expand", [d.input(d.values(d.broadcastable(shape), d.pick(FLOATS + INTS))), d.ints(shape)])
    return d.opset()


def tile(d):
    shape = d.shape(1, 4)
    d.node("Tile", [d.input(d.values(shape, d.pick(FLOATS + INTS))), d.ints([d.int(0 if d.chance(0.05) else 1, 3)
                                                                            for _ in shape])])
    return d.opset()


def concat(d):
    shape = d.shape(1, 4)
    axis = d.axis(len(shape))
    dtype = d.pick(FLOATS + INTS)
    names = []
    for _ in range(d.int(1, 4)):
        part = list(shape)
        part[axis] = d.int(0 if d.chance(0.1) else 1, 4)
        names.append(d.input(d.values(part, dtype)))
    d.node("Concat", names, axis=axis)
    return d.opset()


def slice_(d):
    shape = d.shape(1, 4)
    axes = d.axes(len(shape))
    starts = [d.int(-7, 7) for _ in axes]
    steps = [d.pick([-3, -2, -1, 1, 2, 3]) for _ in axes]
    given = d.chance(0.6)
    ends = [d.pick([d.int(-7, 7), -(2**63) if given and step < 0 else 2**63 - 1]) for step in steps]
    names = [d.input(d.values(shape, d.pick(FLOATS + INTS))), d.ints(starts), d.ints(ends), d.ints(axes)]
    if given:
        names.append(d.ints(steps))
    d.node("Slice", names)
    return d.opset()


def split(d):
    shape = d.shape(1, 4, sizes=6)
    axis = d.axis(len(shape))
    sizes, rest = [], shape[axis]
    while rest:
        sizes.append(d.int(1, rest))
        rest -= sizes[-1]
    d.outputs = len(sizes)
    d.node("Split", [d.input(d.values(shape, d.pick(FLOATS + INTS))), d.ints(sizes)], axis=axis)
    return d.opset(13)


def pad(d):
    shape = d.shape(1, 4)
    opset = d.pick([11, 13, 18, 19, 21, 23, 24, 25])
    mode = d.pick(["constant", "edge", "reflect"] + (["wrap"] if opset >= 19 else []))
    low, high = ([d.int(-1 if mode == "constant" and d.chance(0.2) else 0, min(3, s - 1) if mode != "constant" else 3)
                  for s in shape] for _ in range(2))
    if mode == "constant":
        low, high = ([max(p, -(s // 3)) for p, s in zip(side, shape)] for side in (low, high))
    dtype = d.pick([np.float32, np.float64, np.int32, np.int64])
    names = [d.input(d.values(shape, dtype)), d.ints(low + high)]
    if mode == "constant" and d.chance(0.5):
        names.append(d.input(d.values([], dtype)))
    d.node("Pad", names, mode=mode)
    return opset


def blocks(op):
    def draw(d):
        size = d.int(1, 3)
        shape = [d.int(1, 2), d.int(1, 3), d.int(1, 4), d.int(1, 4)]
        attributes = {"blocksize": size}
        if op == "DepthToSpace":
            shape[1] *= size * size
            attributes["mode"] = d.pick(["DCR", "CRD"])
        else:
            shape[2] *= size
            shape[3] *= size
        d.node(op, [d.input(d.values(shape))], **attributes)
        return d.opset()
    return draw


def slice_before_10(d):
    shape = d.shape(1, 4)
    axes = d.axes(len(shape))
    d.node("Slice", [d.input(d.values(shape))], axes=axes, starts=[d.int(-7, 7) for _ in axes],
           ends=[d.pick([d.int(-7, 7), 2**63 - 1]) for _ in axes])
    return 9


def pad_before_11(d):
    shape = d.shape(1, 4)
    mode = d.pick(["constant", "edge", "reflect"])
    pads = [d.int(0, min(3, s - 1) if mode != "constant" else 3) for s in shape * 2]
    d.node("Pad", [d.input(d.values(shape))], mode=mode, pads=pads, value=float(d.int(0, 3)))
    return d.int(9, 10)


def clip_before_11(d):
    low = float(d.int(-3, 0))
    d.node("Clip", [d.input(d.values(d.shape(0, 3)))], min=low if d.chance(0.7) else None,
           max=low + d.int(0, 3) if d.chance(0.7) else None)
    return d.int(9, 10)


def upsample(d):
    image = d.input(d.values([1, d.int(1, 2), d.int(1, 5), d.int(1, 5)]))
    scales = d.input(np.array([1, 1, d.pick([1, 2, 3]), d.pick([1, 2, 3])], np.float32))
    opset = d.int(9, 10)
    d.node("Upsample" if opset == 9 else "Resize", [image, scales], mode=d.pick(["nearest", "linear"]))
    return opset


def trilu(d):
    shape = d.shape(2, 4)
    names = [d.input(d.values(shape, d.pick([np.float32, np.int64, np.bool_])))]
    if d.chance(0.8):
        names.append(d.input(np.array(d.int(-6, 6), np.int64)))
    d.node("Trilu", names, upper=d.int(0, 1))
    return d.opset(14)


def eye_like(d):
    d.node("EyeLike", [d.input(d.values(d.shape(2, 2), d.pick([np.float32, np.int64])))], k=d.int(-4, 4),
           dtype=d.pick([None, TensorProto.FLOAT, TensorProto.INT64]))
    return d.opset()


def range_(d):
    dtype = d.pick([np.float32, np.float64, np.int32, np.int64])
    step = d.values([], dtype, 1, 3) * dtype(d.pick([-1, 1]))
    d.node("Range", [d.input(d.values([], dtype, -9, 9)), d.input(d.values([], dtype, -9, 9)), d.input(step.astype(dtype))])
    return d.opset()


def shape_(d):
    shape = d.shape(0, 4, empty=0.1)
    opset = d.pick([11, 13, 15, 19])
    attributes = {"start": d.int(-5, 5), "end": d.pick([None, d.int(-5, 5)])} if opset >= 15 else {}
    d.node("Shape", [d.input(d.values(shape))], **attributes)
    return opset


def constant_of_shape(d):
    value = helper.make_tensor("v", d.pick([TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL]), [1], [1])
    d.node("ConstantOfShape", [d.ints(d.shape(0, 3, empty=0.1))], value=value if d.chance(0.7) else None)
    return d.opset()


def reverse_sequence(d):
    shape = d.shape(2, 4)
    batch = d.int(0, 1)
    d.node("ReverseSequence", [d.input(d.values(shape)), d.input(d.values([shape[batch]], np.int64, 1, shape[1 - batch]))],
           batch_axis=batch, time_axis=1 - batch)
    return d.opset()


# --------------------------------------------------------------------------
# Resize
# --------------------------------------------------------------------------


def is_ambiguous(mode, coordinates, length, size, scale):
    """Whether the nearest input depends on how the coordinates are rounded."""
    i = np.arange(size)
    centre = length / 2 * (1 - size / (scale * length)) if coordinates == "half_pixel_symmetric" else 0
    x = i / scale if coordinates == "asymmetric" else centre + (i + 0.5) / scale - 0.5
    if coordinates == "align_corners":
        x = i * (length - 1) / max(size - 1, 1)
    x = x + 0.5 if mode.startswith("round") else x
    return bool(np.any((np.abs(x - np.round(x)) < 1e-4) & (x > -0.01) & (x < length)))


def resize(d):
    opset = d.pick([11, 13, 18, 19, 21, 25])
    mode = d.pick(["nearest", "linear", "cubic"])
    shape = [1, d.int(1, 2), d.int(2, 7), d.int(2, 7)]
    coordinates = d.pick(["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"] +
                         (["half_pixel_symmetric"] if opset >= 19 else []) +
                         (["tf_crop_and_resize"] if mode != "cubic" else []))
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    dtype = np.float32
    sizes = shape[:2] + [d.pick([size for size in range(1, 12) if size != length]) for length in shape[2:]]
    region = ""
    if coordinates == "tf_crop_and_resize":
        low, high = d.values([2], np.float32, 0, 0.4), d.values([2], np.float32, 0.6, 1.2)
        region = d.input(np.concatenate([[0, 0], low, [1, 1], high]).astype(np.float32))
        attributes["extrapolation_value"] = 7.0
    if mode == "cubic":
        attributes["cubic_coeff_a"] = d.pick([-0.5, -0.75])
        attributes["exclude_outside"] = d.int(0, 1)
    if opset >= 18 and mode != "nearest" and d.chance(0.4) and coordinates != "tf_crop_and_resize":
        attributes["antialias"] = 1
    image = d.input(d.values(shape, dtype))
    if region == "":
        region = d.input(np.array([], np.float32)) if opset < 13 else ""
    if d.chance(0.5) or coordinates in ("align_corners", "tf_crop_and_resize"):
        names = [image, region, "" if opset >= 13 else d.input(np.array([], np.float32)), d.ints(sizes)]
        scales = [size / length for size, length in zip(sizes, shape)]
    else:
        scales = np.array([1, 1] + [d.pick([s for s in (0.5, 0.6, 0.8, 1.0, 1.3, 2.0, 2.7, 3.0)
                                            if s == 1 or int(length * np.float32(s)) != length])
                                    for length in shape[2:]], np.float32)
        names = [image, region, d.input(scales)]
        sizes = [int(length * scale) for length, scale in zip(shape, scales)]
    if mode == "nearest":
        modes = [m for m in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
                 if not any(is_ambiguous(m, coordinates, *axis) for axis in zip(shape[2:], sizes[2:], scales[2:]))]
        attributes["nearest_mode"] = d.pick(modes or ["none"])  # which ONNX Runtime refuses
    d.node("Resize", names, **attributes)
    return opset


# --------------------------------------------------------------------------
# Products, windows, normalizations
# --------------------------------------------------------------------------


def matmul(d):
    batch = d.shape(0, 2)
    m, k, n = d.int(1, 5), d.int(1, 6), d.int(1, 5)
    a, b = d.broadcastable(batch) + [m, k], batch + [k, n]
    if d.chance(0.1):
        a = [k]
    elif d.chance(0.1):
        b = [k]
    dtype = d.pick(FLOATS + INTS)
    d.node("MatMul", [d.input(d.values(a, dtype)), d.input(d.values(b, dtype))])
    return d.opset(13)


def gemm(d):
    m, k, n = d.int(1, 5), d.int(1, 6), d.int(1, 5)
    ta, tb = d.int(0, 1), d.int(0, 1)
    names = [d.input(d.values([k, m] if ta else [m, k])), d.input(d.values([n, k] if tb else [k, n]))]
    if d.chance(0.7):
        names.append(d.input(d.values(d.pick([[n], [1, n], [m, 1], [m, n], [1], []]))))
    d.node("Gemm", names, transA=ta, transB=tb, alpha=float(d.rng.random() + 0.2), beta=float(d.rng.random()))
    return d.opset(13)


def einsum(d):
    sizes = {label: d.int(1, 4) for label in "abcde"}
    terms = ["".join(d.rng.permutation(list("abcde"))[:d.int(1, 3)]) for _ in range(d.int(1, 3))]
    used = sorted(set("".join(terms)))
    output = "".join(d.rng.permutation(used)[:d.int(0, len(used))])
    dots = d.chance(0.3)
    batch = d.shape(1, 2) if dots else []
    equation = ",".join(("..." if dots else "") + t for t in terms)
    if d.chance(0.8):
        equation += "->" + ("..." if dots else "") + output
    shapes = [batch + [sizes[c] for c in t] for t in terms]
    d.node("Einsum", [d.input(d.values(s, d.pick([np.float32]))) for s in shapes], equation=equation)
    return d.opset(12)


def window(d, kernel, image):
    attributes = {"strides": [d.int(1, 3) for _ in kernel]}
    dilations = [d.int(1, 2) for _ in kernel]
    if all((k - 1) * t + 1 <= i for k, t, i in zip(kernel, dilations, image)):
        attributes["dilations"] = dilations
    choice = d.int(0, 3)
    if choice == 0:
        attributes["pads"] = [d.int(0, k - 1) for k in kernel * 2]
    elif choice == 1:
        attributes["auto_pad"] = d.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
        attributes["dilations"] = [1 for _ in kernel]
        attributes["strides"] = [min(s, k) for s, k in zip(attributes["strides"], kernel)]
    return attributes


def conv(d):
    rank, groups = d.int(1, 3), d.int(1, 3)
    kernel = [d.int(1, 3) for _ in range(rank)]
    image = [d.int(k, 6) for k in kernel]
    depth, channels = d.int(1, 2), d.int(1, 2) * groups
    names = [d.input(d.values([d.int(1, 2), depth * groups] + image)), d.input(d.values([channels, depth] + kernel))]
    if d.chance(0.5):
        names.append(d.input(d.values([channels])))
    d.node("Conv", names, group=groups, kernel_shape=kernel, **window(d, kernel, image))
    return d.opset()


def pool(op):
    def draw(d):
        rank = d.int(1, 3)
        kernel = [d.int(1, 3) for _ in range(rank)]
        image = [d.int(k, 6) for k in kernel]
        opset = d.pick([11, 12, 19, 22, 25])
        values = d.input(d.values([d.int(1, 2), d.int(1, 2)] + image))
        if op.startswith("Global"):
            d.node(op, [values])
            return opset
        attributes = window(d, kernel, image)
        if op == "AveragePool":
            attributes["count_include_pad"] = d.int(0, 1)
            if opset < 19:
                attributes.pop("dilations", None)
        elif d.chance(0.3) and "auto_pad" not in attributes:
            attributes["ceil_mode"] = 1
        d.node(op, [values], kernel_shape=kernel, **attributes)
        return opset
    return draw


def softmax(op):
    def draw(d):
        shape = d.shape(1, 4)
        d.node(op, [d.input(d.values(shape, d.pick(FLOATS)))], axis=d.axis(len(shape)))
        return d.opset()
    return draw


def layer_norm(d):
    shape = d.shape(2, 4)
    axis = d.int(1, len(shape) - 1)
    names = [d.input(d.values(shape)), d.input(d.values(shape[axis:]))]
    if d.chance(0.7):
        names.append(d.input(d.values(shape[axis:])))
    d.node("LayerNormalization", names, axis=axis if d.chance(0.5) else axis - len(shape), epsilon=1e-3)
    return d.opset(17)


def channel_norm(op):
    def draw(d):
        groups = d.int(1, 2)
        channels = groups * d.int(1, 3)
        shape = [d.int(1, 2), channels, d.int(2, 4), d.int(2, 4)]
        names = [d.input(d.values(shape)), d.input(d.values([channels])), d.input(d.values([channels]))]
        if op == "BatchNormalization":
            names += [d.input(d.values([channels])), d.input(d.values([channels], np.float32, 0.1, 3))]
        d.node(op, names, epsilon=1e-3, num_groups=groups if op == "GroupNormalization" else None)
        return d.opset(21) if op == "GroupNormalization" else d.opset(14)
    return draw


def rms_norm(d):
    shape = d.shape(2, 4)
    axis = d.int(1, len(shape) - 1)
    d.node("RMSNormalization", [d.input(d.values(shape)), d.input(d.values(shape[axis:]))],
           axis=axis if d.chance(0.5) else axis - len(shape), epsilon=1e-3)
    return d.opset(23)


def lp_norm(d):
    shape = d.shape(1, 4)
    d.node("LpNormalization", [d.input(d.values(shape))], axis=d.axis(len(shape)), p=d.int(1, 2))
    return d.opset()


# --------------------------------------------------------------------------
# Composite operators: of data only
# --------------------------------------------------------------------------


def attention(d):
    batch, heads, tokens, keys, width = d.int(1, 2), d.int(1, 3), d.int(1, 5), d.int(1, 5), d.int(1, 4)
    attributes = {"scale": float(d.rng.random() + 0.2) if d.chance(0.5) else None}
    if d.chance(0.5):
        shapes = [[batch, heads, tokens, width]] + [[batch, heads, keys, width]] * 2
    else:
        shapes = [[batch, tokens, heads * width]] + [[batch, keys, heads * width]] * 2
        attributes.update(q_num_heads=heads, kv_num_heads=heads)
    names = [d.input(d.values(shape)) for shape in shapes]
    if d.chance(0.4):
        names.append(d.input(d.values([tokens, keys])))
    d.node("Attention", names, **attributes)
    return d.opset(23)


def rotary_embedding(d):
    batch, heads, tokens, width = d.int(1, 2), d.int(1, 3), d.int(1, 5), 2 * d.int(1, 3)
    tables = [d.values([batch, tokens, width // 2], low=-1, high=1)[:1].repeat(batch, 0) for _ in range(2)]
    d.node("RotaryEmbedding", [d.input(d.values([batch, heads, tokens, width])), *map(d.input, tables)],
           interleaved=d.int(0, 1))
    return d.opset(23)


def microsoft(op):
    def draw(d):
        shape = [d.int(1, 2), d.int(1, 4), 2 * d.int(1, 4)]
        channels = shape[-1]
        # Gelu of what lies below -2.5 is lost in floats.
        names, attributes = [d.input(d.values(shape, low=-1.5))], {}
        vector = lambda: d.input(d.values([channels], low=-1))  # noqa: E731
        if op in ("BiasGelu", "FastGelu"):
            names.append(vector())
        elif op == "QuickGelu":
            attributes["alpha"] = 1.702
        elif op == "FusedMatMul":
            names.append(d.input(d.values(d.pick([[channels, 3], [3, channels]]))))
            attributes = {"alpha": 0.5, "transB": int(d.inputs[1].shape[0] == 3 and channels != 3)}
        elif op.startswith("Skip"):
            names += [d.input(d.values(shape)), vector()] + ([vector()] if op == "SkipLayerNormalization" else [])
            attributes["epsilon"] = 1e-3
        elif op == "MultiHeadAttention":
            names += [d.input(d.values(shape)), d.input(d.values(shape))]
            attributes["num_heads"] = 2
        elif op == "Attention":
            names += [d.input(d.values([channels, 3 * channels], low=-1, high=1)), d.input(d.values([3 * channels]))]
            attributes["num_heads"] = 2
        d.node(op, names, domain="com.microsoft", **attributes)
        return d.opset(17, 21)
    return draw


# --------------------------------------------------------------------------
# Chains
# --------------------------------------------------------------------------


def chain(d, nodes, opset):
    """Nodes as (operator, inputs, attributes); the last one's output is the result."""
    for i, (op, names, attributes) in enumerate(nodes):
        output = "o0" if i + 1 == len(nodes) else f"t{i}"
        d.nodes.append(helper.make_node(op, names, [output], name=f"/{op}{i}", **attributes))
    return opset


def chain_layer_norm(d):
    shape = d.shape(2, 4)
    x, axes = d.input(d.values(shape)), {"axes": [-1]}
    two, eps = d.input(np.float32(2)), d.input(np.float32(1e-3))
    gamma, beta = d.input(d.values(shape[-1:])), d.input(d.values(shape[-1:]))
    return chain(d, [("ReduceMean", [x], axes), ("Sub", [x, "t0"], {}), ("Pow", ["t1", two], {}),
                     ("ReduceMean", ["t2"], axes), ("Add", ["t3", eps], {}), ("Sqrt", ["t4"], {}),
                     ("Div", ["t1", "t5"], {}), ("Mul", ["t6", gamma], {}), ("Add", ["t7", beta], {})], d.opset(13, 17))


def chain_attention(d):
    batch, heads, tokens, width = d.int(1, 2), d.int(1, 3), d.int(1, 5), d.int(1, 4)
    q, k, v = (d.input(d.values([batch, heads, tokens, width])) for _ in range(3))
    scale = d.input(np.float32(width**-0.5))
    shape = d.ints([batch, tokens, -1])
    return chain(d, [("Transpose", [k], {"perm": [0, 1, 3, 2]}), ("MatMul", [q, "t0"], {}), ("Mul", ["t1", scale], {}),
                     ("Softmax", ["t2"], {"axis": -1}), ("MatMul", ["t3", v], {}),
                     ("Transpose", ["t4"], {"perm": [0, 2, 1, 3]}), ("Reshape", ["t5", shape], {})], d.opset(13))


def chain_gelu(d):
    x, root, one, half = d.input(d.values(d.shape(), low=-3)), *(d.input(np.float32(v)) for v in (1.4142135, 1, 0.5))
    return chain(d, [("Div", [x, root], {}), ("Erf", ["t0"], {}), ("Add", ["t1", one], {}), ("Mul", [x, "t2"], {}),
                     ("Mul", ["t3", half], {})], d.opset(13))


def chain_shapes(d):
    shape = d.shape(2, 4)
    x = d.input(d.values(shape))
    axis, first = d.int(0, len(shape) - 1), d.input(np.array([0], np.int64))
    index = d.input(np.array(axis, np.int64))
    minus = d.ints([-1])
    return chain(d, [("Shape", [x], {}), ("Gather", ["t0", index], {"axis": 0}), ("Unsqueeze", ["t1", first], {}),
                     ("Concat", ["t2", minus], {"axis": 0}), ("Reshape", [x, "t3"], {})], d.opset(13))


def chain_positions(d):
    """A position table resized as exporters write it."""
    side, width, target = d.int(2, 5), d.int(1, 3), d.int(1, 9)
    table = d.input(d.values([1, side * side, width]))
    grid, sizes, back = d.ints([1, side, side, width]), d.ints([1, width, target, target]), d.ints([1, -1, width])
    mode = d.pick(["cubic", "linear"])
    return chain(d, [("Reshape", [table, grid], {}), ("Transpose", ["t0"], {"perm": [0, 3, 1, 2]}),
                     ("Resize", ["t1", "", "", sizes], {"mode": mode, "antialias": d.int(0, 1)}),
                     ("Transpose", ["t2"], {"perm": [0, 2, 3, 1]}), ("Reshape", ["t3", back], {})], d.opset(18))


GENERATORS = {
    **{op: unary(op) for op in UNARY},
    **{op: binary(op) for op in ("Add", "Sub", "Mul", "Div", "Mod", "Equal", "Less", "LessOrEqual", "Greater",
                                 "GreaterOrEqual", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor")},
    **{op: variadic(op) for op in ("Sum", "Mean", "Min", "Max")},
    **{op: reduce(op) for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
                                 "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")},
    **{op: arg(op) for op in ("ArgMax", "ArgMin")},
    **{op: predicate(op) for op in ("IsNaN", "IsInf")},
    **{op: blocks(op) for op in ("DepthToSpace", "SpaceToDepth")},
    **{op: pool(op) for op in ("AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool")},
    **{op: softmax(op) for op in ("Softmax", "LogSoftmax", "Hardmax")},
    **{op: channel_norm(op) for op in ("BatchNormalization", "InstanceNormalization", "GroupNormalization")},
    "Pow": pow_, "BitShift": bit_shift, "PRelu": prelu, "Where": where, "Clip": clip, "Cast": cast, "Not": not_,
    "TopK": top_k, "CumSum": cum_sum, "Gather": gather, "GatherElements": gather_elements, "GatherND": gather_nd,
    "ScatterElements": scatter_elements, "ScatterND": scatter_nd, "OneHot": one_hot, "Compress": compress,
    "NonZero": non_zero, "Reshape": reshape, "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze,
    "Transpose": transpose, "Expand": expand, "Tile": tile, "Concat": concat, "Slice": slice_, "Split": split,
    "Pad": pad, "Trilu": trilu, "EyeLike": eye_like, "Range": range_, "Shape": shape_,
    "ConstantOfShape": constant_of_shape, "ReverseSequence": reverse_sequence, "Resize": resize, "MatMul": matmul,
    "Gemm": gemm, "Einsum": einsum, "Conv": conv, "LayerNormalization": layer_norm, "LpNormalization": lp_norm, "RMSNormalization": rms_norm,
    **{f"com.microsoft.{op}": microsoft(op) for op in (
        "Gelu", "BiasGelu", "FastGelu", "QuickGelu", "FusedMatMul", "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization", "MultiHeadAttention", "Attention")},
    "Attention": attention, "RotaryEmbedding": rotary_embedding,
    "Slice-9": slice_before_10, "Pad-10": pad_before_11, "Clip-10": clip_before_11, "Upsample": upsample,
    "chain-layer-norm": chain_layer_norm, "chain-attention": chain_attention, "chain-gelu": chain_gelu,
    "chain-shapes": chain_shapes, "chain-positions": chain_positions,
}


def model_of(draw, opset):
    def declare(name, array):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    graph = helper.make_graph(draw.nodes, "case", [declare(f"i{i}", a) for i, a in enumerate(draw.inputs)],
                              [onnx.ValueInfoProto(name=f"o{i}") for i in range(draw.outputs)])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def case(rng, generator, options):
    """A model, its inputs and outputs; nothing when ONNX Runtime does not take it."""
    draw = Draw(rng)
    opset = generator(draw)
    model = model_of(draw, opset)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        outputs = session.run(None, {f"i{i}": a for i, a in enumerate(draw.inputs)})
    except Exception as error:  # pylint: disable=broad-except  # its errors have no common class
        return None, str(error)
    for info, array in zip(model.graph.output, outputs):
        info.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(array.dtype)
    return (model, draw.inputs, outputs), ""


def record(name, model, inputs, outputs):
    def text(data):
        return struct.pack("<I", len(data)) + data

    parts = [text(name.encode()), text(model.SerializeToString()), struct.pack("<II", len(inputs), len(outputs))]
    parts += [text(numpy_helper.from_array(a).SerializeToString()) for a in [*inputs, *outputs]]
    return b"".join(parts)


def draw_all(name, count, seed, options, file):
    made = tries = 0
    while made < count:
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), tries])
        tries += 1
        good, why = case(rng, GENERATORS[name], options)
        if good:
            file.write(record(f"{name}:{tries - 1}", *good))
            made += 1
        elif tries > 20 and made < tries / 20:
            sys.exit(f"{name}: ONNX Runtime refuses {tries - made} of {tries} models, the last one: {why}")


def main():
    folder, count, seed, *chosen = sys.argv[1:]
    if unknown := [name for name in chosen if name not in GENERATORS]:
        sys.exit(f"no generator for {', '.join(unknown)}; there are {', '.join(sorted(GENERATORS))}")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    together = open(folder, "wb") if folder.endswith(".records") else None  # pylint: disable=consider-using-with
    for name in chosen or GENERATORS:
        with together and contextlib.nullcontext(together) or open(pathlib.Path(folder) / f"{name}.records", "wb") as file:
            draw_all(name, int(count), int(seed), options, file)


if __name__ == "__main__":
    main()
