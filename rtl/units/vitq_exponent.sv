// Exponent unit: softmax by a table or by shifts, and Shiftmax, of whole rows (docs/Numerics.md, "Softmax" and "Shiftmax
// as published").
//
// Two engines work on two rows at a time. The first stores a row and finds its maximum; for Shiftmax it
// reads the row again, sums up the exponentials and divides. The second reads the row and emits codes. So a row takes
// at most 2 passes over its beats (Shiftmax 3 and a division), though its first code comes some cycles after its last value.
//
//   kind       0 softmax by a table, 1 softmax by shifts, 2 Shiftmax
//   channels   of a row, at most CHANNELS; the last beat's other lanes are ignored
//   step, fraction, code_shift, reciprocal_bits, result_bits   -x0, n, t, M and k
//   wants_sums whether sum_* get the sum of each softmax row
//   in_*       LANES values a beat, in_batch with them
//   multiplier_batch, multiplier, shift   asks for the multiplier of a batch, which comes a cycle later (multiplier_read
//              advances it)
//   table_*    lane l asks for entry table_index[8l+7:8l], which comes a cycle later (table_read advances it)
//   out_*      codes, out_last with a row's last beat; out_index numbers a row's beats
// Configuration must not change while a row is inside.
module vitq_exponent #(
    parameter int LANES = 16,
    parameter int CHANNELS = 1024,
    parameter int STEPS = 4
) (
    input  logic clk,
    input  logic reset,
    input  logic [1:0] kind,
    input  logic [15:0] channels,
    input  logic [30:0] step,
    input  logic [4:0] fraction,
    input  logic [5:0] code_shift,
    input  logic [5:0] reciprocal_bits,
    input  logic [4:0] result_bits,
    input  logic wants_sums,
    input  logic in_valid,
    output logic in_ready,
    input  logic [LANES*32-1:0] in_data,
    input  logic [15:0] in_batch,
    input  logic in_last,
    output logic multiplier_read,
    output logic [15:0] multiplier_batch,
    input  logic signed [31:0] multiplier,
    input  logic [5:0] shift,
    output logic table_read,
    output logic [LANES*8-1:0] table_index,
    input  logic [LANES*8-1:0] table_entry,
    output logic out_valid,
    input  logic out_ready,
    output logic [LANES*32-1:0] out_data,
    output logic [15:0] out_index,
    output logic [15:0] out_batch,
    output logic out_last,
    output logic sum_valid,
    input  logic sum_ready,
    output logic [31:0] sum
);
  localparam int BEATS = (CHANNELS + LANES - 1) / LANES;
  localparam int BEAT = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam logic [1:0] SHIFTMAX = 2'd2;

  // Two rows, the bank in the highest bit of the address.
  logic [LANES*32-1:0] rows[0:2**(BEAT+1)-1];
  logic [1:0] full;
  logic [31:0] row_max[0:1];
  logic [15:0] row_batch[0:1];
  logic [61:0] row_factor[0:1];
  logic is_shiftmax;
  assign is_shiftmax = kind == SHIFTMAX;

  // Lanes of beat b that hold channels: all but those of the last beat.
  logic [BEAT-1:0] last_beat;
  logic [LANES-1:0] last_lanes;
  genvar l;
  assign last_beat = BEAT'((channels - 16'd1) / 16'(LANES));
  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_mask
      assign last_lanes[l] = 16'(last_beat) * 16'(LANES) + 16'(l) < channels;
    end
  endgenerate

  // ------------------------------------------------------------------ first engine
  typedef enum logic [2:0] {
    RECEIVE,
    EXPONENTIALS,
    DRAIN,
    DIVIDE,
    PUBLISH
  } state_t;
  state_t state;
  logic write_bank, received_any;
  logic [BEAT-1:0] write_beat, sum_beat;
  logic signed [31:0] maximum, beat_maximum;
  logic [15:0] batch;
  logic [2:0] drained;

  assign in_ready = state == RECEIVE && !full[write_bank];
  always_comb begin : find_maximum
    integer i;
    beat_maximum = $signed(in_data[31:0]);
    for (i = 1; i < LANES; i = i + 1)
    if ((!in_last || last_lanes[i]) && $signed(in_data[i*32+:32]) > beat_maximum)
      beat_maximum = $signed(in_data[i*32+:32]);
  end

  // Sum of the exponentials, for Shiftmax.
  logic [LANES*32-1:0] sum_row;
  logic [4:0] sum_valids;  // beats that are in the exponentials' pipeline
  logic [4:0] sum_lasts;
  logic [LANES*61-1:0] powers;
  logic [66:0] beat_sum, new_sum, limit;
  logic [61:0] total;
  always_ff @(posedge clk) sum_row <= rows[{write_bank, sum_beat}];
  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_sum
      logic [32:0] distance;
      assign distance = 33'(maximum) - 33'($signed(sum_row[l*32+:32]));
      vitq_shift_exp #(
          .DISTANCE(33),
          .STEP(31)
      ) exponential (
          .clk(clk),
          .enable(1'b1),
          .distance(distance),
          .step(step),
          .fraction(fraction),
          .power(powers[l*61+:61])
      );
    end
  endgenerate
  always_comb begin : add_powers
    integer i;
    beat_sum = 67'd0;
    for (i = 0; i < LANES; i = i + 1)
    if (!sum_lasts[4] || last_lanes[i]) beat_sum = beat_sum + 67'(powers[i*61+:61]);
  end
  assign limit = (67'd1 << reciprocal_bits) - 67'd1;
  assign new_sum = 67'(total) + beat_sum;

  logic divide_start, divide_busy;
  logic [61:0] factor;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [61:0] divide_rest;
  /* verilator lint_on UNUSEDSIGNAL */
  assign divide_start = state == DRAIN && drained == 3'd0 && is_shiftmax;
  vitq_divide #(
      .NUMERATOR(62),
      .DENOMINATOR(62),
      .STEPS(STEPS)
  ) divide (
      .clk(clk),
      .reset(reset),
      .start(divide_start),
      .numerator(limit[61:0]),
      .denominator(total),
      .bits(7'd62),
      .busy(divide_busy),
      .quotient(factor),
      .remainder(divide_rest)
  );

  logic publish, release_row, read_bank;
  assign publish = state == PUBLISH;
  always_ff @(posedge clk) begin
    if (in_valid && in_ready) rows[{write_bank, write_beat}] <= in_data;
    if (publish) begin
      row_max[write_bank] <= maximum;
      row_batch[write_bank] <= batch;
      row_factor[write_bank] <= factor;
    end
    sum_valids <= {sum_valids[3:0], state == EXPONENTIALS};
    sum_lasts <= {sum_lasts[3:0], state == EXPONENTIALS && sum_beat == last_beat};
    if (reset) begin
      state <= RECEIVE;
      write_bank <= 1'b0;
      received_any <= 1'b0;
      write_beat <= {BEAT{1'b0}};
      full <= 2'b00;
      sum_valids <= 5'd0;
    end else begin
      if (sum_valids[4]) total <= new_sum > limit ? limit[61:0] : new_sum[61:0];
      case (state)
        RECEIVE:
        if (in_valid && in_ready) begin
          maximum <= !received_any || beat_maximum > maximum ? beat_maximum : maximum;
          batch <= in_batch;
          received_any <= !in_last;
          write_beat <= in_last ? {BEAT{1'b0}} : write_beat + BEAT'(1);
          sum_beat <= {BEAT{1'b0}};
          total <= 62'd0;
          if (in_last) state <= is_shiftmax ? EXPONENTIALS : PUBLISH;
        end
        EXPONENTIALS: begin
          sum_beat <= sum_beat + BEAT'(1);
          drained <= 3'd5;
          if (sum_beat == last_beat) state <= DRAIN;
        end
        DRAIN: begin
          drained <= drained - 3'd1;
          if (drained == 3'd0) state <= DIVIDE;
        end
        DIVIDE: if (!divide_busy) state <= PUBLISH;
        default: begin
          state <= RECEIVE;
          write_bank <= !write_bank;
        end
      endcase
      if (publish) full[write_bank] <= 1'b1;
      if (release_row) full[read_bank] <= 1'b0;
    end
  end

  // ------------------------------------------------------------------ second engine
  // Stages: 0 values, 1 distances, 3 steps, 7 exponentials, 8 codes or products, 9 results.
  logic enable, reading, asked, running;
  logic [BEAT-1:0] read_beat;
  logic signed [31:0] maximum_row, multiplier_row;
  logic [5:0] shift_row;
  logic [61:0] factor_row;
  logic [15:0] batch_row;
  logic [9:0] valid, last;
  logic [LANES*32-1:0] row0;
  logic signed [31:0] maximum0, multiplier0, multiplier1;
  logic [5:0] shift0, shift1;
  logic [61:0] factor_at[0:7];
  logic [15:0] batch_at[0:9], index_at[0:9];

  // A result may be taken while a sum is waited for.
  logic left;
  assign enable = (!out_valid || out_ready) && (!sum_valid || sum_ready);
  always_ff @(posedge clk)
    if (reset || enable) left <= 1'b0;
    else if (out_valid && out_ready) left <= 1'b1;
  assign multiplier_read = enable;
  assign multiplier_batch = row_batch[read_bank];
  assign table_read = enable;
  assign reading = running;
  assign release_row = enable && running && read_beat == last_beat;
  always_ff @(posedge clk)
    if (reset) begin
      read_bank <= 1'b0;
      asked <= 1'b0;
      running <= 1'b0;
      valid <= 10'd0;
      last <= 10'd0;
    end else if (enable) begin
      if (!running && !asked && full[read_bank]) begin
        asked <= 1'b1;
        maximum_row <= row_max[read_bank];
        factor_row <= row_factor[read_bank];
        batch_row <= row_batch[read_bank];
      end
      if (asked) begin
        asked <= 1'b0;
        running <= 1'b1;
        read_beat <= {BEAT{1'b0}};
        multiplier_row <= multiplier;
        shift_row <= shift;
      end
      if (running) begin
        read_beat <= read_beat + BEAT'(1);
        if (read_beat == last_beat) begin
          running <= 1'b0;
          read_bank <= !read_bank;
        end
      end
      valid <= {valid[8:0], reading};
      last <= {last[8:0], reading && read_beat == last_beat};
    end

  integer s;
  always_ff @(posedge clk)
    if (enable) begin
      row0 <= rows[{read_bank, read_beat}];
      maximum0 <= maximum_row;
      multiplier0 <= multiplier_row;
      shift0 <= shift_row;
      multiplier1 <= multiplier0;
      shift1 <= shift0;
      factor_at[0] <= factor_row;
      batch_at[0] <= batch_row;
      index_at[0] <= 16'(read_beat);
      for (s = 1; s < 8; s = s + 1) factor_at[s] <= factor_at[s-1];
      for (s = 1; s < 10; s = s + 1) begin
        batch_at[s] <= batch_at[s-1];
        index_at[s] <= index_at[s-1];
      end
    end

  logic [LANES*8-1:0] codes8;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_lanes
      logic [32:0] distance1, distance2, distance3;
      logic [7:0] steps3, entry5, entry6, entry7, code8;
      logic signed [31:0] limited1;
      logic [60:0] power7, rounded7;
      logic [63:0] product8, top8, scaled8;
      /* verilator lint_off UNUSEDSIGNAL */
      logic signed [8:0] steps_signed;  // never negative
      /* verilator lint_on UNUSEDSIGNAL */
      assign limited1 = distance1 > 33'h7fffffff ? 32'sh7fffffff : 32'(distance1);
      vitq_requant #(
          .BITS(9)
      ) to_steps (
          .clk(clk),
          .enable(enable),
          .x(limited1),
          .multiplier(multiplier1),
          .shift(shift1),
          .offset(64'sd0),
          .zero_point(36'sd0),
          .rounding(2'd0),
          .least(9'sd0),
          .greatest(9'sd255),
          .result(steps_signed)
      );
      assign steps3 = steps_signed[7:0];
      assign table_index[l*8+:8] = steps3;
      vitq_shift_exp #(
          .DISTANCE(33),
          .STEP(31)
      ) exponential (
          .clk(clk),
          .enable(enable),
          .distance(is_shiftmax ? distance3 : 33'(steps3)),
          .step(step),
          .fraction(fraction),
          .power(power7)
      );
      // Round half up; the power is not negative.
      assign rounded7 = (power7 >> code_shift) + 61'((power7 >> (code_shift - 6'd1)) & 61'd1);
      assign top8 = (64'd1 << (result_bits - 5'd1)) - 64'd1;
      assign scaled8 = product8 >> (reciprocal_bits - 6'(result_bits) + 6'd1);
      always_ff @(posedge clk)
        if (enable) begin
          distance1 <= 33'(maximum0) - 33'($signed(row0[l*32+:32]));
          distance2 <= distance1;
          distance3 <= distance2;
          entry5 <= table_entry[l*8+:8];
          entry6 <= entry5;
          entry7 <= entry6;
          code8 <= kind == 2'd0 ? entry7 : rounded7 > 61'd255 ? 8'd255 : rounded7[7:0];
          product8 <= 64'(power7) * 64'(factor_at[7]);
          out_data[l*32+:32] <= is_shiftmax ? (scaled8 > top8 ? top8[31:0] : scaled8[31:0]) : {24'd0, code8};
        end
      assign codes8[l*8+:8] = code8;
    end
  endgenerate

  // The sum of the codes.
  logic [31:0] beat_codes, running_sum;
  always_comb begin : add_codes
    integer i;
    beat_codes = 32'd0;
    for (i = 0; i < LANES; i = i + 1)
    if (!last[8] || last_lanes[i]) beat_codes = beat_codes + 32'(codes8[i*8+:8]);
  end
  always_ff @(posedge clk)
    if (reset) begin
      running_sum <= 32'd0;
      sum_valid <= 1'b0;
    end else begin
      if (sum_valid && sum_ready) sum_valid <= 1'b0;
      if (enable && valid[8]) begin
        running_sum <= last[8] ? 32'd0 : running_sum + beat_codes;
        if (last[8] && wants_sums) begin
          sum_valid <= 1'b1;
          sum <= running_sum + beat_codes;
        end
      end
    end

  assign out_valid = valid[9] && !left;
  assign out_last = last[9];
  assign out_batch = batch_at[9];
  assign out_index = index_at[9];
endmodule
