"""Fails unless a Python expression on JSON files holds.

    expect.py FILE.json EXPRESSION                the file's keys are names
    expect.py A=F.json B=G.json ... EXPRESSION    A["key"], B["key"] ...
"""

import json
import re
import sys

*files, expression = sys.argv[1:]
names = {}
for argument in files:
    name, equals, path = argument.partition("=")
    with open(path if equals else name, encoding="utf-8") as file:
        value = json.load(file)
    names.update({name: value} if equals else value)
functions = {"__builtins__": {}, "abs": abs, "all": all, "len": len, "sum": sum, "zip": zip}
# Globals: comprehensions do not see a caller's locals.
holds = bool(eval(expression, {**functions, **names}))
words = set(re.findall(r"\w+", expression))
for name, value in names.items():
    keys = [f'{name}["{key}"] = {value[key]}' for key in value if key in words] if isinstance(value, dict) else []
    if name in words:
        print("\n".join(keys) if isinstance(value, dict) else f"{name} = {value}")
print("expected:", expression, "--", "holds" if holds else "does not hold")
sys.exit(not holds)
