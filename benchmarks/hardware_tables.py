"""costs.json of hardware_cost.py as text, as a picture, and as the compiler's file."""

import pathlib

import hardware_designs

ROOT = pathlib.Path(__file__).resolve().parent.parent
COSTS = ROOT / "lib" / "Simulator" / "HardwareCosts.inc"
# Energy goes with capacitance and the square of the voltage: from 0.18 um at 1.8 V to 45 nm at 0.9 V.
SCALE = (45 / 180) * (0.9 / 1.8) ** 2

PAPERS = """What papers report, and what can be compared:
- Operand reordering (arXiv 2504.18547): less power per processing element for linear layers and products of attention, on a
  Spartan-7. Its figures are of a device and its wires, with their own network; here only the ratio of an integer
  element to one that dequantizes first is comparable, and devices' primitives are counted, not their power.
- GQA-LUT (arXiv 2403.19591): tables of INT8 take 81.3 to 81.7 % less area and 79.3 to 80.2 % less power than those of FP32 and
  INT32, in 28 nm at 500 MHz (8 entries: 961, 5135 and 5243 square micrometres). Here cells are of 0.18 um: ratios are
  comparable, areas and powers are not, nor is what their units have around the lines (scaling, registers).
- Nothing here has wires, clock trees or memories, and gates have no glitches."""


def of_group(results, group):
    return [entry for entry in results["entries"] if entry["group"] == group]


def columns(entry):
    xc7 = lambda key: "/".join(str(entry[key][kind]) for kind in ("lut", "ff", "carry", "dsp")) if key in entry else "-"
    return (f"{entry['area_um2']:>9.0f}{entry.get('period_ns', 0):>8.2f}{entry.get('energy_pj', 0):>9.2f}"
            f"{xc7('xc7'):>17}{xc7('xc7_nodsp'):>17}")


def ratios(results):
    """Lines that compare."""
    lines = []
    elements = {entry["name"]: entry for entry in of_group(results, "element")}
    integers = [entry for entry in elements.values() if "bits" in entry]
    for base in (entry for entry in elements.values() if "baseline" in entry):
        for entry in integers:
            lines.append(f"{base['baseline']} over int{entry['bits']}: area {base['area_um2'] / entry['area_um2']:.1f}, "
                         f"energy of a multiply-accumulate {base['energy_pj'] / entry['energy_pj']:.1f}")
    if len(integers) > 1:
        falls = all(a[key] > b[key] for a, b in zip(integers, integers[1:]) for key in ("area_um2", "energy_pj"))
        lines.append("area and energy fall from element to element: " + ("yes" if falls else "NO"))
    units = {(entry["function"], entry["entries"], entry["kind"]): entry for entry in of_group(results, "function")}
    for (function, entries, kind), entry in units.items():
        if kind != "INT8":
            continue
        for other in ("FP32", "INT32"):
            if base := units.get((function, entries, other)):
                lines.append(f"{function}, {entries} entries, INT8 against {other}: area "
                             f"{100 * (1 - entry['area_um2'] / base['area_um2']):.1f} % less, energy "
                             f"{100 * (1 - entry['energy_pj'] / base['energy_pj']):.1f} % less")
    return lines


def unit_areas(results):
    """Square micrometres of each unit of which all parts were measured: once, and for each lane."""
    areas, pairs = {}, {}
    for entry in of_group(results, "unit"):
        if entry["lanes"] < 0:
            pairs.setdefault(entry["unit"], {})[-entry["lanes"]] = entry["area_um2"]
        else:
            areas.setdefault(entry["unit"], [0.0, 0.0])[entry["lanes"]] += entry["area_um2"]
    for unit, by_lanes in pairs.items():
        areas.setdefault(unit, [0.0, 0.0])
        lane = by_lanes[2] - by_lanes[1]
        areas[unit][1] += lane
        areas[unit][0] += by_lanes[1] - lane
    parts = {}
    for design in hardware_designs.units():
        parts.setdefault(design.facts["unit"], set()).add(design.name)
    measured = {entry["name"] for entry in of_group(results, "unit")}
    return {unit: area for unit, area in areas.items() if parts[unit] <= measured}


def array_lines(results):
    """One 16 x 16 array with 16 lanes of units."""
    elements = [entry for entry in of_group(results, "element")]
    if not of_group(results, "unit") or not elements:
        return []
    lines = ["", "16 x 16 array, square millimetres of 0.18 um cells (elements; units of 16 lanes; no memories, no control)"]
    units = {unit: (once + 16 * lane) / 1e6 for unit, (once, lane) in unit_areas(results).items()}
    for entry in elements:
        lines.append(f"  {entry['name']:<22}{256 * entry['area_um2'] / 1e6:>8.3f}")
    lines.append("  units: " + ", ".join(f"{unit} {area:.3f}" for unit, area in units.items()) +
                 f"; all {sum(units.values()):.3f}")
    return lines


def text(results):
    tools = ", ".join(f"{name} {version}" for name, version in results["tools"].items())
    lines = [f"{tools}; stimuli: {results['data']}", "",
             f"{'':<30}{'um2':>9}{'ns':>8}{'pJ/cycle':>9}{'LUT/FF/CARRY/DSP':>17}{'without DSP':>17}"]
    for group in dict.fromkeys(entry["group"] for entry in results["entries"]):
        lines.append(group)
        for entry in of_group(results, group):
            parameters = f"  ({entry['parameters']} bits of parameters a channel)" if "parameters" in entry else ""
            lines.append(f"  {entry['name']:<28}{columns(entry)}{parameters}")
    lines += array_lines(results) + ["", *ratios(results), "", PAPERS]
    return "\n".join(lines)


def draw(results, path):
    """Areas and energies, a panel a group."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    pyplot.rcParams["svg.hashsalt"] = "vitq"
    groups = ["element", "function", "requantizer"]
    sizes = [len(of_group(results, group)) for group in groups]
    figure, axes = pyplot.subplots(len(groups), 2, figsize=(11, 0.22 * sum(sizes) + 3), layout="constrained",
                                   gridspec_kw={"height_ratios": [size + 2 for size in sizes]})
    for line, group in zip(axes, groups):
        entries = of_group(results, group)[::-1]
        for each, key, label in zip(line, ("area_um2", "energy_pj"), ("area, µm²", "energy a cycle, pJ")):
            values = [entry[key] for entry in entries]
            colours = ["#d55e00" if "FP32" in entry["name"] or "baseline" in entry else "#0072b2" for entry in entries]
            each.barh(range(len(entries)), values, color=colours)
            each.set_yticks(range(len(entries)), [entry["name"] for entry in entries] if key == "area_um2" else [])
            each.tick_params(labelsize=7)
            each.set_xscale("log")
            each.set_title(f"{group}s: {label}", loc="left", fontsize=9)
            each.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"0.18 µm cells without wires; stimuli: {results['data']}", fontsize=10)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def elements_of(results):
    """By bits, bits of the sum, and whether sums stay."""
    return {(entry["bits"], entry["sum_bits"], entry["sums_stay"]): entry for entry in results["entries"]
            if "sums_stay" in entry}


def suffices(results):
    """Whether all is there that write_costs writes."""
    found = elements_of(results)
    return all((bits, sums, stays) in found for bits in (2, 3, 4, 8) for sums in (20, 32) for stays in (False, True))


def write_costs(results):
    """Elements by bits and dataflow: area and energy with 32-bit sums, and of a bit of the sum; units once and by lane."""
    found = elements_of(results)
    tools = ", ".join(f"{name} {version}" for name, version in results["tools"].items())
    rule = "//===" + "-" * 70 + "===//"
    lines = ["//===- HardwareCosts.inc - What the array's parts cost in gates -*- C++ -*-===//", "//",
             "// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.",
             "// See LICENSE for license information.",
             "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception", "//", rule, "//",
             "// Written by benchmarks/hardware_cost.py --write-costs.",
             f"// {results['date']}; {tools}.",
             f"// {results['cells']}: 0.18 um, 1.8 V, typical; stimuli: {results['data']}.",
             "// Areas in square micrometres of these cells. Energies in picojoules of a multiply-accumulate, brought to 45 nm and",
             "// 0.9 V, for which the energies of memories are known: with capacitance and the square of the voltage, by 1/16.",
             "// Units that are not listed were not measured.", "//", rule, "",
             "// bits, do sums stay, area with 32-bit sums, area of a bit of the sum, energy with 32-bit sums",
             "#ifdef ELEMENT_COST"]
    for bits in (2, 3, 4, 8):
        for stays in (False, True):
            wide, narrow = found[bits, 32, stays], found[bits, 20, stays]
            lines.append(f"ELEMENT_COST({bits}, {str(stays).lower()}, {wide['area_um2']:.0f}, "
                         f"{(wide['area_um2'] - narrow['area_um2']) / 12:.1f}, {wide['energy_pj'] * SCALE:.3f})")
    lines += ["#undef ELEMENT_COST", "#endif", "", "// unit, area once, area of a lane", "#ifdef UNIT_COST"]
    for unit, (once, lane) in unit_areas(results).items():
        lines.append(f"UNIT_COST({unit.capitalize()}, {once:.0f}, {lane:.0f})")
    lines += ["#undef UNIT_COST", "#endif"]
    COSTS.write_text("\n".join(lines) + "\n")
