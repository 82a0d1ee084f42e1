"""The loops of contraction tiles: contraction_loops.py KERNELS.mlir PROGRAM.s FULL

KERNELS.mlir is what --convert-vitq-to-kernels wrote: the sums that each function
@vitq_tile_N carries through its loop. PROGRAM.s is the same module as assembly, and
FULL the number of sums in a whole tile of the target. In each tile's innermost loop

- the dot products are as many as the sums, or a multiple if the loop was unrolled;
- no vector goes to or comes from the stack, but sums of 32 bits around runs of two
  short ones, each once;

(of a tile that something else is computed beside, vitq_tile_beside_N, only the second is looked at) and no tile uses vpmaddubsw, whose sums saturate, unless the kernel says that they do
not. One tile at least is whole.
"""

import re
import sys

SHORT = re.compile(r"^(?:vpmaddubsw|smull2?|smlal2?)$")
DOT = re.compile(r"^(?:v?pmaddwd|vpdpbusd|vpdpwssd|usdot|sdot|smlal2?|u?smmla)$")
BRANCH = re.compile(r"^(?:j\w+|b(?:\.\w+)?|cbn?z|tbn?z)$")
VECTOR = re.compile(r"%[xyz]mm\d|\b[qvdz]\d+\b")


def sums_of_tiles(text):
    """The number of vectors that the first loop of each tile returns, and whether its sums are short."""
    tiles = {}
    for match in re.finditer(r"func\.func private @(vitq_tile_(?:beside_)?\d+)\(.*?(?=\n  func\.func|\Z)", text, re.S):
        loop = re.search(r"%\w+(?::(\d+))? = scf\.for .*-> \(vector<", match[0])
        tiles[match[1]] = int(loop[1] or 1) if loop else 0, bool(re.search(r"pmadd\.?ub|saddlp", match[0]))
    return tiles


def functions(text):
    """Lists of (mnemonic, operands, label) by the function's name."""
    found, body = {}, None
    for line in text.splitlines():
        # In front of an instruction, {vex} is its encoding.
        line = re.sub(r"^\s*\{\w+\}\s*", "\t", re.sub(r"\s*(//|# ).*", "", line))
        if label := re.match(r"([\w.$]+):", line):
            if not label[1].startswith(".L"):
                body = found.setdefault(label[1], [])
            elif body is not None:
                body.append((None, "", label[1]))
        elif body is not None and (code := re.match(r"\s+([a-z][\w.]*)\s*(.*)", line)):
            body.append((code[1], code[2].strip(), None))
    return found


def innermost_loop(body, dot=DOT):
    """The instructions of the smallest loop with a dot product; None without one."""
    labels = {label: at for at, (_, _, label) in enumerate(body) if label}
    loops = []
    for at, (mnemonic, operands, _) in enumerate(body):
        begin = labels.get(operands.split()[-1]) if mnemonic and BRANCH.match(mnemonic) and operands else None
        if begin is not None and begin < at and any(m and dot.match(m) for m, _, _ in body[begin:at]):
            loops.append(body[begin:at + 1])
    return min(loops, key=len, default=None)


def stack_pointers(body):
    """The registers that point into the stack: a frame pointer only if it is set up."""
    names = ["%rsp", "sp"]
    for mnemonic, operands, _ in body:
        if mnemonic == "movq" and operands == "%rsp, %rbp":
            names.append("%rbp")
        if mnemonic in ("mov", "add") and operands.startswith("x29, sp"):
            names.append("x29")
    return re.compile("|".join(rf"[(\[]{re.escape(name)}\b" for name in names))


def check(name, body, sums, is_short):
    dot = SHORT if is_short else DOT
    if not is_short and any(mnemonic == "vpmaddubsw" for mnemonic, _, _ in body):
        yield f"{name}: vpmaddubsw saturates"
    loop = innermost_loop(body, dot)
    if loop is None:
        yield f"{name}: no loop with a dot product; {sums} were expected in it"
        return
    dots = sum(bool(mnemonic and dot.match(mnemonic)) for mnemonic, _, _ in loop)
    if "beside" not in name and (not sums or dots % sums):
        yield f"{name}: {dots} dot products in the innermost loop, which is no multiple of its {sums} sums"
    stack = stack_pointers(body)
    moves = [(mnemonic, operands) for mnemonic, operands, _ in loop
             if mnemonic and stack.search(operands) and VECTOR.search(operands)]
    if is_short and dots == 2 * sums and len(moves) <= dots:
        return
    for mnemonic, operands in moves:
        yield f"{name}: a vector on the stack in the innermost loop: {mnemonic} {operands}"


def main(kernels, program, full):
    with open(kernels, encoding="utf-8") as file:
        tiles = sums_of_tiles(file.read())
    with open(program, encoding="utf-8") as file:
        bodies = functions(file.read())
    problems = []
    counts = sorted({sums for name, (sums, _) in tiles.items() if "beside" not in name})
    if int(full) not in counts:
        problems.append(f"no tile has {full} sums: {counts}")
    for name, (sums, is_short) in tiles.items():
        if name in bodies:
            problems += check(name, bodies[name], sums, is_short)
        else:
            problems.append(f"{name} is not in the program")
    if problems:
        return f"{program}:\n" + "\n".join(problems)
    print(f"{len(tiles)} tiles of {', '.join(map(str, counts))} sums"
          f"{', some of them short' if any(is_short for _, is_short in tiles.values()) else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
