// The left operand of sums that stay: each row of elements has a register that takes a row of the scratchpad and gives one
// of its operands with every step. Row m is needed m cycles after row 0, which is when it is read.
module left_rows #(
    parameter int unsigned ROWS = vitq_config_pkg::ROWS,
    parameter int unsigned WIDTH = vitq_config_pkg::WIDTH,
    parameter int unsigned BITS = vitq_config_pkg::BITS
) (
    input  logic                     clk,
    input  logic                     enable,
    input  logic [ROWS-1:0]          load,       // whose row `row` is
    input  logic [WIDTH*BITS-1:0]    row,
    input  logic                     is_unsigned,
    input  logic [ROWS-1:0]          step,       // takes the next operand, in the row's own time
    output logic [ROWS*(BITS+1)-1:0] operands
);
  generate
    genvar m;
    for (m = 0; m < ROWS; m = m + 1) begin : rows
      logic [WIDTH*BITS-1:0] held, now;
      logic held_unsigned, now_unsigned;
      assign now = load[m] ? row : held;
      assign now_unsigned = load[m] ? is_unsigned : held_unsigned;
      assign operands[m*(BITS+1)+:BITS+1] = {~now_unsigned & now[BITS-1], now[BITS-1:0]};
      always_ff @(posedge clk)
        if (enable) begin
          held <= step[m] ? now >> BITS : now;
          held_unsigned <= now_unsigned;
        end
    end
  endgenerate
endmodule
