// Shift requantizer of one lane, Gemmini's: saturate(round(max(sum, 0 with relu) / 2^shift)), halves to even
// (docs/Systolic.md, mvout with scale). Combinational.
//
//   sum     of the accumulator
//   shift   0 to 31
//   relu    whether negative sums become 0
//   result  a signed code of BITS bits
module vitq_shift #(
    parameter int SUM  = 32,
    parameter int BITS = 8
) (
    input  logic signed [SUM-1:0] sum,
    input  logic [4:0] shift,
    input  logic relu,
    output logic signed [BITS-1:0] result
);
  localparam logic signed [SUM-1:0] GREATEST = {{(SUM - BITS + 1) {1'b0}}, {(BITS - 1) {1'b1}}};
  localparam logic signed [SUM-1:0] LEAST = ~GREATEST;
  logic signed [SUM-1:0] limited, rounded;

  assign limited = relu && sum[SUM-1] ? {SUM{1'b0}} : sum;
  vitq_round #(
      .WIDTH(SUM)
  ) round (
      .value(limited),
      .shift({1'b0, shift}),
      .rounding(2'd1),
      .result(rounded)
  );
  assign result = rounded < LEAST ? BITS'(LEAST) : rounded > GREATEST ? BITS'(GREATEST) : BITS'(rounded);
endmodule
