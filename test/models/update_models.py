#!/usr/bin/env python3
"""Run make_models.py if its models are older than it, and its packages are there.

    update_models.py --out DIR --stamp FILE

FILE exists when DIR is complete. Without the packages nothing is written, and the exit
status is 0: the tests that read the models are skipped.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

PACKAGES = "numpy, onnx, torch"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--stamp", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    script = pathlib.Path(__file__).with_name("make_models.py")
    sources = [script, *(script.with_name(name) for name in ("refused_models.py", "vit_modules.py"))]
    newest = max(source.stat().st_mtime for source in sources)
    if arguments.stamp.exists() and arguments.stamp.stat().st_mtime >= newest:
        return 0
    arguments.stamp.unlink(missing_ok=True)
    # In a process of its own: a package may be there and broken.
    if subprocess.run([sys.executable, "-c", f"import {PACKAGES}"], stderr=subprocess.DEVNULL).returncode:
        print("Frontend test models: skipped (they need python3-numpy, python3-onnx and python3-torch)")
        return 0
    shutil.rmtree(arguments.out, ignore_errors=True)
    status = subprocess.run([sys.executable, script, "--out", arguments.out]).returncode
    if status == 0:
        arguments.stamp.touch()
    return status


if __name__ == "__main__":
    sys.exit(main())
