// Comparator quantizer of one lane: lowest + #{k < levels : x >= thresholds[k]} (docs/Numerics.md, "Thresholds").
// One cycle.
//
//   enable      advances it
//   x           WIDTH bits, as the thresholds
//   thresholds  threshold k in bits k * WIDTH
//   levels      how many of the LEVELS thresholds count
//   lowest      the code of values below all of them
//   result      one enabled cycle later
module vitq_threshold #(
    parameter int LEVELS = 15,
    parameter int WIDTH  = 32
) (
    input  logic clk,
    input  logic enable,
    input  logic signed [WIDTH-1:0] x,
    input  logic [LEVELS*WIDTH-1:0] thresholds,
    input  logic [7:0] levels,
    input  logic signed [31:0] lowest,
    output logic signed [31:0] result
);
  logic [LEVELS-1:0] reached;
  logic [7:0] count;

  genvar k;
  generate
    for (k = 0; k < LEVELS; k = k + 1) begin : g_comparators
      assign reached[k] = 8'(k) < levels && x >= $signed(thresholds[k*WIDTH+:WIDTH]);
    end
  endgenerate

  always_comb begin : count_reached
    integer i;
    count = 8'd0;
    for (i = 0; i < LEVELS; i = i + 1) count = count + {7'd0, reached[i]};
  end

  always_ff @(posedge clk) if (enable) result <= lowest + $signed({24'd0, count});
endmodule
