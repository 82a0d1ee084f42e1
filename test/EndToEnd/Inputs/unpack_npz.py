"""unpack_npz.py FILE.npz FOLDER: the bytes of each array behind its header, as FOLDER/0.raw, FOLDER/1.raw ..."""

import pathlib
import sys
import zipfile

path, folder = sys.argv[1:]
with zipfile.ZipFile(path) as archive:
    for number, name in enumerate(archive.namelist()):
        array = archive.read(name)
        header = 10 + int.from_bytes(array[8:10], "little")  # of version 1
        print(name, array[10:header].decode("latin-1").strip())
        (pathlib.Path(folder) / f"{number}.raw").write_bytes(array[header:])
