#!/usr/bin/env python3
"""class_maps.py make FOLDER: pictures of 4x4 pixels and maps of their classes.
class_maps.py show FILE.png: mode, size, and the index of each pixel, without libraries.

The brightest colour of a pixel is its class in "right"; "half" has the class of every
second row wrong; "void" has 255 there.
"""

import pathlib
import struct
import sys
import zlib

import numpy as np


def write_png(path, pixels, palette=False):
    kind = 3 if palette else 2 if pixels.ndim == 3 else 0
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, kind, 0, 0, 0)
    colours = chunk(b"PLTE", bytes(range(9))) if palette else b""
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + colours + chunk(b"IDAT", zlib.compress(rows))
                     + chunk(b"IEND", b""))


def make(folder):
    classes = np.arange(32).reshape(2, 4, 4) % 3
    pictures = np.full((2, 4, 4, 3), 20, np.uint8)
    np.put_along_axis(pictures, classes[..., None], 200, axis=3)
    half, void = classes.copy(), classes.copy()
    half[:, ::2] = (half[:, ::2] + 1) % 3
    void[:, ::2] = 255
    np.save(folder / "pictures.npy", pictures)
    np.save(folder / "right.npy", classes)
    np.save(folder / "void.npy", void.astype(np.int16))
    np.save(folder / "none.npy", np.full_like(classes, -1))
    np.save(folder / "small.npy", classes[:, :2, :2])
    np.save(folder / "many.npy", classes + 1)
    np.save(folder / "floats.npy", classes.astype(np.float32))
    np.save(folder / "one.npy", classes[:1])
    for name in ("pictures", "half", "colours", "missing"):
        (folder / name).mkdir()
    for i in range(2):
        write_png(folder / f"pictures/p{i}.png", pictures[i])
        write_png(folder / f"half/p{i}.png", half[i].astype(np.uint8), palette=i == 1)
        write_png(folder / f"colours/p{i}.png", pictures[i])
    (folder / "missing/p0.png").write_bytes((folder / "half/p0.png").read_bytes())


def show(path):
    data, at, pixels, palette = path.read_bytes(), 8, b"", False
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if name == b"IHDR":
            width, height, depth, kind = struct.unpack(">IIBB", body[:10])
        pixels += body if name == b"IDAT" else b""
        palette |= name == b"PLTE"
        at += 12 + length
    raw, per = zlib.decompress(pixels), 8 // depth
    print(f"{height}x{width}", "palette" if palette and kind == 3 else f"kind {kind}")
    step = 1 + -(-width // per)
    for y in range(height):
        row = raw[y * step:(y + 1) * step]
        assert row[0] == 0, "filtered"
        print(*[row[1 + x // per] >> (8 - depth * (x % per + 1)) & (1 << depth) - 1 for x in range(width)])


if __name__ == "__main__":
    {"make": make, "show": show}[sys.argv[1]](pathlib.Path(sys.argv[2]))
