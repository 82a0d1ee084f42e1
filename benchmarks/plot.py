"""results.json as a plot: every engine's time relative to the machine's limit."""
import table

# By family: fp32 pale, int8 strong.
COLOURS = {"vitq": "#c1272d", "ort_fp32": "#a8c6e5", "ort_dynamic": "#5b9bd5", "ort_fused": "#2e75b6",
           "ort_qdq": "#1f4e79", "ort_qdq_linear": "#13324d", "openvino_fp32": "#c5e0b3", "openvino_int8": "#548235",
           "iree_fp32": "#ffe08a", "iree_qdq": "#bf9000", "tvm_fp32": "#d9c3e8", "tvm_qdq": "#7030a0"}
CEILING = 10  # Bars above are cut; their value stands above them.


def value(model, engine, threads):
    """Relative to the limit; milliseconds where that was not measured."""
    time, least = table.median(model, engine, threads), table.limit(model, threads)
    return time / least if time and least else time


def panel(axes, results, threads):
    names, engines = list(results["models"]), list(results["titles"])
    drawn = [engine for engine in engines
             if any(value(results["models"][name], engine, threads) for name in names)]
    width = 0.84 / max(1, len(drawn))
    top = 0
    for i, engine in enumerate(drawn):
        for j, name in enumerate(names):
            height = value(results["models"][name], engine, threads)
            x = j + (i - (len(drawn) - 1) / 2) * width
            if not height:
                axes.text(x, 0.1, "failed", rotation=90, ha="center", va="bottom", fontsize=7, color="#777777")
                continue
            shown = min(height, CEILING)
            top = max(top, shown)
            axes.bar(x, shown, 0.94 * width, color=COLOURS.get(engine, "#888888"),
                     hatch="///" if shown < height else None, edgecolor="white", linewidth=0)
            axes.text(x, shown + 0.12, f"{height:.1f}" if height < 100 else f"{height:.0f}", ha="center", va="bottom",
                      fontsize=7, rotation=90 if len(names) * len(drawn) > 18 else 0)
    axes.axhline(1, color="black", linewidth=1, linestyle="--")
    axes.set_xticks(range(len(names)), [results["models"][name]["title"] for name in names])
    axes.set_ylim(0, 1.12 * max(top, 2))
    axes.set_ylabel("time / limit")
    axes.set_title(f"{threads} thread" + ("s" if int(threads) > 1 else ""), loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def draw(results, folder):
    """Paths of the files written."""
    if not results["models"]:
        return []
    import matplotlib

    matplotlib.use("Agg")
    import machine
    import matplotlib.pyplot as pyplot
    from matplotlib.patches import Patch

    pyplot.rcParams["svg.hashsalt"] = "vitq"
    threads = [str(n) for n in results["threads"]]
    size = (max(10, 2.6 * len(results["models"]) + 2), 3.6 * len(threads) + 1)
    figure, axes = pyplot.subplots(len(threads), 1, figsize=size, squeeze=False, layout="constrained")
    for each, n in zip(axes[:, 0], threads):
        panel(each, results, n)
    instruction = machine.INSTRUCTIONS.get(results["loop"], "none")
    cut = any((value(model, engine, n) or 0) > CEILING for model in results["models"].values()
              for engine in results["titles"] for n in threads)
    figure.suptitle(f"Median time of one image relative to the multiply-accumulates alone (dashed)\n"
                    f"{results['machine']['processor']}, limit: {instruction}" +
                    (f"; hatched bars are cut at {CEILING}" if cut else ""), fontsize=11)
    handles = [Patch(color=COLOURS.get(engine, "#888888"), label=title) for engine, title in results["titles"].items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    paths = [folder / "results.svg", folder / "results.png"]
    for path in paths:
        figure.savefig(path, dpi=150)
    pyplot.close(figure)
    return paths
