"""Each kind of mistake in a document is found: self_test.py ROOT TOOLS TEMP

A small tree with one broken document per mistake; the checkers must fail on it
with the expected text.
"""

import pathlib
import shutil
import subprocess
import sys

ROOT, TOOLS, TEMP = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
HERE = pathlib.Path(__file__).parent
FENCE = "```"

# (checker, document, what it says; None: no complaint)
CASES = [
    ("references", f"{FENCE}sh\nls\n{FENCE}", "does not say whether it is tested"),
    ("references", f"{FENCE}sh runs\nls\n{FENCE}", "does not say whether it is tested"),
    ("references", f"{FENCE}\nls\n{FENCE}", "does not say whether it is tested"),
    ("references", f"{FENCE}sh illustration\nvitq-opt m.onnx \\\n --compile --no-such-flag\n{FENCE}", "no flag --no-such-flag"),
    ("references", f"{FENCE}sh illustration\nvitq-opt m.onnx --recipe=magic\n{FENCE}", "--recipe has no value 'magic'"),
    ("references", f"{FENCE}sh illustration\nvitq-run m.so --emit=so\n{FENCE}", "vitq-run: there is no flag --emit"),
    ("references", "`--no-such-flag`", "no flag --no-such-flag"),
    ("references", "`vit-no-such-pass`", "no pass 'vit-no-such-pass'"),
    ("references", "`vit.no_such_op %x`", "no op or attribute 'vit.no_such_op'"),
    ("references", "`lib/NoSuchFile.cpp`", "no file 'lib/NoSuchFile.cpp'"),
    ("references", "[a](no-such.md)", "no file 'no-such.md'"),
    ("references", "# A heading\n[a](#another)", "no heading '#another'"),
    ("references", "# A `b` heading\n[a](#a-b-heading) `--recipe=minmax` `vit-quantize` `vitq.sum` `vit.range` `lib/Numerics`", None),
    ("examples", f"{FENCE}sh run\nfalse\n{FENCE}", "exit status 1"),
    ("examples", f"{FENCE}sh fails\ntrue\n{FENCE}", "exit status 0"),
    ("examples", f"{FENCE}sh run\nfalse | true\n{FENCE}", "exit status 1"),
    ("examples", f"{FENCE}sh run\necho a 10.0\n{FENCE}\n{FENCE}text output\na 12.0\n{FENCE}", "the output differs"),
    ("examples", f"{FENCE}sh run\necho a 10.0\n{FENCE}\n{FENCE}text output\nb 10.0\n{FENCE}", "the output differs"),
    ("examples", f"{FENCE}sh run\nprintf 'a\\nb\\nc\\n'\n{FENCE}\n{FENCE}text output\na\nc\n{FENCE}", "the output differs"),
    ("examples", f"{FENCE}sh run\nprintf 'x\\na\\nb\\nc  9.9 d\\n'\n{FENCE}\n{FENCE}text output\na\n...\nc 10.0 ...\n{FENCE}", None),
    ("examples", f"{FENCE}mlir parse\n%y = vit.no_such_op %x : tensor<1xf32> -> tensor<1xf32>\n{FENCE}", "vitq-opt refuses it"),
    ("examples", f"{FENCE}mlir parse\n%y = vit.relu %x : tensor<1xf32> -> tensor<1xf32>\n%z = vit.relu %y : tensor<1xf32> -> tensor<1xf32>\n{FENCE}", None),
    ("examples", f"{FENCE}sh excerpt=lib/a.cpp\none\nthree\n{FENCE}", "these lines are not in lib/a.cpp"),
    ("examples", f"{FENCE}sh excerpt=lib/a.cpp\none\n...\nthree\n{FENCE}\n{FENCE}sh run\ntrue\n{FENCE}", None),
    ("examples", f"{FENCE}text file=b/c.txt\nhello\n{FENCE}\n{FENCE}sh run\ncat b/c.txt\n{FENCE}\n{FENCE}text output\nhello\n{FENCE}", None),
]

bad = []
for number, (checker, text, expected) in enumerate(CASES):
    tree = TEMP / str(number)
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "lib").mkdir(parents=True)
    (tree / "lib/a.cpp").write_text("one\ntwo\n  three\n")
    (tree / "lib/Numerics").mkdir()
    for name in ("dialects", "include"):
        (tree / name).symlink_to(ROOT / name)
    (tree / "README.md").write_text(text + "\n")
    (tree / "CONTRIBUTING.md").write_text("")
    command = [sys.executable, "-B", HERE / f"{checker}.py", tree, TOOLS] + ([TEMP / f"{number}.run"] if checker == "examples" else [])
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = expected in result.stdout and result.returncode if expected else not result.returncode
    if not found:
        bad.append(f"case {number}: expected {expected!r}\n{text}\n--\n{result.stdout}")
sys.exit("\n".join(bad) or 0)
