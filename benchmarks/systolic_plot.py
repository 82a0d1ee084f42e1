"""results.json of systolic_sweep.py as a plot: a row of panels for each axis of the sweep."""

AXES = {"size": "rows and columns of the array", "bits": "bits of an operand of an element",
        "scratchpad": "scratchpad, KiB"}
PANELS = [("cycles", "million cycles", 1e-6), ("linear_utilization", "utilization, linear layers, %", 1),
          ("attention_utilization", "utilization, attention, %", 1), ("energy_pj", "energy proxy, mJ", 1e-9),
          ("area_mm2", "elements and units, mm² at 0.18 µm", 1)]
# Stay apart for the colour-blind (Okabe and Ito).
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"]
STYLES = {"ws": ("-", "o", "weights stay"), "os": ("--", "s", "sums stay")}


def series(results, model, dataflow, axis, key):
    """Points of the sweep along an axis through the centre, those that are possible."""
    centre = results["centre"]
    values = {entry[axis]: entry[key] for entry in results["points"]
              if entry["model"] == model and entry["dataflow"] == dataflow and entry.get(key) is not None
              and all(entry[other] == centre[other] for other in AXES if other != axis)}
    return sorted(values.items())


def panel(axes, results, axis, key, label, factor):
    models = list(dict.fromkeys(entry["model"] for entry in results["points"]))
    ticks = sorted({entry[axis] for entry in results["points"]})
    place = {value: i for i, value in enumerate(ticks)}
    highest = 0
    for colour, model in zip(COLOURS, models):
        for dataflow, (line, marker, _) in STYLES.items():
            found = series(results, model, dataflow, axis, key)
            if not found:
                continue
            x, y = zip(*[(place[at], value * factor) for at, value in found])
            highest = max(highest, *y)
            axes.plot(x, y, line, marker=marker, markersize=4, linewidth=1.6, color=colour, clip_on=False, zorder=3)
    axes.set_xticks(range(len(ticks)), [str(value) for value in ticks])
    axes.set_xlim(-0.25, len(ticks) - 0.75)
    if key == "cycles" and axis != "scratchpad":
        from matplotlib.ticker import LogLocator, NullFormatter

        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.margins(y=0.12)
    else:
        axes.set_ylim(0, 100 if key.endswith("utilization") else 1.15 * max(highest, 1e-9))
    axes.set_xlabel(AXES[axis], fontsize=9)
    axes.set_title(label, loc="left", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def draw(results, folder):
    """Paths of the files written. Axes with a single value have no row."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot
    from matplotlib.lines import Line2D

    rows = [axis for axis in AXES if len({entry[axis] for entry in results["points"]}) > 1] or ["size"]
    pyplot.rcParams["svg.hashsalt"] = "vitq"
    height = 2.7 * len(rows) + 1
    figure, axes = pyplot.subplots(len(rows), len(PANELS), figsize=(16, height), squeeze=False)
    # Room for the legend below; its places outside came after matplotlib 3.6.
    figure.set_layout_engine("constrained", rect=(0, 0.35 / height, 1, 1 - 0.35 / height))
    for line, axis in zip(axes, rows):
        for each, (key, label, factor) in zip(line, PANELS):
            panel(each, results, axis, key, label, factor)
    centre = results["centre"]
    figure.suptitle("One image on a systolic array, by the cycle model; what is not varied: "
                    f"{centre['size']} x {centre['size']} elements, {centre['bits']} bits, {centre['scratchpad']} KiB",
                    fontsize=11)
    titles = {entry["model"]: entry["title"] for entry in results["points"]}
    handles = [Line2D([], [], color=colour, linewidth=3, label=title) for colour, title in zip(COLOURS, titles.values())]
    flows = {entry["dataflow"] for entry in results["points"]}
    handles += [Line2D([], [], color="#444444", linestyle=line, marker=marker, markersize=4, label=label)
                for flow, (line, marker, label) in STYLES.items() if flow in flows]
    figure.legend(handles=handles, loc="lower center", ncols=4, fontsize=9, frameon=False)
    paths = [folder / "results.svg", folder / "results.png"]
    for path in paths:
        figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return paths
