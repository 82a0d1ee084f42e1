#!/usr/bin/env python3
"""Writes PillowVectors.inc: what Pillow makes of small pictures.

    python3 pillow_vectors.py > PillowVectors.inc
"""
import io
import struct
import zlib

import PIL
import numpy as np
from PIL import Image


def pattern(height, width, channels):
    """The picture that TestUtils.h's `pattern` makes."""
    state, data = 1, bytearray()
    for _ in range(height * width * channels):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        data.append(state >> 16 & 0xFF)
    array = np.frombuffer(bytes(data), np.uint8)
    return array.reshape((height, width, channels) if channels > 1
                         else (height, width))


def emit(name, data):
    text = bytes(data).hex()
    lines = [text[i:i + 68] for i in range(0, len(text), 68)] or [""]
    print(f"inline constexpr const char {name}[] =")
    print("\n".join(f'    "{line}"' for line in lines) + ";")


def emit_file(name, data):
    emit(name, data)
    picture = Image.open(io.BytesIO(data))
    emit(name + "RGB", picture.convert("RGB").tobytes())
    # Pillow clips 16-bit gray at 255 instead of scaling it.
    if picture.mode != "I":
        emit(name + "Gray", picture.convert("L").tobytes())


def encode(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def resize(picture, size, kernel, pillow):
    """What Pillow up to 12, or from 13 on, makes of a picture, whichever runs this.

    They differ in which direction comes first; one resize for each has any order.
    """
    (width, height), (new_width, new_height) = picture.size, size
    lost = height - new_height
    tall = pillow == 13 and lost > 0 and lost > 2 * (width - new_width)
    between = (width, new_height) if tall else (new_width, height)
    result = picture.resize(between, kernel).resize(size, kernel)
    if (pillow == 13) == (int(PIL.__version__.split(".")[0]) >= 13):
        assert result.tobytes() == picture.resize(size, kernel).tobytes()
    return result.tobytes()


def smooth(height, width, channels):
    coarse = Image.fromarray(pattern(3, 3, 3)).resize((width, height))
    return np.concatenate([np.array(coarse)] * 2, axis=2)[..., :channels]


print("""//===- PillowVectors.inc - Images as Pillow resizes them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
""")
print("// Written by pillow_vectors.py with Pillow. Do not edit.")
print("// clang-format off")
gray, rgb = Image.fromarray(pattern(13, 17, 1)), Image.fromarray(pattern(13, 17, 3))
emit("resizeGray5x6Bicubic", gray.resize((6, 5), Image.BICUBIC).tobytes())
emit("resizeGray5x6Bilinear", gray.resize((6, 5), Image.BILINEAR).tobytes())
emit("resizeGray19x11Bicubic", gray.resize((11, 19), Image.BICUBIC).tobytes())
emit("resizeRGB4x23Bicubic", resize(rgb, (23, 4), Image.BICUBIC, 12))
emit("resizeRGB4x23Bicubic13", resize(rgb, (23, 4), Image.BICUBIC, 13))
emit("resizeRGB13x7Bilinear", rgb.resize((7, 13), Image.BILINEAR).tobytes())

tall = Image.fromarray(pattern(41, 11, 3))
for name, size in (("8x9", (9, 8)), ("37x9", (9, 37)), ("36x9", (9, 36)), ("8x11", (11, 8))):
    for release in (12, 13):
        emit(f"resizeTall{name}Bilinear{release}", resize(tall, size, Image.BILINEAR, release))

emit_file("jpeg420", encode(Image.fromarray(smooth(11, 13, 3)), "JPEG",
                            quality=80, subsampling=2, optimize=True))
emit_file("jpegGray", encode(Image.fromarray(pattern(5, 6, 1)), "JPEG",
                             quality=90, optimize=True))
emit_file("jpegCMYK", encode(Image.fromarray(smooth(5, 6, 4), "CMYK"), "JPEG",
                             quality=90, optimize=True))
emit_file("jpegProgressive", encode(Image.fromarray(smooth(9, 10, 3)), "JPEG",
                                    quality=80, progressive=True))
emit_file("pngRGBA", encode(Image.fromarray(pattern(4, 5, 3)).convert("RGBA"),
                            "PNG"))
emit_file("pngPalette", encode(Image.fromarray(smooth(4, 5, 3)).quantize(4),
                               "PNG", transparency=1))
emit_file("pngBits", encode(Image.fromarray(pattern(4, 5, 1)).convert("1"),
                            "PNG"))
# A viewer turns these by a quarter; their pixels are those of pngBits and jpegGray.
turned = Image.Exif()
turned[0x0112] = 6
emit("pngTurned", encode(Image.fromarray(pattern(4, 5, 1)).convert("1"), "PNG", exif=turned))
emit("jpegTurned", encode(Image.fromarray(pattern(5, 6, 1)), "JPEG", quality=90,
                          optimize=True, exif=turned))
emit("png16", encode(Image.fromarray(
    (pattern(2, 3, 1).astype(np.uint16) << 8) + 0xC3), "PNG"))


def chunk(kind, body):
    return (struct.pack(">I", len(body)) + kind + body +
            struct.pack(">I", zlib.crc32(kind + body)))


# A header that claims 60000 x 60000 pixels, and nothing behind it.
emit("pngHuge", b"\x89PNG\r\n\x1a\n" +
     chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) +
     chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
