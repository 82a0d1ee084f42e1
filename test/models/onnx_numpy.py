"""A small ONNX evaluator in NumPy: the operators of vision transformers and of their quantized forms.

    run(model, {"input": array}) -> {name: array} of all values

Integers are exact and floats are 32 bits, as onnxruntime has them, or those of `real`.
"""

import math

import numpy as np
from onnx import TensorProto, numpy_helper

_INT32, _INT64 = TensorProto.INT32, TensorProto.INT64

try:  # Faster, where it is installed.
    from scipy.special import erf as _erf
except ImportError:
    _erf = np.vectorize(math.erf, otypes=[np.float64])


def _along(values, axis, rank):
    """Scales or zero points so that they broadcast along `axis`."""
    values = np.asarray(values)
    if values.ndim == 0 or values.size == 1:
        return values.reshape(())
    return values.reshape([-1 if i == axis % rank else 1 for i in range(rank)])


def quantize(x, scale, zero, axis=1):
    """QuantizeLinear; the type of `zero` is that of the codes."""
    info = np.iinfo(zero.dtype)
    quotient = np.rint(x / _along(scale, axis, x.ndim))
    return np.clip(quotient + _along(zero, axis, x.ndim), info.min, info.max).astype(zero.dtype)


def dequantize(q, scale, zero=None, axis=1):
    zero = np.zeros((), np.int32) if zero is None else zero
    return (
        (q.astype(np.int64) - _along(zero, axis, q.ndim).astype(np.int64)) * _along(scale, axis, q.ndim)
    ).astype(np.asarray(scale).dtype)


def _windows(x, kernel, a, border):
    """[B, C, H', W', kh, kw]: what each window sees of a map with `border` around it."""
    strides, dilations = (a.get(name) or [1, 1] for name in ("strides", "dilations"))
    top, left, bottom, right = a.get("pads") or [0, 0, 0, 0]
    x = np.pad(x, [(0, 0), (0, 0), (top, bottom), (left, right)], constant_values=border)
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    seen = np.lib.stride_tricks.sliding_window_view(x, extent, (2, 3))
    return seen[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]


def _conv(a, x, w, b=None):
    seen, groups = _windows(x, w.shape[2:], a, 0), a.get("group", 1)
    seen = seen.reshape(x.shape[0], groups, -1, *seen.shape[2:])
    weights = w.reshape(groups, -1, *w.shape[1:])
    y = np.einsum("bgchwij,gdcij->bgdhw", seen, weights, optimize=True).reshape(x.shape[0], -1, *seen.shape[3:5])
    return y if b is None else y + b[:, None, None]


def _pad(x, pads, value=0):
    return np.pad(x, list(zip(pads[: x.ndim], pads[x.ndim :])), constant_values=value)


def _layer_norm(x, gamma, beta, eps):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + eps) * gamma + beta


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _slice(x, starts, ends, axes=None, steps=None):
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    index = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        index[int(axis)] = slice(int(start), int(end), int(step))
    return x[tuple(index)]


def _reshape(x, shape):
    return x.reshape([x.shape[i] if size == 0 else int(size) for i, size in enumerate(shape)])


def _squeeze(x, axes):
    return np.squeeze(x, tuple(int(a) for a in axes))


def _dynamic(x):
    low, high = np.float32(min(0, x.min())), np.float32(max(0, x.max()))
    scale = np.float32((high - low) / 255) if high > low else np.float32(1)
    zero = np.uint8(np.clip(np.rint(-low / scale), 0, 255))
    return quantize(x, scale, np.asarray(zero)), scale, zero


def _split(x, sizes, axis):
    return list(np.split(x, np.cumsum(np.asarray(sizes))[:-1], axis))


def _integers(q, zero, axis):
    zero = np.zeros((), np.int32) if zero is None else zero
    return q.astype(np.int64) - _along(zero, axis, q.ndim).astype(np.int64)


def _evaluate(op, a, x, real):
    """The results of an operator; `a` are its attributes, `x` its inputs."""
    axis = a.get("axis", 1)
    simple = {
        "Add": lambda: x[0] + x[1],
        "Sub": lambda: x[0] - x[1],
        "Mul": lambda: x[0] * x[1],
        "Div": lambda: x[0] / x[1] if x[0].dtype.kind == "f" else x[0] // x[1],
        "Equal": lambda: x[0] == x[1],
        "Where": lambda: np.where(*x[:3]),
        "Erf": lambda: _erf(x[0]),
        "Exp": lambda: np.exp(x[0]),
        "Floor": lambda: np.floor(x[0]),
        "Round": lambda: np.rint(x[0]),
        "Neg": lambda: -x[0],
        "Sqrt": lambda: np.sqrt(x[0]),
        "Sigmoid": lambda: 1 / (1 + np.exp(-x[0])),
        "Relu": lambda: np.maximum(x[0], 0),
        "Clip": lambda: np.clip(x[0], x[1], x[2]),
        "Identity": lambda: x[0],
        "Gelu": lambda: x[0] / 2 * (1 + _erf(x[0] / math.sqrt(2))),
        "MatMul": lambda: x[0] @ x[1],
        "Gemm": lambda: x[0] @ (x[1].T if a.get("transB") else x[1]) + x[2],
        "Conv": lambda: _conv(a, *x),
        "MaxPool": lambda: _windows(x[0], a["kernel_shape"], a, -np.inf).max((4, 5)),
        "Pad": lambda: _pad(*x),
        "Softmax": lambda: _softmax(x[0]),
        "LayerNormalization": lambda: _layer_norm(x[0], x[1], x[2], a.get("epsilon", 1e-5)),
        "ReduceMax": lambda: x[0].max(-1, keepdims=True),
        "ReduceSum": lambda: x[0].sum(tuple(int(i) for i in x[1]), keepdims=bool(a.get("keepdims", 1))),
        "ReduceMean": lambda: x[0].mean(tuple(int(i) for i in x[1]), keepdims=bool(a.get("keepdims", 1))),
        "Shape": lambda: np.array(x[0].shape, np.int64)[a.get("start", 0) : a.get("end")],
        "ConstantOfShape": lambda: np.full(x[0], a["value"].reshape(-1)[0] if "value" in a else np.float32(0)),
        "Expand": lambda: x[0] * np.ones(x[1], x[0].dtype),
        "Reshape": lambda: _reshape(x[0], x[1]),
        "Transpose": lambda: np.transpose(x[0], a.get("perm")),
        "Concat": lambda: np.concatenate(x, a["axis"]),
        "Slice": lambda: _slice(*x),
        "Gather": lambda: np.take(x[0], x[1], a.get("axis", 0)),
        "Squeeze": lambda: _squeeze(x[0], x[1]),
        "Unsqueeze": lambda: np.expand_dims(x[0], tuple(int(i) for i in x[1])),
        "Cast": lambda: x[0].astype(np.int64 if a["to"] in (_INT32, _INT64) else real),
        "QuantizeLinear": lambda: quantize(x[0], x[1], x[2], axis),
        "DequantizeLinear": lambda: dequantize(x[0], x[1], x[2] if len(x) > 2 else None, axis),
        "QLinearMatMul": lambda: quantize(
            dequantize(x[0], x[1], x[2]) @ dequantize(x[3], x[4], x[5], -1), x[6], x[7]
        ),
        "QLinearConv": lambda: quantize(
            _conv(
                a,
                dequantize(x[0], x[1], x[2]),
                dequantize(x[3], x[4], x[5], 0),
                x[8] * (x[1] * x[4]) if len(x) > 8 else None,
            ),
            x[6],
            x[7],
        ),
        "QLinearAdd": lambda: quantize(dequantize(x[0], x[1], x[2]) + dequantize(x[3], x[4], x[5]), x[6], x[7]),
        "QGemm": lambda: dequantize(x[0], x[1], x[2]) @ dequantize(x[3], x[4], x[5], 0).T + x[6] * (x[1] * x[4]),
        "MatMulInteger": lambda: (
            _integers(x[0], x[2] if len(x) > 2 else None, 0) @ _integers(x[1], x[3] if len(x) > 3 else None, -1)
        ),
    }
    if op == "Split":
        return _split(x[0], x[1], a.get("axis", 0))
    if op == "DynamicQuantizeLinear":
        return list(_dynamic(x[0]))
    if op == "Constant":
        return [a["value"]]
    result = simple[op]()
    return [result.astype(real) if getattr(result, "dtype", None) == np.float64 else result]


def _value(attribute):
    if attribute.HasField("t"):
        return numpy_helper.to_array(attribute.t)
    if attribute.type == attribute.FLOAT:
        return attribute.f
    return list(attribute.ints) if attribute.ints else attribute.i


def run(model, inputs, real=np.float32):
    values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    values.update(inputs)
    values = {name: v.astype(real) if v.dtype == np.float32 else v for name, v in values.items()}
    for node in model.graph.node:
        operands = [values[name] for name in node.input if name]
        attributes = {a.name: _value(a) for a in node.attribute}
        results = _evaluate(node.op_type, attributes, operands, real)
        for name, result in zip(node.output, results):
            values[name] = np.asarray(result)
    return values
