#!/usr/bin/env python3
"""summarize_tests.py [--logs DIR] [--command NAME=STATUS]... RESULTS.json...

Adds up results that lit wrote with --output, and exit statuses of commands. Lists
what was skipped, with the reason, and what failed. The last line is
"N passed, N failed"; the exit status is 1 when something failed.
"""

import argparse
import collections
import json
import pathlib
import re
import sys

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", action="append", default=[])
    parser.add_argument("--logs", default=".", help="folder with logs of unit tests")
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
    for name, message in skip_messages(arguments.logs).items():
        skipped[message or "no reason given"].append(f"vitq-unit :: {name}")
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
