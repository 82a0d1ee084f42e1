"""page.py MODULE.wasm MANIFEST.json PAGE.html [--example PICTURE.bin] [--classes NAMES.txt]

One page that classifies pictures, without a server or a network: all of it is in the file, the module as text of one
character a byte. PICTURE.bin holds the bytes of a picture as the program takes it, NAMES.txt a name a line.
"""

import argparse
import base64
import collections
import json
import pathlib

HERE = pathlib.Path(__file__).parent
# Within a template string of JavaScript within HTML.
ESCAPES = {0: b"\\x00", 13: b"\\r", 36: b"\\$", 60: b"\\<", 92: b"\\\\", 96: b"\\`"}


def as_text(module):
    """The module with a key on all bytes, which is chosen so that few of them need an escape."""
    counts = collections.Counter(module)
    key = min(range(256), key=lambda k: sum(counts[byte ^ k] * (len(text) - 1) for byte, text in ESCAPES.items()))
    table = [ESCAPES.get(byte ^ key, bytes([byte ^ key])) for byte in range(256)]
    return b"".join(table[byte] for byte in module), key


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", type=pathlib.Path)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--example", type=pathlib.Path)
    parser.add_argument("--classes", type=pathlib.Path)
    arguments = parser.parse_args()

    manifest = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    kept = {key: manifest[key] for key in
            ("name", "input", "outputs", "preprocess", "arena_bytes", "arena_align")}
    text, key = as_text(arguments.module.read_bytes())
    classes = arguments.classes.read_text(encoding="utf-8").splitlines() if arguments.classes else []
    example = base64.b64encode(arguments.example.read_bytes()).decode() if arguments.example else None

    def script(value):
        return json.dumps(value).replace("<", "\\u003c").encode("ascii")

    parts = {"name": manifest["name"].encode("ascii"), "program": (HERE / "program.js").read_bytes(),
             "manifest": script(kept), "classes": script(classes), "example": script(example), "key": b"%d" % key}
    page = (HERE / "page.html").read_bytes()
    for name, value in parts.items():
        page = page.replace(b"{" + name.encode() + b"}", value)
    # Last, as its bytes may look like anything.
    before, after = page.split(b"{module}")
    arguments.page.write_bytes(before + text + after)


main()
