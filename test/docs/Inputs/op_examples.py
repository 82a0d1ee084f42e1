"""op_examples.py ROOT TOOLS: every op has an example that vitq-opt reads and verifies.

The pages of ops (docs/Dialects, which are made of the TableGen files) have for each op a
block of MLIR that holds it. An op without is an error, unless op_examples.txt names it,
which may only become shorter; so is one that is named there although it has one.
"""

import os
import pathlib
import re
import subprocess
import sys

import markdown
from complete import complete

root, tools = map(pathlib.Path, sys.argv[1:])
allowed = {line for line in (pathlib.Path(__file__).parent / "op_examples.txt").read_text(encoding="utf-8").split("\n")
           if line and not line.startswith("#")}
bad, without, count = [], set(), 0
for dialect in ("Vit", "Vitq", "Systolic"):
    page = root / f"docs/Dialects/{dialect}.md"
    text = page.read_text(encoding="utf-8")
    lines = [(text.count("\n", 0, match.start()) + 1, match[1])
             for match in re.finditer(r"^### `([a-z]+\.[a-z0-9_]+)`", text, re.M)]
    if not lines:
        bad.append(f"{page}: has no ops")
    blocks = [block for block in markdown.read(page, page.name).blocks if block.language == "mlir"]
    for (line, op), (end, _) in zip(lines, [*lines[1:], (text.count("\n") + 2, "")]):
        examples = [block for block in blocks
                    if line < block.line < end and re.search(rf"{re.escape(op)}(?![\w.])", block.text)]
        if not examples:
            without.add(op)
        for block in examples:
            source = complete(block.text)
            result = subprocess.run([tools / "vitq-opt", "-", "-o", os.devnull], input=source, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            count += 1
            if result.returncode:
                bad.append(f"{page.name}:{block.line}: vitq-opt refuses the example of {op}\n{source}{result.stdout}")
bad += [f"{op}: its description has no example; write one" for op in sorted(without - allowed)]
bad += [f"op_examples.txt: {op} has an example or is gone; remove the line" for op in sorted(allowed - without)]
print(f"{count} examples")
sys.exit("\n".join(bad) or 0)
