#!/usr/bin/env python3
"""Random products and rows of units on the RTL of random arrays, against the simulator.

Draws configurations of small arrays, builds each with rtl/build.sh, and runs random launches on it with vitq-rtl: half of them
anywhere, half of them so that nothing meets in a bank, whose cycles must be the simulator's where there are no units. An array and
its launches are the same for the same seed. Ends with an error at the first difference.

Needs Verilator and a C++ compiler; a build takes half a minute, with units a minute.
"""

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def draw(rng, units):
    """A configuration for which there is RTL, as text."""
    rows, cols = rng.randint(1, 9), rng.randint(1, 9)
    width = max(rows, cols)
    flow = rng.choice(["ws", "os"])
    stream = rng.choice([width, rng.randint(1, 40)])
    dma = rng.choice([1, 2, 4, 8, 16])
    keys = {
        "rows": rows, "cols": cols, "dataflow": flow, "bits": rng.choice([2, 3, 4, 8]),
        "accumulator-bits": rng.choice([32, 32, rng.randint(8, 31)]), "stream-rows": stream,
        "scratchpad-banks": rng.randint(2, 4), "scratchpad-rows": rng.choice([128, 200, 256]),
        "accumulator-banks": rng.randint(1, 3), "accumulator-rows": rng.choice([64, 100, 128]),
        "block-tiles": rng.randint(1, 4), "dma-bytes": dma, "dma-latency": rng.randint(3, 60),
        "dma-requests": rng.randint(1, 16), "dma-request-bytes": dma * rng.choice([1, 2, 4, 8]),
        "load-queue": rng.randint(1, 10), "store-queue": rng.randint(1, 6), "execute-queue": rng.randint(2, 18),
        "unit-lanes": cols,
        "units": "+".join(rng.sample(["dyadic", "comparator", "exponent", "lut", "norm"], rng.randint(1, 5))) if units
                 else rng.choice(["shift", "none"]),
    }
    return ",".join(f"{key}={value}" for key, value in keys.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vitq-build", type=pathlib.Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--arrays", type=int, default=12)
    parser.add_argument("--launches", type=int, default=26, help="on each array (26)")
    parser.add_argument("--units", type=int, default=4, help="every so many arrays one has units (4; 0: none)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    environment = dict(os.environ, VITQ_OPT=str(arguments.vitq_build / "vitq-opt"), VITQ_RTL_O="1")
    total = 0
    with tempfile.TemporaryDirectory() as work:
        for number in range(arguments.arrays):
            has_units = arguments.units > 0 and number % arguments.units == arguments.units - 1
            config, library = draw(rng, has_units), f"{work}/{number}.so"
            print(f"{number}: {config}", flush=True)
            subprocess.run([ROOT / "rtl" / "build.sh", config, library], env=environment, check=True)
            for flags in (["--tolerance=1000"], ["--apart", f"--tolerance={1000 if has_units else 0}"]):
                done = subprocess.run([arguments.vitq_build / "vitq-rtl", library, f"--random={arguments.launches // 2}",
                                       f"--seed={number}", "--quiet", *flags], capture_output=True, text=True)
                print("  " + (done.stdout + done.stderr).strip(), flush=True)
                if done.returncode:
                    sys.exit(f"random_arrays.py: array {number} differs: {config}")
                total += int(re.match(r"\d+", done.stdout)[0])
    print(f"{total} launches on {arguments.arrays} arrays agree")


if __name__ == "__main__":
    main()
