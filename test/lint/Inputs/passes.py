"""passes.py ROOT: every pass has a source file and a test named after its flag, and logs what it decides.

    vit-defer-dequant       lib/**/DeferDequant.cpp              test/**/vit-defer-dequant.mlir
    systolic-allocate       lib/**/SystolicAllocate.cpp          test/**/systolic-allocate.mlir
    convert-vit-to-vitq     lib/Conversion/VitToVitq/*.cpp       test/**/convert-vit-to-vitq.mlir
    systolic-raise-to-vitq  lib/Conversion/SystolicToVitq/*.cpp  test/**/systolic-raise-to-vitq.mlir
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
bad = []
texts = [path.read_text(encoding="utf-8") for path in root.glob("lib/**/*.cpp")]


def camel(words):
    return "".join(word.capitalize() for word in words)


for td in sorted(root.glob("include/vitq/**/Passes.td")):
    text = td.read_text(encoding="utf-8")
    for name, flag in re.findall(r'^def (\w+) *: *Pass<"([^"]+)"', text, re.M):
        words = flag.split("-")
        if words[0] == "convert":
            source = f"lib/Conversion/{camel(words[1:])}/*.cpp"
        elif words[1:3] == ["raise", "to"]:
            source = f"lib/Conversion/{camel(words[:1] + words[2:])}/*.cpp"
        else:
            if words[0] in ("vit", "vitq"):
                words = words[1:]
            source = f"lib/**/{camel(words)}.cpp"
        if not any(root.glob(source)):
            bad.append(f"{td.relative_to(root)}: --{flag} has no {source}")
        if not any(f'#define DEBUG_TYPE "{flag}"' in text and "LDBG(" in text for text in texts):
            bad.append(f"{td.relative_to(root)}: --{flag} logs nothing: no file has LDBG() and DEBUG_TYPE \"{flag}\"")
        if not name.endswith("Pass"):
            bad.append(f"{td.relative_to(root)}: {name} does not end in Pass")
        if not any(root.glob(f"test/**/{flag}.mlir")) and not any(root.glob(f"test/**/{flag}.test")):
            bad.append(f"{td.relative_to(root)}: --{flag} has no test/**/{flag}.mlir")

sys.exit("\n".join(bad) or 0)
