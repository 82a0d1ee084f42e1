// Square root: floor(sqrt(square)) of 64 bits, STEPS bits of the root in a cycle.
//
//   start  takes the square; not while busy
//   busy   from the cycle after start on, for ceil(32 / STEPS) cycles
//   root   from then on, until the next start
module vitq_root #(
    parameter int STEPS = 4
) (
    input logic clk,
    input logic reset,
    input logic start,
    input logic [63:0] square,
    output logic busy,
    output logic [31:0] root
);
  logic [5:0] left, next_left;
  logic [63:0] rest, next_rest;
  logic [33:0] remainder, next_remainder;  // at most twice the root
  logic [31:0] next_root;
  logic [35:0] partial, trial;

  always_comb begin : steps
    integer i;
    next_left = left;
    next_rest = rest;
    next_remainder = remainder;
    next_root = root;
    partial = 36'd0;
    trial = 36'd0;
    for (i = 0; i < STEPS; i = i + 1)
    if (next_left != 6'd0) begin
      partial = {next_remainder, next_rest[63:62]};
      trial = {2'b00, next_root, 2'b01};
      next_rest = next_rest << 2;
      next_root = {next_root[30:0], partial >= trial};
      next_remainder = partial >= trial ? 34'(partial - trial) : 34'(partial);
      next_left = next_left - 6'd1;
    end
  end

  assign busy = left != 6'd0;
  always_ff @(posedge clk)
    if (reset) left <= 6'd0;
    else if (start) begin
      left <= 6'd32;
      rest <= square;
      remainder <= 34'd0;
      root <= 32'd0;
    end else begin
      left <= next_left;
      rest <= next_rest;
      remainder <= next_remainder;
      root <= next_root;
    end
endmodule
