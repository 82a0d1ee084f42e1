#!/usr/bin/env python3
"""How far the compiler gets with every family of families.py, from both exporters.

    measure.py export --out DIR [--only REGEX]     needs torch, timm, transformers, torchvision
    measure.py table DIR --bin BUILD/bin           needs nothing

`export` writes for each family and exporter FAMILY.EXPORTER.onnx, images and what onnxruntime
computes, or FAMILY.EXPORTER.error; what is there already stays. `table` writes a table in
Markdown: the furthest stage of each and why it ended there.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import logging
import math
import pathlib
import re
import sys
import tempfile
import time

import stages

EXPORTERS = ("dynamo", "script")
ORDER = ("export", *stages.STAGES, "done")


def write_exports(arguments):
    import numpy as np
    import onnx
    import torch

    import exporting
    import families

    logging.disable(logging.WARNING)
    arguments.out.mkdir(parents=True, exist_ok=True)
    size = families.Size(depth=2)
    for name, build in families.FAMILIES.items():
        if not re.search(arguments.only, name):
            continue
        pixels = families.IMAGES.get(name, size.image)
        images = exporting.pictures(8, pixels)
        np.save(arguments.out / f"images{pixels}.npy", images)
        for exporter in EXPORTERS:
            stem = arguments.out / f"{name}.{exporter}"
            if any(pathlib.Path(f"{stem}.{end}").exists() for end in ("npy", "error")):
                continue
            begin = time.monotonic()
            try:
                with exporting.quiet():
                    module = exporting.perturb(build(size), seed=1)
                    model = exporting.export(module, torch.tensor(exporting.normalized(images[:1])), exporter)
                    onnx.save(model, f"{stem}.onnx")
                    result = exporting.run(model, images)
                np.save(f"{stem}.npy", result)
                print(f"{name} {exporter}: {time.monotonic() - begin:.0f} s", flush=True)
            except Exception as error:  # of any library on the way
                text = "\n".join(str(cause) for cause in (error, error.__cause__) if cause)
                pathlib.Path(f"{stem}.error").write_text(f"{type(error).__name__}: {text}\n")
                print(f"{name} {exporter}: {type(error).__name__}", flush=True)


@dataclasses.dataclass
class Row:
    family: str
    exporter: str
    stage: str  # as stages.STAGES; "export" where torch fails, "done" where nothing does
    sqnr: float
    reason: str


def first_line(text, length=160):
    """What an error says, without the command and the name of the file."""
    lines = [line for line in text.splitlines() if "error:" in line] or text.splitlines()[-1:] or [""]
    more = " ".join(text.split(lines[0], 1)[1].split()) if lines[0].endswith("cannot be imported:") else ""
    line = re.sub(r"^.*?error: (\S+\.onnx: )?", "", lines[0]) + " " + more
    line = re.sub(r"\x1b\[\d*m", "", line).replace("|", "/").strip()
    return line if len(line) <= length else line[:length] + " ..."


def measure(job):
    stem, tools = job
    family, exporter = stem.name.rsplit(".", 1)
    error = pathlib.Path(f"{stem}.error")
    if error.exists():
        return Row(family, exporter, "export", math.nan, first_line(error.read_text().splitlines()[-1]))
    pixels = images_of(family)
    with tempfile.TemporaryDirectory() as folder:
        result = stages.Check(
            tools, folder, f"{stem}.onnx", stem.parent / f"images{pixels}.npy", f"{stem}.npy").run()
    return Row(family, exporter, result.stage or "done", result.sqnr, first_line(result.message))


def images_of(family):
    """Without the packages that families.py needs: from its text, and that of hybrids.py."""
    here = pathlib.Path(__file__).parent
    text = (here / "families.py").read_text() + (here / "hybrids.py").read_text()
    found = re.search(rf'"{family}": \("\w+", (\d+)\)', text)
    return int(found[1]) if found else 32


def write_table(arguments):
    stems = sorted({path.with_suffix("") for end in ("npy", "error") for path in arguments.folder.glob(f"*.*.{end}")})
    stems = [stem for stem in stems if re.search(arguments.only, stem.name)]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(measure, [(stem, arguments.bin) for stem in stems]))
    print("| family | exporter | furthest | dB | why not further |\n|---|---|---|---|---|")
    for row in rows:
        sqnr = "" if math.isnan(row.sqnr) else f"{row.sqnr:.1f}"
        print(f"| {row.family} | {row.exporter} | {row.stage} | {sqnr} | {row.reason} |")
    print()
    count = collections.Counter(row.stage for row in rows)
    print("exports:", ", ".join(f"{stage} {number}" for stage, number in count.most_common()))
    best = {}
    for row in rows:
        best[row.family] = max(best.get(row.family, 0), ORDER.index(row.stage))
    count = collections.Counter(ORDER[reached] for reached in best.values())
    print(f"{len(best)} families by their best exporter:", ", ".join(f"{stage} {n}" for stage, n in count.most_common()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("export")
    command.add_argument("--out", required=True, type=pathlib.Path)
    command.add_argument("--only", default="")
    command.set_defaults(run=write_exports)
    command = commands.add_parser("table")
    command.add_argument("folder", type=pathlib.Path)
    command.add_argument("--bin", required=True, type=pathlib.Path)
    command.add_argument("--only", default="")
    command.add_argument("--jobs", type=int, default=2)
    command.set_defaults(run=write_table)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
