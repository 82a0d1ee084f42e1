"""results.json as text. Keys are those of JSON: numbers of threads are text."""



def of_models(*bars):
    """Bars for DeiT-T, DeiT-S and ViT-B, each (bar, goal) or a bar."""
    return {name: bar if isinstance(bar, tuple) else (bar, None) for name, bar in zip(("deit_t", "deit_s", "vit_b"), bars)}


PEER_BARS = {
    "ort_int8": of_models(0.46, 0.59, 0.68),
    "ort_fp32": of_models(0.23, 0.22, 0.22),
    "openvino_int8": of_models(0.58, 0.72, 0.80),
    "best_peer": {"swin_tiny_patch4_window7_224": (0.8, None), "segformer_b0": (1.0, None),
                  "mobilevit_xxs": (1.0, None), "efficientvit_b0": (1.0, None)},
    "speedup": of_models(1.93, 1.95, 1.95),
}
# What the project asks for: at most (at least for the speed-up), and its goal. By what the processor multiplies with:
# the loop of its limit, and whether it computes 512 bits at once.
BARS = {
    ("vnni512", False): {"limit": of_models((1.22, 1.15), (1.13, 1.08), (1.09, 1.05)), **PEER_BARS},
    ("vnni512", True): {"limit": of_models((1.37, 1.28), (1.23, 1.17), (1.18, 1.13)), **PEER_BARS},
    ("madd256", None): {"limit": of_models(1.35, 1.30, 1.25), "ort_int8": of_models(0.75, 0.80, 0.95),
                        "openvino_int8": of_models(0.45, 0.45, 0.45), "speedup": PEER_BARS["speedup"]},
}
ROWS = [("limit", "time / limit, 1 thread"), ("limit_2", "time / limit, 2 threads"),
        ("ort_int8", "time / ONNX Runtime's best int8"), ("ort_fp32", "time / ONNX Runtime fp32"),
        ("openvino_int8", "time / OpenVINO int8"), ("best_peer", "time / the fastest peer"), ("speedup", "speed-up by a second thread")]
COMPILE_SECONDS, COMPILE_MIB, COMPILE_EXPONENT, ARENA_RATIO = 90, 4096, 1.15, 1.15


def grid(rows, align=None):
    """Columns padded; the first to the left, the others to the right."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i == 0 or (align and align[i] == "<") else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return lines


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def milliseconds(value):
    return "-" if value is None else f"{value:.3g}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def median(model, engine, threads="1", key="median_ms"):
    """In milliseconds; None where it was not measured. `key`: p10_ms or p90_ms in its place."""
    timing = ((model["engines"].get(engine) or {}).get("threads") or {}).get(str(threads))
    return (timing or {}).get(key)


def limit(model, threads="1"):
    return (model["limits"].get(str(threads)) or {}).get("ms")


def best_ort(model, threads="1"):
    """(name, ms) of ONNX Runtime's fastest int8 variant."""
    times = [(median(model, name, threads), name) for name in model["engines"]
             if name.startswith("ort_") and name != "ort_fp32" and median(model, name, threads)]
    return min(times)[::-1] if times else (None, None)


def best_peer(model, threads="1"):
    """(name, ms) of the fastest of all peers, float ones too."""
    times = [(median(model, name, threads), name) for name in model["engines"]
             if name != "vitq" and median(model, name, threads)]
    return min(times)[::-1] if times else (None, None)


def divide(a, b):
    return a / b if a and b else None


def ratios(model):
    own = median(model, "vitq")
    return {
        "limit": divide(own, limit(model)),
        "limit_2": divide(median(model, "vitq", 2), limit(model, 2)),
        "ort_int8": divide(own, best_ort(model)[1]),
        "ort_fp32": divide(own, median(model, "ort_fp32")),
        "openvino_int8": divide(own, median(model, "openvino_int8")),
        "best_peer": divide(own, best_peer(model)[1]),
        "speedup": divide(own, median(model, "vitq", 2)),
    }


def bars_of(results):
    """Of the processor and the program's instructions; none where the project asks for nothing. Peers take what the
    processor has: a program for AVX2 is held against them on one that has no more."""
    loop, facts = results["loop"], results["machine"]
    bars = BARS.get((loop, results.get("wide512") if loop == "vnni512" else None), {})
    if loop == "madd256" and facts["avx512_vnni"]:
        return {kind: own for kind, own in bars.items() if kind in ("limit", "speedup")}
    return bars


def verdict(kind, name, value, bars):
    """(met, text) for the cell behind a ratio."""
    bar, goal = bars.get(kind, {}).get(name, (None, None))
    if bar is None:
        return None, ""
    sign = ">=" if kind == "speedup" else "<="
    text = f"{sign} {bar:.2f}"
    if value is None:
        return None, f"{text} not measured"
    met = value >= bar if kind == "speedup" else value <= bar
    if met and goal is not None:
        return met, f"{text} met" + (f", goal {goal:.2f} {'met' if value <= goal else 'missed'}")
    return met, f"{text} {'met' if met else 'MISSED'}"


def header(results):
    import machine

    facts, lines = results["machine"], []
    lines.append(f"{facts['processor']} (family {facts['family']}, model {facts['model']}), "
                 f"{facts['cores_allowed']} cores, {facts['memory_gib']} GiB; "
                 f"cores used: {', '.join(map(str, results['cores']))}")
    vnni = "has AVX-512 VNNI" if facts["avx512_vnni"] else "has no AVX-512 VNNI"
    lines.append(f"The processor {vnni} ({', '.join(facts['isa'])}); programs are compiled for {results['target']}.")
    loop = results["loop"]
    if not loop:
        lines.append("The machine's limit was not measured: no loop for this architecture.")
    else:
        parts = {True: ", all at once", False: ", in two halves"}.get(results.get("wide512"), "")
        lines.append(f"Its limit is that of {machine.INSTRUCTIONS[loop]}{parts}."
                     + ("" if bars_of(results) else " The project has no bars for it."))
    for threads in results["threads"]:
        limits = [model["limits"].get(str(threads)) for model in results["models"].values()]
        peaks = [entry["gmacs"] for entry in limits if entry]
        if peaks:
            best = max(peak["best"] for peak in peaks)
            middle = sorted(peak["median"] for peak in peaks)[len(peaks) // 2]
            lines.append(f"Peak, {threads} thread{'s' if threads > 1 else ''}: {best:.1f} GMAC/s "
                         f"({2 * best:.0f} GOP/s), median sample {middle:.1f}")
    if results.get("clock") == "cpu":
        lines.append("Times are those of the processor: other programs ran beside, and may have used the caches.")
    if results.get("peak_by_vitq_run"):
        lines.append(f"Peak by vitq-run, 1 thread: {results['peak_by_vitq_run']:.1f} GMAC/s")
    lines.append("Versions: " + ", ".join(f"{name} {version or 'not installed'}"
                                          for name, version in results["versions"].items()))
    return lines


def error_text(text, verbose):
    return text if verbose or len(text) <= 150 else text[:147] + "..."


def engine_rows(name, results, model):
    """A row for each engine: its times for each number of threads."""
    macs, rows, threads = model["macs"], [], [str(n) for n in results["threads"]]
    for engine, entry in model["engines"].items():
        row, failed = [results["titles"][engine]], entry.get("error")
        for n in threads:
            timing = (entry.get("threads") or {}).get(n) or {}
            failed = failed or timing.get("error")
            time = timing.get("median_ms")
            row += [milliseconds(time), milliseconds(timing.get("p10_ms")), milliseconds(timing.get("p90_ms")),
                    number(divide(time, limit(model, n)))]
            if n == "1":
                row += [number(divide(2e-6 * macs, time), 0), number(divide(time, median(model, "vitq"))),
                        number(timing.get("sqnr_db"), 1)]
        rows.append((row, failed))
    return rows


def model_table(name, results, model, verbose):
    limits = ", ".join(f"{milliseconds(limit(model, n))} ms in {n} thread{'s' if int(n) > 1 else ''}"
                       for n in map(str, results["threads"]) if limit(model, n))
    lines = ["", f"{model['title']}: {model['macs'] / 1e6:.1f} million multiply-accumulates" +
             (f"; limit {limits}" if limits else "")]
    head, errors = [""], []
    for n in results["threads"]:
        head += [f"ms, {n} thr.", "p10", "p90", "/ limit"] + (["GOP/s", "/ vitq", "dB"] if n == 1 else [])
    rows = engine_rows(name, results, model)
    lines += grid([head] + [row for row, _ in rows])
    errors = [(row[0], failed) for row, failed in rows if failed]
    lines += [f"  {title}: {error_text(text, verbose)}" for title, text in errors]
    disturbed = sum((timing or {}).get("disturbed_turns", 0) for entry in model["engines"].values()
                    for timing in (entry.get("threads") or {}).values())
    if disturbed:
        lines.append(f"  Other programs ran during {disturbed} turns, three attempts each; the least disturbed counts.")
    if model.get("rounds", results["rounds"]) < results["rounds"]:
        lines.append(f"  {model['rounds']} rounds of {results['rounds']}: the time was over (--minutes)")
    notes = [(results["titles"][engine], entry["artifact"]["note"]) for engine, entry in model["engines"].items()
             if (entry.get("artifact") or {}).get("note")]
    lines += [f"  {title}: {note}" for title, note in notes]
    fastest, _ = best_ort(model)
    if fastest:
        lines.append(f"  ONNX Runtime's best int8 here: {results['titles'][fastest].removeprefix('ONNX Runtime ')}")
    return lines


def has_bars(name, results):
    return any(name in bars for bars in bars_of(results).values())


def summary(results):
    """The models with bars in the first table, the others in a second."""
    barred = [name for name in results["models"] if has_bars(name, results)]
    others = [name for name in results["models"] if name not in barred]
    title = "Summary (bars: the project's; ratios to a peer below 1 mean that vitq is faster)"
    lines = ["", title] + summary_of(barred, results) if barred else []
    return lines + (["", "Summary of the other models"] + summary_of(others, results) if others else [])


def summary_of(names, results):
    bars = bars_of(results)
    rows = [[""] + [cell for name in names
                    for cell in (results["models"][name]["title"], "bar" if has_bars(name, results) else "")]]
    times, fastest = ["vitq, ms, 1 thread, median"], ["  p10"]
    shares = ["share of the peak"]
    for name in names:
        model = results["models"][name]
        times += [milliseconds(median(model, "vitq")), ""]
        fastest += [milliseconds(median(model, "vitq", key="p10_ms")), ""]
        share = divide(limit(model), median(model, "vitq"))
        shares += ["-" if share is None else f"{100 * share:.0f} %", ""]
    rows += [times, fastest, shares]
    for kind, title in ROWS:
        row = [title]
        for name in names:
            value = ratios(results["models"][name])[kind]
            row += [number(value), verdict(kind, name, value, bars)[1]]
        rows.append(row)
    align = [">"] + [">", "<"] * len(names)
    return grid(rows, align)


def mib(value):
    return "-" if value is None else f"{value / 2**20:.2f}" if value < 2**24 else f"{value / 2**20:.1f}"


def memory(results):
    rows = [["", "arena", "lower bound", "ratio", "a thread more", "weights", "code", "compiled in", "peak memory"]]
    for model in results["models"].values():
        facts = model.get("program")
        if not facts:
            continue
        artifact = model["engines"]["vitq"]["artifact"]
        ratio = divide(facts["arena_bytes"], facts["arena_lower_bound"])
        rows.append([model["title"], mib(facts["arena_bytes"]), mib(facts["arena_lower_bound"]), number(ratio, 3),
                     mib(facts["thread_arena_bytes"]), mib(facts["weight_bytes"]), mib(facts["code_bytes"]),
                     f"{artifact['compile_seconds']:.1f} s", f"{artifact['compile_peak_mib']:.0f}"])
    title = f"vitq's programs, MiB (arena at most {ARENA_RATIO} x its lower bound)"
    return ["", title] + grid(rows) if len(rows) > 1 else []


def slowest(results):
    lines = []
    for model in results["models"].values():
        steps = model.get("steps")
        if not steps:
            if "program" in model:
                lines += ["", f"{model['title']}: no times of single ops (a program of ABI "
                          f"{model['program']['abi']} has no profile)"]
            continue
        total = sum(step["ms"] for step in steps)
        lines += ["", f"{model['title']}: the slowest five of {len(steps)} steps, 1 thread, profiled"]
        rows = [["", "ms", "limit", "/ limit", "share", "kernel"]]
        for step in sorted(steps, key=lambda step: -step["ms"])[:5]:
            rows.append([step.get("node") or step.get("op") or "?", f"{step['ms']:.3f}", number(step["limit_ms"], 3),
                         number(divide(step["ms"], step["limit_ms"])), f"{100 * step['ms'] / total:.1f} %",
                         f"{step.get('kernel', '')} ({step.get('op', '')})"])
        lines += grid(rows, [">"] * 5 + ["<"])
        lines += by_kernel(steps, total)
    return lines


def by_kernel(steps, total):
    """The same summed over all calls of an op."""
    sums = {}
    for step in steps:
        entry = sums.setdefault(step.get("op") or "?", [0, 0.0, 0.0])
        entry[0] += 1
        entry[1] += step["ms"]
        entry[2] += step["limit_ms"] or 0
    rows = [["  by op", "calls", "ms", "limit", "/ limit", "share"]]
    for op, (calls, ms, least) in sorted(sums.items(), key=lambda item: -item[1][1])[:8]:
        rows.append([f"  {op}", str(calls), f"{ms:.3f}", number(least or None, 3), number(divide(ms, least)),
                     f"{100 * ms / total:.1f} %"])
    return grid(rows)


def accuracy(results, verbose):
    found = results.get("accuracy")
    if not found:
        skipped = results.get("vit_tiny_skipped")
        return ["", f"ViT-Tiny, time and accuracy: skipped: {skipped}"] if skipped else []
    if "error" in found:
        return ["", f"ViT-Tiny, accuracy: {found['error']}"]
    rows = [["", *(f"top-1, {name} ({count})" for name, count in found["images"].items()), "all",
             "same class as float", "SQNR, dB"]]
    failures = []
    for engine, entry in found["engines"].items():
        title = results["titles"].get(engine, engine)
        if "error" in entry:
            failures.append(f"  {title}: {error_text(entry['error'], verbose)}")
            continue
        rows.append([title, *(f"{entry['top1'][name]:.2f} %" for name in (*found["images"], "all")),
                     f"{entry['agreement']:.2f} %", number(entry["sqnr_db"], 1)])
    title = f"ViT-Tiny on ImageNet images, all calibrated on the same {found['calibration']} images"
    return ["", title] + grid(rows) + failures


def batches(results):
    lines = []
    for name, sizes in results.get("batches", {}).items():
        title = results["models"].get(name, {}).get("title", name)
        if "error" in sizes:
            lines += ["", f"{title}, several images a run: {sizes['error']}"]
            continue
        threads = [str(n) for n in results["threads"]]
        rows, failures = [["  images a run", *(f"ms an image, {n} thr." for n in threads)]], []
        for size, entry in sizes.items():
            if "error" in entry:
                failures.append(f"  {size} images: {entry['error'][:150]}")
                continue
            times = [(entry.get(n) or {}) for n in threads]
            rows.append([f"  {size}", *(milliseconds(divide(t.get("median_ms"), int(size))) for t in times)])
            failures += [f"  {size} images: {t['error'][:150]}" for t in times if "error" in t]
        lines += ["", f"{title}, several images a run (never worse than one)"] + grid(rows) + failures
    return lines


def compile_sweep(results):
    found = results.get("compile_sweep")
    if not found:
        return []
    rows = [["", "s, calibrating", "of processors", "peak MiB", "s, ranges loaded", "peak MiB", "object MiB"]]
    failures = []
    for entry in found["runs"]:
        if "error" in entry:
            failures.append(f"  {entry['model']}: {entry['error'][:300]}")
            continue
        rows.append([entry["title"], f"{entry['seconds']:.1f}", f"{entry['processor_seconds']:.1f}",
                     f"{entry['peak_mib']:.0f}",
                     f"{entry['loaded_seconds']:.1f}", f"{entry['loaded_peak_mib']:.0f}", mib(entry["object_bytes"])])
    lines = ["", f"vitq-opt from ONNX to an object file, {found['images']} calibration images"]
    lines += grid(rows) + failures
    base = next((entry for entry in found["runs"] if entry["model"] == "vit_b" and "error" not in entry), None)
    if base:
        met = base["seconds"] <= COMPILE_SECONDS and base["peak_mib"] <= COMPILE_MIB
        lines.append(f"  ViT-B: at most {COMPILE_SECONDS} s and {COMPILE_MIB} MiB: {'met' if met else 'MISSED'}")
    if found.get("exponent"):
        met = found["exponent"] <= COMPILE_EXPONENT
        lines.append(f"  processors' time ~ depth^{found['exponent']:.2f} from 6 to 24 blocks (near-linear: at most "
                     f"{COMPILE_EXPONENT}): {'met' if met else 'MISSED'}")
    return lines


def text(results, verbose=False):
    lines = header(results)
    for name, model in results["models"].items():
        lines += model_table(name, results, model, verbose)
    lines += [f"{name}: {error_text(why, verbose)}" for name, why in results.get("not_exported", {}).items()]
    if results["models"]:
        lines += slowest(results) + memory(results)
    lines += accuracy(results, verbose) + batches(results) + compile_sweep(results)
    if results["models"]:
        lines += summary(results)
    return "\n".join(lines)
