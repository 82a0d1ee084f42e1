"""labels.py DIALECT...: every constraint Cn in a .td file is labelled beside its check.

A label is a comment `// C1`, alone or in a list (`// C1, C2`), in or just before a function of the op, the attribute
or the type (`LinearOp::verify`, `LinearOp::infer...`). A check in a helper is labelled where the
op calls it, so that a reader of the verifier finds all.
"""

import pathlib
import re
import sys

bad = []


def declared(folder):
    """Constraints by C++ class."""
    constraints = {}
    for path in sorted(folder.glob("*.td")):
        name = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"def \w+?_(\w+)\b", line):
                name = match[1]
            elif re.match(r"(class|//===)", line):
                name = None
            elif name and (match := re.match(r"\s*\* (C\d+):", line)):
                constraints.setdefault(name, set()).add(match[1])
    return constraints


def labelled(folder):
    """Labels by C++ class."""
    labels = {}
    for path in sorted(folder.glob("*.cpp")):
        name, before = None, set()
        for line in path.read_text(encoding="utf-8").splitlines():
            comment = re.search(r"//(.*)$", line)
            found = set(re.findall(r"\bC\d+\b", comment[1])) if comment else set()
            if re.match(r"\S", line) and not line.startswith("//"):
                match = re.search(r"\b(\w+)::(?:verify|infer|parse|get)\w*\(", line)
                if match:
                    name = match[1]
                    labels.setdefault(name, set()).update(before)
                elif not line.startswith("}"):
                    name = None
                before = set()
            elif line.startswith("//"):
                before |= found
            if name:
                labels.setdefault(name, set()).update(found)
                if re.match(r"}", line):
                    name = None
    return labels


for folder in map(pathlib.Path, sys.argv[1:]):
    constraints, labels = declared(folder), labelled(folder)
    if not constraints:
        sys.exit(f"{folder}: found no constraints")
    for name, wanted in sorted(constraints.items()):
        bad += [f"{folder}: {name} {label} is not labelled beside its check"
                for label in sorted(wanted - labels.get(name, set()))]
        bad += [f"{folder}: {name} is labelled {label}, which is no constraint of it"
                for label in sorted(labels.get(name, set()) - wanted)]
sys.exit("\n".join(bad) or 0)
