"""What tools make of exported models: other types, fused operators, quantized models.

A variant is a function from a float model and normalized images to the model as the tool
writes it, and one of float32 operators with the same meaning, or None: its own outputs are
what counts.
"""

import copy
import os
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOATS = {TensorProto.FLOAT16: np.float16}


def files(model, transform):
    """`transform(input path, output path)` on files."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = os.path.join(folder, "before.onnx"), os.path.join(folder, "after.onnx")
        onnx.save(model, before)
        transform(before, after)
        return onnx.load(after)


def half_weights(model, images):
    """float16 weights, each with a Cast to float32 behind it."""
    model, rounded = copy.deepcopy(model), copy.deepcopy(model)
    casts = []
    for initializer, same in zip(model.graph.initializer, rounded.graph.initializer):
        values = numpy_helper.to_array(initializer)
        if values.dtype != np.float32 or values.size < 16:
            continue
        half = values.astype(np.float16)
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(half, name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], name + "_cast", to=TensorProto.FLOAT))
        same.CopyFrom(numpy_helper.from_array(half.astype(np.float32), name))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model, rounded


def half(model, images):
    """Everything in float16 but the input and the output."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    rounded = copy.deepcopy(model)
    for initializer in rounded.graph.initializer:
        values = numpy_helper.to_array(initializer)
        if values.dtype == np.float32:
            values = values.astype(np.float16).astype(np.float32)
            initializer.CopyFrom(numpy_helper.from_array(values, initializer.name))
    return convert_float_to_float16(copy.deepcopy(model), keep_io_types=True), rounded


def ort_extended(model, images):
    """onnxruntime's own optimizations, as it saves them."""
    import onnxruntime

    def optimize(before, after):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = after
        options.log_severity_level = 3
        onnxruntime.InferenceSession(before, options, providers=["CPUExecutionProvider"])

    return files(model, optimize), model


def ort_transformers(model_type, **options):
    def variant(model, images):
        from onnxruntime.transformers.optimizer import optimize_model

        def optimize(before, after):
            optimize_model(before, model_type=model_type, opt_level=0, **options).save_model_to_file(after)

        return files(model, optimize), model

    return variant


class Images:
    """onnxruntime's quantizer reads the calibration images from here."""

    def __init__(self, name, images):
        self.items = iter([{name: image[None]} for image in images])

    def get_next(self):
        return next(self.items, None)


def static(form, **options):
    """quantize_static; options are names of its enumerations."""

    def variant(model, images):
        from onnxruntime import quantization

        chosen = dict(options)
        for key in ("activation_type", "weight_type"):
            if key in chosen:
                chosen[key] = getattr(quantization.QuantType, chosen[key])
        if "calibrate_method" in chosen:
            chosen["calibrate_method"] = getattr(quantization.CalibrationMethod, chosen["calibrate_method"])

        def quantize(before, after):
            prepared = before + ".prepared.onnx"
            quantization.shape_inference.quant_pre_process(before, prepared, skip_symbolic_shape=True)
            quantization.quantize_static(
                prepared, after, Images(model.graph.input[0].name, images),
                quant_format=getattr(quantization.QuantFormat, form), **chosen)  # fmt: skip

        return files(model, quantize), None

    return variant


def dynamic(**options):
    def variant(model, images):
        from onnxruntime import quantization

        chosen = dict(options)
        if "weight_type" in chosen:
            chosen["weight_type"] = getattr(quantization.QuantType, chosen["weight_type"])
        return files(model, lambda before, after: quantization.quantize_dynamic(before, after, **chosen)), None

    return variant


def packed_projections(model, images):
    """q, k and v as one MatMul, Split, Add each, as onnxsim 0.8.1 makes of three that read the same."""
    model = copy.deepcopy(model)
    graph = model.graph
    weights = {initializer.name: initializer for initializer in graph.initializer}
    readers = {}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            readers.setdefault(node.input[0], []).append(node)
    packed = 0
    for source, nodes in readers.items():
        if len(nodes) != 3:
            continue
        values = [numpy_helper.to_array(weights[node.input[1]]) for node in nodes]
        for node in nodes:
            graph.initializer.remove(weights[node.input[1]])
        stem = f"packed_{packed}"
        sizes = np.array([value.shape[1] for value in values], np.int64)
        graph.initializer.append(numpy_helper.from_array(np.concatenate(values, 1), stem + "_weight"))
        graph.initializer.append(numpy_helper.from_array(sizes, stem + "_sizes"))
        at = list(graph.node).index(nodes[0])
        outputs = [node.output[0] for node in nodes]
        for node in nodes:
            graph.node.remove(node)
        graph.node.insert(at, helper.make_node("MatMul", [source, stem + "_weight"], [stem], stem + "_matmul"))
        graph.node.insert(
            at + 1, helper.make_node("Split", [stem, stem + "_sizes"], outputs, stem + "_split", axis=-1))  # fmt: skip
        packed += 1
    assert packed, "no three products of one value"
    return model, model


VARIANTS = {
    "half_weights": half_weights,
    "half": half,
    "ort": ort_extended,
    "ort_vit": ort_transformers("vit", num_heads=2, hidden_size=24),
    "ort_clip": ort_transformers("clip", num_heads=2, hidden_size=24),
    "packed": packed_projections,
    "qdq": static("QDQ"),
    "qdq_channels": static("QDQ", activation_type="QUInt8", weight_type="QInt8", per_channel=True),
    "qdq_symmetric": static("QDQ", activation_type="QInt8", weight_type="QInt8", extra_options=dict(
        ActivationSymmetric=True, WeightSymmetric=True)),
    "qdq_int16": static("QDQ", activation_type="QInt16", weight_type="QInt8", per_channel=True),
    "qdq_matmul": static("QDQ", weight_type="QInt8", per_channel=True, op_types_to_quantize=["Conv", "MatMul", "Gemm"]),
    "qdq_int4": static("QDQ", activation_type="QInt8", weight_type="QInt4", op_types_to_quantize=["MatMul"]),
    "qop": static("QOperator"),
    "qop_channels": static("QOperator", activation_type="QInt8", weight_type="QInt8", per_channel=True),
    "dynamic": dynamic(),
    "dynamic_channels": dynamic(weight_type="QInt8", per_channel=True),
}
