// Residual add of one lane: clamp(zero_point + round(lhs * lhs_multiplier / 2^lhs_shift) +
// round(rhs * rhs_multiplier / 2^rhs_shift), least, greatest) (docs/Numerics.md, "Requantization"). Two cycles.
//
//   enable   advances both stages
//   lhs, rhs less their zero points
//   zero_point, rounding, least, greatest   the same for all values that are under way
//   result   two enabled cycles later
// BITS are those of the result and its limits.
module vitq_add #(
    parameter int BITS = 32
) (
    input  logic clk,
    input  logic enable,
    input  logic signed [31:0] lhs,
    input  logic signed [31:0] lhs_multiplier,
    input  logic [5:0] lhs_shift,
    input  logic signed [31:0] rhs,
    input  logic signed [31:0] rhs_multiplier,
    input  logic [5:0] rhs_shift,
    input  logic signed [31:0] zero_point,
    input  logic [1:0] rounding,
    input  logic signed [BITS-1:0] least,
    input  logic signed [BITS-1:0] greatest,
    output logic signed [BITS-1:0] result
);
  logic signed [63:0] lhs_product, rhs_product, lhs_rounded, rhs_rounded, sum;
  logic [5:0] lhs_shift1, rhs_shift1;

  vitq_round #(
      .WIDTH(64)
  ) lhs_round (
      .value(lhs_product),
      .shift(lhs_shift1),
      .rounding(rounding),
      .result(lhs_rounded)
  );
  vitq_round #(
      .WIDTH(64)
  ) rhs_round (
      .value(rhs_product),
      .shift(rhs_shift1),
      .rounding(rounding),
      .result(rhs_rounded)
  );
  assign sum = lhs_rounded + rhs_rounded + 64'(zero_point);

  always_ff @(posedge clk)
    if (enable) begin
      lhs_product <= 64'(lhs) * 64'(lhs_multiplier);
      rhs_product <= 64'(rhs) * 64'(rhs_multiplier);
      lhs_shift1 <= lhs_shift;
      rhs_shift1 <= rhs_shift;
      result <= sum < 64'(least) ? least : sum > 64'(greatest) ? greatest : BITS'(sum);
    end
endmodule
