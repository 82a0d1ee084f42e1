"""Reads a screenshot (PNG, 8-bit RGB or RGBA) and fails if the page looks empty.

    look.py FILE.png

Standard library only. Prints the size, the number of distinct colours and the share of
pixels that are not the most frequent colour.
"""

import collections
import struct
import sys
import zlib


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "is no PNG"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    assert depth == 8 and color in (2, 6), "is neither RGB nor RGBA"
    size = 3 if color == 2 else 4
    return width, height, size, zlib.decompress(packed)


def rows(width, height, size, raw):
    """Undoes the filters of PNG, row by row."""
    stride = width * size
    before = bytearray(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for i in range(stride):
            left = row[i - size] if i >= size else 0
            up = before[i]
            if kind == 1:
                row[i] = (row[i] + left) & 255
            elif kind == 2:
                row[i] = (row[i] + up) & 255
            elif kind == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif kind == 4:
                corner = before[i - size] if i >= size else 0
                guess = left + up - corner
                near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
                row[i] = (row[i] + near[2]) & 255
        yield row
        before = row


width, height, size, raw = read(sys.argv[1])
colors = collections.Counter()
filled = 0
for row in rows(width, height, size, raw):
    here = collections.Counter(bytes(row[i : i + 3]) for i in range(0, len(row), size))
    filled += len(here) > 1
    colors += here
other = 1 - colors.most_common(1)[0][1] / (width * height)
print(f"{width}x{height}, {len(colors)} colours, {100 * other:.0f} % not background, {filled} rows with content")
if len(colors) < 50 or other < 0.1 or filled < height // 2:
    sys.exit("the page looks empty")
