"""damage.py GOOD BAD COMMAND...: writes versions of the file GOOD to BAD, cut off or with
one byte changed, and runs COMMAND on each: it must fail with an error that names the
file, and neither crash nor hang."""

import random
import subprocess
import sys

good, bad, command = sys.argv[1], sys.argv[2], sys.argv[3:]
data = open(good, "rb").read()
random.seed(6)
versions = [("cut to %d bytes" % n, data[:n]) for n in [0, 1, 7, 8, 12, 40, len(data) // 2, len(data) - 1]]
versions.append(("with a byte more", data + b"\0"))
places = [8, 9, 12, 16, 20, 24, 28] + [random.randrange(len(data)) for _ in range(17)]
for place in places:
    changed = bytearray(data)
    changed[place] ^= 1 << random.randrange(8)
    versions.append(("with byte %d changed" % place, bytes(changed)))
for what, content in versions:
    with open(bad, "wb") as file:
        file.write(content)
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    named = result.stderr.startswith("vitq-run: error: " + bad + ": ")
    if result.returncode != 1 or not named or "bug report" in result.stderr:
        sys.exit("%s: status %d, %r" % (what, result.returncode, result.stderr[:500]))
