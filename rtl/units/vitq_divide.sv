// Divider: floor(numerator / denominator), STEPS bits of the quotient in a cycle.
//
//   start        takes the operands; not while busy
//   bits         how many bits the quotient may have: numerator < denominator * 2^bits
//   busy         from the cycle after start on, for ceil(bits / STEPS) cycles
//   quotient, remainder   from then on, until the next start
module vitq_divide #(
    parameter int NUMERATOR = 62,
    parameter int DENOMINATOR = 62,
    parameter int STEPS = 4
) (
    input  logic clk,
    input  logic reset,
    input  logic start,
    input  logic [NUMERATOR-1:0] numerator,
    input  logic [DENOMINATOR-1:0] denominator,
    input  logic [6:0] bits,
    output logic busy,
    output logic [NUMERATOR-1:0] quotient,
    output logic [DENOMINATOR-1:0] remainder
);
  logic [6:0] left;
  logic [DENOMINATOR-1:0] by;
  logic [NUMERATOR-1:0] rest;  // bits of the numerator that are still to come, from the top

  logic [DENOMINATOR:0] partial;
  logic [DENOMINATOR-1:0] next_remainder;
  logic [NUMERATOR-1:0] next_quotient, next_rest;
  logic [6:0] next_left;
  always_comb begin : steps
    integer i;
    next_remainder = remainder;
    next_quotient = quotient;
    next_rest = rest;
    next_left = left;
    partial = {(DENOMINATOR + 1) {1'b0}};
    for (i = 0; i < STEPS; i = i + 1)
    if (next_left != 7'd0) begin
      partial = {next_remainder, next_rest[NUMERATOR-1]};
      next_rest = next_rest << 1;
      next_quotient = {next_quotient[NUMERATOR-2:0], partial >= {1'b0, by}};
      if (partial >= {1'b0, by}) partial = partial - {1'b0, by};
      next_remainder = partial[DENOMINATOR-1:0];
      next_left = next_left - 7'd1;
    end
  end

  assign busy = left != 7'd0;
  always_ff @(posedge clk)
    if (reset) left <= 7'd0;
    else if (start) begin
      left <= bits;
      by <= denominator;
      remainder <= DENOMINATOR'(numerator >> bits);
      rest <= numerator << (7'(NUMERATOR) - bits);
      quotient <= {NUMERATOR{1'b0}};
    end else begin
      left <= next_left;
      remainder <= next_remainder;
      rest <= next_rest;
      quotient <= next_quotient;
    end
endmodule
