"""The repository's Markdown documents: blocks of code, inline code, links.

The words after the language of a fenced block say what becomes of it:

    sh run                  run by bash, in a folder of the document's own
    sh run-shared           the same on optional data, see examples.py
    sh run-models
    sh run-boards
    sh fails                run; must end with an error
    python pytest           run by python/tests/test_documents.py, one after the other
    python timm             the same, where timm is installed
    text output             what the block before it prints (compare.py)
    mlir parse [--pass...]  complete IR, or ops; read by vitq-opt with these flags
    LANGUAGE file=NAME      written to NAME before the blocks that follow
    LANGUAGE excerpt=PATH   these lines are in PATH; `...` stands for any others
    LANGUAGE illustration   none of these
    text                    no code: diagrams, formulas

Anything else is an error, so that an example is either tested or says that it
is not. Generated pages have no such words: their IR is parsed unless `...`
leaves something out.
"""

import pathlib
import re
from dataclasses import dataclass, field

GENERATED = {"docs/Passes.md", "docs/Dialects/Vit.md", "docs/Dialects/Vitq.md", "docs/Dialects/Systolic.md"}
KINDS = {"pytest", "timm", "run", "run-shared", "run-models", "run-boards", "fails", "output", "parse", "illustration"}


@dataclass
class Block:
    line: int
    language: str
    words: list
    text: str

    @property
    def kind(self):
        """One of KINDS, "file", "excerpt", "text", or None."""
        if not self.words:
            return "text" if self.language == "text" else None
        name, _, value = self.words[0].partition("=")
        if name in ("file", "excerpt"):
            return name if value else None
        return name if name in KINDS else None

    @property
    def value(self):
        return self.words[0].partition("=")[2]


@dataclass
class Document:
    path: pathlib.Path
    name: str
    blocks: list = field(default_factory=list)
    # (line, text) of inline code, (line, target) of links.
    spans: list = field(default_factory=list)
    links: list = field(default_factory=list)
    anchors: set = field(default_factory=set)

    @property
    def generated(self):
        return self.name in GENERATED


def anchor(heading):
    """The name that GitHub gives to a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def read(path, name):
    document = Document(path, name)
    prose, opened = [], None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"( *)```(.*)$", line)
        if opened:
            if fence and not fence[2].strip():
                indent, start, info, lines = opened
                lines = [text.removeprefix(indent) for text in lines]
                language, *words = info.split() or [""]
                document.blocks.append(Block(start, language, words, "".join(text + "\n" for text in lines)))
                opened = None
            else:
                opened[3].append(line)
            prose.append("")
        elif fence:
            opened = (fence[1], number, fence[2], [])
            prose.append("")
        else:
            prose.append(line)
            if heading := re.match(r"#+ +(.*)$", line):
                document.anchors.add(anchor(heading[1]))
    if opened:
        raise SystemExit(f"{name}:{opened[1]}: the block does not end")
    text = "\n".join(prose)

    def take(pattern, to):
        for match in re.finditer(pattern, text):
            to.append((text.count("\n", 0, match.start()) + 1, match[1]))

    take(r"`([^`]+)`", document.spans)
    take(r"\]\(([^)\s]+)\)", document.links)
    return document


def documents(root):
    """All of them, by name."""
    root = pathlib.Path(root)
    paths = [root / "README.md", root / "CONTRIBUTING.md"]
    for folder in ("docs", "models", "examples", "benchmarks"):
        paths += (root / folder).rglob("*.md")
    return {name: read(path, name) for path in sorted(paths) if (name := path.relative_to(root).as_posix())}
