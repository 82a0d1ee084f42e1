#!/usr/bin/env python3
"""summarize_tests.py [--command NAME=STATUS]... RESULTS.json...

Adds up results that lit wrote with --output, and exit statuses of commands. Lists
what was skipped, with the reason, and what failed. The last line is
"N passed, N failed"; the exit status is 1 when something failed.
"""

import argparse
import collections
import json
import re
import sys

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def reason(test):
    output = test.get("output", "").strip()
    match = re.search(r"unavailable features: (.*)", output)
    if match:
        return "needs " + match[1].strip()
    match = re.search(r"features: (.*)", output)
    if match:
        return "not with " + match[1].strip()
    # GTEST_SKIP() << "reason" follows a line that names the source.
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    lines = [line for line in lines if not re.search(r"\.(cpp|h|cc):\d+$", line)]
    return lines[-1] if lines else "no reason given"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", action="append", default=[])
    parser.add_argument("results", nargs="+")
    arguments = parser.parse_args()

    passed, failed, skipped = 0, [], collections.defaultdict(list)
    for path in arguments.results:
        try:
            with open(path, encoding="utf-8") as file:
                tests = json.load(file)["tests"]
        except (OSError, ValueError, KeyError) as error:
            print(f"{path}: no results: {error}")
            failed.append(path)
            continue
        if not tests:
            print(f"{path}: no tests were found")
            failed.append(path)
        here = 0
        for test in tests:
            if test["code"] in PASSED:
                here += 1
            elif test["code"] in SKIPPED:
                skipped[reason(test)].append(test["name"])
            else:
                failed.append(f'{test["name"]} ({test["code"]})')
        print(f"{path}: {here} of {len(tests)} passed")
        passed += here
    for command in arguments.command:
        name, status = command.rsplit("=", 1)
        if status == "0":
            passed += 1
        else:
            failed.append(f"{name} (exit status {status})")

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
