"""constraints.py OPS.td ATTRS.td INVALID.mlir: constraints C1, C2 ... against test labels.

A label is `// vitq.pwl C1` for an op, `// #vitq.pwl C1` for an attribute, `// !systolic.tiles C1` for a
type.
"""

import os
import re
import sys

td, attributes, tests = sys.argv[1:]
dialect = os.path.basename(os.path.dirname(td))


def read(path, start, prefix):
    """Names of the definitions whose names `start` matches, and their constraints."""
    names, declared, name, sigil = set(), set(), None, prefix
    for line in open(path, encoding="utf-8"):
        if prefix and (match := re.match(r"def \w+ *: *(\w+)<", line)):
            sigil = "!" if match[1] == "TypeDef" else prefix
        if match := re.match(start, line):
            name = f"{sigil}{dialect}.{match[1]}"
            names.add(name)
        elif re.match(r"(def|class|//===)", line):
            name = None
        elif name and (match := re.match(r"\s*\* (C\d+):", line)):
            declared.add(f"{name} {match[1]}")
    if not names:
        sys.exit(f"{path}: found no definitions")
    return declared


declared = read(td, r'def \w+ *: *\w+<"(\w+)"', "") | read(attributes, r'\s*let mnemonic = "(\w+)"', "#")

labels = set()
for chunk in open(tests, encoding="utf-8").read().split("// -----"):
    found = re.findall(r"^// ([#!]?\w+\.\w+ C\d+)$", chunk, re.M)
    labels.update(found)
    if found and "expected-error" not in chunk:
        sys.exit(f"{tests}: {found[0]}: no expected-error follows the label")

bad = [f"{os.path.dirname(td)}: {name} is not violated by a test in {tests}" for name in sorted(declared - labels)]
bad += [f"{tests}: {name} is not a constraint of {td} or {attributes}" for name in sorted(labels - declared)]
sys.exit("\n".join(bad) or 0)
