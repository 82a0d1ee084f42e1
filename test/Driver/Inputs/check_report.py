"""check_report.py REPORT.json: steps, memory and curves of the digits model."""
import json
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))

steps = report["steps"]
assert len(steps) > 20 and all(step["microseconds"] > 0 for step in steps), steps
assert sum(step["macs"] for step in steps) == report["macs"]
limits = [step["limit_microseconds"] for step in steps if step["macs"]]
assert all(limit is None or limit > 0 for limit in limits), limits

plan = report["arena_plan"]
assert max(b["offset"] + b["bytes"] for b in plan) == report["arena_bytes"]
assert all(0 <= b["first_step"] <= b["last_step"] < len(steps) for b in plan), plan
for a in plan:
    for b in plan:
        together = a["first_step"] < b["last_step"] and b["first_step"] < a["last_step"]
        apart = a["offset"] + a["bytes"] <= b["offset"] or b["offset"] + b["bytes"] <= a["offset"]
        assert a is b or not together or apart, (a, b)

curves = report["curves"]
assert [curve["algorithm"] for curve in curves] == ["table"] * 4, curves
for curve in curves:
    xs, exact, computed = zip(*curve["points"])
    assert 20 < len(xs) <= 256 and list(xs) == sorted(xs), curve["node"]
    # But where codes end: the recipe clips what is rare.
    errors = sorted(abs(a - b) for a, b in zip(exact, computed))
    assert errors[len(errors) * 9 // 10] < 0.01 * (max(exact) - min(exact)), (curve["node"], errors[-20:])
