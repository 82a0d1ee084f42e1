"""Cases of differential.py: elementary functions, reductions and orders."""

import numpy as np
from onnx import helper

from draw import ALL_INTS, FLOATS, INTS


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
    "Softsign": (-9, 9), "Sqrt": (0, 50), "Swish": (-5, 9), "Tan": (-1.5, 1.5), "Tanh": (-9, 9),
    "ThresholdedRelu": (-4, 4),
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
