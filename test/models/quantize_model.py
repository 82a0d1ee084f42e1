#!/usr/bin/env python3
"""Quantize the digits model in the styles of several tools.

    quantize_model.py STYLE MODEL IMAGES.npy OUT.onnx [LOGITS.npy]

STYLE:
    qdq-u8       QuantizeLinear, DequantizeLinear in front of products, activations unsigned with zero
                 point, weights int8 per channel, biases float
    qdq-i8       the same with signed symmetric activations, results of products too, biases int32
    qdq-nncf     weights quantized in the graph; products of activations stay float
    qdq-aimet    activations unsigned at the result of every operator that computes; weights per tensor
    qdq-aimet16  the same with int16 at the results, weights per channel: W8A16
    qdq-u8w      as qdq-u8 with unsigned weights that have a zero point, which most do not fit 8 bits without
    qdq-i16      as qdq-u8 with 16-bit activations, of the domain com.microsoft
    qoperator    QLinearConv, QLinearMatMul, QLinearAdd, QGemm
    dynamic      DynamicQuantizeLinear, MatMulInteger

Ranges are those of the images. LOGITS.npy receives what the quantized model gives for them.
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import onnx_numpy  # noqa: E402

COMPUTES = {"Conv", "MatMul", "Gemm", "Add", "Mul", "Div", "LayerNormalization", "Softmax"}


class Quantizer:
    def __init__(self, model, values):
        self.graph, self.values = model.graph, values
        self.constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        self.floats = {n for n, v in values.items() if np.asarray(v).dtype == np.float32}
        self.nodes, self.made, self.domain = [], {}, ""

    # Parts.
    def constant(self, name, array):
        if name not in self.made:
            self.made[name] = name
            self.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, output, domain="", **attributes):
        outputs = output if isinstance(output, list) else [output]
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def grid(self, name, dtype, symmetric=False):
        """Scale and zero point of a value."""
        low, high = min(0.0, float(self.values[name].min())), max(0.0, float(self.values[name].max()))
        info = np.iinfo(dtype)
        if symmetric:
            scale, zero = max(-low, high) / info.max, 0
        else:
            scale = (high - low) / (info.max - info.min)
            zero = int(np.clip(info.min - np.rint(low / scale), info.min, info.max))
        return (
            self.constant(name + "_scale", np.float32(scale)),
            self.constant(name + "_zero", np.asarray(zero, dtype)),
        )

    def codes(self, name, dtype, symmetric=False):
        scale, zero = self.grid(name, dtype, symmetric)
        if name + "_q" not in self.made:
            self.made[name + "_q"] = True
            self.node("QuantizeLinear", [name, scale, zero], name + "_q", self.domain)
        return name + "_q", scale, zero

    def cast(self, name, dtype, symmetric=False):
        codes, scale, zero = self.codes(name, dtype, symmetric)
        if name + "_dq" not in self.made:
            self.made[name + "_dq"] = True
            self.node("DequantizeLinear", [codes, scale, zero], name + "_dq", self.domain)
        return name + "_dq"

    def weight_codes(self, name, axis, dtype=np.int8, per_channel=True):
        w = self.constants[name].astype(np.float64)
        axes = tuple(i for i in range(w.ndim) if i != axis) if per_channel else None
        info = np.iinfo(dtype)
        if dtype == np.int8:
            scale, zero = np.abs(w).max(axis=axes) / 127, np.zeros(w.shape[axis] if per_channel else ())
        else:
            low, high = np.minimum(w.min(axis=axes), 0), np.maximum(w.max(axis=axes), 0)
            scale = (high - low) / info.max
            zero = np.rint(-low / scale)
        scale = np.asarray(scale, np.float32)
        zero = np.asarray(zero).astype(dtype)
        codes = onnx_numpy.quantize(w, scale, zero, axis)
        return (
            self.constant(name + "_q", codes),
            self.constant(name + "_scale", scale),
            self.constant(name + "_zero", zero),
        )

    def weight(self, name, axis, **options):
        codes, scale, zero = self.weight_codes(name, axis, **options)
        if name + "_dq" not in self.made:
            self.made[name + "_dq"] = True
            self.node("DequantizeLinear", [codes, scale, zero], name + "_dq", axis=axis)
        return name + "_dq"

    def bias(self, name, scales):
        scale = np.asarray(scales, np.float32)
        codes = np.rint(self.constants[name] / scale).astype(np.int32)
        return self.constant(name + "_q", codes)

    def is_weight(self, node, i):
        return node.input[i] in self.constants

    def rename(self, node, name):
        """Lets `node` give `name`_raw, so that `name` can be made of it."""
        node.output[0] = name + "_raw"
        self.values[name + "_raw"] = self.values[name]
        return name + "_raw"


def weight_axis(node):
    return 0 if node.op_type == "Conv" or any(a.name == "transB" and a.i for a in node.attribute) else 1


def qdq(q, nodes, dtype=np.uint8, symmetric=False, results=False, weights=None, products=True, everything=False):
    weights = weights or {}
    for node in nodes:
        if node.op_type in ("Conv", "MatMul", "Gemm"):
            constant = q.is_weight(node, 1)
            if constant or products:
                node.input[0] = q.cast(node.input[0], dtype, symmetric)
                node.input[1] = (
                    q.weight(node.input[1], weight_axis(node), **weights)
                    if constant
                    else q.cast(node.input[1], dtype, symmetric)
                )
            if results and len(node.input) > 2:
                scales = q.values_of(node.input[0][:-3] + "_scale") * q.values_of(node.input[1][:-3] + "_scale")
                bias = q.bias(node.input[2], scales)
                scale = q.constant(bias + "_scale", np.asarray(scales, np.float32))
                node.input[2] = q.node("DequantizeLinear", [bias, scale], bias + "_dq", axis=0)
        elif everything and node.op_type in COMPUTES and node.output[0] in q.floats:
            for i, name in enumerate(node.input):
                if name in q.floats and name not in q.constants and i < 2:
                    node.input[i] = q.cast(name, dtype, symmetric)
        output = node.output[0] if node.output else ""
        if results and node.op_type in ("Conv", "MatMul", "Gemm") and output in q.floats:
            raw = q.rename(node, output)
            q.nodes.append(node)
            scale, zero = q.grid(raw, dtype, symmetric)
            codes = q.node("QuantizeLinear", [raw, scale, zero], output + "_codes")
            q.node("DequantizeLinear", [codes, scale, zero], output)
        else:
            q.nodes.append(node)


def nncf(q, nodes):
    """Weights are quantized by nodes of the graph."""
    for node in nodes:
        if node.op_type in ("Conv", "MatMul", "Gemm") and q.is_weight(node, 1):
            name, axis = node.input[1], weight_axis(node)
            _, scale, zero = q.weight_codes(name, axis)
            codes = q.node("QuantizeLinear", [name, scale, zero], name + "_codes", axis=axis)
            node.input[1] = q.node("DequantizeLinear", [codes, scale, zero], name + "_dq", axis=axis)
            node.input[0] = q.cast(node.input[0], np.int8)
        q.nodes.append(node)


def qoperator(q, nodes):
    def result(node, op, inputs, domain="", extra=(), **attributes):
        output = node.output[0]
        scale, zero = q.grid(output, np.uint8)
        q.node(op, [*inputs, scale, zero, *extra], output + "_q", domain, **attributes)
        q.made[output + "_q"] = True
        q.node("DequantizeLinear", [output + "_q", scale, zero], output)

    for node in nodes:
        if node.op_type == "Conv":
            data = q.codes(node.input[0], np.uint8)
            weight = q.weight_codes(node.input[1], 0)
            bias = q.bias(node.input[2], q.values_of(data[1]) * q.values_of(weight[1]))
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            result(node, "QLinearConv", [*data, *weight], extra=[bias], **attributes)
        elif node.op_type == "MatMul":
            lhs = q.codes(node.input[0], np.uint8)
            rhs = q.weight_codes(node.input[1], 1) if q.is_weight(node, 1) else q.codes(node.input[1], np.uint8)
            result(node, "QLinearMatMul", [*lhs, *rhs])
        elif node.op_type == "Gemm":
            lhs, rhs = q.codes(node.input[0], np.uint8), q.weight_codes(node.input[1], 0)
            bias = q.bias(node.input[2], q.values_of(lhs[1]) * q.values_of(rhs[1]))
            q.node("QGemm", [*lhs, *rhs, bias], node.output[0], "com.microsoft", transB=1)
        elif node.op_type == "Add" and all(n in q.floats and n not in q.constants for n in node.input):
            operands = [part for name in node.input for part in q.codes(name, np.uint8)]
            result(node, "QLinearAdd", operands, "com.microsoft")
        else:
            q.nodes.append(node)


def dynamic(q, nodes):
    for node in nodes:
        if node.op_type != "MatMul" or not q.is_weight(node, 1):
            q.nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        codes, scale, zero = x + "_q", x + "_scale", x + "_zero"
        if codes not in q.made:
            q.made[codes] = True
            q.node("DynamicQuantizeLinear", [x], [codes, scale, zero])
        weight = q.weight_codes(node.input[1], 1, per_channel=False)
        product = q.node("MatMulInteger", [codes, weight[0], zero, weight[2]], y + "_int")
        real = q.node("Cast", [product], y + "_cast", to=1)
        factor = q.node("Mul", [scale, weight[1]], y + "_scale_mul")
        q.node("Mul", [real, factor], y)


def main():
    style, source, images, out = sys.argv[1:5]
    model = onnx.load(source)
    pixels = np.load(images)
    pixels = pixels if pixels.ndim == 4 else pixels[..., None]
    inputs = ((pixels / np.float32(255) - 0.5) / 0.5).astype(np.float32).transpose(0, 3, 1, 2)
    name = model.graph.input[0].name
    # One image at a time, as the model's shapes want it.
    runs = [onnx_numpy.run(model, {name: image[None]}) for image in inputs[:16]]
    values = {key: np.concatenate([np.ravel(run[key]) for run in runs]) for key in runs[0]}
    for key in values:
        values[key] = values[key].astype(runs[0][key].dtype)
    q = Quantizer(model, values)
    q.values_of = lambda name: next(numpy_helper.to_array(i) for i in q.graph.initializer if i.name == name)
    nodes = list(model.graph.node)
    if style == "qdq-u8":
        qdq(q, nodes)
    elif style == "qdq-i8":
        qdq(q, nodes, np.int8, symmetric=True, results=True)
    elif style == "qdq-nncf":
        nncf(q, nodes)
    elif style == "qdq-aimet":
        qdq(q, nodes, weights={"per_channel": False}, everything=True)
    elif style == "qdq-aimet16":
        qdq(q, nodes, np.int16, everything=True)
    elif style == "qdq-u8w":
        qdq(q, nodes, weights={"dtype": np.uint8})
    elif style == "qdq-i16":
        q.domain = "com.microsoft"
        qdq(q, nodes, np.uint16)
    elif style == "qoperator":
        qoperator(q, nodes)
    elif style == "dynamic":
        dynamic(q, nodes)
    else:
        sys.exit(f"no style '{style}'")
    del model.graph.node[:]
    model.graph.node.extend(q.nodes)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, out)
    if len(sys.argv) > 5:
        output = model.graph.output[0].name
        logits = [onnx_numpy.run(model, {name: image[None]})[output] for image in inputs]
        np.save(sys.argv[5], np.concatenate(logits).astype(np.float32))


if __name__ == "__main__":
    main()
