// A unit for a function as lines, with registers for its parameters, as GQA-LUT compares them: vitq_lines, and for
// reciprocals (FUNCTION 1) and inverse roots (2) multi-range scaling before and a shift behind.
//
//   load, load_data   shifts a parameter in: intercepts, slopes and breakpoints, the last one first
//   x                 a code of X bits; FUNCTION 1, 2: a positive number of VALUE bits
//   y                 three cycles later (four with scaling)
// X are bits of codes and breakpoints, WIDTH of slopes and intercepts, RESULT of y.
module lines_unit #(
    parameter int ENTRIES = 8,
    parameter int X = 8,
    parameter int WIDTH = 8,
    parameter int RESULT = 17,
    parameter int FUNCTION = 0,
    parameter int VALUE = X
) (
    input  logic clk,
    input  logic load,
    input  logic [WIDTH-1:0] load_data,
    input  logic [VALUE-1:0] x,
    output logic signed [RESULT-1:0] y
);
  localparam int BREAKS = (ENTRIES - 1) * X;
  localparam int ALL = BREAKS + 2 * ENTRIES * WIDTH;
  logic [ALL-1:0] parameters;
  logic signed [X-1:0] code;
  logic signed [RESULT-1:0] line;
  always_ff @(posedge clk) if (load) parameters <= {parameters[ALL-WIDTH-1:0], load_data};
  vitq_lines #(
      .ENTRIES(ENTRIES),
      .X(X),
      .WIDTH(WIDTH),
      .RESULT(RESULT)
  ) lines (
      .clk(clk),
      .enable(1'b1),
      .x(code),
      .breaks(8'(ENTRIES - 1)),
      .breakpoints(parameters[BREAKS-1:0]),
      .slopes(parameters[BREAKS+:ENTRIES*WIDTH]),
      .intercepts(parameters[BREAKS+ENTRIES*WIDTH+:ENTRIES*WIDTH]),
      .y(line)
  );
  generate
    if (FUNCTION == 0) begin : g_direct
      always_ff @(posedge clk) begin
        code <= $signed(X'(x));
      end
      assign y = line;
    end else begin : g_scaled
      localparam int OCTAVES = FUNCTION == 1 ? 3 : 4;
      logic [X-2:0] scaled;
      logic signed [5:0] group, group1, group2, group3;
      logic signed [6:0] up;
      vitq_range_scale #(
          .WIDTH(VALUE),
          .OCTAVES(OCTAVES),
          .CODE(X - 1)
      ) scale (
          .value(x),
          .code (scaled),
          .group(group)
      );
      assign up = FUNCTION == 1 ? 7'sd8 - 7'sd3 * 7'(group3) : 7'sd13 - 7'sd2 * 7'(group3);
      always_ff @(posedge clk) begin
        code <= $signed({1'b0, scaled});
        group1 <= group;
        group2 <= group1;
        group3 <= group2;
        y <= up >= 0 ? line <<< up[5:0] : line >>> 6'(-up);
      end
    end
  endgenerate
endmodule
