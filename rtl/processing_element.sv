// One element of the array. Everything that enters it from the left or from above leaves it a cycle later to the
// right or downwards, so that what belongs together meets in element (k, n) k + n cycles after it began: its own
// time. All registers hold while `enable` is low.
//
// Weights stationary: two registers hold a weight in use and one that is being shifted in, from above or, for a
// transposed tile, from the left. `first` takes the latter into use. A sum moves down.
// Output stationary: the sum stays. `first` begins it anew, `capture` moves it to the register that `shift` moves down.
module processing_element #(
    parameter int unsigned BITS = vitq_config_pkg::BITS,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter bit SUMS_STAY = vitq_config_pkg::SUMS_STAY
) (
    input  logic                clk,
    input  logic                enable,
    // From the left, and to the right. An operand has one more bit, its sign.
    input  logic [BITS:0]       left_in,
    output logic [BITS:0]       left_out,
    input  logic [4:0]          control_in,   // {sideways or capture, shift, weights unsigned, first, multiply}
    output logic [4:0]          control_out,
    input  logic [BITS-1:0]     side_in,      // a weight of a transposed tile
    output logic [BITS-1:0]     weight_out,   // to the right and downwards
    // From above, and down.
    input  logic [BITS:0]       top_in,       // a weight, or the right operand with its sign
    output logic [BITS:0]       top_out,
    input  logic [SUM_BITS-1:0] sum_in,
    output logic [SUM_BITS-1:0] sum_out,      // to the element below
    output logic [SUM_BITS-1:0] sum_leaves    // to the edge, if this is the last row
);
  wire multiply = control_in[0];
  wire first = control_in[1];
  wire weights_unsigned = control_in[2];
  wire shift = control_in[3];
  wire sideways = control_in[4];

  localparam int unsigned PRODUCT_BITS = 2 * BITS + 2;
  logic signed [BITS:0] right;
  logic signed [PRODUCT_BITS-1:0] product;
  logic [SUM_BITS+PRODUCT_BITS-1:0] wide;
  logic [SUM_BITS-1:0] addend;
  assign product = $signed({{(BITS + 1) {left_in[BITS]}}, left_in}) * $signed({{(BITS + 1) {right[BITS]}}, right});
  assign wide = {{SUM_BITS{product[PRODUCT_BITS-1]}}, product};
  assign addend = wide[SUM_BITS-1:0];

  // Bits that a sum does not keep.
  wire unused_bits = &{1'b0, wide[SUM_BITS+PRODUCT_BITS-1:SUM_BITS]};

  always_ff @(posedge clk)
    if (enable) begin
      left_out <= left_in;
      control_out <= control_in;
      top_out <= top_in;
    end

  generate
    if (!SUMS_STAY) begin : weights_stay
      logic [BITS-1:0] pending, current, used, passed;
      logic [SUM_BITS-1:0] sum;
      assign used = first ? pending : current;
      assign right = {~weights_unsigned & used[BITS-1], used};
      assign weight_out = passed;
      assign sum_out = sum;
      assign sum_leaves = sum;
      wire unused_here = &{1'b0, multiply, top_in[BITS]};
      always_ff @(posedge clk)
        if (enable) begin
          passed <= pending;
          if (shift) pending <= sideways ? side_in : top_in[BITS-1:0];
          if (first) current <= pending;
          sum <= sum_in + addend;
        end
    end else begin : sums_stay
      logic [SUM_BITS-1:0] sum, leaving, passed;
      assign right = top_in;
      assign weight_out = '0;
      assign sum_out = passed;
      assign sum_leaves = leaving;
      wire unused_here = &{1'b0, weights_unsigned, side_in};
      always_ff @(posedge clk)
        if (enable) begin
          passed <= leaving;
          if (multiply) sum <= (first ? '0 : sum) + addend;
          if (sideways) leaving <= sum;
          else if (shift) leaving <= sum_in;
        end
    end
  endgenerate
endmodule
