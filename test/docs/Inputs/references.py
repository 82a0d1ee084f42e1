"""What the documents name must exist: references.py ROOT TOOLS

Every block is marked (markdown.py). Relative links lead to a file and, with a #,
to a heading. Files, flags and their values, passes, ops and attributes that are named
in code exist: flags are those of `--help` (in benchmarks/ also those of the scripts
there), op names those of the .td files, attributes strings of the sources.
"""

import pathlib
import re
import subprocess
import sys

import markdown

FOLDERS = "benchmarks|cmake|dialects|docs|examples|include|lib|models|scripts|test|tools"
# Stand for any name.
PLACEHOLDERS = re.compile(r"[<>*{}$]|XTo|AToB|To(X|Y)\b|\.\.\.|NAME")
# Flags of other programs that prose mentions without the program, of other builds, and placeholders.
OTHER_FLAGS = {"--convert-a-to-b", "--convert-vitq-to-x", "--debug-only", "--dense", "--filter", "--install", "--prefix", "--preset", "--verify"}
NO_PASSES = {"vitq-opt", "vitq-run", "vitq-lut", "vitq-asm", "vitq-rtl", "vitq-lsp-server", "vitq-doc", "vitq-fuzz", "vitq-c",
             "vitq-operators", "vitq-test-models", "systolic-asm"}


class Help:
    """Flags of a tool, and the values of those that list them."""

    def __init__(self, tool):
        text = subprocess.run([tool, "--help-hidden"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.values, last = {}, None
        for line in text.splitlines():
            if flag := re.match(r" {2,6}--?([a-z][\w-]*)", line):
                last = "--" + flag[1]
                self.values.setdefault(last, set())
            elif (value := re.match(r" {4,8}=(\S+)", line)) and last:
                self.values[last].add(value[1])
            elif re.match(r" {8,}--", line):
                last = None  # an option of a pass

    def problem(self, flag, value):
        if flag not in self.values:
            return f"there is no flag {flag}"
        known = self.values[flag]
        for part in re.split(r"\\?\|", value or ""):
            if known and re.fullmatch(r"[a-z][a-z0-9-]*", part) and part not in known:
                return f"{flag} has no value '{part}'"
        return None


FLAG = re.compile(r"(?<![\w\-/.])(--[a-z][\w-]*)(?:=([^\s,;)]*))?")


class Checker:
    def __init__(self, root, tools):
        self.root = root
        self.problems = []
        self.documents = markdown.documents(root)
        self.help = {name: Help(tools / name) for name in ("vitq-opt", "vitq-run", "vitq-lut", "vitq-asm", "vitq-rtl")}
        sources = [path for folder in ("dialects", "include", "lib") for path in (root / folder).rglob("*")
                   if path.suffix in (".td", ".h", ".cpp")]
        text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
        self.strings = set(re.findall(r'"((?:vit|vitq|systolic)\.\w+)"', text))
        self.passes = set(re.findall(r'Pass<"([\w-]+)"', text)) | set(
            re.findall(r'PassPipelineRegistration<[^>]*>\(\s*"([\w-]+)"', text))
        for dialect in ("vit", "vitq", "systolic"):
            for path in (root / "dialects" / dialect).glob("*.td"):
                ops = re.findall(r'^def \w+ *: *\w+<"(\w+)"', path.read_text(encoding="utf-8"), re.M)
                self.strings.update(f"{dialect}.{op}" for op in ops)
        # Modules of the Python package.
        self.strings.update(f"vitq.{path.stem}" for path in (root / "python" / "vitq").glob("[a-z]*.py"))
        scripts = "\n".join(path.read_text(encoding="utf-8") for path in (root / "benchmarks").glob("*.py"))
        self.script_flags = set(re.findall(r'add_argument\("(--[a-z][\w-]*)"', scripts))

    def add(self, document, line, text):
        self.problems.append(f"{document.name}:{line}: {text}")

    def marks(self, document):
        for block in document.blocks:
            if document.generated:
                continue
            if block.kind is None:
                self.add(document, block.line, f"the block '{block.language} {' '.join(block.words)}' does not say whether "
                         "it is tested; see test/docs/Inputs/markdown.py")
            elif block.kind in ("run", "run-shared", "run-models", "fails") and block.language != "sh":
                self.add(document, block.line, f"'{block.kind}' is for sh")

    def links(self, document):
        for line, target in document.links:
            if re.match(r"(https?|mailto):", target):
                continue
            path, _, fragment = target.partition("#")
            if path and not (document.path.parent / path).exists():
                self.add(document, line, f"no file '{path}'")
                continue
            name = (document.path.parent / path).resolve() if path else document.path
            other = next((d for d in self.documents.values() if d.path.resolve() == name.resolve()), None)
            if fragment and not document.generated and other and fragment not in other.anchors:
                self.add(document, line, f"no heading '#{fragment}' in {other.name}")

    def command(self, document, line, text):
        """The flags of a tool's command line."""
        tool, *_ = text.split(None, 1) or [""]
        name = pathlib.PurePath(tool).name
        if name not in self.help:
            return
        for flag, value in FLAG.findall(text):
            if problem := self.help[name].problem(flag, value):
                self.add(document, line, f"{name}: {problem}")

    def scripts(self, document):
        for block in document.blocks:
            if block.language != "sh":
                continue
            text = re.sub(r"\\\n", " ", re.sub(r"#.*", "", block.text))
            for command in re.split(r"\n|&&|\|\|?|;|\$\(|`", text):
                self.command(document, block.line, re.sub(r"^[\s!({]*(not )?", "", command))

    def span(self, document, line, text):
        first = pathlib.PurePath(text.split()[0]).name if text.split() else ""
        if first in self.help:
            self.command(document, line, text)
        elif text.startswith("--"):
            for flag, value in FLAG.findall(text):
                problems = [tool.problem(flag, value) for tool in self.help.values()]
                others = OTHER_FLAGS | (self.script_flags if document.name.startswith("benchmarks/") else set())
                if flag not in others and all(problems):
                    self.add(document, line, problems[0] if flag in self.help["vitq-opt"].values else problems[1])
        if re.fullmatch(r"(vit|vitq|systolic|convert)-[a-z-]+", text) and text not in self.passes | NO_PASSES:
            self.add(document, line, f"there is no pass '{text}'")
        for name in re.findall(r"(?<![\w.#!/-])((?:vit|vitq|systolic)\.[a-z_]\w*)", text):
            if name not in self.strings:
                self.add(document, line, f"there is no op or attribute '{name}'")
        for path in re.findall(rf"(?<![\w./-])((?:{FOLDERS})/[\w./*<>${{}}-]*[\w/])", text):
            if not PLACEHOLDERS.search(path + text[text.find(path) + len(path):][:1]) and not (self.root / path).exists():
                self.add(document, line, f"no file '{path}'")

    def run(self):
        for document in self.documents.values():
            self.marks(document)
            self.links(document)
            self.scripts(document)
            for line, text in document.spans:
                self.span(document, line, " ".join(text.split()))
        return self.problems


root, tools = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
sys.exit("\n".join(Checker(root, tools).run()) or 0)
