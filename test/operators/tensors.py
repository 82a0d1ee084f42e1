"""Cases of differential.py: elements found by index, moved and resized."""

import numpy as np
from onnx import TensorProto, helper

from draw import FLOATS, INTS


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
    start, limit = (d.input(d.values([], dtype, -9, 9)) for _ in range(2))
    d.node("Range", [start, limit, d.input(step.astype(dtype))])
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
    lengths = d.values([shape[batch]], np.int64, 1, shape[1 - batch])
    d.node("ReverseSequence", [d.input(d.values(shape)), d.input(lengths)],
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
