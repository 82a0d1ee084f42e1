// Dyadic requantizer of one lane: clamp(zero_point + round((x * multiplier + offset) / 2^shift), least, greatest)
// (docs/Numerics.md, "Requantization"; with an offset the last step of "LayerNorm"). Two cycles.
//
//   enable      advances both stages
//   x, multiplier, shift, offset, zero_point   of one value; |x * multiplier + offset| < 2^62, shift 0 to 62
//   rounding, least, greatest                  the same for all values that are under way
//   result      two enabled cycles later
// BITS are those of the result and its limits.
module vitq_requant #(
    parameter int BITS = 32
) (
    input  logic clk,
    input  logic enable,
    input  logic signed [31:0] x,
    input  logic signed [31:0] multiplier,
    input  logic [5:0] shift,
    input  logic signed [63:0] offset,
    input  logic signed [35:0] zero_point,
    input  logic [1:0] rounding,
    input  logic signed [BITS-1:0] least,
    input  logic signed [BITS-1:0] greatest,
    output logic signed [BITS-1:0] result
);
  logic signed [63:0] product;
  logic [5:0] shift1;
  logic signed [35:0] zero_point1;
  logic signed [63:0] rounded, sum;

  vitq_round #(
      .WIDTH(64)
  ) round (
      .value(product),
      .shift(shift1),
      .rounding(rounding),
      .result(rounded)
  );
  assign sum = rounded + 64'(zero_point1);

  always_ff @(posedge clk)
    if (enable) begin
      product <= 64'(x) * 64'(multiplier) + offset;
      shift1 <= shift;
      zero_point1 <= zero_point;
      result <= sum < 64'(least) ? least : sum > 64'(greatest) ? greatest : BITS'(sum);
    end
endmodule
