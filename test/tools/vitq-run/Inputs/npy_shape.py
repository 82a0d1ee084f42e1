"""npy_shape.py FILE: element type and shape of an .npy file, or of each array of an .npz file."""

import ast
import pathlib
import sys
import zipfile


def describe(array):
    header = ast.literal_eval(array[10 : 10 + int.from_bytes(array[8:10], "little")].decode("latin-1"))
    return f"{header['descr']!r} {header['shape']}"


path = sys.argv[1]
if path.endswith(".npz"):
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            print(name.removesuffix(".npy"), describe(archive.read(name)))
else:
    print(describe(pathlib.Path(path).read_bytes()))
