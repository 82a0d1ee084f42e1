#!/usr/bin/env python3
"""How a systolic array's size, operand bits, scratchpad and dataflow change what a model takes.

    benchmarks/systolic_sweep.py --quick     fewer points, one block of each model
    benchmarks/systolic_sweep.py             everything

One axis at a time is varied around a centre (16 x 16, 8 bits, 256 KiB, or the middle of
the values given); with --grid all combinations are. Every configuration is compiled by
vitq-opt and timed by vitq-run's cycle model; no images are needed, as no time depends on
data. README.md beside this file says how to read the results.
"""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

TITLES = {"deit_t": "ViT-Tiny", "deit_s": "DeiT-S", "vit_b": "ViT-B"}
DATAFLOWS = {"ws": "weights stay", "os": "sums stay"}
CENTRE = {"size": 16, "bits": 8, "scratchpad": 256}
# What stays the same: Gemmini's banks, its DMA, and accumulators of a quarter of the scratchpad.
SCRATCHPAD_BANKS, ACCUMULATOR_BANKS, ACCUMULATOR_BYTES = 4, 2, 4
STREAM_ROWS = 64
# Of vitq-run's JSON.
FIGURES = ["cycles", "linear_utilization", "attention_utilization", "dram_bytes", "energy_pj", "area_mm2", "cycles_over_roofline",
           "macs"]


@dataclasses.dataclass(frozen=True)
class Point:
    """One array: rows and columns, bits of an operand, KiB of scratchpad, dataflow."""

    size: int
    bits: int
    scratchpad: int
    dataflow: str

    def target(self):
        """As vitq-opt --target reads it."""
        row = self.size * self.bits // 8 or 1
        rows = self.scratchpad * 1024 // (SCRATCHPAD_BANKS * row)
        sums = self.scratchpad * 1024 // (4 * ACCUMULATOR_BANKS * self.size * ACCUMULATOR_BYTES)
        return (f"systolic:rows={self.size},cols={self.size},bits={self.bits},dataflow={self.dataflow},"
                f"scratchpad-rows={rows},accumulator-rows={sums},stream-rows={max(STREAM_ROWS, self.size)}")

    def facts(self):
        return {**dataclasses.asdict(self), "target": self.target()}


def split(text):
    return [part.strip() for part in text.split(",") if part.strip()]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="sizes 8,16,32, bits 4,8, three scratchpads; one block")
    parser.add_argument("--models", default="deit_t,deit_s",
                        help="names of models.py, or files .mlir and .mlirbc in the integer phase (vitq-opt "
                        "--stop-after=integer), which need neither onnx nor numpy (default: deit_t,deit_s)")
    parser.add_argument("--sizes", help="rows and columns of the array (default: 4,8,16,32)")
    parser.add_argument("--bits", help="bits of an operand of an element, of 2,3,4,8 (default: 2,4,8)")
    parser.add_argument("--scratchpads", help="KiB of scratchpad (default: 64,128,256,512,1024)")
    parser.add_argument("--dataflows", default="ws,os", help="ws (weights stay), os (sums stay) (default: both)")
    parser.add_argument("--grid", action="store_true", help="all combinations, not one axis at a time")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2),
                        help="configurations at a time (default: half the processors)")
    parser.add_argument("--timeout", type=int, default=900, help="seconds for one configuration (default: 900)")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "benchmarks",
                        help="folder for models and figures, used again (default: build/benchmarks)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for the results (default: WORK/systolic)")
    parser.add_argument("--vitq-build", type=pathlib.Path, default=os.environ.get("VITQ_BUILD"),
                        help="folder with vitq-opt and vitq-run, or a build folder (default: $VITQ_BUILD, then the "
                        "newest of build/*/bin)")
    arguments = parser.parse_args()
    quick = arguments.quick
    try:
        arguments.sizes = [int(n) for n in split(arguments.sizes or ("8,16,32" if quick else "4,8,16,32"))]
        arguments.bits = [int(n) for n in split(arguments.bits or ("4,8" if quick else "2,4,8"))]
        arguments.scratchpads = [int(n) for n in split(arguments.scratchpads or
                                                       ("64,256,1024" if quick else "64,128,256,512,1024"))]
    except ValueError as error:
        sys.exit(f"systolic_sweep.py: {error}; the axes are whole numbers separated by commas")
    arguments.dataflows = split(arguments.dataflows)
    if not set(arguments.dataflows) <= set(DATAFLOWS):
        sys.exit(f"systolic_sweep.py: --dataflows: of {', '.join(DATAFLOWS)}")
    if min([*arguments.sizes, *arguments.bits, *arguments.scratchpads, arguments.jobs]) < 1:
        sys.exit("systolic_sweep.py: sizes, bits, scratchpads and jobs are at least 1")
    for name in ("models", "sizes", "bits", "scratchpads", "dataflows"):
        if not getattr(arguments, name):
            sys.exit(f"systolic_sweep.py: --{name} is empty")
    return arguments


def centre(name, values):
    """The usual value if it is asked for, else the middle one."""
    return CENTRE[name] if CENTRE[name] in values else sorted(values)[len(values) // 2]


def points_of(arguments):
    """All arrays, without repetitions, and the centre of each axis."""
    axes = {"size": arguments.sizes, "bits": arguments.bits, "scratchpad": arguments.scratchpads}
    middle = {name: centre(name, values) for name, values in axes.items()}
    chosen = []
    if arguments.grid:
        chosen = [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
    else:
        for name, values in axes.items():
            chosen += [{**middle, name: value} for value in values]
    points = [Point(**values, dataflow=flow) for flow in arguments.dataflows for values in chosen]
    return sorted(set(points), key=lambda p: (p.dataflow != "ws", p.size, p.bits, p.scratchpad)), middle


#
# Models
#


def digest(*parts):
    """Of texts and of the contents of files (pathlib.Path)."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode())
        sha.update(b"\0")
    return sha.hexdigest()[:16]


def run(command, timeout):
    """stdout; RuntimeError with the last of its messages."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{pathlib.Path(command[0]).name} took more than {timeout} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines()[-3:]
        raise RuntimeError(lines[0].split("error: ")[-1].strip() if lines else f"status {done.returncode}")
    return done.stdout


def make_module(name, arguments, tools, work):
    """A model of models.py in the integer phase, with calibrated random weights."""
    try:
        import onnx  # noqa: F401  What is missing is said before minutes of work.

        import numpy
    except ImportError as error:
        sys.exit(f"systolic_sweep.py: {error}. Install it with\n    pip install -r "
                 f"{os.path.relpath(HERE / 'requirements.txt')}\nor give --models a module in the integer phase.")
    import cache as caches
    import models

    cache = caches.Cache(arguments.work)
    try:
        config = models.find(name)
    except ValueError as error:
        sys.exit(f"systolic_sweep.py: {error}")
    source = cache.model(name, "packed")
    module = work / f"{name}-{digest(source, tools['vitq-opt'])}.mlirbc"
    if not module.exists():
        pixels = work / f"pictures-{config.image}-{cache.code}.npy"
        if not pixels.exists():
            numpy.save(pixels, models.pictures(8, config.image))
        run([tools["vitq-opt"], source, "--compile", f"--calibration-data={pixels}", "--preprocess=mean=0.5,std=0.5",
             "--stop-after=integer", "--emit=bytecode", "-o", module], arguments.timeout)
    return module


def modules_of(arguments, tools, work):
    """{name: (title, module)}"""
    modules = {}
    for name in split(arguments.models):
        path = pathlib.Path(name)
        if path.suffix in (".mlir", ".mlirbc"):
            if not path.is_file():
                sys.exit(f"systolic_sweep.py: there is no file '{name}'")
            modules[path.stem] = (path.stem, path)
            continue
        title = TITLES.get(name, name)
        if arguments.quick and "_d" not in name:
            title, name = f"{title}, 1 block", f"{name}_d1"
        try:
            modules[name] = (title, make_module(name, arguments, tools, work))
        except RuntimeError as error:
            sys.exit(f"systolic_sweep.py: {name} cannot be compiled: {error}")
    return modules


#
# Measuring
#


def measure(module, module_hash, point, arguments, tools, work):
    """Figures of one array, or {"error": the compiler's message}."""
    record = work / "figures" / f"{digest(module_hash, point.target(), tools['hash'])}.json"
    if record.exists():
        return json.loads(record.read_text())
    try:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            program, figures = pathlib.Path(folder) / "program.vsys", pathlib.Path(folder) / "figures.json"
            run([tools["vitq-opt"], module, "--compile", f"--target={point.target()}", "--emit=systolic", "-o", program],
                arguments.timeout)
            run([tools["vitq-run"], program, "--benchmark", f"--json={figures}"], arguments.timeout)
            known = json.loads(figures.read_text())
        result = {key: known[key] for key in FIGURES}
    except RuntimeError as error:
        return {"error": str(error)}
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps(result))
    partial.replace(record)
    return result


def measure_all(modules, points, arguments, tools, work):
    (work / "figures").mkdir(parents=True, exist_ok=True)
    entries = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for name, (title, module) in modules.items():
            content = digest(module)
            futures = [pool.submit(measure, module, content, point, arguments, tools, work) for point in points]
            entries += [({"model": name, "title": title, **point.facts()}, future)
                        for point, future in zip(points, futures)]
        results = []
        for number, (entry, future) in enumerate(entries):
            if sys.stderr.isatty():
                print(f"\r\033[K{number} of {len(entries)}: {entry['title']}, {entry['size']} x {entry['size']}, "
                      f"{entry['bits']} bits, {entry['scratchpad']} KiB, {entry['dataflow']}", end="", file=sys.stderr)
            results.append({**entry, **future.result()})
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return results


def print_table(results):
    for title in dict.fromkeys(entry["title"] for entry in results):
        print(f"\n{title}\n{'array':>8}{'bits':>6}{'KiB':>6}{'flow':>6}{'Mcycles':>10}{'linear':>9}{'attention':>11}"
              f"{'/ roof':>8}{'DRAM MB':>9}{'mJ':>8}{'mm2':>8}")
        for entry in results:
            if entry["title"] != title:
                continue
            head = f"{entry['size']:>4}x{entry['size']:<3}{entry['bits']:>6}{entry['scratchpad']:>6}{entry['dataflow']:>6}"
            if "error" in entry:
                print(f"{head}  not possible: {entry['error']}")
                continue
            percent = [f"{entry[key]:.1f} %" if entry[key] is not None else "-"
                       for key in ("linear_utilization", "attention_utilization")]
            print(f"{head}{entry['cycles'] / 1e6:>10.3f}{percent[0]:>9}{percent[1]:>11}"
                  f"{entry['cycles_over_roofline'] or 0:>8.2f}{entry['dram_bytes'] / 1e6:>9.1f}"
                  f"{entry['energy_pj'] / 1e9:>8.2f}{entry['area_mm2']:>8.2f}")


def main():
    arguments = parse_arguments()
    import compare

    folder = compare.find_vitq(arguments.vitq_build)
    tools = {name: folder / name for name in ("vitq-opt", "vitq-run")}
    tools["hash"] = digest(tools["vitq-opt"], tools["vitq-run"])
    work = arguments.work / "systolic"
    work.mkdir(parents=True, exist_ok=True)
    out = arguments.out or work
    out.mkdir(parents=True, exist_ok=True)
    points, middle = points_of(arguments)
    modules = modules_of(arguments, tools, work)
    results = {"centre": middle, "points": measure_all(modules, points, arguments, tools, work)}
    print_table(results["points"])
    written = [out / "results.json"]
    written[0].write_text(json.dumps(results, indent=1))
    if not any("error" not in entry for entry in results["points"]):
        sys.exit("systolic_sweep.py: no configuration is possible")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("\nmatplotlib is not installed: no plot")
    else:
        import systolic_plot

        written += systolic_plot.draw(results, out)
    print("\n" + "\n".join(str(path) for path in written))


if __name__ == "__main__":
    main()
