"""What vitq-lut wrote: check.py keys|c|svg FILE...

    keys FILE.json               the keys and shapes of the format
    c FILE.json VALUES           VALUES has a line "q value" for each code: what the C
                                 function gave. They are those of the JSON, times
                                 2^lambda / input_scale, within the rounding of an
                                 intercept, or exactly if the scale is a power of two
    svg FILE.svg                 well-formed, of known elements, nothing outside
"""

import json
import math
import re
import sys
import xml.etree.ElementTree


def line(table, q):
    """Slope and intercept for q: a code at a breakpoint belongs to the right."""
    i = sum(q >= b for b in table["breakpoints"])
    return table["slopes"][i], table["intercepts"][i]


def keys(table):
    assert list(table) == ["function", "method", "entries", "input_scale", "input_bits", "signed", "range",
                           "fraction_bits", "slope_bits", "intercept_bits", "breakpoints", "slopes", "intercepts",
                           "mean_squared_error", "largest_error", "errors_at_scales"], list(table)
    entries = table["entries"]
    assert len(table["breakpoints"]) == entries - 1
    assert len(table["slopes"]) == len(table["intercepts"]) == entries
    assert table["breakpoints"] == sorted(table["breakpoints"])
    for key in ("slope", "intercept"):
        limit = 1 << (table[f"{key}_bits"] - 1)
        assert all(-limit <= value < limit for value in table[f"{key}s"])
    if table["function"] == "gelu":
        first, last = table["range"]
        errors = []
        for q in range(first, last + 1):
            slope, intercept = line(table, q)
            x = q * table["input_scale"]
            errors.append((slope * x + intercept) / 2 ** table["fraction_bits"] - x * math.erfc(-x / math.sqrt(2)) / 2)
        assert math.isclose(sum(e * e for e in errors) / len(errors), table["mean_squared_error"], rel_tol=1e-9)
        assert math.isclose(max(map(abs, errors)), table["largest_error"], rel_tol=1e-9)


def c(table, path):
    values = [tuple(map(int, text.split())) for text in open(path)]
    assert len(values) == 2 ** table["input_bits"]
    scale = table["input_scale"]
    exact = scale <= 1 and math.frexp(scale)[0] == 0.5
    for q, value in values:
        slope, intercept = line(table, q)
        difference = value - slope * q - intercept / scale
        assert abs(difference) <= (0 if exact else 0.5), (q, difference)


def svg(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    tags = {element.tag.split("}")[1] for element in root.iter()}
    assert tags == {"svg", "style", "rect", "text", "line", "polyline"}, tags
    width, height = map(float, (root.get("width"), root.get("height")))
    for element in root.iter():
        for pair in (element.get("points") or "").split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= width and 0 <= y <= height, pair
    assert not re.search(r"nan|inf", "".join(root.itertext()) + str([e.attrib for e in root.iter()]))
    # A line for each entry in use, the function, the error.
    polylines = [element.get("class") for element in root.iter() if element.tag.endswith("polyline")]
    assert polylines.count("function") == polylines.count("error") == 1 and polylines.count("lines") >= 2


kind, *paths = sys.argv[1:]
if kind == "svg":
    for path in paths:
        svg(path)
else:
    loaded = json.load(open(paths[0]))
    keys(loaded)
    if kind == "c":
        c(loaded, paths[1])
