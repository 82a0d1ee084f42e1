"""pictures.py IMAGES.npy COUNT PICTURES.bin: the first COUNT images (uint8) as bytes, one after the other."""

import ast
import math
import pathlib
import sys

images, count, output = sys.argv[1:]
data = pathlib.Path(images).read_bytes()
start = 10 + int.from_bytes(data[8:10], "little")
header = ast.literal_eval(data[10:start].decode())
if header["descr"] != "|u1" or header["fortran_order"]:
    sys.exit(f"{images}: these are no images of bytes")
pathlib.Path(output).write_bytes(data[start:][: int(count) * math.prod(header["shape"][1:])])
