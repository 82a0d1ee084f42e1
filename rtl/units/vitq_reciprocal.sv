// floor(2^40 / divisor), or the same by lines (docs/Numerics.md, "Division after P V"). A pipeline that takes a divisor a
// cycle and never waits; STEPS bits of the quotient are found in a stage.
//
//   in_valid, divisor       1 to 2^31 - 1
//   by_lines, breaks, breakpoints, slopes, intercepts   the same for all that are under way (vitq_lines)
//   out_valid, reciprocal   LATENCY cycles later without lines, 4 with them; at most 2^40
module vitq_reciprocal #(
    parameter int ENTRIES = 16,
    parameter int STEPS = 4,
    parameter int LATENCY = (41 + STEPS - 1) / STEPS
) (
    input  logic clk,
    input  logic reset,
    input  logic in_valid,
    input  logic [30:0] divisor,
    input  logic by_lines,
    input  logic [7:0] breaks,
    input  logic [(ENTRIES-1)*32-1:0] breakpoints,
    input  logic [ENTRIES*32-1:0] slopes,
    input  logic [ENTRIES*32-1:0] intercepts,
    output logic out_valid,
    output logic [40:0] reciprocal
);
  // Division: the numerator's first bit is 1, the others are 0.
  logic [LATENCY-1:0] valid;
  logic [(LATENCY-1)*31-1:0] by;  // after stage s in bits s * 31
  logic [(LATENCY-1)*31-1:0] rest;
  logic [LATENCY*41-1:0] quotient;

  genvar s;
  generate
    for (s = 0; s < LATENCY; s = s + 1) begin : g_stages
      logic [30:0] rest_in, by_in, next_rest;
      logic [40:0] quotient_in, next_quotient;
      logic [31:0] partial;
      if (s == 0) begin : g_first
        assign rest_in = 31'd0;
        assign by_in = divisor;
        assign quotient_in = 41'd0;
      end else begin : g_next
        assign rest_in = rest[(s-1)*31+:31];
        assign by_in = by[(s-1)*31+:31];
        assign quotient_in = quotient[(s-1)*41+:41];
      end
      always_comb begin : steps
        integer i;
        next_rest = rest_in;
        next_quotient = quotient_in;
        partial = 32'd0;
        for (i = 0; i < STEPS; i = i + 1)
        if (s * STEPS + i < 41) begin
          partial = {next_rest, s * STEPS + i == 0};
          next_quotient = {next_quotient[39:0], partial >= {1'b0, by_in}};
          if (partial >= {1'b0, by_in}) partial = partial - {1'b0, by_in};
          next_rest = partial[30:0];
        end
      end
      if (s < LATENCY - 1) begin : g_carry
        always_ff @(posedge clk) begin
          by[s*31+:31] <= by_in;
          rest[s*31+:31] <= next_rest;
        end
      end
      always_ff @(posedge clk) quotient[s*41+:41] <= next_quotient;
    end
  endgenerate

  // Lines: 2^40 / (code * 8^group) = lines(code) * 2^(8 - 3 * group).
  logic [11:0] code, code1;
  logic signed [5:0] group, group1, group2, group3;
  logic signed [63:0] y;
  logic signed [6:0] up;
  logic [40:0] by_lines4;
  logic [3:0] lines_valid;
  vitq_range_scale #(
      .WIDTH(31),
      .OCTAVES(3)
  ) scale (
      .value(divisor),
      .code (code),
      .group(group)
  );
  vitq_lines #(
      .ENTRIES(ENTRIES),
      .RESULT(64)
  ) lines (
      .clk(clk),
      .enable(1'b1),
      .x({20'd0, code1}),
      .breaks(breaks),
      .breakpoints(breakpoints),
      .slopes(slopes),
      .intercepts(intercepts),
      .y(y)
  );
  assign up = 7'sd8 - 7'sd3 * 7'(group3);

  always_ff @(posedge clk) begin
    code1 <= code;
    group1 <= group;
    group2 <= group1;
    group3 <= group2;
    by_lines4 <= 41'(up >= 0 ? y << up[5:0] : y >>> 6'(-up));
    if (reset) begin
      valid <= {LATENCY{1'b0}};
      lines_valid <= 4'd0;
    end else begin
      valid <= {valid[LATENCY-2:0], in_valid};
      lines_valid <= {lines_valid[2:0], in_valid};
    end
  end
  assign out_valid = by_lines ? lines_valid[3] : valid[LATENCY-1];
  assign reciprocal = by_lines ? by_lines4 : quotient[(LATENCY-1)*41+:41];
endmodule
