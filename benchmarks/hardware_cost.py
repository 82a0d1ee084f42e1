#!/usr/bin/env python3
"""What the array's parts cost in gates: elements, function units, requantizers.

Synthesizes them with Yosys to Debian's 0.18 um standard cells and to a Xilinx 7-series device, times them with OpenSTA and
estimates power from how their nets change on a model's own codes, weights and sums (hardware_flow.py). Beside them stand
baselines (rtl/baselines) and what papers report. Writes costs.json, costs.svg and a table; with --write-costs also the file
that the compiler's energies and areas come from.

Needs Debian's yosys, opensta and qflow-tech-osu018, vitq-opt and vitq-run, and Python's numpy and matplotlib.
"""

import argparse
import concurrent.futures
import dataclasses
import datetime
import hashlib
import json
import os
import pathlib
import re
import sys
import time

import hardware_data
import hardware_designs
import hardware_flow
import hardware_tables

ROOT = pathlib.Path(__file__).resolve().parent.parent
DIGITS = ROOT / "models" / "digits"
SHARED = pathlib.Path(os.environ.get("VITQ_SHARED", ROOT.parent / "shared"))
# Model, calibration, preprocessing, images.
DATA = {
    "digits": ("the digits model", DIGITS / "digits.onnx", DIGITS / "calibration.npy", "mean=0.5,std=0.5", DIGITS / "images.npy"),
    "vit_tiny": ("ViT-Tiny", SHARED / "models" / "vit_tiny_in1k" / "vit_tiny_script_op13.onnx",
                 SHARED / "images" / "imagenet" / "calibration", "resize=248,crop=224,mean=0.5,std=0.5",
                 SHARED / "images" / "imagenet" / "val"),
}


def measure(flow, design):
    """A design's entry, and the seconds that it took."""
    begin = time.monotonic()
    folder = flow.work / re.sub(r"\W+", "_", f"{design.group} {design.name}")
    folder.mkdir(exist_ok=True)
    # What was measured before is read, unless something has changed.
    stimuli = design.stimuli() if design.stimuli else None
    key = hashlib.sha256(repr((dataclasses.replace(design, stimuli=None), stimuli, hardware_flow.versions(),
                               [(ROOT / "rtl" / source).read_text() for source in design.sources])).encode()).hexdigest()
    kept = folder / "entry.json"
    if kept.exists():
        before = json.loads(kept.read_text())
        if before["key"] == key:
            return before["entry"], 0.0
    entry = {"name": design.name, "group": design.group, **design.facts, **flow.cells(design, folder)}
    if design.stimuli:
        entry |= flow.power(design, folder)
    if design.device:
        entry["xc7"] = flow.device(design, folder, dsp=True)
        entry["xc7_nodsp"] = flow.device(design, folder, dsp=False)
    kept.write_text(json.dumps({"key": key, "entry": entry}))
    return entry, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vitq-build", type=pathlib.Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--data", choices=list(DATA), default="digits", help="whose codes; ViT-Tiny's need the shared data")
    parser.add_argument("--only", default="", metavar="REGEX", help="designs of these names or groups only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "hardware-cost",
                        help="folder of netlists and logs; what is there and has not changed is not measured again")
    parser.add_argument("--out", type=pathlib.Path, help="folder of costs.json and costs.svg (default: --work)")
    parser.add_argument("--write-costs", action="store_true", help=f"write {hardware_tables.COSTS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    title, model, calibration, preprocess, images = DATA[arguments.data]
    work, out = arguments.work.resolve(), (arguments.out or arguments.work).resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        flow = hardware_flow.Flow(work)
        codes = {bits: hardware_data.codes(arguments.vitq_build.resolve(), model, calibration, preprocess, images, bits, work)
                 for bits in (8, 4, 3, 2)}
        designs = [design for part in (hardware_designs.elements, hardware_designs.functions, hardware_designs.requantizers)
                   for design in part(codes)] + list(hardware_designs.units())
        designs = [design for design in designs if re.search(arguments.only, f"{design.group}: {design.name}")]
        if not designs:
            parser.error(f"no design is called {arguments.only}")
        entries = []
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for entry, seconds in pool.map(lambda design: measure(flow, design), designs):
                entries.append(entry)
                print(f"{len(entries)}/{len(designs)} {entry['name']}: {seconds:.0f} s", file=sys.stderr, flush=True)
    except (hardware_flow.FlowError, FileNotFoundError) as error:
        sys.exit(f"hardware_cost.py: {error}")
    results = {"date": datetime.date.today().isoformat(), "tools": hardware_flow.versions(), "data": title,
               "cells": hardware_flow.CELLS.name, "clock_ns": hardware_flow.PERIOD, "entries": entries}
    (out / "costs.json").write_text(json.dumps(results, indent=1) + "\n")
    print(hardware_tables.text(results))
    if not arguments.only:
        hardware_tables.draw(results, out / "costs.svg")
    if arguments.write_costs:
        if not hardware_tables.suffices(results):
            parser.error("--write-costs needs all elements: --only leaves some out")
        hardware_tables.write_costs(results)


if __name__ == "__main__":
    main()
