// Multi-range scaling (docs/Numerics.md, "Reciprocals and inverse roots by lines"): value is about
// code * 2^(OCTAVES * group) with a code of CODE bits whose highest OCTAVES bits are not all 0. Combinational.
//
//   value  not 0
//   code   rounded half up where bits are lost, at most 2^CODE - 1
//   group  may be negative
module vitq_range_scale #(
    parameter int WIDTH   = 31,
    parameter int OCTAVES = 3,
    parameter int CODE = 12
) (
    input logic [WIDTH-1:0] value,
    output logic [CODE-1:0] code,
    output logic signed [5:0] group
);
  localparam int FIRST = CODE + 1 - OCTAVES;  // the length of what has group 0, at least
  localparam int LEAST = -((CODE - 1) / OCTAVES);  // of 1
  localparam int LOWEST = -(LEAST * OCTAVES);
  localparam int MOVE = $clog2(WIDTH + CODE) + 1;
  logic signed [MOVE-1:0] move;
  logic [WIDTH+LOWEST:0] moved;
  logic [CODE:0] rounded;

  // floor((length(value) - FIRST) / OCTAVES)
  always_comb begin : find_group
    integer i;
    group = 6'(LEAST);
    for (i = LEAST + 1; i * OCTAVES + FIRST <= WIDTH; i = i + 1)
    if ((value >> (i * OCTAVES + FIRST - 1)) != {WIDTH{1'b0}}) group = 6'(i);
  end
  // Less one bit, by which it is rounded.
  assign move = MOVE'(OCTAVES) * MOVE'(group) + MOVE'(LOWEST);
  assign moved = {value, {(LOWEST + 1) {1'b0}}} >> move;
  assign rounded = (CODE + 1)'(moved >> 1) + (CODE + 1)'(moved[0]);
  assign code = rounded[CODE] ? {CODE{1'b1}} : rounded[CODE-1:0];
endmodule
