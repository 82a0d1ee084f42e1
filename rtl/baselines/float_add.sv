// Sum of two floating-point numbers, rounded to nearest, halves to even. Without denormals, infinities and NaN, as
// float_multiply. Combinational.
//
//   a, b  sign, EXPONENT bits, MANTISSA bits
//   sum   likewise
module float_add #(
    parameter int EXPONENT = 8,
    parameter int MANTISSA = 23
) (
    input  logic [EXPONENT+MANTISSA:0] a,
    input  logic [EXPONENT+MANTISSA:0] b,
    output logic [EXPONENT+MANTISSA:0] sum
);
  localparam int TOP = EXPONENT + MANTISSA;
  localparam int WIDE = MANTISSA + 5;  // carry, mantissa with its 1, guard, round, sticky
  logic [TOP:0] larger, smaller;
  logic [EXPONENT-1:0] distance;
  logic [WIDE-1:0] x, y, moved, total, normal;
  logic sticky, subtract, up;
  logic [MANTISSA+1:0] rounded;
  logic [EXPONENT-1:0] zeros;
  logic signed [EXPONENT+1:0] exponent;

  assign larger = a[TOP-1:0] >= b[TOP-1:0] ? a : b;
  assign smaller = a[TOP-1:0] >= b[TOP-1:0] ? b : a;
  assign distance = larger[TOP-1:MANTISSA] - smaller[TOP-1:MANTISSA];
  assign subtract = larger[TOP] ^ smaller[TOP];
  assign x = larger[TOP-1:MANTISSA] == 0 ? {WIDE{1'b0}} : {2'b01, larger[MANTISSA-1:0], 3'b000};
  assign y = smaller[TOP-1:MANTISSA] == 0 ? {WIDE{1'b0}} : {2'b01, smaller[MANTISSA-1:0], 3'b000};
  assign moved = y >> distance;
  assign sticky = (moved << distance) != y;
  assign total = subtract ? x - (moved | {{(WIDE - 1) {1'b0}}, sticky}) : x + (moved | {{(WIDE - 1) {1'b0}}, sticky});

  always_comb begin : count_zeros
    integer i;
    zeros = EXPONENT'(WIDE);
    for (i = 0; i < WIDE; i = i + 1) if (total[i]) zeros = EXPONENT'(WIDE - 1 - i);
  end
  assign normal = total << zeros;
  assign up = normal[3] && (normal[4] || |normal[2:0]);
  assign rounded = {1'b0, normal[WIDE-1:4]} + (MANTISSA + 2)'(up);
  assign exponent = $signed({2'b00, larger[TOP-1:MANTISSA]}) + (EXPONENT + 2)'(1) - $signed({2'b00, zeros}) +
      (EXPONENT + 2)'({1'b0, rounded[MANTISSA+1]});
  assign sum = total == 0 || exponent <= 0 ? {larger[TOP] && !subtract, {TOP{1'b0}}} :
      exponent >= (EXPONENT + 2)'(2 ** EXPONENT - 1) ? {larger[TOP], {EXPONENT{1'b1}}, {MANTISSA{1'b0}}} :
      {larger[TOP], exponent[EXPONENT-1:0], rounded[MANTISSA+1] ? rounded[MANTISSA:1] : rounded[MANTISSA-1:0]};
endmodule
