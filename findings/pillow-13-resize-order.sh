#!/usr/bin/env bash
# Pillow 13.0.0 gives other pixels than Pillow 12.3.0 for the same resize of the same
# picture, and its release notes do not say so: where the height shrinks by more than twice
# what the width does (in pixels), the vertical pass now runs first, and 8-bit rounding
# happens between the passes. Models that were trained and evaluated on older pixels see
# others; two machines with the same code and another Pillow disagree.
#
# Seen with CPython 3.11 on x86-64, bicubic, a picture of 400 x 100 (height x width):
#   to 124 x 31: 15.8 % of the pixels differ, by at most 1 of 255
#   to  31 x 91: 25.4 %, by at most 2
#   to 300 x 49: none (the height loses 100, less than twice the width's 51)
# and 13.0.0 equals two resizes in a row, height first, where it differs from 12.3.0.
#
# Installs both releases and numpy in a temporary folder; needs python3 with venv, and a
# network. Exit status 1 when Pillow behaves otherwise than this says.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/resize.py" <<'PYTHON'
import json, sys
import numpy as np
import PIL
from PIL import Image

picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (400, 100), dtype=np.uint8))
result = {"version": PIL.__version__}
for height, width in ((124, 31), (31, 91), (300, 49)):
    pixels = picture.resize((width, height), Image.BICUBIC)
    columns = picture.resize((100, height), Image.BICUBIC).resize((width, height), Image.BICUBIC)
    rows = picture.resize((width, 400), Image.BICUBIC).resize((width, height), Image.BICUBIC)
    result[f"{height}x{width}"] = {
        "pixels": np.array(pixels).tolist(),
        "order": {(True, False): "height first", (False, True): "width first"}.get(
            (pixels.tobytes() == columns.tobytes(), pixels.tobytes() == rows.tobytes()), "unclear")}
json.dump(result, sys.stdout)
PYTHON

for release in 12.3.0 13.0.0; do
  python3 -m venv "$folder/$release"
  "$folder/$release/bin/pip" install -q --disable-pip-version-check "pillow==$release" numpy==2.2.6
  "$folder/$release/bin/python" "$folder/resize.py" >"$folder/$release.json"
done

"$folder/13.0.0/bin/python" - "$folder/12.3.0.json" "$folder/13.0.0.json" <<'PYTHON'
import json, sys
import numpy as np

old, new = (json.load(open(path)) for path in sys.argv[1:])
expected = {"124x31": ("width first", "height first"), "31x91": ("width first", "height first"),
            "300x49": ("width first", "width first")}
changed = []
for size, orders in expected.items():
    a, b = (np.array(release[size]["pixels"]) for release in (old, new))
    seen = old[size]["order"], new[size]["order"]
    print(f"400x100 to {size}: {old['version']} {seen[0]}, {new['version']} {seen[1]}; "
          f"{100 * (a != b).mean():.1f} % of the pixels differ, by at most {abs(a - b).max()}")
    if seen != orders or (a != b).any() != (orders[0] != orders[1]):
        changed.append(size)
if changed:
    sys.exit("not as described: " + ", ".join(changed))
PYTHON
