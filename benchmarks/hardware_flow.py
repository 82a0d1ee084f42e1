"""From SystemVerilog to area, time and energy: Yosys, OpenSTA, and Debian's osu018 cells.

A design is synthesized to a flat netlist of cells, which runs here on what the design's stimuli say (gate_simulation.py): a
change of a net counts once a cycle, as gates have no delay there: glitches are in no figure. OpenSTA gets each net's
changes a cycle and how often it is 1, and reports the power. There are no wires: no capacitance of theirs, no delay, and
no buffers for them.
"""

import json
import pathlib
import re
import subprocess

import gate_simulation

ROOT = pathlib.Path(__file__).resolve().parent.parent
CELLS = pathlib.Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
PERIOD = 50.0  # ns, of the clock at which power is reported

# What processing_element takes its defaults from; every design gives its own.
PACKAGE = """package vitq_config_pkg;
  localparam int unsigned BITS = 8;
  localparam int unsigned ACCUMULATOR_BITS = 32;
  localparam bit SUMS_STAY = 1'b0;
endpackage
"""


class FlowError(Exception):
    pass


def call(command, folder, log):
    """Standard output; errors name the log."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    (folder / log).write_text(done.stdout + done.stderr)
    if done.returncode:
        raise FlowError(f"{command[0]} failed ({folder / log}): {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def versions():
    """Of the tools and the cells."""
    def package(name):
        done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True)
        return done.stdout.strip() or "not installed"

    return {name: package(name) for name in ("yosys", "opensta", "qflow-tech-osu018")}


def single_assignments(text):
    """A netlist's assignments of several bits as those of one bit each, which OpenSTA reads."""
    def bits(side):
        for part in side.strip("{} ").split(", "):
            if match := re.fullmatch(r"(\d+)'h([0-9a-f]+)", part):
                yield from (f"1'b{int(match[2], 16) >> i & 1}" for i in reversed(range(int(match[1]))))
            else:
                yield part

    def split(match):
        return "\n".join(f"  assign {to} = {of};" for to, of in zip(bits(match[1]), bits(match[2]), strict=True))

    return re.sub(r"^  assign (.*) = (.*);$", split, text, flags=re.M)


class Flow:
    def __init__(self, work):
        self.work = work
        work.mkdir(parents=True, exist_ok=True)
        (work / "package.sv").write_text(PACKAGE)

    def read(self, design):
        sources = " ".join(str(ROOT / "rtl" / source) for source in design.sources)
        parameters = "".join(f" -chparam {name} {value}" for name, value in design.parameters.items())
        return (f"read_verilog -sv {self.work / 'package.sv'} {sources}; "
                f"hierarchy -check -top {design.top}{parameters}; ")

    def cells(self, design, folder):
        """Area in square micrometres, cells, registers; leaves net.v and net.json."""
        out = call(["yosys", "-p", self.read(design) +
                    f"synth -flatten; dfflibmap -liberty {CELLS}; abc -liberty {CELLS}; clean -purge; rename -top top; "
                    "splitnets -ports -format __; rename -hide w:*; rename -enumerate -pattern n_% w:*; "
                    f"rename -enumerate -pattern c_% c:*; stat -liberty {CELLS}; write_verilog -noattr net.v; "
                    "write_json net.json"], folder, "yosys.log")
        (folder / "net.v").write_text(single_assignments((folder / "net.v").read_text()))
        stat = out[out.rindex("Number of wires"):]
        counts = dict(re.findall(r"^ +([A-Z][A-Z0-9]*) +(\d+)$", stat, re.M))
        return {"area_um2": float(re.search(r"Chip area for .*: ([\d.]+)", stat)[1]),
                "cells": sum(map(int, counts.values())),
                "registers": sum(int(n) for cell, n in counts.items() if cell.startswith("DFF"))}

    def device(self, design, folder, dsp):
        """Primitives of a Xilinx 7-series device."""
        out = call(["yosys", "-p", self.read(design) + f"synth_xilinx -family xc7 -flatten {'' if dsp else '-nodsp'}"],
                   folder, f"xilinx_{'dsp' if dsp else 'nodsp'}.log")
        stat = out[out.rindex("Number of wires"):]
        counts = {cell: int(n) for cell, n in re.findall(r"^ +([A-Z][A-Z0-9_]*) +(\d+)$", stat, re.M)}
        pick = lambda *prefixes: sum(n for cell, n in counts.items() if cell.startswith(prefixes))
        return {"lut": pick("LUT", "INV"), "ff": pick("FD"), "carry": pick("CARRY"), "dsp": pick("DSP"),
                "lut_memory": pick("RAM32", "RAM64", "RAM128", "SRL")}

    def power(self, design, folder):
        """Watts at PERIOD, and the shortest period in ns, both without wires."""
        netlist = json.loads((folder / "net.json").read_text())["modules"]["top"]
        activity = gate_simulation.activity(netlist, CELLS, design.stimuli(), design.skip)
        clock = netlist["ports"].get("clk", {"bits": [None]})["bits"][0]
        lines = []
        for instance, cell in netlist["cells"].items():
            for pin, (bit,) in cell["connections"].items():
                if bit == clock or bit not in activity:
                    continue
                changes, high = activity[bit]
                lines.append(f"::sta::set_power_pin_activity [get_pins {instance}/{pin}] {changes:.6f} {high:.6f}")
        for name, port in netlist["ports"].items():
            (bit,) = port["bits"]
            if port["direction"] == "input" and bit != clock:
                changes, high = activity[bit]
                lines.append(f"::sta::set_power_input_port_activity [get_ports {name}] {changes:.6f} {high:.6f}")
        ports = "[get_ports clk]" if clock is not None else ""
        script = [f"read_liberty {CELLS}", "read_verilog net.v", "link_design top",
                  f"create_clock -name clk -period {PERIOD} {ports}", "set_input_delay 0 -clock clk [all_inputs]",
                  "set_output_delay 0 -clock clk [all_outputs]", "report_worst_slack", *lines, "report_power"]
        (folder / "sta.tcl").write_text("\n".join(script) + "\n")
        out = call(["sta", "-no_splash", "-exit", "sta.tcl"], folder, "sta.log")
        total = re.search(r"^Total +(\S+) +(\S+) +(\S+) +(\S+)", out, re.M)
        slack = re.search(r"worst slack (\S+)", out)
        if not total or not slack:
            raise FlowError(f"{folder / 'sta.log'}: no power or slack")
        watts = float(total[4])
        return {"period_ns": PERIOD - float(slack[1]), "energy_pj": watts * PERIOD * 1e3,
                "leakage_pw": float(total[3]) * 1e12}
