"""From a module of torch to a clean ONNX model in memory, as its two exporters write it."""

import contextlib
import inspect
import io
import os
import sys
import tempfile
import warnings

import numpy as np
import onnx
import torch

KEPT_METADATA = ("pkg.torch.onnx.name_scopes",)


def perturb(model, seed):
    """Give every parameter and statistic a value of its own, about as large as trained ones.

    As they are initialized, models hide what matters: zero biases, position tables and class
    tokens, layer scales of 1e-5, norms that change nothing.
    """
    generator = torch.Generator().manual_seed(seed)

    def noise(tensor):
        return torch.randn(tensor.shape, generator=generator)

    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            if value.ndim >= 2 and value.shape[0] > 1 and "table" not in name and "pos" not in name:
                fan_in = value[0].numel()
                value.copy_(noise(value) * (0.8 / fan_in**0.5))
            elif value.ndim >= 2 or "token" in name or "pos" in name:
                value.copy_(noise(value) * 0.5)
            elif "bias" in name:
                value.copy_(noise(value) * 0.1)
            elif any(part in name for part in ("gamma", "lambda", "ls", "layer_scale")):
                value.copy_(0.5 + 0.2 * noise(value))
            else:
                value.add_(noise(value) * 0.2)
        for name, value in model.named_buffers():
            if name.endswith("running_mean"):
                value.copy_(noise(value) * 0.2)
            elif name.endswith("running_var"):
                value.copy_(1 + 0.2 * noise(value).abs())
    # With gradients, torch 2.15 cannot export attention with a learned bias: findings/.
    return model.eval().requires_grad_(False)


@contextlib.contextmanager
def folding_limit(elements):
    """Fold constants in small models as in models of the published sizes.

    The dynamo exporter keeps subgraphs of constants above 8192 elements as they are.
    """
    from onnxscript.optimizer import _constant_folding, _optimizer

    if elements is None:
        yield
        return
    limits = ("input_size_limit", "output_size_limit")
    changed = []
    for function in (_optimizer.optimize_ir, _constant_folding.fold_constants):
        parameters = inspect.signature(function).parameters.values()
        named = [parameter for parameter in parameters if parameter.default is not inspect.Parameter.empty]
        keyword = {p.name: p.default for p in named if p.kind is inspect.Parameter.KEYWORD_ONLY}
        changed.append((function, function.__defaults__, function.__kwdefaults__))
        function.__kwdefaults__ = {name: elements if name in limits else value for name, value in keyword.items()}
        function.__defaults__ = tuple(
            elements if p.name in limits else p.default
            for p in named if p.kind is not inspect.Parameter.KEYWORD_ONLY)  # fmt: skip
    try:
        yield
    finally:
        for function, defaults, keyword in changed:
            function.__defaults__, function.__kwdefaults__ = defaults, keyword


@contextlib.contextmanager
def quiet():
    """TorchScript's exporter prints graphs when it fails, past Python."""
    sys.stdout.flush()
    saved = os.dup(1), os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 1)
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        for number, copy in enumerate(saved, 1):
            os.dup2(copy, number)
            os.close(copy)


def clean(model):
    """Leave the modules' paths; take out stack traces, other texts and unused parts."""

    def strip(graph):
        for thing in [*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]:
            kept = [entry for entry in thing.metadata_props if entry.key in KEPT_METADATA]
            del thing.metadata_props[:]
            thing.metadata_props.extend(kept)
            thing.doc_string = ""
        for node in graph.node:
            for attribute in node.attribute:
                attribute.doc_string = ""
                for inner in [attribute.g] * attribute.HasField("g") + [*attribute.graphs]:
                    strip(inner)
        graph.doc_string = ""
        del graph.metadata_props[:]

    strip(model.graph)
    for function in model.functions:
        function.doc_string = ""
        for node in function.node:
            del node.metadata_props[:]
            node.doc_string = ""
        del function.metadata_props[:]
        del function.value_info[:]
    del model.metadata_props[:]
    model.doc_string = ""
    # Only shapes of values, which every reader infers.
    del model.graph.value_info[:]
    return model


def export(module, image, exporter, opset=None, dynamic_batch=False, open_axes=(), fold_limit=64):
    """The ONNX model; `exporter` is dynamo or script."""
    names = dict(input_names=["image"], output_names=["output"])
    axes = {index: name for index, name in enumerate(("batch", "channels", "height", "width"))}
    open_axes = {index: axes[index] for index in ((0,) if dynamic_batch else ()) + tuple(open_axes)}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        path = os.path.join(folder, "model.onnx")
        if exporter == "dynamo":
            dynamic = {}
            if open_axes:
                # torch takes a dimension of 1 for a constant.
                image = image.repeat(2, 1, 1, 1) if 0 in open_axes else image
                dynamic["dynamic_shapes"] = [{axis: torch.export.Dim(name) for axis, name in open_axes.items()}]
            with folding_limit(fold_limit):
                torch.onnx.export(
                    module, (image,), path, dynamo=True, opset_version=opset, external_data=False, verbose=False,
                    **names, **dynamic)  # fmt: skip
        else:
            torch.onnx.export(
                module, (image,), path, dynamo=False, opset_version=opset or 17,
                dynamic_axes={"image": open_axes, "output": {0: "batch"}} if open_axes else None, **names)  # fmt: skip
        return clean(onnx.load(path))


def run(model, images, optimize=True):
    """What onnxruntime computes, one image at a time, of the first output."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    results = [session.run(None, {name: image[None]})[0] for image in normalized(images)]
    return np.concatenate(results).astype(np.float32)


def normalized(images):
    """uint8 [N, H, W, C] as --preprocess=mean=0.5,std=0.5 gives it to the model."""
    return ((images.astype(np.float32) / 255 - 0.5) / 0.5).transpose(0, 3, 1, 2).copy()


def pictures(count, size, seed=0):
    """Patterns of a few random waves for each channel, with some noise: no two alike, no two channels either."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    images = []
    for _ in range(count):
        channels = []
        for _ in range(3):
            waves = sum(
                random.normal() * np.cos(2 * np.pi * (a * x + b * y + random.random()))
                for a, b in random.uniform(-3, 3, (5, 2))
            )
            channels.append(waves)
        image = np.stack(channels, -1)
        image = 127.5 + 60 * image / image.std() + random.normal(0, 12, image.shape)
        images.append(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return np.stack(images)
