"""documents.py ROOT: every document that a source, a test or a document names exists.

`docs/Rules.md` is looked for at the root, a relative path beside the file as well, a bare name anywhere.
A rule that is named with docs/Rules.md is one of its headings. A diagnostic that names a rule by its
number says where the rules are.
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
FOLDERS = ("benchmarks", "cmake", "dialects", "docs", "examples", "include", "lib", "models", "scripts", "test", "tools")
SUFFIXES = (".c", ".cpp", ".h", ".inc", ".td", ".md", ".mlir", ".test", ".py", ".sh", ".txt", ".cmake", ".in", ".cfg")
# Tests of the checkers name what does not exist; a folder of optional data is no part of the repository.
EXCLUDED = re.compile(r"^(test/docs/Inputs/self_test\.py|test/lint/documents\.test)$")
NAME = re.compile(r"(?<![\w./%-])((?:[\w.-]+/)*[\w-]+\.md)\b")

paths = [path for path in sorted(root.iterdir()) if path.is_file()]
for folder in FOLDERS:
    paths += sorted((root / folder).rglob("*"))
existing = {path.name for path in paths if path.suffix == ".md"}
rules = root / "docs" / "Rules.md"
headings = set(re.findall(r"^## R(\d+):", rules.read_text(encoding="utf-8"), re.M)) if rules.exists() else set()

bad = []
for path in paths:
    name = path.relative_to(root).as_posix()
    if path.suffix not in SUFFIXES or not path.is_file() or EXCLUDED.match(name):
        continue
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        for document in NAME.findall(line):
            found = (root / document).exists() or (path.parent / document).exists()
            if not found and ("/" in document or document not in existing):
                bad.append(f"{name}:{number}: there is no document {document}")
        for rule in re.findall(r"docs/Rules\.md, R(\d+)|R(\d+), docs/Rules\.md", line):
            if "".join(rule) not in headings:
                bad.append(f"{name}:{number}: docs/Rules.md has no R{''.join(rule)}")
        if name.startswith(("lib/", "dialects/")) and path.suffix in (".cpp", ".h"):
            for text in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                if re.search(r"\bR([1-9]|1[0-3])\b", text) and "docs/Rules.md" not in text:
                    bad.append(f"{name}:{number}: a message names a rule by its number only: {text}")
sys.exit("\n".join(bad) or 0)
