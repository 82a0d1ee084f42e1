"""license.py ROOT: every C, C++ and TableGen source begins with the license header."""

import pathlib
import sys

HEADER = ("Part of vitq, under the Apache License v2.0 with LLVM Exceptions.", "See LICENSE for license information.",
          "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception")
FOLDERS = ("benchmarks", "cmake", "dialects", "examples", "include", "lib", "test", "tools")
SUFFIXES = (".c", ".cpp", ".h", ".inc", ".td")

root = pathlib.Path(sys.argv[1])
bad = []
for folder in FOLDERS:
    for path in sorted((root / folder).rglob("*")):
        if path.suffix not in SUFFIXES:
            continue
        with open(path, encoding="utf-8") as file:
            head = "".join(line for line, _ in zip(file, range(12)))
        if not all(line in head for line in HEADER):
            bad.append(f"{path.relative_to(root)}: has no license header in its first 12 lines; copy that of a neighbour")
sys.exit("\n".join(bad) or 0)
