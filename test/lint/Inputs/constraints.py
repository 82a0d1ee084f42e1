"""constraints.py DIALECT INVALID.mlir...: constraints C1, C2 ... against test labels.

DIALECT is a folder of TableGen files. A label is `// vitq.pwl C1` for an op, `// #vitq.pwl C1` for an
attribute, `// !systolic.tiles C1` for a type.
"""

import pathlib
import re
import sys

folder, tests = pathlib.Path(sys.argv[1]), sys.argv[2:]
dialect = folder.name


def read(path):
    """Constraints of the definitions of a TableGen file."""
    declared, name, sigil = set(), None, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r'def (\w+) *: *(\w+)<(?:"(\w+)"|\w+, "\w+")(?:, "(\w+)")?', line):
            symbol, base, first, second = match.groups()
            sigil = "!" if base == "TypeDef" else "#" if base == "AttrDef" or symbol.endswith("Attr") else ""
            # What an attribute or a type is called may stand in its body.
            spelt = second if sigil else first
            name = f"{sigil}{dialect}.{spelt}" if spelt else None
        elif re.match(r"(def|class|//===)", line):
            name = sigil = None
        elif sigil and (match := re.match(r'\s*let mnemonic = "(\w+)"', line)):
            name = f"{sigil}{dialect}.{match[1]}"
        elif name and (match := re.match(r"\s*\* (C\d+):", line)):
            declared.add(f"{name} {match[1]}")
    return declared


declared = set().union(*(read(path) for path in folder.glob("*.td")))
if not declared:
    sys.exit(f"{folder}: found no constraints")

labels = set()
for path in tests:
    for chunk in open(path, encoding="utf-8").read().split("// -----"):
        found = re.findall(r"^// ([#!]?\w+\.\w+ C\d+)$", chunk, re.M)
        labels.update(found)
        if found and "expected-error" not in chunk:
            sys.exit(f"{path}: {found[0]}: no expected-error follows the label")

bad = [f"{folder}: {name} is not violated by a test in {', '.join(tests)}" for name in sorted(declared - labels)]
bad += [f"{name} is labelled in a test, but no constraint of {folder}" for name in sorted(labels - declared)]
sys.exit("\n".join(bad) or 0)
