// Piecewise-linear function of one lane: slope[i] * x + intercept[i] with i = #{k < breaks : x >= breakpoint[k]}
// (docs/Numerics.md, "Lines"). Two cycles.
//
//   enable      advances both stages
//   x           less its zero point
//   breaks      how many of the ENTRIES - 1 breakpoints count
//   breakpoints, slopes, intercepts   number k in bits k * WIDTH, the same for all values that are under way
//   y           two enabled cycles later; a line must not leave RESULT bits
// X are the bits of x and breakpoints, WIDTH those of slopes and intercepts.
module vitq_lines #(
    parameter int ENTRIES = 16,
    parameter int X = 32,
    parameter int WIDTH = 32,
    parameter int RESULT = 32
) (
    input  logic clk,
    input  logic enable,
    input  logic signed [X-1:0] x,
    input  logic [7:0] breaks,
    input  logic [(ENTRIES-1)*X-1:0] breakpoints,
    input  logic [ENTRIES*WIDTH-1:0] slopes,
    input  logic [ENTRIES*WIDTH-1:0] intercepts,
    output logic signed [RESULT-1:0] y
);
  logic [ENTRIES-2:0] reached;
  logic signed [X-1:0] x1;
  logic signed [WIDTH-1:0] slope, intercept, slope1, intercept1;

  genvar k;
  generate
    for (k = 0; k < ENTRIES - 1; k = k + 1) begin : g_comparators
      assign reached[k] = 8'(k) < breaks && x >= $signed(breakpoints[k*X+:X]);
    end
  endgenerate

  // Breakpoints never fall: the last one that is reached decides.
  always_comb begin : select
    integer i;
    slope = $signed(slopes[WIDTH-1:0]);
    intercept = $signed(intercepts[WIDTH-1:0]);
    for (i = 0; i < ENTRIES - 1; i = i + 1)
    if (reached[i]) begin
      slope = $signed(slopes[(i+1)*WIDTH+:WIDTH]);
      intercept = $signed(intercepts[(i+1)*WIDTH+:WIDTH]);
    end
  end

  always_ff @(posedge clk)
    if (enable) begin
      x1 <= x;
      slope1 <= slope;
      intercept1 <= intercept;
      y <= RESULT'(slope1) * RESULT'(x1) + RESULT'(intercept1);
    end
endmodule
