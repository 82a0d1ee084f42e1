// Rounding shift: value / 2^shift brought to an integer (docs/Numerics.md, "Rounding"). Combinational.
//
//   value     a signed number
//   shift     0 to 63
//   rounding  0 half up, 1 half to even, 2 half away from zero, 3 down
//   result    as wide as value, which holds it
module vitq_round #(
    parameter int WIDTH = 64
) (
    input  logic signed [WIDTH-1:0] value,
    input  logic [5:0] shift,
    input  logic [1:0] rounding,
    output logic signed [WIDTH-1:0] result
);
  logic [WIDTH-1:0] lost;  // ones where bits are lost
  logic signed [WIDTH-1:0] quotient;
  logic half, sticky, up;

  assign lost = ~({WIDTH{1'b1}} << shift);
  assign half = |(value & (lost ^ (lost >> 1)));
  assign sticky = |(value & (lost >> 1));
  assign quotient = value >>> shift;

  always_comb begin
    case (rounding)
      2'd0: up = half;
      2'd1: up = half && (sticky || quotient[0]);
      2'd2: up = half && (sticky || !value[WIDTH-1]);
      default: up = 1'b0;
    endcase
  end
  assign result = quotient + {{(WIDTH - 1) {1'b0}}, up};
endmodule
