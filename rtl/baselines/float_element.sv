// An element of an array that dequantizes first: what processing_element is with stationary weights, of floating-point operands
// (OPERAND bits of mantissa: 23 for single precision, 7 for bfloat16) and a single-precision sum.
module float_element #(
    parameter int OPERAND = 23
) (
    input  logic clk,
    input  logic enable,
    input  logic [OPERAND+8:0] left_in,
    output logic [OPERAND+8:0] left_out,
    input  logic shift,  // takes the weight from above as the next one
    input  logic first,  // takes the next weight into use
    input  logic [OPERAND+8:0] top_in,
    output logic [OPERAND+8:0] top_out,
    input  logic [31:0] sum_in,
    output logic [31:0] sum_out
);
  logic [OPERAND+8:0] pending, current, used;
  logic [31:0] product, sum;

  assign used = first ? pending : current;
  float_multiply #(
      .A(OPERAND),
      .R(23)
  ) multiply (
      .a(left_in),
      .b(used),
      .product(product)
  );
  float_add add (
      .a  (sum_in),
      .b  (product),
      .sum(sum)
  );
  always_ff @(posedge clk)
    if (enable) begin
      left_out <= left_in;
      top_out <= pending;
      if (shift) pending <= top_in;
      if (first) current <= pending;
      sum_out <= sum;
    end
endmodule
