"""The loops of depthwise convolutions: depthwise_loops.py PROGRAM.s LIMIT

PROGRAM.s is a module of depthwise convolutions as assembly. In the innermost loop of each that has products

- no vector goes to or comes from the stack;
- of other instructions on vectors there are at most LIMIT for each product.
"""

import sys

import contraction_loops as loops


def check(name, body, limit):
    loop = loops.innermost_loop(body)
    if loop is None:
        yield f"{name}: no loop with a product"
        return
    stack = loops.stack_pointers(body)
    vectors = [(mnemonic, operands) for mnemonic, operands, _ in loop if mnemonic and loops.VECTOR.search(operands)]
    for mnemonic, operands in vectors:
        if stack.search(operands):
            yield f"{name}: a vector on the stack in the innermost loop: {mnemonic} {operands}"
    products = sum(bool(loops.DOT.match(mnemonic)) for mnemonic, _ in vectors)
    if len(vectors) - products > limit * products:
        yield f"{name}: {len(vectors) - products} other instructions for {products} products"
    print(f"{name}: {products} products, {len(vectors) - products} other instructions")


def main(program, limit):
    with open(program, encoding="utf-8") as file:
        found = {name: body for name, body in loops.functions(file.read()).items() if name.startswith("vitq_depthwise")}
    problems = [problem for name, body in found.items() for problem in check(name, body, float(limit))]
    if not found:
        problems.append("no kernel of a depthwise convolution")
    if problems:
        sys.exit("\n".join([f"{program}:", *problems]))


if __name__ == "__main__":
    main(*sys.argv[1:])
