// The unit `shift`: a sum times 2^-shift, rounded half to even, with or without ReLU before, saturated to eight signed bits.
module shift_requantizer #(
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS
) (
    input  logic [SUM_BITS-1:0] sum,
    input  logic [4:0]          shift,
    input  logic                relu,
    output logic [7:0]          result
);
  logic signed [32:0] x, down;
  logic [32:0] below, half, rounded;
  logic up, fits;
  assign x = relu && sum[SUM_BITS-1] ? '0 : 33'($signed(sum));
  assign down = x >>> shift;
  // What is cut off, against a half of the last place; of two equally near the even one.
  assign below = x & ((33'd1 << shift) - 33'd1);
  assign half = shift == '0 ? '0 : 33'd1 << (shift - 5'd1);
  assign up = shift != '0 && (below > half || (below == half && down[0]));
  assign rounded = down + {32'd0, up};
  assign fits = &rounded[32:7] || ~|rounded[32:7];
  assign result = fits ? rounded[7:0] : {rounded[32], {7{~rounded[32]}}};
endmodule
