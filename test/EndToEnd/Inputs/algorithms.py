"""Which algorithms the ops of a report have.

    algorithms.py REPORT.json NAME=ALGORITHM ...   all nonlinear ops of that name, or of
                                                   that node, and there is one
    algorithms.py REPORT.json --measured           every nonlinear op has a decision, which
                                                   takes the cheapest candidate within budget
"""

import json
import re
import sys

# An error below this one counts as none (docs/Numerics.md).
ENOUGH_DB = 48

path, *wanted = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    report = json.load(file)
ops = [op for op in report["ops"] if op["algorithm"]]


def check_decision(text):
    chosen, budget = re.match(r"([\w:]+): .* within ([\d.]+) dB of table; ", text).groups()
    candidates = {name: (float(sqnr), float(cost))
                  for name, sqnr, cost in re.findall(r"([\w:]+) (inf|[\d.]+) dB at cost ([\d.]+)", text)}
    if not {"table", "lut:8", "lut:16", chosen} <= set(candidates):
        sys.exit(f"candidates are missing: {text}")
    # One unit of the last printed digit.
    least = min(candidates["table"][0], ENOUGH_DB) - float(budget)
    if candidates[chosen][0] < least - 0.1:
        sys.exit(f"the chosen one is not within the budget: {text}")
    if any(sqnr > least + 0.1 and cost < candidates[chosen][1] for sqnr, cost in candidates.values()):
        sys.exit(f"a cheaper one is within the budget: {text}")
    return chosen


if wanted == ["--measured"]:
    decisions = {d["node"]: check_decision(d["text"]) for d in report["decisions"] if d["pass"] == "vit-select-nonlinear"}
    own = [op for op in ops if op["op"] != "vitq.divide_rows"]
    missing = [op["node"] for op in own if op["node"] not in decisions]
    # The table of the pixels is no function of the model.
    if not decisions or len(missing) > 1:
        sys.exit(f"no decision about {missing}")
    for op in own:
        same = {"exact": "table", "interpolation": "table"}
        chosen = decisions.get(op["node"])
        if chosen and same.get(op["algorithm"], op["algorithm"]) != same.get(chosen, chosen) and (
                op["op"], chosen, op["algorithm"]) != ("vitq.layer_norm", "poly", "exact"):
            sys.exit(f"{op['node']} was to be {chosen} but is {op['algorithm']}")
else:
    for argument in wanted:
        name, _, algorithm = argument.rpartition("=")
        found = {op["algorithm"] for op in ops if name in (op["op"], op["node"])}
        if found != {algorithm}:
            sys.exit(f"{name}: {found or 'none'} instead of {algorithm}")
