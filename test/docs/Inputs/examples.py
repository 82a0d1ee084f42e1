"""Runs the examples of the documents (markdown.py says which these are).

    examples.py ROOT TOOLS TEMP [--kind KIND] [DOCUMENT...]

Every document gets an empty folder below TEMP that looks like ROOT: its files are
there as links, and so is build/release/bin with the built TOOLS, which are in
the path. Its blocks run in order, each in a shell of its own. With --kind only the
blocks of that kind run, on data that takes the place of a user's:

    run-shared   of VITQ_SHARED: vit_tiny.onnx, calibration/, val/ with labels.csv
    run-models   of VITQ_TEST_MODELS: vit_tiny.onnx as timm, vit_hf/model.onnx as
                 Optimum exports it, with their preprocessing, and calibration/
    run-boards   none: what needs compilers for microcontrollers
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zlib

import compare
import markdown
from complete import complete


def link_shared(folder):
    shared = pathlib.Path(os.environ["VITQ_SHARED"])
    (folder / "vit_tiny.onnx").symlink_to(shared / "models/vit_tiny_in1k/vit_tiny_dynamo_op17.onnx")
    for name, count in (("calibration", 8), ("val", 16)):
        source = shared / "images/imagenet" / name
        (folder / name).mkdir()
        images = sorted(path for path in source.iterdir() if path.suffix.lower() in (".jpeg", ".jpg"))
        for path in images[:: len(images) // count][:count]:
            (folder / name / path.name).symlink_to(path)
        if (source / "labels.csv").exists():
            kept = {path.name for path in (folder / name).iterdir()}
            header, *lines = (source / "labels.csv").read_text().splitlines()
            lines = [line for line in lines if line.split(",")[0] in kept]
            (folder / name / "labels.csv").write_text("\n".join([header, *lines, ""]))


def write_png(path, size, seed):
    """A picture of noise, RGB."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes((seed * 37 + y * y * 11 + x * (y + seed) * 7) % 256 for x in range(3 * size))
                    for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def link_models(folder):
    models = pathlib.Path(os.environ["VITQ_TEST_MODELS"])
    for name in ("vit_hf", "calibration"):
        (folder / name).mkdir()
    (folder / "vit_tiny.onnx").symlink_to(models / "timm_like_op17.onnx")
    (folder / "vit_hf/model.onnx").symlink_to(models / "hf_optimum_op17.onnx")
    half = [0.5, 0.5, 0.5]
    timm = {"input_size": [3, 16, 16], "crop_pct": 0.9, "interpolation": "bicubic", "mean": half, "std": half}
    hugging_face = {"image_processor_type": "ViTImageProcessor", "do_resize": True, "size": {"height": 16, "width": 16},
                    "resample": 2, "do_normalize": True, "image_mean": half, "image_std": half}
    (folder / "vit_tiny.json").write_text(json.dumps(timm))
    (folder / "vit_hf/preprocessor_config.json").write_text(json.dumps(hugging_face))
    for seed in range(8):
        write_png(folder / f"calibration/{seed}.png", 20, seed)


FIXTURES = {"run-shared": link_shared, "run-models": link_models, "run-boards": lambda folder: None}


def prepare(root, tools, folder, kind):
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "build/release").mkdir(parents=True)
    (folder / "build/release/bin").symlink_to(tools)
    for path in root.iterdir():
        if path.name not in ("build", ".git"):
            (folder / path.name).symlink_to(path)
    if kind in FIXTURES:
        FIXTURES[kind](folder)


def indented(text, most=40):
    lines = text.splitlines()
    if len(lines) > most:
        lines = [*lines[: most // 2], f"... ({len(lines) - most} lines)", *lines[-most // 2 :]]
    return "".join(f"    {line}\n" for line in lines)


class Runner:
    def __init__(self, root, tools, folder, kind):
        self.root, self.folder, self.kind = root, folder, kind
        self.environment = dict(os.environ)
        self.environment["PATH"] = f"{tools}{os.pathsep}{self.environment.get('PATH', '')}"
        self.output = None
        self.count = 0
        self.failures = []

    def fail(self, document, block, text, output=""):
        self.failures.append(f"{document.name}:{block.line}: {text}\n{indented(output)}")

    def execute(self, command, given=None):
        self.count += 1
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, input=given, text=True, stdin=None if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def shell(self, document, block):
        result = self.execute(["bash", "-euo", "pipefail", "-c", block.text])
        self.output = result.stdout
        if (result.returncode == 0) == (block.kind == "fails"):
            self.fail(document, block, f"exit status {result.returncode}", block.text + result.stdout)

    def parse(self, document, block, flags):
        source = complete(block.text)
        result = self.execute(["vitq-opt", "-", "-o", os.devnull, *flags], source)
        if result.returncode:
            self.fail(document, block, "vitq-opt refuses it", source + result.stdout)

    def excerpt(self, document, block):
        self.count += 1
        path = self.root / block.value
        if not path.is_file():
            return self.fail(document, block, f"no file {block.value}")
        expected = "\n".join("..." if compare.words(line).strip("/*# ") == "..." else line
                             for line in block.text.splitlines())
        actual = [compare.words(line) for line in path.read_text(encoding="utf-8").splitlines()]
        actual = [line for line in actual if line]
        parts = [[line for line in map(compare.words, part.splitlines()) if line]
                 for part in re.split(r"^\.\.\.$", expected, flags=re.M)]
        at = 0
        for part in parts:
            found = next((i for i in range(at, len(actual)) if actual[i : i + len(part)] == part), None)
            if found is None:
                return self.fail(document, block, f"these lines are not in {block.value}", "\n".join(part))
            at = found + len(part)

    def block(self, document, block):
        kind = block.kind
        plain = self.kind == "run"
        if document.generated:
            if plain and block.language == "mlir" and "..." not in block.text and "…" not in block.text:
                self.parse(document, block, [])
        elif kind == "file":
            path = self.folder / block.value
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif kind == self.kind or (kind == "fails" and plain):
            self.shell(document, block)
        elif kind in ("run", "fails", *FIXTURES):
            self.output = None  # not run: what it prints is not known
        elif kind == "output":
            if self.output is not None and not compare.contains(block.text, self.output):
                self.fail(document, block, "the output differs", self.output)
        elif kind == "parse" and plain:
            self.parse(document, block, block.words[1:])
        elif kind == "excerpt" and plain:
            self.excerpt(document, block)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("tools", type=pathlib.Path)
    parser.add_argument("temp", type=pathlib.Path)
    parser.add_argument("--kind", default="run", choices=["run", *FIXTURES])
    parser.add_argument("documents", nargs="*")
    arguments = parser.parse_args()
    root, tools, temp = (path.resolve() for path in (arguments.root, arguments.tools, arguments.temp))
    every = markdown.documents(root)
    failures, total = [], 0
    for name in arguments.documents or every:
        document, folder = every[name], temp / name.replace("/", "_")
        if not document.generated and all(block.kind in (None, "text", "illustration") for block in document.blocks):
            continue
        if arguments.kind != "run" and all(block.kind != arguments.kind for block in document.blocks):
            continue
        runner = Runner(root, tools, folder, arguments.kind)
        prepare(root, tools, folder, arguments.kind)
        for block in document.blocks:
            runner.block(document, block)
        failures += runner.failures
        total += runner.count
        if not runner.failures:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{total} examples")
    if not total:
        failures.append("nothing was run")
    sys.exit("\n".join(failures) or 0)


main()
