"""Tiers of the tests: parts that are run alone (scripts/test.sh --tier), and their order.

ir: MLIR text, and checks of the sources. models: what needs models that are not part of
vitq. run: everything else, on the embedded model. unit: GoogleTest.

lit begins with what took longest before, by the times of the last run or else those of
.lit_test_times.txt. Tests without a time take the place that their tier usually has: lit
would put them last.
"""

import os
import re

import lit.formats

USUAL_SECONDS = {"models": 60, "unit": 20, "run": 10, "ir": 1}


def tier_of(path):
    if path.endswith(".mlir") or "lint" in os.path.normpath(path).split(os.sep):
        return "ir"
    with open(path, encoding="utf-8") as file:
        required = " ".join(re.findall(r"REQUIRES:(.*)", file.read()))
    return "models" if re.search(r"\b(shared-data|test-models)\b", required) else "run"


def placed(test, tier):
    test.previous_elapsed = test.previous_elapsed or USUAL_SECONDS[tier]
    return test


class TieredTest(lit.formats.ShTest):
    """Shell tests of some tiers: names with commas, all when empty."""

    def __init__(self, tiers):
        super().__init__(execute_external=False)
        self.tiers = set(filter(None, tiers.split(",")))

    def getTestsForPath(self, suite, path, lit_config, local_config):
        for test in super().getTestsForPath(suite, path, lit_config, local_config):
            tier = tier_of(test.getSourcePath())
            if not self.tiers or tier in self.tiers:
                yield placed(test, tier)


class UnitTest(lit.formats.GoogleTest):
    """GoogleTest executables, the tier `unit`."""

    def __init__(self, tiers, *arguments, **options):
        super().__init__(*arguments, **options)
        self.isWanted = not tiers or "unit" in tiers.split(",")

    def getTestsInDirectory(self, suite, path, lit_config, local_config):
        if self.isWanted:
            for test in super().getTestsInDirectory(suite, path, lit_config, local_config):
                yield placed(test, "unit")
