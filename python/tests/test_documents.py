# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The examples of docs/Python.md, one after the other."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blocks_of(path, kind):
    text = (ROOT / "docs" / path).read_text()
    return re.findall(rf"^```python {kind}\n(.*?)^```", text, re.M | re.S)


def run(path, kind, names):
    blocks = blocks_of(path, kind)
    assert len(blocks) >= 5
    for number, block in enumerate(blocks):
        exec(compile(block, f"{path}, example {number}", "exec"), names)


def test_examples(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnx")
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    run("Python.md", "pytest", {})
    said = capsys.readouterr().out
    share = float(re.search(r"right: ([0-9.]+)", said)[1])
    assert share > 0.95


def test_timm_tutorial(tmp_path, monkeypatch, capsys):
    """With random weights: nothing is downloaded."""
    pytest.importorskip("timm")
    monkeypatch.chdir(tmp_path)
    run("Howto/start-from-timm.md", "timm", {"PRETRAINED": False})
    assert float(re.search(r"SQNR ([0-9.]+) dB", capsys.readouterr().out)[1]) > 15
