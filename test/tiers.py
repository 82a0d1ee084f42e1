"""Tiers of the lit tests: parts that are run alone (scripts/test.sh --tier).

ir: MLIR text, and checks of the sources. models: what needs models that are not part of
vitq. run: everything else, on the embedded model. Unit tests are a tier of their own
(unit/lit.cfg.py).
"""

import os
import re

import lit.formats


def tier_of(path):
    if path.endswith(".mlir") or "lint" in os.path.normpath(path).split(os.sep):
        return "ir"
    with open(path, encoding="utf-8") as file:
        required = " ".join(re.findall(r"REQUIRES:(.*)", file.read()))
    return "models" if re.search(r"\b(shared-data|test-models)\b", required) else "run"


class TieredTest(lit.formats.ShTest):
    """Shell tests of some tiers: names with commas, all when empty."""

    def __init__(self, tiers):
        super().__init__(execute_external=False)
        self.tiers = set(filter(None, tiers.split(",")))

    def getTestsForPath(self, suite, path, lit_config, local_config):
        for test in super().getTestsForPath(suite, path, lit_config, local_config):
            if not self.tiers or tier_of(test.getSourcePath()) in self.tiers:
                yield test
