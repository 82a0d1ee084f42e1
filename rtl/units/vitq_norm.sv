// Norm unit: LayerNorm with a root and a division, by lines or by I-ViT's shifts, and LayerNorm to a few levels by
// comparisons, of whole rows (docs/Numerics.md, "LayerNorm", "LayerNorm to a few levels").
//
// Two engines work on two rows at a time. The first stores a row, sums up values and squares, and forms what the
// row is multiplied with: 32 / STEPS cycles for a root and 41 / STEPS for a division. By shifts it reads the row again, as
// the mean must be known first, and divides ten times more. The second engine reads the row and emits results. So a row takes
// at most 3 passes over its beats, except by shifts where rows are short.
//
//   by_shifts, by_lines, to_levels   the algorithm; none: root and division
//   keeps_mean   rows are not centered
//   channels     of a row, at most CHANNELS; the last beat's other lanes are ignored
//   epsilon      as in docs/Numerics.md
//   rounding, zero_point, least, greatest   of the result; levels, lowest: of to_levels
//   breaks, breakpoints, slopes, intercepts   vitq_lines
//   in_*         LANES values a beat, in_batch with them
//   record_*     asks for the parameters of a beat, which come a cycle later (record_read advances it): lane l has
//                16 words from bit 512 l on: M, c, offset, post offset (two words each); to_levels: 15 squares, and
//                whether gamma is negative
//   out_*        results, out_last with a row's last beat; out_index numbers a row's beats
// Configuration must not change while a row is inside.
module vitq_norm #(
    parameter int LANES = 16,
    parameter int CHANNELS = 1024,
    parameter int ENTRIES = 16,
    parameter int LEVELS = 15,
    parameter int STEPS = 4
) (
    input  logic clk,
    input  logic reset,
    input  logic by_shifts,
    input  logic by_lines,
    input  logic to_levels,
    input  logic keeps_mean,
    input  logic [15:0] channels,
    input  logic [51:0] epsilon,
    input  logic [1:0] rounding,
    input  logic signed [31:0] zero_point,
    input  logic signed [31:0] least,
    input  logic signed [31:0] greatest,
    input  logic [7:0] levels,
    input  logic signed [31:0] lowest,
    input  logic [7:0] breaks,
    input  logic [(ENTRIES-1)*32-1:0] breakpoints,
    input  logic [ENTRIES*32-1:0] slopes,
    input  logic [ENTRIES*32-1:0] intercepts,
    input  logic in_valid,
    output logic in_ready,
    input  logic [LANES*32-1:0] in_data,
    input  logic [15:0] in_batch,
    input  logic in_last,
    output logic record_read,
    output logic [15:0] record_beat,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [LANES*512-1:0] record,
    /* verilator lint_on UNUSEDSIGNAL */
    output logic out_valid,
    input  logic out_ready,
    output logic [LANES*32-1:0] out_data,
    output logic [15:0] out_index,
    output logic [15:0] out_batch,
    output logic out_last
);
  localparam int BEATS = (CHANNELS + LANES - 1) / LANES;
  localparam int BEAT = BEATS > 1 ? $clog2(BEATS) : 1;

  // Two rows, the bank in the highest bit of the address.
  logic [LANES*32-1:0] rows[0:2**(BEAT+1)-1];
  logic [1:0] full;
  logic signed [31:0] row_center[0:1];  // the sum of the row, or its mean
  logic [40:0] row_factor[0:1];
  logic [30:0] row_variance[0:1];  // to_levels: its highest bits
  logic [4:0] row_lost[0:1];  // and how many others there are
  logic [15:0] row_batch[0:1];

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
  typedef enum logic [3:0] {
    RECEIVE,
    DRAIN,
    MEAN,
    SQUARES,
    DRAIN_SQUARES,
    VARIANCE,
    ROOT,
    FACTOR,
    NEWTON,
    NEWTON_WAIT,
    LINES,
    PUBLISH
  } state_t;
  state_t state;
  logic write_bank;
  logic [BEAT-1:0] write_beat, read_again;
  logic [15:0] batch;
  logic [3:0] wait_left;

  assign in_ready = state == RECEIVE && !full[write_bank];

  // Sums: beats in stage a (values), stage b (values and their squares).
  logic [LANES*32-1:0] again;
  logic valid_a, last_a, valid_b, last_b, again_valid, again_last;
  logic [LANES*32-1:0] values_a, values_b;
  logic [LANES*54-1:0] squares_b;
  logic signed [31:0] mean;
  logic signed [47:0] sum, beat_sum;
  logic [53:0] squares, beat_squares;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_squares
      logic signed [26:0] value;
      assign value = state == SQUARES || state == DRAIN_SQUARES ?
          27'($signed(values_a[l*32+:32]) - mean) : 27'($signed(values_a[l*32+:32]));
      always_ff @(posedge clk) begin
        values_a[l*32+:32] <= again_valid ? again[l*32+:32] : in_data[l*32+:32];
        values_b[l*32+:32] <= values_a[l*32+:32];
        squares_b[l*54+:54] <= 54'(value) * 54'(value);
      end
    end
  endgenerate
  always_comb begin : add_up
    integer i;
    beat_sum = 48'sd0;
    beat_squares = 54'd0;
    for (i = 0; i < LANES; i = i + 1)
    if (!last_b || last_lanes[i]) begin
      beat_sum = beat_sum + 48'($signed(values_b[i*32+:32]));
      beat_squares = beat_squares + squares_b[i*54+:54];
    end
  end

  // Divisions.
  logic divide_start, divide_busy;
  logic [47:0] numerator;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [47:0] quotient;  // at most 41 bits of it
  /* verilator lint_on UNUSEDSIGNAL */
  logic [31:0] denominator, remainder, root;
  logic [6:0] quotient_bits;
  logic root_start, root_busy;
  logic [51:0] variance;
  logic [47:0] sum_magnitude;
  logic [31:0] k, next_k, mean_magnitude;
  logic [3:0] iterations;
  assign sum_magnitude = sum[47] ? 48'(-sum) : 48'(sum);
  // Halves to even, alike for both signs.
  assign mean_magnitude = quotient[31:0] +
      32'({remainder, 1'b0} > {17'd0, channels} || ({remainder, 1'b0} == {17'd0, channels} && quotient[0]));
  assign next_k = 32'((33'(k) + 33'(quotient)) >> 1);
  always_comb begin
    case (state)
      DRAIN: begin
        numerator = sum_magnitude;
        denominator = {16'd0, channels};
        quotient_bits = 7'd32;
      end
      ROOT: begin
        numerator = 48'd1 << 46;
        denominator = root;
        quotient_bits = 7'd41;
      end
      default: begin
        numerator = iterations == 4'd0 ? 48'h7fffffff : variance[47:0];
        denominator = k;
        quotient_bits = iterations == 4'd0 ? 7'd31 : 7'd26;
      end
    endcase
  end
  assign root_start = state == VARIANCE && wait_left == 4'd0 && !by_shifts && !by_lines && !to_levels;
  assign divide_start = state == DRAIN && wait_left == 4'd0 && by_shifts ||
      state == ROOT && !root_busy || state == NEWTON;
  vitq_divide #(
      .NUMERATOR(48),
      .DENOMINATOR(32),
      .STEPS(STEPS)
  ) divide (
      .clk(clk),
      .reset(reset),
      .start(divide_start),
      .numerator(numerator),
      .denominator(denominator),
      .bits(quotient_bits),
      .busy(divide_busy),
      .quotient(quotient),
      .remainder(remainder)
  );
  vitq_root #(
      .STEPS(STEPS)
  ) square_root (
      .clk(clk),
      .reset(reset),
      .start(root_start),
      .square({variance, 12'd0}),
      .busy(root_busy),
      .root(root)
  );

  // The variance, in three cycles.
  logic [53:0] all_squares, sum_square;
  logic signed [27:0] center;
  assign center = keeps_mean ? 28'sd0 : 28'(sum);
  always_ff @(posedge clk) begin
    all_squares <= 54'(channels) * squares;
    sum_square <= 54'(center) * 54'(center);
    if (state == VARIANCE) variance <= by_shifts ? 52'(squares) : 52'(all_squares - sum_square) + epsilon;
  end

  // Its length, and with it the start of Newton's iteration and the bits that to_levels drops.
  logic [5:0] length;
  logic [4:0] lost;
  always_comb begin : find_length
    integer i;
    length = 6'd0;
    for (i = 0; i < 52; i = i + 1) if (variance[i]) length = 6'(i + 1);
  end
  assign lost = length > 6'd31 ? 5'(length - 6'd31) : 5'd0;

  // Lines: 2^40 / sqrt(code * 16^group) = lines(code) * 2^(13 - 2 * group).
  logic [11:0] code;
  logic signed [5:0] group;
  logic signed [6:0] up;
  logic signed [63:0] y;
  vitq_range_scale #(
      .WIDTH(52),
      .OCTAVES(4)
  ) scale (
      .value(variance),
      .code (code),
      .group(group)
  );
  vitq_lines #(
      .ENTRIES(ENTRIES),
      .RESULT(64)
  ) lines (
      .clk(clk),
      .enable(1'b1),
      .x({20'd0, code}),
      .breaks(breaks),
      .breakpoints(breakpoints),
      .slopes(slopes),
      .intercepts(intercepts),
      .y(y)
  );
  assign up = 7'sd13 - 7'sd2 * 7'(group);

  logic publish, release_row, read_bank;
  assign publish = state == PUBLISH;
  always_ff @(posedge clk) begin
    if (in_valid && in_ready) rows[{write_bank, write_beat}] <= in_data;
    again <= rows[{write_bank, read_again}];
    if (publish) begin
      row_center[write_bank] <= by_shifts ? mean : 32'(center);
      row_factor[write_bank] <= by_lines ? 41'(up >= 0 ? y << up[5:0] : y >>> 6'(-up)) : quotient[40:0];
      row_variance[write_bank] <= 31'(variance >> lost);
      row_lost[write_bank] <= lost;
      row_batch[write_bank] <= batch;
    end
    again_valid <= state == SQUARES;
    again_last <= state == SQUARES && read_again == last_beat;
    if (reset) begin
      state <= RECEIVE;
      write_bank <= 1'b0;
      write_beat <= {BEAT{1'b0}};
      full <= 2'b00;
      valid_a <= 1'b0;
      valid_b <= 1'b0;
      sum <= 48'sd0;
      squares <= 54'd0;
    end else begin
      valid_a <= in_valid && in_ready || again_valid;
      last_a <= again_valid ? again_last : in_last;
      valid_b <= valid_a;
      last_b <= last_a;
      if (valid_b) begin
        sum <= sum + beat_sum;
        squares <= squares + beat_squares;
      end
      if (wait_left != 4'd0) wait_left <= wait_left - 4'd1;
      case (state)
        RECEIVE:
        if (in_valid && in_ready) begin
          batch <= in_batch;
          write_beat <= in_last ? {BEAT{1'b0}} : write_beat + BEAT'(1);
          read_again <= {BEAT{1'b0}};
          wait_left <= 4'd2;
          if (in_last) state <= DRAIN;
        end
        DRAIN:
        if (wait_left == 4'd0) begin
          wait_left <= 4'd1;
          state <= by_shifts ? MEAN : VARIANCE;
        end
        MEAN:
        if (!divide_busy) begin
          mean <= sum[47] ? -$signed(mean_magnitude) : $signed(mean_magnitude);
          squares <= 54'd0;
          state <= SQUARES;
        end
        SQUARES: begin
          read_again <= read_again + BEAT'(1);
          wait_left <= 4'd3;
          if (read_again == last_beat) state <= DRAIN_SQUARES;
        end
        DRAIN_SQUARES:
        if (wait_left == 4'd0) begin
          wait_left <= 4'd1;
          state <= VARIANCE;
        end
        VARIANCE:
        if (wait_left == 4'd0) begin
          iterations <= 4'd10;
          k <= 32'd1 << ((length + 6'd1) >> 1);
          wait_left <= 4'd3;
          state <= to_levels ? PUBLISH : by_lines ? LINES : by_shifts ? NEWTON : ROOT;
        end
        ROOT: if (!root_busy) state <= FACTOR;
        FACTOR: if (!divide_busy) state <= PUBLISH;
        LINES: if (wait_left == 4'd0) state <= PUBLISH;
        NEWTON: state <= NEWTON_WAIT;
        NEWTON_WAIT:
        if (!divide_busy) begin
          k <= next_k == 32'd0 ? 32'd1 : next_k;
          iterations <= iterations - 4'd1;
          state <= iterations == 4'd0 ? PUBLISH : NEWTON;
        end
        default: begin
          state <= RECEIVE;
          write_bank <= !write_bank;
          sum <= 48'sd0;
          squares <= 54'd0;
        end
      endcase
      if (publish) full[write_bank] <= 1'b1;
      if (release_row) full[read_bank] <= 1'b0;
    end
  end

  // ------------------------------------------------------------------ second engine
  // Stages: 0 values and parameters, 1 centered, 2 products, 3 normalized, 5 results.
  logic enable, running;
  logic [BEAT-1:0] read_beat;
  logic [5:0] valid, last;
  logic [LANES*32-1:0] row0;
  logic signed [31:0] center0;
  logic [40:0] factor0, factor1;
  logic [30:0] variance0, variance1, variance2;
  logic [4:0] lost0, lost1, lost2;
  logic [15:0] batch_at[0:5], index_at[0:5];

  assign enable = !out_valid || out_ready;
  assign running = full[read_bank];
  assign release_row = enable && running && read_beat == last_beat;
  assign record_read = enable;
  assign record_beat = 16'(read_beat);
  always_ff @(posedge clk)
    if (reset) begin
      read_bank <= 1'b0;
      read_beat <= {BEAT{1'b0}};
      valid <= 6'd0;
      last <= 6'd0;
    end else if (enable) begin
      if (running) read_beat <= read_beat == last_beat ? {BEAT{1'b0}} : read_beat + BEAT'(1);
      if (release_row) read_bank <= !read_bank;
      valid <= {valid[4:0], running};
      last <= {last[4:0], release_row};
    end

  integer s;
  always_ff @(posedge clk)
    if (enable) begin
      row0 <= rows[{read_bank, read_beat}];
      center0 <= row_center[read_bank];
      factor0 <= row_factor[read_bank];
      variance0 <= row_variance[read_bank];
      lost0 <= row_lost[read_bank];
      factor1 <= factor0;
      variance1 <= variance0;
      lost1 <= lost0;
      variance2 <= variance1;
      lost2 <= lost1;
      batch_at[0] <= row_batch[read_bank];
      index_at[0] <= 16'(read_beat);
      for (s = 1; s < 6; s = s + 1) begin
        batch_at[s] <= batch_at[s-1];
        index_at[s] <= index_at[s-1];
      end
    end

  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_lanes
      logic [480:0] record1;
      logic [479:0] record2;
      logic signed [31:0] multiplier3;
      logic [5:0] shift3;
      logic signed [63:0] offset3, biased2;
      logic signed [35:0] zero_point3;
      logic signed [34:0] distance1;
      logic signed [63:0] product2, square2, value3;
      logic signed [31:0] normalized3, result5;

      assign biased2 = (product2 >>> 1) + $signed(record2[127:64]);
      // (e * e >> lost) << 20 with the sign of e, which the product has lost.
      logic negative2;
      assign square2 = (product2 >>> lost2) <<< 20;
      always_ff @(posedge clk)
        if (enable) begin
          record1 <= record[l*512+:481];
          record2 <= record1[479:0];
          distance1 <= by_shifts ? 35'($signed(row0[l*32+:32])) - 35'(center0) :
              35'($signed({1'b0, channels})) * 35'($signed(row0[l*32+:32])) - 35'(center0);
          product2 <= 64'(distance1) * (to_levels ? 64'(distance1) : $signed({23'd0, factor1}));
          negative2 <= (distance1 < 0) != record1[480];
          multiplier3 <= $signed(record2[31:0]);
          shift3 <= record2[37:32];
          offset3 <= by_shifts ? 64'sd0 : $signed(record2[127:64]);
          zero_point3 <= 36'(zero_point) + (by_shifts ? $signed(record2[163:128]) : 36'sd0);
          value3 <= negative2 ? -square2 : square2;
          normalized3 <= !by_shifts ? 32'((product2 + 64'sh2000000) >>> 26) :
              biased2 > 64'sh7fffffff ? 32'sh7fffffff : biased2 < -64'sh80000000 ? 32'sh80000000 : 32'(biased2);
        end
      vitq_requant requant (
          .clk(clk),
          .enable(enable),
          .x(normalized3),
          .multiplier(multiplier3),
          .shift(shift3),
          .offset(offset3),
          .zero_point(zero_point3),
          .rounding(rounding),
          .least(least),
          .greatest(greatest),
          .result(result5)
      );

      // Levels: those whose squares times the variance are not above the value.
      logic [LEVELS-1:0] reached3;
      logic [LEVELS*64-1:0] bounds3;
      logic [7:0] count3, count4;
      logic signed [31:0] level5;
      genvar c;
      for (c = 0; c < LEVELS; c = c + 1) begin : g_levels
        always_ff @(posedge clk)
          if (enable) bounds3[c*64+:64] <= 64'($signed(record2[c*32+:32])) * $signed({33'd0, variance2});
        assign reached3[c] = 8'(c) < levels && value3 >= $signed(bounds3[c*64+:64]);
      end
      always_comb begin : count_reached
        integer i;
        count3 = 8'd0;
        for (i = 0; i < LEVELS; i = i + 1) count3 = count3 + 8'(reached3[i]);
      end
      always_ff @(posedge clk)
        if (enable) begin
          count4 <= count3;
          level5 <= lowest + $signed(32'(count4));
        end
      assign out_data[l*32+:32] = to_levels ? level5 : result5;
    end
  endgenerate

  assign out_valid = valid[5];
  assign out_last = last[5];
  assign out_batch = batch_at[5];
  assign out_index = index_at[5];
endmodule
