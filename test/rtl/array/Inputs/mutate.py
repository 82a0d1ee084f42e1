"""Changes the RTL in one place at a time, and counts how many changes the comparison with the simulator finds.

    mutate.py SOURCES VITQ_OPT VITQ_RTL WORK

All changes are built into one library for each kind of array: the environment variable VITQ_MUTANT says which of them holds
(0: none). A change is found when random launches give other results, other cycles where nothing meets in a bank, or do
not end.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

LAUNCHES = {"ws": 250, "os": 250, "units": 120}
EXACT = ["--tolerance=100"], ["--apart", "--tolerance=0"]
# With units times differ a little.
RUNS = {"ws": EXACT, "os": EXACT, "units": (["--tolerance=20"], ["--apart", "--tolerance=10"])}
# Rows enough that repeated ones are overtaken, and sums that leave slower than the next tile is computed.
OWN_SIZES = {"ws": "rows=4,stream-rows=24", "os": "rows=6,dataflow=os", "units": "rows=4,units=dyadic+exponent"}
SIZES = ("cols=4,bits=4,block-tiles=2,load-queue=4,store-queue=2,execute-queue=6,scratchpad-rows=128,"
         "accumulator-rows=64,dma-bytes=4,dma-requests=4,dma-request-bytes=16,dma-latency=20")
PACKAGE = """package vitq_mutants_pkg;
  import "DPI-C" function int vitq_mutant();
endpackage
"""
CHOICE = """#include <cstdlib>
extern "C" int vitq_mutant() {
  static const int number = std::atoi(std::getenv("VITQ_MUTANT") ? std::getenv("VITQ_MUTANT") : "0");
  return number;
}
"""

# File, the line with what is changed between « and », what it becomes; "os" where sums must stay, "units" where there
# must be some.
CHANGES = [
    ("processing_element", "assign right = {«~weights_unsigned & used[BITS-1]», used};", "used[BITS-1]"),
    ("processing_element", "assign used = «first ? pending : current»;", "current"),
    ("processing_element", "sum <= «sum_in + addend»;", "sum_in + addend + 1"),
    ("processing_element", "pending <= «sideways ? side_in : top_in[BITS-1:0]»;", "top_in[BITS-1:0]"),
    ("processing_element", "sum <= («first ? '0 : sum») + addend;", "sum", "os"),
    ("processing_element", "if (sideways) leaving <= «sum»;", "sum_in", "os"),
    ("processing_element", "passed <= «leaving»;", "sum", "os"),
    ("skew", "assign out[i*BITS+:BITS] = «stages[(DELAY-1)*BITS+:BITS]»;", "stages[(DELAY-2)*BITS+:BITS]"),
    ("left_rows", "= {«~now_unsigned & now[BITS-1]»,", "now[BITS-1]", "os"),
    ("left_rows", "step[m] ? «now >> BITS» : now;", "now", "os"),
    ("scratchpad_bank", "+ «COUNT_BITS'(1)»;", "COUNT_BITS'(0)"),
    ("scratchpad_bank", "= «lane < 32'(row_count)» ?", "lane <= 32'(row_count)"),
    ("scratchpad", "assign right_waits = «left_read && right_read && |(left_here & right_here)»;", "1'b0"),
    ("scratchpad", ".read_row(«by_left ? left_row : right_row»)", "right_row"),
    ("accumulator_bank", "if («load_adds») begin", "1'b0"),
    ("accumulator_bank", "if («write_lanes[i]»)", "1'b1"),
    ("accumulator_bank", "if («repeat_adds») begin", "1'b0"),
    ("accumulators", "assign array_waits = «array_read && store_read && |(array_here & store_here)»;", "1'b0"),
    ("accumulators", "array_data = «array_held ? array_copy : array_now»;", "array_now"),
    ("dma_words", "ends_span || «(next_word & 32'(REQUEST_BYTES - 1)) == 32'd0»;", "1'b0"),
    ("row_spans", "first_bytes = «pitch == 32'(row_bytes) ? total_bytes : 34'(row_bytes)»;", "34'(row_bytes)"),
    ("dma_words", "&& «unanswered == COUNT_BITS'(REQUESTS)»;", "unanswered == COUNT_BITS'(REQUESTS - 1)"),
    ("dma_words", "    span_at <= «now_span_at + now_stride»;", "now_span_at + now_stride + 1"),
    ("dma_words", "assign last = first + «PLACE_BITS'(word_bytes)»;", "PLACE_BITS'(word_bytes) - 1'b1"),
    ("dma_read", "ask_operand <= «start ? operand : held_operand»;", "held_operand"),
    ("load_unit", ": next_rest_bits >= «5'(BITS)»)", "5'(BITS + 1)"),
    ("load_unit", "next_tile = next_tile + «ROW_BITS'(tile_stride)»;", "ROW_BITS'(tile_stride) + 1'b1"),
    ("load_unit", "* «ROW_BITS'(plane_stride)»", "ROW_BITS'(tile_stride)"),
    ("load_unit", "|| 8'(p) < «moved_planes» :", "moved_planes + 8'd1"),
    ("load_unit", "load_adds <= «adds»;", "1'b0"),
    ("repeat_unit", "left <= «job_rows - 16'd1»;", "job_rows"),
    ("repeat_unit", "at <= write_row + «1'b1»;", "1'b0"),
    ("repeat_unit", "lanes[i] = «16'(i) < cols»;", "1'b1"),
    ("instruction_queue", "has_place = count - frees < «COUNT_BITS'(PLACES)»;", "COUNT_BITS'(PLACES - 1)"),
    ("instruction_queue", "waiting_a[i] <= «waiting_a[i] & ~freed_a»;", "waiting_a[i]"),
    ("instruction_queue", "waiting_b[newest] <= «waits_b»;", "'0"),
    ("instruction_queue", "is_done <= «done_next» & ~freed;", "is_done"),
    ("hazards", "&& «32'(t) * WIDTH» < 32'(l[R+16+:16]))", "32'(t) * WIDTH + 32'd3"),
    ("hazards", "(R + 17)'(first) < «(R + 17)'(other_first) + (R + 17)'(other_rows)» &&",
     "(R + 17)'(other_first) + (R + 17)'(other_rows) - 1"),
    ("hazards", "&& «load_rows[i*LOAD_BITS+:R] == execute[2*(R+16)+:R]»;", "1'b1"),
    ("hazards", "if (4'(p) < «l[R+64+:4]» &&", "4'd1"),
    ("controller", "&& opcode == FENCE && «all_empty»);", "1'b1"),
    ("controller", "16'd0 : «transpose ? cols : rows»;", "rows"),
    ("controller", "cycles <= cycles + «64'd1»;", "64'd2"),
    ("controller", "sums <= «row2»;", "row"),
    ("execute_unit", "assign least_left_now = starts_compute ? «SHORTEST» :", "SHORTEST - 16'd1"),
    ("execute_unit", ": «EVENT_BITS'(ROWS)»;", "EVENT_BITS'(ROWS - 1)"),
    ("execute_unit", "forwards <= «sums_write && sums_read_row == sums_write_row» ?", "1'b0"),
    ("execute_unit", "assign starts_second = «starts_compute» &&", "1'b0"),
    ("execute_unit", "= «16'(n) < mesh_k»\n", "1'b1"),
    ("execute_unit", "assign drain_row = capture ? «16'(ROWS - 1)» :", "16'(ROWS - 2)", "os"),
    ("execute_unit", "assign capture = SUMS_STAY && capture_waits && «drain_left == '0»;", "1'b1", "os"),
    ("execute_unit", "assign target_shift_now = «starts_first» ?", "1'b0"),
    ("execute_unit", "(sums[n*SUM_BITS+:SUM_BITS] << «write_shift»)", "write_shift[3:0]"),
    ("units/vitq_round", "half && (sticky || «quotient[0]»);", "1'b1"),
    ("units/vitq_shift", "assign limited = «relu && sum[SUM-1]» ?", "1'b0"),
    ("store_unit", "fresh <= ends_row || «ends_tile»;", "1'b0"),
    ("store_unit", "assign has_read = own && take && «ends»;", "ends_request"),
    ("vitq_array", "assign load_overtakes = «load_is_sums && !load_repeats_row && repeating != '0»;", "1'b0"),
    ("vitq_array", "(load_waits_store & ~«store_read») == '0;", "'1"),
    ("row_unit", "batch <= batch + 16'(«row + 16'd1 == rows_of_batch»);", "1'b0", "units"),
    ("row_unit", "assign read_row = «fresh ? read_first : read_at»;", "read_first", "units"),
    ("row_unit", "assign stream_ends[p] = «format[3] || left <= 16'(LANES)»;", "left <= 16'(LANES)", "units"),
    ("row_unit", "{{24{«narrow[7] && !format[2]»}}, narrow}", "narrow[7]", "units"),
    ("row_unit", "assign count = format[3] ? LANE_BITS'(1) : «elements(left)»;", "LANE_BITS'(LANES)", "units"),
    ("row_unit", "(«!waits_for_data || complete != '0 || completes_now»);", "1'b1", "units"),
    ("row_unit", "assign sends_sum = «exists(sent_unit, 3'd3) && !sum_sent»;", "1'b0", "units"),
    ("unit_operand", "assign next_offset = group_at + «pitch»;", "32'(span_bytes)", "units"),
    ("unit_operand", "assign to_end = «group_size - place»;", "group_size", "units"),
    ("unit_parameters", "if (ends_record) run_index <= run_index + «16'd1»;", "16'd0", "units"),
    ("byte_ring", "bytes[back + INDEX_BITS'(i)] <= «in[8*i+:8]»;", "in[7:0]", "units"),
    ("store_unit", "part_at <= «of_unit ? first : word_at_now»;", "word_at_now", "units"),
    ("vitq_array", "&& !parameters_wait && «!load_starts»;", "1'b1", "units"),
    ("controller", "instruction[25] ? «before_last * tile_stride + rows» : 16'd0", "rows", "units"),
]


def write_mutants(sources, folder):
    """A copy of the sources with all changes; the numbers of those for each kind of array."""
    shutil.copytree(sources, folder)
    kinds = {kind: [] for kind in OWN_SIZES}
    texts = {path.relative_to(folder).with_suffix("").as_posix(): path.read_text() for path in folder.rglob("*.sv")}
    for number, (name, marked, changed, *kind) in enumerate(CHANGES, 1):
        before, original, after = re.fullmatch(r"(.*)«(.*)»(.*)", marked, re.S).groups()
        line = before + original + after
        if texts[name].count(line) != 1:
            sys.exit(f"change {number}: {name}.sv has {texts[name].count(line)} times: {line}")
        choice = f"(vitq_mutants_pkg::vitq_mutant() == {number} ? ({changed}) : ({original}))"
        texts[name] = texts[name].replace(line, before + choice + after)
        kinds[kind[0] if kind else "ws"].append(number)
    for name, text in texts.items():
        (folder / f"{name}.sv").write_text(text)
    (folder / "vitq_mutants_pkg.sv").write_text(PACKAGE)
    (folder / "vitq_mutant.cpp").write_text(CHOICE)
    return kinds


def is_right(vitq_rtl, library, number):
    """Whether the comparison finds nothing."""
    environment = dict(os.environ, VITQ_MUTANT=str(number))
    for flags in RUNS[library.stem]:
        command = [vitq_rtl, library, f"--random={LAUNCHES[library.stem]}", "--quiet", "--most-cycles=20000", *flags]
        try:
            result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            return False
        if result.returncode:
            return False
    return True


def main():
    sources, vitq_opt, vitq_rtl, work = sys.argv[1:]
    sources, work = pathlib.Path(sources), pathlib.Path(work)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    kinds = write_mutants(sources, work / "rtl")
    missed = []
    for kind, numbers in kinds.items():
        library = work / f"{kind}.so"
        environment = dict(os.environ, VITQ_OPT=vitq_opt, VITQ_RTL=str(work / "rtl"), VITQ_RTL_O="1",
                           VITQ_RTL_MORE=f"{work}/rtl/vitq_mutants_pkg.sv {work}/rtl/vitq_mutant.cpp")
        subprocess.run([sources / "build.sh", f"{OWN_SIZES[kind]},{SIZES}", library], env=environment, check=True)
        if not is_right(vitq_rtl, library, 0):
            sys.exit(f"{kind}: the RTL without a change differs from the simulator")
        missed += [number for number in numbers if is_right(vitq_rtl, library, number)]
    for number in sorted(missed):
        print(f"missed: {CHANGES[number - 1][0]}.sv: {CHANGES[number - 1][1]} -> {CHANGES[number - 1][2]}")
    print(f"{len(CHANGES) - len(missed)} of {len(CHANGES)} changes found")


main()
