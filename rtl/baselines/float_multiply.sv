// Product of two floating-point numbers, rounded to nearest, halves to even. Without denormals, which are 0 as operand and
// as result, and without infinities and NaN: what is too large becomes the largest exponent. Combinational.
//
//   a, b     sign, EXPONENT bits, A bits of the mantissa
//   product  sign, EXPONENT bits, R bits of the mantissa
module float_multiply #(
    parameter int EXPONENT = 8,
    parameter int A = 23,
    parameter int R = 23
) (
    input  logic [EXPONENT+A:0] a,
    input  logic [EXPONENT+A:0] b,
    output logic [EXPONENT+R:0] product
);
  localparam int WIDE = 2 * A + 2 > R + 3 ? 2 * A + 2 : R + 3;  // of the product's mantissa, in its highest bits
  localparam int BIAS = 2 ** (EXPONENT - 1) - 1;
  logic sign, zero, high, up;
  logic [2*A+1:0] exact;
  logic [WIDE-1:0] wide, normal;
  logic [R+1:0] rounded;
  logic signed [EXPONENT+1:0] exponent;

  assign sign = a[EXPONENT+A] ^ b[EXPONENT+A];
  assign zero = a[EXPONENT+A-1:A] == 0 || b[EXPONENT+A-1:A] == 0;
  assign exact = (2 * A + 2)'({1'b1, a[A-1:0]}) * (2 * A + 2)'({1'b1, b[A-1:0]});
  assign wide = {exact, {(WIDE - 2 * A - 2) {1'b0}}};
  assign high = wide[WIDE-1];
  assign normal = high ? wide : wide << 1;
  // Half of the last place, and what is below.
  assign up = normal[WIDE-R-2] && (normal[WIDE-R-1] || |normal[WIDE-R-3:0]);
  assign rounded = {1'b0, normal[WIDE-1:WIDE-R-1]} + (R + 2)'(up);
  assign exponent = $signed({2'b00, a[EXPONENT+A-1:A]}) + $signed({2'b00, b[EXPONENT+A-1:A]}) -
      (EXPONENT + 2)'(BIAS) + (EXPONENT + 2)'({1'b0, high}) + (EXPONENT + 2)'({1'b0, rounded[R+1]});
  assign product = zero || exponent <= 0 ? {sign, {(EXPONENT + R) {1'b0}}} :
      exponent >= (EXPONENT + 2)'(2 ** EXPONENT - 1) ? {sign, {EXPONENT{1'b1}}, {R{1'b0}}} :
      {sign, exponent[EXPONENT-1:0], rounded[R+1] ? rounded[R:1] : rounded[R-1:0]};
endmodule
