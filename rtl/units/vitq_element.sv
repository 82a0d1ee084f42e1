// Stages that work element by element, of LANES lanes: requantizer, residual add, thresholds, table, lines, and the
// division of a row by its sum (docs/Systolic.md, "Arithmetic of the units"). Six cycles, a beat a cycle.
//
//   kind          1 requant, 2 add, 3 threshold, 4 table, 5 pwl, 9 divide_rows (numbers of vitq_units' header)
//   rounding, input_zero_point, other_zero_point, zero_point, least, greatest   as of the stage
//   is_rhs        add: the row is the right operand
//   levels        thresholds of a lane, breakpoints of the lines, or bits of a table's codes
//   lowest        code of values below all thresholds
//   code_signed   of a table's codes
//   table_base    the first table
//   in_*, extra_* a beat; extra_ready only together with in_ready, and only for add
//   row_start     a row of the stage's program will come, so that its sum may
//   sum_*         divide_rows: sums of rows, in their order
//   record_*      asks for a beat's parameters (see vitq_units), which come a cycle later (record_read advances it)
//   write_*       WRITES entries of the tables at a time
//   table_*       another user's look-ups while no beat is inside: index of a lane and its entry a cycle later
// Configuration must not change while a beat is inside. UNITS as `Config.units`: 2 dyadic, 4 comparator, 8 exponent,
// 16 lut; what is not there is not built.
module vitq_element #(
    parameter int LANES = 16,
    parameter int UNITS = 63,
    parameter int LEVELS = 15,
    parameter int ENTRIES = 16,
    parameter int TABLE_ADDRESS = 8,
    parameter int WRITES = 2,
    parameter int STEPS = 4
) (
    input  logic clk,
    input  logic reset,
    input  logic [3:0] kind,
    input  logic [1:0] rounding,
    input  logic signed [31:0] input_zero_point,
    input  logic signed [31:0] other_zero_point,
    input  logic signed [31:0] zero_point,
    input  logic signed [31:0] least,
    input  logic signed [31:0] greatest,
    input  logic is_rhs,
    input  logic has_lines,
    input  logic [7:0] levels,
    input  logic signed [31:0] lowest,
    input  logic code_signed,
    input  logic [TABLE_ADDRESS-1:0] table_base,
    input  logic [(ENTRIES-1)*32-1:0] breakpoints,
    input  logic [ENTRIES*32-1:0] slopes,
    input  logic [ENTRIES*32-1:0] intercepts,
    input  logic in_valid,
    output logic in_ready,
    input  logic [LANES*32-1:0] in_data,
    input  logic [15:0] in_index,
    input  logic [15:0] in_batch,
    input  logic in_last,
    input  logic extra_valid,
    output logic extra_ready,
    input  logic [LANES*32-1:0] extra_data,
    input  logic row_start,
    input  logic sum_valid,
    output logic sum_ready,
    input  logic [31:0] sum,
    output logic record_read,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [LANES*512-1:0] record,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic write,
    input  logic [TABLE_ADDRESS-1:0] write_address,
    input  logic [WRITES*9-1:0] write_data,
    input  logic table_use,
    input  logic table_read,
    input  logic [LANES*8-1:0] table_index,
    output logic [LANES*8-1:0] table_entry,
    output logic out_valid,
    input  logic out_ready,
    output logic [LANES*32-1:0] out_data,
    output logic [15:0] out_index,
    output logic [15:0] out_batch,
    output logic out_last
);
  localparam logic [3:0] ADD = 4'd2, THRESHOLD = 4'd3, TABLE = 4'd4, PWL = 4'd5, DIVIDE = 4'd9;

  logic enable, take, quotient_there;
  logic [5:0] valid, last;
  logic [15:0] index_at[0:5], batch_at[0:5];
  assign enable = !out_valid || out_ready;
  assign in_ready = enable && (kind != ADD || extra_valid) && (kind != DIVIDE || quotient_there);
  assign take = in_valid && in_ready;
  assign extra_ready = take && kind == ADD;
  assign record_read = enable;

  integer s;
  always_ff @(posedge clk)
    if (reset) begin
      valid <= 6'd0;
      last <= 6'd0;
    end else if (enable) begin
      valid <= {valid[4:0], take};
      last <= {last[4:0], take && in_last};
      index_at[0] <= in_index;
      batch_at[0] <= in_batch;
      for (s = 1; s < 6; s = s + 1) begin
        index_at[s] <= index_at[s-1];
        batch_at[s] <= batch_at[s-1];
      end
    end

  // Reciprocals of sums, ahead of their rows: as many as are under way find room in the queue.
  logic [30:0] divisor;
  logic [40:0] reciprocal;
  generate
    if ((UNITS & 8) != 0) begin : g_reciprocals
      localparam int DEPTH = 16;
      logic [71:0] queue[0:DEPTH-1];
      logic [30:0] asked[0:DEPTH-1];
      logic [3:0] head, tail, ask;
      logic [4:0] booked, ready, announced;
      logic found, accept, leave;
      logic [30:0] positive;
      logic [40:0] result;
      assign sum_ready = kind == DIVIDE && booked != 5'd16 && announced != 5'd0;
      assign accept = sum_valid && sum_ready;
      assign positive = sum[31] || sum == 32'd0 ? 31'd1 : sum[30:0];
      assign quotient_there = ready != 5'd0;
      assign leave = take && in_last && kind == DIVIDE;
      vitq_reciprocal #(
          .ENTRIES(ENTRIES),
          .STEPS(STEPS)
      ) reciprocals (
          .clk(clk),
          .reset(reset),
          .in_valid(accept),
          .divisor(positive),
          .by_lines(has_lines),
          .breaks(levels),
          .breakpoints(breakpoints),
          .slopes(slopes),
          .intercepts(intercepts),
          .out_valid(found),
          .reciprocal(result)
      );
      always_ff @(posedge clk) begin
        if (accept) asked[ask] <= positive;
        if (found) queue[tail] <= {asked[tail], result};
        if (reset) begin
          head <= 4'd0;
          tail <= 4'd0;
          ask <= 4'd0;
          booked <= 5'd0;
          ready <= 5'd0;
          announced <= 5'd0;
        end else begin
          announced <= announced + {4'd0, row_start && kind == DIVIDE} - {4'd0, accept};
          if (accept) ask <= ask + 4'd1;
          if (found) tail <= tail + 4'd1;
          if (leave) head <= head + 4'd1;
          booked <= booked + {4'd0, accept} - {4'd0, leave};
          ready <= ready + {4'd0, found} - {4'd0, leave};
        end
      end
      assign divisor = queue[head][71:41];
      assign reciprocal = queue[head][40:0];
    end else begin : g_no_reciprocals
      assign sum_ready = 1'b0;
      assign quotient_there = 1'b0;
      assign divisor = 31'd1;
      assign reciprocal = 41'd0;
    end
  endgenerate
  logic [30:0] divisor0, divisor1;
  logic [40:0] reciprocal0, reciprocal1;
  always_ff @(posedge clk)
    if (enable) begin
      divisor0 <= divisor;
      reciprocal0 <= reciprocal;
      divisor1 <= divisor0;
      reciprocal1 <= reciprocal0;
    end

  // Stages: 0 values and parameters, 1 less their zero points, 3 what is requantized, 5 results.
  genvar l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_lanes
      logic signed [31:0] x0, extra0, x1, extra1, x2, extra2, x3, extra3, from3;
      logic [75:0] record1, record2, record3;
      logic signed [31:0] lines3, quotient3, requant5, add5, level1, simple2, simple3, simple4, simple5;
      logic signed [8:0] entry1;
      logic [TABLE_ADDRESS-1:0] table_of_channel;
      assign table_of_channel = TABLE_ADDRESS'({record[l*512+:8], 8'd0});
      always_ff @(posedge clk)
        if (enable) begin
          x0 <= in_data[l*32+:32];
          extra0 <= extra_data[l*32+:32];
          x1 <= (is_rhs ? extra0 : x0) - input_zero_point;
          extra1 <= (is_rhs ? x0 : extra0) - other_zero_point;
          record1 <= {record[l*512+96+:6], record[l*512+64+:32], record[l*512+32+:6], record[l*512+:32]};
          x2 <= x1;
          extra2 <= extra1;
          record2 <= record1;
          x3 <= x2;
          extra3 <= extra2;
          record3 <= record2;
          simple2 <= kind == THRESHOLD ? level1 : 32'(entry1);
          simple3 <= simple2;
          simple4 <= simple3;
          simple5 <= simple4;
        end

      if ((UNITS & 4) != 0) begin : g_comparator
        vitq_threshold #(
            .LEVELS(LEVELS),
            .WIDTH (32)
        ) comparators (
            .clk(clk),
            .enable(enable),
            .x(x0),
            .thresholds(record[l*512+:LEVELS*32]),
            .levels(levels),
            .lowest(lowest),
            .result(level1)
        );
      end else begin : g_no_comparator
        assign level1 = 32'sd0;
      end

      if ((UNITS & 24) != 0) begin : g_table
        vitq_table #(
            .ADDRESS(TABLE_ADDRESS),
            .INDEX  (8),
            .WRITES (WRITES)
        ) tables (
            .clk(clk),
            .write(write),
            .write_address(write_address),
            .write_data(write_data),
            .enable(table_use ? table_read : enable),
            .base(table_use ? table_base : table_base + table_of_channel),
            .x(table_use ? table_index[l*8+:8] : x0[7:0]),
            .code_bits(table_use ? 4'd8 : levels[3:0]),
            .code_signed(code_signed && !table_use),
            .entry(entry1)
        );
      end else begin : g_no_table
        assign entry1 = 9'sd0;
      end
      assign table_entry[l*8+:8] = entry1[7:0];

      if ((UNITS & 16) != 0) begin : g_lines
        vitq_lines #(
            .ENTRIES(ENTRIES)
        ) lines (
            .clk(clk),
            .enable(enable),
            .x(x1),
            .breaks(levels),
            .breakpoints(breakpoints),
            .slopes(slopes),
            .intercepts(intercepts),
            .y(lines3)
        );
      end else begin : g_no_lines
        assign lines3 = 32'sd0;
      end

      if ((UNITS & 8) != 0) begin : g_divide
        vitq_quotient divide (
            .clk(clk),
            .enable(enable),
            .x(x1),
            .divisor(divisor1),
            .reciprocal(reciprocal1),
            .quotient(quotient3)
        );
      end else begin : g_no_divide
        assign quotient3 = 32'sd0;
      end

      assign from3 = kind == PWL ? lines3 : kind == DIVIDE ? quotient3 : x3;
      if ((UNITS & 26) != 0) begin : g_requant
        vitq_requant requant (
            .clk(clk),
            .enable(enable),
            .x(from3),
            .multiplier($signed(record3[31:0])),
            .shift(record3[37:32]),
            .offset(64'sd0),
            .zero_point(36'(zero_point)),
            .rounding(rounding),
            .least(least),
            .greatest(greatest),
            .result(requant5)
        );
      end else begin : g_no_requant
        assign requant5 = 32'sd0;
      end
      if ((UNITS & 2) != 0) begin : g_add
        vitq_add add (
            .clk(clk),
            .enable(enable),
            .lhs(x3),
            .lhs_multiplier($signed(record3[31:0])),
            .lhs_shift(record3[37:32]),
            .rhs(extra3),
            .rhs_multiplier($signed(record3[69:38])),
            .rhs_shift(record3[75:70]),
            .zero_point(zero_point),
            .rounding(rounding),
            .least(least),
            .greatest(greatest),
            .result(add5)
        );
      end else begin : g_no_add
        assign add5 = 32'sd0;
      end
      assign out_data[l*32+:32] = kind == THRESHOLD || kind == TABLE ? simple5 : kind == ADD ? add5 : requant5;
    end
  endgenerate

  assign out_valid = valid[5];
  assign out_last = last[5];
  assign out_index = index_at[5];
  assign out_batch = batch_at[5];
endmodule
