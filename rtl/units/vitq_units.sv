// Row unit: takes rows of 32-bit values through the stages of a unit program.
//
// A unit program (docs/Systolic.md, "Arithmetic of the units") is a chain of at most SLOTS
// stages. Each stage sits in a slot; slot 0 takes the row first, slots that a program
// does not use pass values on. Stages that work element by element form a pipeline, stages that need a
// whole row store it. The arithmetic is that of docs/Numerics.md.
//
// All handshakes: a transfer happens at a rising edge with valid and ready both 1; valid does not
// wait for ready, and data stay until they are taken.
//
//   1. Configuration: while no row is in flight, WORDS 32-bit words a cycle (config_*), see below: config_word and
//      those that follow; it is a multiple of WORDS.
//      `vitq::simulator::encodeUnitPrograms` (include/vitq/Simulator/UnitImage.h) makes them.
//   2. A row starts at row_valid && row_ready. row_program names the program, row_batch = row / rows of a batch,
//      row_record = channel / LANES (a row starts at a multiple of LANES), row_channels = its channels.
//      Up to 8 rows may be started ahead of their values. A row does not start before rows of another program have left.
//   3. Its values follow on in_*, LANES a beat, lowest channel in the lowest bits, ceil(row_channels / LANES)
//      beats; lanes beyond the last channel may hold anything. Sums of the accumulator or elements
//      of the input operand, sign- or zero-extended to 32 bits. A program without input takes zeros.
//      in_ready paces: a row's beats are taken from the second cycle after its start on, when
//      the row before it had ceil(channels / LANES) * passes cycles (docs/Systolic.md, "Units" of Time).
//   4. Extra inputs: port e (extra_* bits e) is that of the program's e-th stage with an extra input. The add
//      stage takes a beat for each of the row's beats, divide_rows one beat a row whose lowest 32 bits are
//      the row's sum. They may be given early; a port takes them in the order of rows, sums when their rows have started.
//   5. Results leave on out_*, in order, a beat for each of the row's beats; out_last with a row's last.
//   6. A softmax stage's sum leaves on sum_* once a row, before or with the row's last beat taken there.
//      sum_enable of the program's header says whether anybody wants them; else none come.
//
// Parameters: LANES values a beat (`unit-lanes`); SLOTS stages; PROGRAMS unit programs at a time; EXTRAS
// extra inputs of a program; RECORDS records and TABLES tables of 256 entries of a slot; CHANNELS of the
// longest row that a whole-row stage stores; LEVELS comparators of a lane; ENTRIES lines; STEPS bits that
// dividers and roots find in a cycle; WORDS configuration words that come in a cycle.
//
// Configuration words: config_space says what config_data is, config_slot for which slot:
//   0 header: word config_word of program config_index:
//       0 kind (0 none, else 1 + number of the stage's alternative: 1 requant, 2 add, 3 threshold, 4 table, 5 pwl,
//         6 softmax_table, 7 softmax_shift, 8 shiftmax, 9 divide_rows, 10 layer_norm, 11 norm_quant)
//       1 rounding  2 input zero point (add: of lhs)  3 zero point of rhs
//       4 zero point of the result  5 least  6 greatest result
//       7 flags: 0-1 records are 0 one for all, 1 of channels, 2 of batches; 2 add: the row is rhs; 3 lines;
//         4 keeps the mean; 5 by shifts; 6 table's codes are signed; 7 sums are wanted
//       8 first record  9 first table  10 extra port  11 levels, bits of a table's codes, or breakpoints
//       12 epsilon, low word  13 epsilon, high word  14 lowest code
//       15 channels (whole-row stages)
//       16-30 breakpoints  32-47 slopes  48-63 intercepts
//       Stages by shifts: 1 exponent step -x0, 2 fraction bits, 3 code shift, 4 reciprocal bits, 5 result bits
//   1 record: word config_word of lane config_lane of record config_index, what a lane needs of a channel:
//       requant, pwl, softmax_*, divide_rows: 0 M, 1 c; add: 0, 1 of lhs, 2, 3 of rhs; threshold: 0-14 thresholds;
//       table: 0 its number, from the first one; layer_norm: 0 M, 1 c, 2-3 offset, 4-5 post offset;
//       norm_quant: 0-14 squares, 15 is it negative?
//   2 table: entries 2 * config_word and the one after it of table config_index, 9 bits each, signed, in 16 bits
module vitq_units #(
    parameter int LANES = 16,
    parameter int SLOTS = 4,
    parameter int UNITS = 63,
    parameter int PROGRAMS = 8,
    parameter int EXTRAS = 2,
    parameter int RECORDS = 1024,
    parameter int TABLES = 16,
    parameter int CHANNELS = 1024,
    parameter int LEVELS = 15,
    parameter int ENTRIES = 16,
    parameter int STEPS = 8,
    parameter int WORDS = 1
) (
    input  logic clk,
    input  logic reset,
    input  logic config_valid,
    input  logic [1:0] config_space,
    input  logic [3:0] config_slot,
    input  logic [15:0] config_index,
    input  logic [15:0] config_lane,
    input  logic [7:0] config_word,
    input  logic [WORDS*32-1:0] config_data,
    input  logic row_valid,
    output logic row_ready,
    input  logic [7:0] row_program,
    input  logic [15:0] row_batch,
    input  logic [15:0] row_record,
    input  logic [15:0] row_channels,
    input  logic in_valid,
    output logic in_ready,
    input  logic [LANES*32-1:0] in_data,
    input  logic [EXTRAS-1:0] extra_valid,
    output logic [EXTRAS-1:0] extra_ready,
    input  logic [EXTRAS*LANES*32-1:0] extra_data,
    output logic out_valid,
    input  logic out_ready,
    output logic [LANES*32-1:0] out_data,
    output logic out_last,
    output logic sum_valid,
    input  logic sum_ready,
    output logic [31:0] sum
);
  // The rows that are inside, all of one program. Up to 8 wait for their values, so that divisions can begin early.
  logic [7:0] current;
  logic [47:0] waiting[0:7], next_row;
  logic [2:0] head, tail;
  logic [3:0] rows_waiting;
  logic [15:0] rows_inside;
  logic start, started, begins, leave, receiving, take, pacing;
  logic [15:0] beats, taken, index, batch;
  logic [19:0] elapsed, least_cycles;
  logic [4:0] passes;
  logic in_last;

  assign row_ready = (rows_inside == 16'd0 || row_program == current) && rows_waiting != 4'd8;
  assign start = row_valid && row_ready;
  assign leave = out_valid && out_ready && out_last;

  assign in_last = taken + 16'd1 == beats;
  assign take = in_valid && in_ready;
  assign pacing = elapsed < least_cycles;
  assign begins = rows_waiting != 4'd0 && !pacing && (!receiving || take && in_last);
  assign least_cycles = 20'(beats) * (passes == 5'd0 ? 20'd1 : 20'(passes));
  assign next_row = waiting[head];
  always_ff @(posedge clk) begin
    started <= start && !reset;
    if (start) waiting[tail] <= {row_batch, row_record, row_channels};
    if (reset) begin
      current <= 8'd0;
      head <= 3'd0;
      tail <= 3'd0;
      rows_waiting <= 4'd0;
      rows_inside <= 16'd0;
      receiving <= 1'b0;
      beats <= 16'd0;
      elapsed <= 20'd0;
    end else begin
      if (start) begin
        current <= row_program;
        tail <= tail + 3'd1;
      end
      if (begins) head <= head + 3'd1;
      rows_waiting <= rows_waiting + 4'(start) - 4'(begins);
      rows_inside <= rows_inside + 16'(start) - 16'(leave);
      elapsed <= begins ? 20'd1 : elapsed + 20'(pacing);
      if (take) begin
        taken <= taken + 16'd1;
        index <= index + 16'd1;
        if (in_last) receiving <= 1'b0;
      end
      if (begins) begin
        batch <= next_row[47:32];
        index <= next_row[31:16];
        beats <= (next_row[15:0] + 16'(LANES - 1)) / 16'(LANES);
        taken <= 16'd0;
        receiving <= 1'b1;
      end
    end
  end

  // From slot to slot; number s before slot s.
  logic [SLOTS:0] valid, ready, last;
  logic [(SLOTS+1)*LANES*32-1:0] data;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [(SLOTS+1)*16-1:0] index_of, batch_of;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [SLOTS-1:0] sum_valids, slot_extra_ready;
  logic [SLOTS*32-1:0] sums;
  logic [SLOTS*EXTRAS-1:0] extra_takes;
  logic [SLOTS*2-1:0] slot_passes;
  assign valid[0] = receiving && in_valid;
  assign in_ready = receiving && ready[0];
  assign data[LANES*32-1:0] = in_data;
  assign index_of[15:0] = index;
  assign batch_of[15:0] = batch;
  assign last[0] = in_last;
  assign out_valid = valid[SLOTS];
  assign out_last = last[SLOTS];
  assign out_data = data[SLOTS*LANES*32+:LANES*32];
  assign ready[SLOTS] = out_ready;

  genvar s, e;
  generate
    for (s = 0; s < SLOTS; s = s + 1) begin : g_slots
      logic [$clog2(EXTRAS+1)-1:0] port;
      logic extra_there;
      logic [LANES*32-1:0] extra;
      vitq_slot #(
          .LANES(LANES),
          .UNITS(UNITS),
          .PROGRAMS(PROGRAMS),
          .PORT($clog2(EXTRAS + 1)),
          .RECORDS(RECORDS),
          .TABLES(TABLES),
          .CHANNELS(CHANNELS),
          .LEVELS(LEVELS),
          .ENTRIES(ENTRIES),
          .STEPS(STEPS),
          .WORDS(WORDS)
      ) slot (
          .clk(clk),
          .reset(reset),
          .config_valid(config_valid && config_slot == 4'(s)),
          .config_space(config_space),
          .config_index(config_index),
          .config_lane(config_lane),
          .config_word(config_word),
          .config_data(config_data),
          .current(current),
          .row_start(started),
          .passes(slot_passes[s*2+:2]),
          .in_valid(valid[s]),
          .in_ready(ready[s]),
          .in_data(data[s*LANES*32+:LANES*32]),
          .in_index(index_of[s*16+:16]),
          .in_batch(batch_of[s*16+:16]),
          .in_last(last[s]),
          .extra_port(port),
          .extra_valid(extra_there),
          .extra_ready(slot_extra_ready[s]),
          .extra_data(extra),
          .out_valid(valid[s+1]),
          .out_ready(ready[s+1]),
          .out_data(data[(s+1)*LANES*32+:LANES*32]),
          .out_index(index_of[(s+1)*16+:16]),
          .out_batch(batch_of[(s+1)*16+:16]),
          .out_last(last[s+1]),
          .sum_valid(sum_valids[s]),
          .sum_ready(sum_ready),
          .sum(sums[s*32+:32])
      );
      always_comb begin : choose_port
        integer i;
        extra_there = 1'b0;
        extra = extra_data[LANES*32-1:0];
        for (i = 0; i < EXTRAS; i = i + 1)
        if (32'(port) == i) begin
          extra_there = extra_valid[i];
          extra = extra_data[i*LANES*32+:LANES*32];
        end
      end
      for (e = 0; e < EXTRAS; e = e + 1) begin : g_takes
        assign extra_takes[s*EXTRAS+e] = slot_extra_ready[s] && 32'(port) == e;
      end
    end
  endgenerate
  always_comb begin : merge
    integer i;
    passes = 5'd0;
    extra_ready = {EXTRAS{1'b0}};
    sum = 32'd0;
    for (i = 0; i < SLOTS; i = i + 1) begin
      passes = passes + 5'(slot_passes[i*2+:2]);
      extra_ready = extra_ready | extra_takes[i*EXTRAS+:EXTRAS];
      if (sum_valids[i]) sum = sums[i*32+:32];
    end
  end
  assign sum_valid = |sum_valids;
endmodule
