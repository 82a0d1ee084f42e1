"""diagnostics.py ROOT [--list]: the text of every diagnostic of the compiler occurs in a test.

Diagnostics are the string literals of a statement that calls emitError, emitOpError, emitRemark,
emitWarning, or one of the helpers that say why an op is refused. The longest one counts: it is tested if
a window of it occurs in a test, longer than chance. Untested ones are in diagnostics.txt, which may only
become shorter. --list prints all untested ones.
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
FOLDERS = ("dialects", "lib")
CALL = re.compile(r"\b(?:emit(?:Op)?Error|emitRemark|emitWarning|refuse|because)\s*\(|\berror\s*\(\s*\)\s*<<")
WINDOW = 20
SHORTEST = 10  # less is punctuation around names
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def statement(text, start):
    """From `start` to the semicolon that ends it, outside of strings."""
    position, depth = start, 0
    while position < len(text):
        if match := LITERAL.match(text, position):
            position = match.end()
            continue
        character = text[position]
        depth += (character in "({[") - (character in ")}]")
        if depth < 0 or (character == ";" and depth == 0):
            break
        position += 1
    return text[start:position]


def literals(source):
    """String literals; adjacent ones are one."""
    joined = re.sub(r'(?<!\\)"\s*"', "", source)
    texts = (re.sub(r"\\(.)", r"\1", match[1]) for match in LITERAL.finditer(joined))
    # What formatv fills in ends a piece.
    return [piece for text in texts for piece in re.split(r"\{\d[^}]*\}", text)]


def diagnostics():
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.cpp")):
            text = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.M)
            for match in CALL.finditer(text):
                found = [literal for literal in literals(statement(text, match.start())) if len(literal) >= SHORTEST]
                if found:
                    yield path.relative_to(root).as_posix(), max(found, key=len).strip()


def squeeze(text):
    return re.sub(r"\s+", " ", text)


tests = squeeze("\n".join(
    path.read_text(encoding="utf-8", errors="replace") for path in sorted((root / "test").rglob("*"))
    if path.suffix in (".mlir", ".test", ".cpp", ".h", ".py", ".txt") and path.name != "diagnostics.txt"))
# C++ tests break texts as the sources do.
tests = re.sub(r'" "', "", tests)


def tested(text):
    text = squeeze(text)
    width = min(WINDOW, len(text))
    return any(text[i:i + width] in tests for i in range(len(text) - width + 1))


untested = sorted({f"{path}: {text}" for path, text in diagnostics() if not tested(text)})
if sys.argv[2:] == ["--list"]:
    print("\n".join(untested))
    sys.exit(0)
allowed = {line for line in (pathlib.Path(__file__).parent / "diagnostics.txt").read_text(encoding="utf-8").splitlines()
           if line and not line.startswith("#")}
bad = [f"{entry}\n  is said by no test; write one" for entry in untested if entry not in allowed]
bad += [f"diagnostics.txt: {entry}\n  is tested or gone; remove the line" for entry in sorted(allowed - set(untested))]
sys.exit("\n".join(bad) or 0)
