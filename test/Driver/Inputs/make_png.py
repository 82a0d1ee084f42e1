#!/usr/bin/env python3
"""make_png.py WIDTH HEIGHT FILE [ORIENTATION]: writes a gray PNG, with EXIF data if that is given."""

import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main():
    width, height = int(sys.argv[1]), int(sys.argv[2])
    rows = b"".join(b"\0" + bytes((9 * x + 5 * y) % 256 for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    with open(sys.argv[3], "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)))
        if len(sys.argv) > 4:
            entry = struct.pack(">HHIHH", 0x0112, 3, 1, int(sys.argv[4]), 0)
            file.write(chunk(b"eXIf", b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)))
        file.write(chunk(b"IEND", b""))


if __name__ == "__main__":
    main()
