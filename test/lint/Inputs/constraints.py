"""constraints.py OPS.td INVALID.mlir: constraints C1, C2 ... against test labels."""

import os
import re
import sys

td, tests = sys.argv[1:]
dialect = os.path.basename(os.path.dirname(td))

declared, ops, op = set(), set(), None
for line in open(td, encoding="utf-8"):
    if match := re.match(r'def \w+ *: *\w+<"(\w+)"', line):
        op = f"{dialect}.{match[1]}"
        ops.add(op)
    elif re.match(r"(def|class|//===)", line):
        op = None
    elif op and (match := re.match(r"\s*\* (C\d+):", line)):
        declared.add(f"{op} {match[1]}")

labels = set()
for chunk in open(tests, encoding="utf-8").read().split("// -----"):
    found = re.findall(r"^// (\w+\.\w+ C\d+)$", chunk, re.M)
    labels.update(found)
    if found and "expected-error" not in chunk:
        sys.exit(f"{tests}: {found[0]}: no expected-error follows the label")

if not ops:
    sys.exit(f"{td}: found no ops")
bad = [f"{td}: {name} is not violated by a test in {tests}" for name in sorted(declared - labels)]
bad += [f"{tests}: {name} is not a constraint of {td}" for name in sorted(labels - declared)]
sys.exit("\n".join(bad) or 0)
