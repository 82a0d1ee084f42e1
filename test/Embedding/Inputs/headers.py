"""headers.py ROOT...: every header under the include folders includes only headers that
are there, those of LLVM and MLIR, and those of the languages."""

import os
import re
import sys

roots = sys.argv[1:]
bad = 0
for folder, _, names in os.walk(roots[0]):
    for name in names:
        path = os.path.join(folder, name)
        with open(path) as file:
            text = file.read()
        for quote, included in re.findall(r'^\s*#?include\s*(["<])([^">]+)[">]', text, re.M):
            known = re.match(r"(llvm|mlir|mlir-c)/", included) or (quote == "<" and re.fullmatch(r"[a-z_0-9]+(\.h)?", included))
            if not known and not any(os.path.exists(os.path.join(root, included)) for root in roots):
                print(f"{path}: includes '{included}', which is not installed")
                bad += 1
sys.exit(bad != 0)
