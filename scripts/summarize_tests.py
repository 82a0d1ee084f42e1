#!/usr/bin/env python3
"""summarize_tests.py [--logs DIR] [--command NAME=STATUS]... [RESULTS.json...]

Adds up results that lit wrote with --output, and exit statuses of commands. Lists
the ten slowest tests, what was skipped, with the reason, and what failed. The last line is
"N passed, N failed"; the exit status is 1 when something failed.

A test may be skipped for what this machine cannot do, or for a package that is not
installed. One that is skipped although its packages are installed, for a tool that this
project builds, or for something that nobody knows, has failed.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
SKIPPED = {"UNSUPPORTED", "SKIPPED"}
# Left out by --filter.
EXCLUDED = "EXCLUDED"


# What features of test/lit.cfg.py need: Debian packages, or a folder beside the
# project's. Nothing, where the processor has the feature or not.
PACKAGES = {
    "test-models": ["python3-numpy", "python3-onnx", "python3-torch"],
    "operator-cases": ["libonnx-testdata"],
    "qemu-aarch64": ["qemu-user"],
    "qemu-riscv32": ["qemu-user"],
    "cortex-m": ["gcc-arm-none-eabi", "qemu-system-arm"],
    "riscv-gcc": ["gcc-riscv64-unknown-elf"],
    "wasm": ["lld-22"],
    "node": ["nodejs"],
    "picolibc": ["gcc-arm-none-eabi", "qemu-system-arm", "picolibc-arm-none-eabi"],
    "libomp": ["libomp-22-dev"],
    "chromium": ["chromium"],
    "verilator": ["verilator", "g++", "make"],
    "sanitizers": ["libclang-rt-22-dev"],
    "yosys": ["yosys"],
    "opensta": ["opensta"],
    "osu018": ["qflow-tech-osu018"],
}
FOLDERS = {"shared-data": pathlib.Path(__file__).resolve().parents[2] / "shared"}
HARDWARE = {"x86_64", "aarch64", "avx2", "avx512", "avx512vnni"}
# How messages of GTEST_SKIP() call them.
FEATURES = {"VITQ_TEST_MODELS is no": "test-models", "VITQ_SHARED is no": "shared-data"}


def is_installed(package):
    try:
        status = subprocess.run(
            ["dpkg-query", "-W", "-f=${db:Status-Status}", package],
            capture_output=True,
            text=True,
        ).stdout
    except FileNotFoundError:
        return False
    return status.strip() == "installed"


def mistake(why):
    """Why a test should not have been skipped for `why`; empty if it may be."""
    if match := re.match(r"needs (.*)", why):
        features = re.findall(r"[\w-]+", match[1])
    else:
        features = [name for text, name in FEATURES.items() if text in why][:1]
    for feature in features:
        if feature in PACKAGES:
            if all(map(is_installed, PACKAGES[feature])):
                verb = "is" if len(PACKAGES[feature]) == 1 else "are"
                return f'{", ".join(PACKAGES[feature])} {verb} installed'
        elif feature in FOLDERS:
            if FOLDERS[feature].is_dir():
                return f"{FOLDERS[feature]} is there"
        elif feature not in HARDWARE:
            return f"'{feature}' is no feature of test/lit.cfg.py, or a tool that was not built"
    return ""


def skip_messages(folder):
    """What GTEST_SKIP() said, by test name, from the logs that keep_log.py wrote.

    lit leaves skipped unit tests out of its results.
    """
    messages = {}
    for path in pathlib.Path(folder).glob("*.log"):
        text = path.read_text(encoding="utf-8", errors="replace")
        for message, name in re.findall(
            r": Skipped\n(.*?)\n\s*\[  SKIPPED \] (\S+)", text, re.S
        ):
            messages[name] = " ".join(message.split())
    return messages


def reason(test):
    output = test.get("output", "")
    if match := re.search(r"unavailable features: (.*)", output):
        return "needs " + match[1].strip()
    if match := re.search(r"following features and/or targets: (.*)", output):
        return "not with " + match[1].strip()
    lines = output.strip().splitlines()
    return lines[-1].strip() if lines else "no reason given"


def print_slowest(times, count=10):
    """The longest of (seconds, name)."""
    if times:
        print("slowest:")
    for seconds, name in sorted(times, reverse=True)[:count]:
        print(f"  {seconds:6.1f} s  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", action="append", default=[])
    parser.add_argument("--logs", default=".", help="folder with logs of unit tests")
    parser.add_argument("results", nargs="*")
    arguments = parser.parse_args()

    passed, failed, skipped, times = 0, [], collections.defaultdict(list), []
    for path in arguments.results:
        try:
            with open(path, encoding="utf-8") as file:
                tests = [test for test in json.load(file)["tests"] if test["code"] != EXCLUDED]
        except (OSError, ValueError, KeyError) as error:
            print(f"{path}: no results: {error}")
            failed.append(path)
            continue
        if not tests:
            print(f"{path}: no tests were found")
            failed.append(path)
        here = 0
        for test in tests:
            if seconds := test.get("elapsed"):
                times.append((seconds, test["name"]))
            if test["code"] in PASSED:
                here += 1
            elif test["code"] in SKIPPED:
                skipped[reason(test)].append(test["name"])
            else:
                failed.append(f'{test["name"]} ({test["code"]})')
        print(f"{path}: {here} of {len(tests)} passed")
        passed += here
    for name, message in skip_messages(arguments.logs).items():
        skipped[message or "no reason given"].append(f"vitq-unit :: {name}")
    for command in arguments.command:
        name, status = command.rsplit("=", 1)
        if status == "0":
            passed += 1
        else:
            failed.append(f"{name} (exit status {status})")

    print_slowest(times)
    for why in sorted(skipped):
        if mistaken := mistake(why):
            failed += [f"{name} (skipped, {why}; but {mistaken})" for name in skipped.pop(why)]
    for why, names in sorted(skipped.items()):
        print(f"skipped, {why}:")
        for name in names:
            print(f"  {name}")
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
