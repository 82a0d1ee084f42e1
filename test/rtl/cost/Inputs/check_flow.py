"""check_flow.py BENCHMARKS WORK: synthesizes the shift requantizer to 4 bits, runs its gates, and asks for its power."""

import json
import pathlib
import random
import sys

sys.path.insert(0, sys.argv[1])
import gate_simulation  # noqa: E402
import hardware_designs  # noqa: E402
import hardware_flow  # noqa: E402

work = pathlib.Path(sys.argv[2])
flow = hardware_flow.Flow(work)
chance = random.Random(1)


def requantize(x, shift):
    """Halves to even."""
    rounded = x + (1 << shift) // 2 >> shift
    tie = shift and x & (1 << shift) - 1 == 1 << shift - 1
    return max(-8, min(7, rounded - (tie and rounded & 1)))


def design(spread):
    def stimuli():
        draw = lambda: {"sum": chance.randrange(-spread, spread), "shift": chance.randrange(8), "relu": 0}
        cycles = [[draw() for _ in range(10)] for _ in range(64)]
        return [{name: [cycle[name] for cycle in stream] for name in stream[0]} for stream in cycles]

    return hardware_designs.Design("requantizer", "test", "vitq_shift", ["units/vitq_round.sv", "units/vitq_shift.sv"],
                                   {"BITS": 4}, stimuli)


result = flow.cells(design(1), work)
netlist = json.loads((work / "net.json").read_text())["modules"]["top"]
streams = design(100).stimuli()
agree = 0
outputs = gate_simulation.ports_of(netlist, "output")["result"]
for t, nets in enumerate(gate_simulation.run(netlist, hardware_flow.CELLS, streams)):
    for s, stream in enumerate(streams):
        pattern = sum((nets[bit] >> s & 1) << i for i, bit in enumerate(outputs))
        expected = requantize(stream["sum"][t], stream["shift"][t])
        if pattern != expected & 15:
            sys.exit(f"cycle {t}, stream {s}: {pattern} instead of {expected & 15}")
        agree += 1
print(f"{agree} results agree")
few, many = flow.power(design(1), work), flow.power(design(1 << 30), work)
print("area, period, energy:", result["area_um2"] > 1000, few["period_ns"] > 1, few["energy_pj"] > 0)
print("of more changes more energy:", many["energy_pj"] > few["energy_pj"])
