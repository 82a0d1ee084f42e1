"""Runs a netlist of library cells, without delays: how often each of its nets changes.

Registers take their inputs at the end of a cycle; a cycle's inputs come when registers have changed, as if neighbours
with the same clock gave them. So a net changes at most once a cycle.
"""

import re


def functions(library):
    """Python expressions by cell and output pin, of its input pins; a register's is None."""
    found, cell, pin = {}, None, None
    with open(library, encoding="ascii") as file:
        for line in file:
            if match := re.match(r"\s*cell \((\w+)\)", line):
                cell = match[1]
            elif match := re.match(r"\s*pin ?\((\w+)\)", line):
                pin = match[1]
            elif match := re.match(r'\s*function : "(.*)"', line):
                # Side by side is and; ! is ~, of which the streams' bits count.
                text = re.sub(r"(?<=[\w)]) +(?=[\w(!])", " & ", match[1].replace(" + ", "+"))
                found[cell, pin] = None if cell.startswith("DFF") else text.replace("+", "|").replace("!", "~")
    return found


def ports_of(netlist, direction):
    """Bits of each port, the lowest first; ports were cut into bits of names like left_in_3_."""
    ports = {}
    for name, port in netlist["ports"].items():
        if port["direction"] == direction:
            match = re.fullmatch(r"(.*)_(\d+)_", name)
            ports.setdefault(match[1] if match else name, {})[int(match[2]) if match else 0] = port["bits"][0]
    return {name: [bits[i] for i in range(len(bits))] for name, bits in ports.items()}


def program(netlist, library):
    """A Python function of one cycle: (values of registers and inputs, all streams' bits) -> values of all nets, in the
    order of `nets`, a bit for each stream; with it the nets, and of each register its output and input."""
    known = functions(library)
    drivers, registers = {}, []
    for cell in netlist["cells"].values():
        pins = {name: bits[0] for name, bits in cell["connections"].items()}
        for pin in [pin for pin in pins if (cell["type"], pin) in known]:
            expression = known[cell["type"], pin]
            if expression is None:
                registers.append((pins[pin], pins["D"]))
            else:
                drivers[pins[pin]] = (expression, pins)
    inputs = [bit for bits in ports_of(netlist, "input").values() for bit in bits]
    sources = [q for q, _ in registers] + inputs

    name = lambda bit: ("mask" if bit == "1" else "0") if isinstance(bit, str) else f"v{bit}"
    order, done = [], set(sources)

    def visit(first):
        stack = [first]
        while stack:
            bit = stack[-1]
            if bit in done or isinstance(bit, str) or bit not in drivers:
                stack.pop()
                continue
            expression, pins = drivers[bit]
            wanted = [pins[pin] for pin in set(re.findall(r"[A-Z]\w*", expression))]
            missing = [other for other in wanted if not isinstance(other, str) and other not in done and other in drivers]
            if missing:
                stack += missing
                continue
            order.append(bit)
            done.add(bit)
            stack.pop()

    for bit in drivers:
        visit(bit)
    lines = ["def cycle(given, mask):", f"    ({''.join(name(bit) + ', ' for bit in sources)}) = given"]
    for bit in order:
        expression, pins = drivers[bit]
        text = re.sub(r"[A-Z]\w*", lambda match: name(pins[match[0]]), expression)
        lines.append(f"    {name(bit)} = {text} & mask" if "~" in text else f"    {name(bit)} = {text}")
    nets = sources + order
    lines.append(f"    return ({''.join(name(bit) + ', ' for bit in nets)})")
    scope = {}
    exec("\n".join(lines), scope)
    return scope["cycle"], nets, registers


def run(netlist, library, streams):
    """Yields the value of every net, a bit for each stream, after the inputs of each cycle. Streams are arrays of integers by
    input port, one a cycle, of equal lengths."""
    cycle, nets, registers = program(netlist, library)
    ports = ports_of(netlist, "input")
    for stream in streams:
        if set(stream) != set(ports) - {"clk"}:
            raise ValueError(f"stimuli of {sorted(stream)} for inputs {sorted(ports)}")
    place = {bit: i for i, bit in enumerate(nets)}
    mask = (1 << len(streams)) - 1
    constant = {"0": 0, "1": mask}
    state = [0] * len(registers)
    for t in range(len(next(iter(streams[0].values())))):
        given = list(state)
        for name, bits in ports.items():
            words = [0] * len(bits)
            if name != "clk":
                for s, stream in enumerate(streams):
                    value = int(stream[name][t])
                    for i in range(len(bits)):
                        words[i] |= (value >> i & 1) << s
            given += words
        values = cycle(given, mask)
        yield dict(zip(nets, values)) | constant
        state = [constant[d] if isinstance(d, str) else values[place[d]] for _, d in registers]


def activity(netlist, library, streams, skip=0):
    """By net (its number in Yosys' JSON): changes a cycle, and the part of cycles at 1, over all streams. The first `skip`
    cycles do not count."""
    last, counted = None, 0
    changes, high = {}, {}
    for t, now in enumerate(run(netlist, library, streams)):
        if t > skip:
            counted += len(streams)
            for bit, value in now.items():
                changes[bit] = changes.get(bit, 0) + (value ^ last[bit]).bit_count()
                high[bit] = high.get(bit, 0) + value.bit_count()
        last = now
    return {bit: (changes[bit] / counted, high[bit] / counted) for bit in changes}
