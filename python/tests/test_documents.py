# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The examples of docs/Python.md, one after the other."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_examples(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnx")
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python pytest\n(.*?)^```", (ROOT / "docs" / "Python.md").read_text(), re.M | re.S)
    assert len(blocks) >= 6
    names = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"Python.md, example {number}", "exec"), names)
    said = capsys.readouterr().out
    share = float(re.search(r"right: ([0-9.]+)", said)[1])
    assert share > 0.95
