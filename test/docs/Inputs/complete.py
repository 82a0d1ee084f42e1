"""MLIR in documents: complete IR, or ops alone."""

import re


def split_types(text):
    """The types of a signature: "(A, B<C, D>)" -> ["A", "B<C, D>"]."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    types, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "(<[{") - (c in ")]}" or (c == ">" and text[i - 1] != "-"))
        if c == "," and depth == 0:
            types.append(text[start:i])
            start = i + 1
    return [t.strip() for t in [*types, text[start:]] if t.strip()]


def complete(text):
    """Ops alone become a function with their free values as arguments."""
    if re.search(r"^\s*(func\.func|module|builtin\.module)", text, re.M):
        return text
    aliases = "".join(f"{line}\n" for line in text.splitlines() if re.match(r"[!#]\w+ *=", line))
    text = "".join(f"{line}\n" for line in text.splitlines() if not re.match(r"[!#]\w+ *=", line))
    defined, arguments = set(), {}
    for statement in re.split(r"\n(?=%)", "\n" + re.sub(r"//.*", "", text)):
        head, equals, rest = statement.partition(" = ")
        body, colon, signature = rest.rpartition(" : ")
        if not colon:
            continue
        operands = re.findall(r"%\w+", body)
        types = split_types(signature.split("->")[0]) if "->" in signature else [signature.strip()] * len(operands)
        for operand, type_ in zip(operands, types):
            if operand not in defined:
                arguments[operand] = type_
        defined.update(re.findall(r"%\w+", head))
    parameters = ", ".join(f"{name}: {type_}" for name, type_ in arguments.items())
    return f"{aliases}func.func @example({parameters}) {{\n{text}\nreturn\n}}\n"
