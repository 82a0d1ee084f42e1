"""Models that a frontend must refuse (make_models.py lists them)."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vit_modules import CHANNELS, CLASSES, DIM, PATCH, SIZE, TOKENS


def tiny(middle=(), opset=17, dtype=TensorProto.FLOAT, extra=(), source="tokens"):
    """Patch embedding, `middle`, mean pooling and a head, written by hand.

    `middle` reads `tokens` [1,16,32] and may define the value `source`.
    """
    rng = np.random.default_rng(11)
    kind = np.float16 if dtype == TensorProto.FLOAT16 else np.float32

    def weight(name, shape):
        return numpy_helper.from_array(
            (rng.standard_normal(shape) * 0.1).astype(kind), name
        )

    nodes = [
        helper.make_node(
            "Conv",
            ["input", "patch.weight", "patch.bias"],
            ["patches"],
            name="/patch_embed/Conv",
            kernel_shape=[PATCH, PATCH],
            strides=[PATCH, PATCH],
        ),
        helper.make_node(
            "Reshape", ["patches", "shape"], ["flat"], name="/patch_embed/Reshape"
        ),
        helper.make_node(
            "Transpose", ["flat"], ["tokens"], name="/Transpose", perm=[0, 2, 1]
        ),
        *middle,
        helper.make_node(
            "ReduceMean", [source], ["pooled"], name="/pool", axes=[1], keepdims=0
        ),
        helper.make_node(
            "Gemm",
            ["pooled", "head.weight", "head.bias"],
            ["logits"],
            name="/head/Gemm",
            transB=1,
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", dtype, [1, CHANNELS, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", dtype, [1, CLASSES])],
        [
            weight("patch.weight", (DIM, CHANNELS, PATCH, PATCH)),
            weight("patch.bias", (DIM,)),
            numpy_helper.from_array(np.array([1, DIM, TOKENS], np.int64), "shape"),
            weight("head.weight", (CLASSES, DIM)),
            weight("head.bias", (CLASSES,)),
            *extra,
        ],
    )
    model = helper.make_model(
        graph,
        producer_name="vitq-test",
        opset_imports=[helper.make_opsetid("", opset)],
    )
    model.ir_version = 8
    return model


def bad_lstm():
    rng = np.random.default_rng(12)
    extra = [
        numpy_helper.from_array(rng.standard_normal(s).astype(np.float32) * 0.1, n)
        for n, s in (("lstm.W", (1, 4 * DIM, DIM)), ("lstm.R", (1, 4 * DIM, DIM)))
    ]
    extra.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    nodes = [
        helper.make_node(
            "Transpose", ["tokens"], ["steps"], name="/t1", perm=[1, 0, 2]
        ),
        helper.make_node(
            "LSTM",
            ["steps", "lstm.W", "lstm.R"],
            ["hidden"],
            name="/blocks/lstm/LSTM",
            hidden_size=DIM,
        ),
        helper.make_node("Squeeze", ["hidden", "one"], ["squeezed"], name="/squeeze"),
        helper.make_node("Transpose", ["squeezed"], ["x"], name="/t2", perm=[1, 0, 2]),
    ]
    model = tiny(nodes, extra=extra, source="x")
    onnx.checker.check_model(model, full_check=True)
    return model


def bad_domain():
    node = helper.make_node(
        "LongformerAttention", ["tokens"], ["x"], name="/blocks/act", domain="com.microsoft"
    )
    model = tiny([node], source="x")
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def bad_string():
    """A sound graph that returns the names of the classes before their scores."""
    node = helper.make_node("Identity", ["names"], ["first"], name="/class_names")
    text = helper.make_tensor(
        "names", TensorProto.STRING, [CLASSES], [b"class%d" % i for i in range(CLASSES)]
    )
    model = tiny([node], extra=[text])
    model.graph.output.insert(
        0, helper.make_tensor_value_info("first", TensorProto.STRING, [CLASSES])
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def bad_external(location, length=None):
    model = tiny()
    tensor = model.graph.initializer[0]
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", location),
        ("offset", "0"),
        ("length", str(length or size)),
    ):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return model


def write_bad(writer):
    def undefined():
        node = helper.make_node(
            "Add", ["tokens", "nowhere"], ["x"], name="/blocks/add"
        )
        return tiny([node], source="x")

    def truncated():
        data = tiny().SerializeToString()
        return data[: len(data) * 2 // 3]

    def float16():
        model = tiny(dtype=TensorProto.FLOAT16)
        onnx.checker.check_model(model, full_check=True)
        return model

    def opset7():
        model = tiny(opset=7)
        onnx.checker.check_model(model, full_check=True)
        return model

    def external_short():
        name = "bad_external_short.onnx.data"
        with open(writer.path(name), "wb") as f:
            f.write(bytes(100))
        writer.note(name)
        return bad_external(name)

    onnx.checker.check_model(tiny(), full_check=True)
    for name, make in (
        ("bad_lstm", bad_lstm),
        ("bad_domain", bad_domain),
        ("bad_opset7", opset7),
        ("bad_float16", float16),
        ("bad_string", bad_string),
        ("bad_truncated", truncated),
        ("bad_undefined_value", undefined),
        (
            "bad_external_missing",
            lambda: bad_external("bad_external_missing.onnx.data"),
        ),
        ("bad_external_short", external_short),
        ("bad_external_escape", lambda: bad_external("../secret.data")),
    ):
        if writer.wants(name):
            writer.bad(name, make())
