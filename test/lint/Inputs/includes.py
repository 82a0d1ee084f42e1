# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""includes.py ROOT: includes go one way.

docs/Architecture.md lists the folders of dialects/, include/vitq/ and lib/ in layers, in
the text block behind "Dependencies point one way": a folder includes itself and folders of
lines above its own. Every folder is listed.
"""

import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
document = (root / "docs/Architecture.md").read_text(encoding="utf-8")
block = re.search(r"Dependencies point one way.*?```text\n(.*?)```", document, re.S)
if not block:
    sys.exit("docs/Architecture.md: no text block of layers behind 'Dependencies point one way'")
layer = {}
for number, line in enumerate(block[1].splitlines()):
    for folder in line.split():
        layer[folder] = number


def folder_of(path):
    """The listed folder that a path below dialects/, include/vitq/ or lib/ lies in."""
    parts = path.split("/")
    for end in range(len(parts) - 1, 0, -1):
        if (folder := "/".join(parts[:end])) in layer:
            return folder
    stem = path.rsplit(".", 1)[0]  # a header of its own, beside the folder
    return stem if stem in layer else None


bad = []
files = subprocess.run(
    ["git", "-C", root, "ls-files", "dialects", "include/vitq", "lib"], capture_output=True, text=True, check=True
).stdout.split()
for file in files:
    path = re.sub(r"^(include/vitq|lib)/", "", file)
    if not file.endswith((".cpp", ".h")) or "/" not in path:
        continue
    own = folder_of(path)
    if own is None:
        bad.append(f"{file}: its folder is not listed")
        continue
    text = (root / file).read_text(encoding="utf-8")
    for included in re.findall(r'#include "((?:vitq|dialects)/[^"]+)"', text):
        other = folder_of(re.sub(r"^vitq/", "", included))
        if other is None:
            bad.append(f"{file}: the folder of {included} is not listed")
        elif other != own and layer[other] >= layer[own]:
            bad.append(f"{file}: {own} may not include {included} of {other}")
sys.exit("\n".join(bad) or 0)
