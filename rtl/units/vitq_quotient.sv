// Division by a row's sum, of one lane: sat32((x * reciprocal + 2^15) >> 16) (docs/Numerics.md, "Division after P V").
// Two cycles.
//
//   enable      advances both stages
//   x           a sum of the accumulator
//   divisor     1 to 2^31 - 1
//   reciprocal  of vitq_reciprocal for that divisor
//   quotient    two enabled cycles later
module vitq_quotient (
    input  logic clk,
    input  logic enable,
    input  logic signed [31:0] x,
    input  logic [30:0] divisor,
    input  logic [40:0] reciprocal,
    output logic signed [31:0] quotient
);
  // Beyond 256 times the divisor the quotient saturates anyway; so limited, the product fits 50 bits.
  logic signed [39:0] most;
  logic signed [31:0] limited;
  logic [40:0] reciprocal1;
  logic signed [49:0] product, rounded;

  assign most = $signed({1'b0, divisor, 8'd0});
  assign product = 50'(limited) * $signed({9'd0, reciprocal1});
  assign rounded = (product + 50'sd32768) >>> 16;
  always_ff @(posedge clk)
    if (enable) begin
      limited <= 40'(x) > most ? 32'(most) : 40'(x) < -most ? 32'(-most) : x;
      reciprocal1 <= reciprocal;
      quotient <= rounded > 50'sh7fffffff ? 32'sh7fffffff : rounded < -50'sh80000000 ? 32'sh80000000 : 32'(rounded);
    end
endmodule
