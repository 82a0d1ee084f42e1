// Multi-range scaling (docs/Numerics.md, "Reciprocals and inverse roots by lines"): value is about
// code * 2^(OCTAVES * group) with a code of 12 bits whose highest OCTAVES bits are not all 0. Combinational.
//
//   value  not 0
//   code   rounded half up where bits are lost, at most 4095
//   group  may be negative
module vitq_range_scale #(
    parameter int WIDTH   = 31,
    parameter int OCTAVES = 3
) (
    input logic [WIDTH-1:0] value,
    output logic [11:0] code,
    output logic signed [5:0] group
);
  localparam int LEAST = -(11 / OCTAVES);  // of 1
  logic signed [6:0] move;
  logic [WIDTH+9:0] moved;
  logic [12:0] rounded;

  // floor((length(value) - 13 + OCTAVES) / OCTAVES)
  always_comb begin : find_group
    integer i;
    group = 6'(LEAST);
    for (i = LEAST + 1; i * OCTAVES + 13 - OCTAVES <= WIDTH; i = i + 1)
    if ((value >> (i * OCTAVES + 12 - OCTAVES)) != {WIDTH{1'b0}}) group = 6'(i);
  end
  // Less one bit, by which it is rounded.
  assign move = 7'(OCTAVES) * 7'(group) + 7'd9;
  assign moved = {value, 10'd0} >> move;
  assign rounded = 13'(moved >> 1) + 13'(moved[0]);
  assign code = rounded[12] ? 12'hfff : rounded[11:0];
endmodule
