"""differential.py FOLDER|FILE COUNT SEED [OPERATOR...]: random models of single operators.

Writes FOLDER/OPERATOR.records, COUNT cases each and what ONNX Runtime computes, in the format of Case.h, for vitq-
operators, or all into one FILE, which ends in .records: Inputs/recent.records has operators that the ONNX project's
cases in Debian do not. An operator has a function in one of the modules beside this one that draws one case:
attributes, opset, types, shapes and values. What ONNX Runtime refuses is drawn again. scripts/differential.sh runs
this.
"""

import contextlib
import pathlib
import struct
import sys
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

import arithmetic
import products
import tensors
from draw import Draw

# Where ONNX Runtime 1.32 computes something else than the operator's text says; the cases are not drawn.
DEVIATIONS = {
    "AveragePool": "SAME_UPPER and SAME_LOWER with a stride longer than the window: starts behind the first element; "
                   "MaxPool fails",
    "Cast": "of reals outside an integer type: what the processor does; the text leaves it open, vitq saturates",
    "Pow": "of integers is computed in double: wrong from 2^53 on",
    "Gelu": "as x / 2 * (1 + erf(x / sqrt 2)) in float: nothing is left of it below -4",
    "Resize": "coordinates are computed in float: an output that lies half way between two inputs may take another; "
              "scales of tf_crop_and_resize are those of the whole axis, not of the region; an axis that keeps its "
              "size is left as it is, whatever its scale and its region",
    "Sigmoid": "is off by 2e-4 of its value at -10, by a tenth at -15, and 0 below -18",
    "Slice": "a step below 0 and an end of INT64_MAX: goes to the first element, as for INT64_MIN",
}

GENERATORS = {
    **{op: arithmetic.unary(op) for op in arithmetic.UNARY},
    **{op: arithmetic.binary(op) for op in ("Add", "Sub", "Mul", "Div", "Mod", "Equal", "Less", "LessOrEqual",
        "Greater", "GreaterOrEqual", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor")},
    **{op: arithmetic.variadic(op) for op in ("Sum", "Mean", "Min", "Max")},
    **{op: arithmetic.reduce(op) for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd",
        "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")},
    **{op: arithmetic.arg(op) for op in ("ArgMax", "ArgMin")},
    **{op: arithmetic.predicate(op) for op in ("IsNaN", "IsInf")},
    **{op: tensors.blocks(op) for op in ("DepthToSpace", "SpaceToDepth")},
    **{op: products.pool(op) for op in ("AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool")},
    **{op: products.softmax(op) for op in ("Softmax", "LogSoftmax", "Hardmax")},
    **{op: products.channel_norm(op) for op in ("BatchNormalization", "InstanceNormalization",
        "GroupNormalization")},
    "Pow": arithmetic.pow_, "BitShift": arithmetic.bit_shift, "PRelu": arithmetic.prelu, "Where": arithmetic.where,
    "Clip": arithmetic.clip, "Cast": arithmetic.cast, "Not": arithmetic.not_, "TopK": arithmetic.top_k, "CumSum":
    arithmetic.cum_sum, "Gather": tensors.gather, "GatherElements": tensors.gather_elements, "GatherND":
    tensors.gather_nd, "ScatterElements": tensors.scatter_elements, "ScatterND": tensors.scatter_nd, "OneHot":
    tensors.one_hot, "Compress": tensors.compress, "NonZero": tensors.non_zero, "Reshape": tensors.reshape,
    "Flatten": tensors.flatten, "Squeeze": tensors.squeeze, "Unsqueeze": tensors.unsqueeze, "Transpose":
    tensors.transpose, "Expand": tensors.expand, "Tile": tensors.tile, "Concat": tensors.concat, "Slice":
    tensors.slice_, "Split": tensors.split, "Pad": tensors.pad, "Trilu": tensors.trilu, "EyeLike": tensors.eye_like,
    "Range": tensors.range_, "Shape": tensors.shape_, "ConstantOfShape": tensors.constant_of_shape,
    "ReverseSequence": tensors.reverse_sequence, "Resize": tensors.resize, "MatMul": products.matmul, "Gemm":
    products.gemm, "Einsum": products.einsum, "Conv": products.conv, "LayerNormalization": products.layer_norm,
    "LpNormalization": products.lp_norm, "RMSNormalization": products.rms_norm,
    **{f"com.microsoft.{op}": products.microsoft(op) for op in ( "Gelu", "BiasGelu", "FastGelu", "QuickGelu",
        "FusedMatMul", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "MultiHeadAttention",
        "Attention")},
    "Attention": products.attention, "RotaryEmbedding": products.rotary_embedding, "Slice-9":
    tensors.slice_before_10, "Pad-10": tensors.pad_before_11, "Clip-10": tensors.clip_before_11, "Upsample":
    tensors.upsample, "chain-layer-norm": products.chain_layer_norm, "chain-attention": products.chain_attention,
    "chain-gelu": products.chain_gelu, "chain-shapes": products.chain_shapes, "chain-positions":
    products.chain_positions,
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
        own = pathlib.Path(folder) / f"{name}.records"
        with contextlib.nullcontext(together) if together else open(own, "wb") as file:
            draw_all(name, int(count), int(seed), options, file)


if __name__ == "__main__":
    main()
