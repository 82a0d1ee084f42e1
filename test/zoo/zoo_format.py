"""lit tests of this folder: one for each models/NAME.onnx, through the stages of stages.py.

expected_failures.txt has lines `NAME STAGE REASON`: the model fails at that stage, which is an
expected failure; that it passes, or gets further, is an unexpected success. The table may only
shrink.
"""

import json
import os
import pathlib
import sys

import lit.formats
import lit.Test

sys.path.insert(0, os.path.dirname(__file__))
import stages  # noqa: E402

FOLDER = pathlib.Path(__file__).parent


def read_expected_failures(path):
    """{name: (stage, reason)}; a line that is none is an error."""
    expected = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, stage, reason = line.split(None, 2)
        if stage not in stages.STAGES or name in expected or not (FOLDER / "models" / f"{name}.onnx").exists():
            raise ValueError(f"{path}: {line}")
        expected[name] = stage, reason
    return expected


def check(name, tools, folder):
    """The result of a model of this folder."""
    models = FOLDER / "models"
    facts = json.loads((models / "models.json").read_text())[name]
    return stages.Check(
        tools, folder, models / f"{name}.onnx", models / facts.get("images", "images16.npy"), models / f"{name}.npy",
        facts.get("flags", ()), facts.get("quantized", False)).run()  # fmt: skip


def judge(result, expected):
    """The code of a test, and what lit prints."""
    if expected is None:
        if result.passed:
            return lit.Test.PASS, f"{result.sqnr:.1f} dB"
        return lit.Test.FAIL, f"stage '{result.stage}': {result.message}"
    stage, reason = expected
    if result.stage == stage:
        return lit.Test.XFAIL, reason
    reached = stages.STAGES.index(result.stage) if result.stage else len(stages.STAGES)
    if reached > stages.STAGES.index(stage):
        where = f"fails at '{result.stage}'" if result.stage else "passes"
        return lit.Test.XPASS, f"{where} and is expected to fail at '{stage}': change expected_failures.txt\n{result.message}"
    return lit.Test.FAIL, f"stage '{result.stage}', expected to fail at '{stage}' only: {result.message}"


class ZooTest(lit.formats.FileBasedTest):
    def __init__(self, wanted_tiers, tools):
        super().__init__()
        self.is_wanted = not wanted_tiers or "run" in wanted_tiers.split(",")
        self.tools = tools
        self.expected = read_expected_failures(FOLDER / "expected_failures.txt")

    def getTestsForPath(self, suite, path, lit_config, local_config):
        if self.is_wanted:
            for test in super().getTestsForPath(suite, path, lit_config, local_config):
                test.previous_elapsed = test.previous_elapsed or 2
                yield test

    def execute(self, test, lit_config):
        name = pathlib.Path(test.getSourcePath()).stem
        result = check(name, self.tools, test.getExecPath() + ".tmp")
        code, output = judge(result, self.expected.get(name))
        return lit.Test.Result(code, output)


