// What lines_unit is, in single precision: comparisons, a product and a sum of floating-point numbers. For reciprocals
// (FUNCTION 1) and inverse roots (2) the lines are those of the mantissa, and the exponent is moved.
//
//   load, load_data   shifts a parameter in: intercepts, slopes and breakpoints, the last one first
//   x, y              y three cycles later
module float_lines_unit #(
    parameter int ENTRIES  = 8,
    parameter int FUNCTION = 0
) (
    input  logic clk,
    input  logic load,
    input  logic [31:0] load_data,
    input  logic [31:0] x,
    output logic [31:0] y
);
  localparam int ALL = (3 * ENTRIES - 1) * 32;
  logic [ALL-1:0] parameters;
  logic [31:0] mantissa, x0, x1, slope, intercept, slope1, intercept1, product, line;
  logic [7:0] exponent, exponent0, exponent1, moved;
  logic [ENTRIES-2:0] reached;
  always_ff @(posedge clk) if (load) parameters <= {parameters[ALL-33:0], load_data};

  // 1 to 2, or 1 to 4 where the exponent must be even.
  assign exponent = FUNCTION == 2 ? (x[30:23] - 8'd127) & 8'hfe : x[30:23] - 8'd127;
  assign mantissa = FUNCTION == 0 ? x : {x[31], x[30:23] - exponent, x[22:0]};
  genvar k;
  generate
    for (k = 0; k < ENTRIES - 1; k = k + 1) begin : g_comparators
      logic [31:0] point;
      assign point = parameters[k*32+:32];
      assign reached[k] = x0[31] != point[31] ? point[31] : x0[31] ? x0[30:0] <= point[30:0] : x0[30:0] >= point[30:0];
    end
  endgenerate
  always_comb begin : select
    integer i;
    slope = parameters[(ENTRIES-1)*32+:32];
    intercept = parameters[(2*ENTRIES-1)*32+:32];
    for (i = 0; i < ENTRIES - 1; i = i + 1)
    if (reached[i]) begin
      slope = parameters[(ENTRIES+i)*32+:32];
      intercept = parameters[(2*ENTRIES+i)*32+:32];
    end
  end
  float_multiply multiply (
      .a(slope1),
      .b(x1),
      .product(product)
  );
  float_add add (
      .a  (product),
      .b  (intercept1),
      .sum(line)
  );
  assign moved = FUNCTION == 2 ? 8'($signed(exponent1) >>> 1) : exponent1;
  always_ff @(posedge clk) begin
    x0 <= mantissa;
    exponent0 <= exponent;
    x1 <= x0;
    exponent1 <= exponent0;
    slope1 <= slope;
    intercept1 <= intercept;
    y <= FUNCTION == 0 ? line : {line[31], line[30:23] - moved, line[22:0]};
  end
endmodule
