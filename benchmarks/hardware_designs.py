"""What hardware_cost.py synthesizes, and what its inputs are while its power is estimated."""

import dataclasses
import struct
import typing

ELEMENT = ["processing_element.sv"]
FLOAT = ["baselines/float_multiply.sv", "baselines/float_add.sv"]
ROUND = "units/vitq_round.sv"
# Steps of the real values that codes stand for, where a baseline dequantizes first; no powers of two, so that mantissas are full.
STEPS = 0.0173, 0.00291
SUM_BITS = {8: 32, 4: 24, 3: 20, 2: 20}


@dataclasses.dataclass
class Design:
    name: str
    group: str
    top: str
    sources: list
    parameters: dict
    # Streams: arrays of integers by port, one a cycle; the first `skip` cycles set up. None: area and time only.
    stimuli: typing.Optional[typing.Callable] = None
    skip: int = 0
    device: bool = True
    facts: dict = dataclasses.field(default_factory=dict)


def single(x):
    """The pattern of a float."""
    return struct.unpack("<I", struct.pack("<f", x))[0]


def brain(x):
    """That of a bfloat16, rounded half to even."""
    bits = single(x)
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16


STREAMS = 64  # of stimuli, which run side by side


def columns(make):
    """The streams that `make(stream)` yields, as arrays by port."""
    found = []
    for stream in range(STREAMS):
        cycles = list(make(stream))
        found.append({name: [cycle[name] for cycle in cycles] for name in cycles[0]})
    return found


def tiles(codes, stream):
    """An element in the middle of a 16 x 16 tile: for two tiles their weights on their way down, the left operand of every
    row, and the sum of the elements above. Yields (x, weight passing or None, first, pairs of x and w above)."""
    rows, depth = codes.x.shape
    for tile in (2 * stream, 2 * stream + 1):
        start, channel, k = tile * 16 % (depth - 15), tile * 7 % len(codes.w), 8
        weights = [int(codes.w[channel, start + i]) for i in (*range(15, k, -1), *range(k - 1, -1, -1), k)]
        for m in range(min(max(rows, 16), 48)):
            row = codes.x[m % rows]
            above = [(int(row[start + i]), int(codes.w[channel, start + i])) for i in range(k)]
            yield int(row[start + k]), weights[m] if m < 16 else None, m == 0, above


def element_stimuli(codes):
    def make(stream):
        for x, weight, first, above in tiles(codes, stream):
            yield {"enable": 1, "left_in": x, "control_in": 1 | first << 1 | (weight is not None) << 3, "side_in": 0,
                   "top_in": weight or 0, "sum_in": sum(a * b for a, b in above)}

    return lambda: columns(make)


def staying_stimuli(codes):
    """Sums stay: operands of one dot product after the other; its sum leaves while the next is formed."""
    def make(stream):
        for product in (2 * stream, 2 * stream + 1):
            row, channel = codes.x[product % len(codes.x)], codes.w[product * 7 % len(codes.w)]
            for k in range(min(len(row), 64)):
                yield {"enable": 1, "left_in": int(row[k]),
                       "control_in": 1 | (k == 0) << 1 | (k < 16) << 3 | (k == 0) << 4, "side_in": 0,
                       "top_in": int(channel[k]), "sum_in": int(codes.sums[product % len(codes.x), k % len(codes.w)])}

    return lambda: columns(make)


def float_stimuli(codes, pattern):
    def make(stream):
        for x, weight, first, above in tiles(codes, stream):
            yield {"enable": 1, "left_in": pattern(x * STEPS[0]), "shift": weight is not None, "first": first,
                   "top_in": pattern((weight or 0) * STEPS[1]),
                   "sum_in": single(sum(a * STEPS[0] * b * STEPS[1] for a, b in above))}

    return lambda: columns(make)


def elements(codes):
    """Headline sizes, what the compiler's energies need (sums of 32 bits, both dataflows), and the baselines."""
    def element(bits, sum_bits, stays, group):
        return Design(f"int{bits}, {sum_bits}-bit sum" + (", sums stay" if stays else ""), group, "processing_element",
                      ELEMENT, {"BITS": bits, "SUM_BITS": sum_bits, "SUMS_STAY": int(stays)},
                      (staying_stimuli if stays else element_stimuli)(codes[bits]), device=group == "element",
                      facts={"bits": bits, "sum_bits": sum_bits, "sums_stay": stays})

    yield from (element(bits, SUM_BITS[bits], False, "element") for bits in (8, 4, 3, 2))
    for name, operand, pattern in (("fp32", 23, single), ("bf16, fp32 sum", 7, brain)):
        yield Design(name, "element", "float_element", FLOAT + ["baselines/float_element.sv"], {"OPERAND": operand},
                     float_stimuli(codes[8], pattern), facts={"baseline": name.split(",")[0]})
    for bits in (8, 4, 3, 2):
        for sum_bits in (32, 20):
            for stays in (False, True):
                if stays or SUM_BITS[bits] != sum_bits:
                    yield element(bits, sum_bits, stays, "element of the cost model")


# Chords of the function between breakpoints, in integers of a code's steps; that GQA-LUT's are better does not matter here.
def chords(function, first, last, entries, width, fraction):
    import math

    points = [first + (last - first) * i / entries for i in range(entries + 1)]
    if first > 0:
        points = [first * (last / first) ** (i / entries) for i in range(entries + 1)]
    top = (1 << (width - 1)) - 1
    lines = []
    for a, b in zip(points, points[1:]):
        slope = (function(b) - function(a)) / (b - a)
        lines.append((slope, function(a) - slope * a))
    clip = lambda value: max(-top - 1, min(top, math.floor(value * 2 ** fraction + 0.5)))
    return points[1:-1], lines, [clip(s) for s, _ in lines], [clip(t) for _, t in lines]


def parameter_words(fields, width):
    """Words in the order in which a unit's register takes them: the register's highest bits first."""
    value, bits = 0, 0
    for field, size in fields:
        value |= (int(field) & ((1 << size) - 1)) << bits
        bits += size
    words = -(-bits // width)
    value <<= words * width - bits
    # What is shifted out at the top is lost: the first word has the padding.
    total = words * width
    value >>= total - bits
    return [value >> (total - width * (i + 1)) & ((1 << width) - 1) for i in range(words)]


def split(values):
    """Into streams of equal lengths."""
    length = len(values) // STREAMS
    return [values[s * length:(s + 1) * length] for s in range(STREAMS)]


def loaded(words, values):
    """A function unit's parameters, and then its inputs."""
    return lambda: [{"load": [1] * len(words) + [0] * len(part), "load_data": words + [0] * len(part),
                     "x": part[:1] * len(words) + part} for part in split(values)]


def functions(codes):
    """GQA-LUT's functions: entries and parameters of 8 bits, of 32, and floats."""
    import math

    gelu = lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2)))
    data = codes[8]
    order = [int(v) for v in data.codes.reshape(-1)[:STREAMS * 20]]
    positive = [abs(int(v)) + 1 for v in data.sums.reshape(-1)[:STREAMS * 20]]
    kinds = {"GELU": (0, lambda q: gelu(q / 32), -128, 127, order),
             "EXP": (0, lambda q: math.exp(min(q, 0) / 32), -255, -1e-9, [-abs(v) for v in order]),
             "DIV": (1, lambda q: 64 / q, 16, 128, positive), "RSQRT": (2, lambda q: 64 / math.sqrt(q), 8, 128, positive)}
    for name, (kind, function, first, last, values) in kinds.items():
        for entries in (8, 16):
            points, lines, slopes, intercepts = chords(function, first, last, entries, 8, 5)
            for width in (8, 32):
                x = {8: 9 if name == "EXP" else 8, 32: 32}[width]
                scale = 1 if width == 8 else 1 << 12
                value = {0: x, 1: 31, 2: 31}[kind]
                result = (17 if width == 8 else 64) if kind == 0 else (24 if width == 8 else 64)
                fields = [(point * (1 if kind == 0 or width == 8 else 1 << 24), x) for point in points]
                fields += [(number * scale, width) for number in slopes + intercepts]
                words = parameter_words(fields, width)

                yield Design(f"{name} INT{width}, {entries} entries", "function", "lines_unit",
                             ["units/vitq_lines.sv", "units/vitq_range_scale.sv", "baselines/lines_unit.sv"],
                             {"ENTRIES": entries, "X": x, "WIDTH": width, "RESULT": result, "FUNCTION": kind,
                              "VALUE": value}, loaded(words, values), len(words) + 4,
                             facts={"function": name, "entries": entries, "kind": f"INT{width}"})
            if kind == 0:
                floats = [(point / 32, *line) for point, line in zip([*points, 0], lines)]
                numbers = [point for point, _, _ in floats[:-1]] + [s * 32 for _, s, _ in floats] + [t for *_, t in floats]
                inputs = [v / 32 for v in values]
            else:
                scaled = (lambda m: 1 / m) if kind == 1 else (lambda m: 1 / math.sqrt(m))
                points, lines, _, _ = chords(scaled, 1, 2 if kind == 1 else 4, entries, 32, 20)
                numbers = points + [s for s, _ in lines] + [t for _, t in lines]
                inputs = values
            words = parameter_words([(single(number), 32) for number in numbers], 32)

            yield Design(f"{name} FP32, {entries} entries", "function", "float_lines_unit",
                         FLOAT + ["baselines/float_lines_unit.sv"], {"ENTRIES": entries, "FUNCTION": kind},
                         loaded(words, [single(v) for v in inputs]), len(words) + 4, facts={"function": name, "entries": entries, "kind": "FP32"})


def requantizers(codes):
    """One lane; its channels follow each other, 16 apart, with their own parameters."""
    for bits in range(2, 9):
        data = codes.get(bits, codes[8])
        more = 0 if bits in codes else 8 - bits
        rows, channels = data.sums.shape
        # A stream is a lane and a row.
        lanes = [[(s % rows, n) for n in range(s % 16, channels, 16)] for s in range(STREAMS)]
        top = 1 << (bits - 1)

        def dyadic(pairs, data=data, more=more, top=top):
            ports = {"x": [int(data.sums[m, n]) for m, n in pairs],
                     "multiplier": [int(data.multipliers[n]) for _, n in pairs],
                     "shift": [int(data.shifts[n]) + more for _, n in pairs]}
            constant = {"enable": 1, "offset": 0, "zero_point": 0, "rounding": 0, "least": -top, "greatest": top - 1}
            return ports | {name: [value] * len(pairs) for name, value in constant.items()}

        def shift(pairs, data=data, bits=bits):
            by = max(int(abs(data.sums).max()).bit_length() - bits, 0)
            return {"sum": [int(data.sums[m, n]) for m, n in pairs], "shift": [by] * len(pairs), "relu": [0] * len(pairs)}

        def threshold(pairs, data=data, more=more, top=top, bits=bits):
            words = {}
            for _, n in pairs:
                if n not in words:
                    multiplier, by = int(data.multipliers[n]), int(data.shifts[n]) + more
                    # The least x with (x * M + half >> c) >= code.
                    words[n] = 0
                    for k, code in enumerate(range(-top + 1, top)):
                        least = -((-((code << by) - (1 << (by - 1)))) // multiplier)
                        words[n] |= (least & 0xffffffff) << 32 * k
            return {"enable": [1] * len(pairs), "x": [int(data.sums[m, n]) for m, n in pairs],
                    "thresholds": [words[n] for _, n in pairs], "levels": [2 ** bits - 1] * len(pairs),
                    "lowest": [-top] * len(pairs)}

        streams = lambda ports, lanes=lanes: lambda: [ports(pairs) for pairs in lanes]
        yield Design(f"dyadic, {bits} bits", "requantizer", "vitq_requant", [ROUND, "units/vitq_requant.sv"],
                     {"BITS": bits}, streams(dyadic), facts={"kind": "dyadic", "bits": bits, "parameters": 37})
        yield Design(f"shift, {bits} bits", "requantizer", "vitq_shift", [ROUND, "units/vitq_shift.sv"], {"BITS": bits},
                     streams(shift), facts={"kind": "shift", "bits": bits, "parameters": 5})
        yield Design(f"comparators, {bits} bits", "requantizer", "vitq_threshold", ["units/vitq_threshold.sv"],
                     {"LEVELS": 2 ** bits - 1}, streams(threshold), device=bits <= 4,
                     facts={"kind": "comparators", "bits": bits, "parameters": 32 * (2 ** bits - 1)})


def units():
    """Parts of the units beside the array: (unit, what is once or for each lane). Memories are left out or smallest."""
    def part(unit, name, top, sources, parameters, lanes):
        return Design(name, "unit", top, [f"units/{source}.sv" for source in sources], parameters, device=False,
                      facts={"unit": unit, "lanes": lanes})

    yield part("shift", "shift requantizer", "vitq_shift", ["vitq_round", "vitq_shift"], {}, 1)
    yield part("dyadic", "requantizer", "vitq_requant", ["vitq_round", "vitq_requant"], {}, 1)
    yield part("dyadic", "residual add", "vitq_add", ["vitq_round", "vitq_add"], {}, 1)
    yield part("comparator", "15 thresholds", "vitq_threshold", ["vitq_threshold"], {}, 1)
    yield part("lut", "16 lines", "vitq_lines", ["vitq_lines"], {}, 1)
    yield part("exponent", "division by row sums", "vitq_quotient", ["vitq_quotient"], {}, 1)
    yield part("exponent", "reciprocals", "vitq_reciprocal", ["vitq_reciprocal", "vitq_lines", "vitq_range_scale"], {}, 0)
    exponent = ["vitq_exponent", "vitq_shift_exp", "vitq_requant", "vitq_round", "vitq_divide"]
    norm = ["vitq_norm", "vitq_requant", "vitq_round", "vitq_divide", "vitq_root", "vitq_lines", "vitq_range_scale"]
    # NormQuant to 2 bits, as each level multiplies.
    for lanes in (1, 2):
        yield part("exponent", f"softmax, {lanes} lanes", "vitq_exponent", exponent, {"LANES": lanes, "CHANNELS": 2}, -lanes)
        yield part("norm", f"LayerNorm, {lanes} lanes", "vitq_norm", norm,
                   {"LANES": lanes, "CHANNELS": 2, "LEVELS": 3}, -lanes)
