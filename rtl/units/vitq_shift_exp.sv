// shiftExp(-distance, -step, fraction) of one lane (docs/Numerics.md, shiftExp), the exponential by shifts. Four cycles.
//
//   enable    advances all stages
//   distance  what the exponent is below 0
//   step      -x0, 1 to 2^(STEP-1)
//   fraction  n, 1 to 30
//   power     four enabled cycles later; at most step * 2^n
module vitq_shift_exp #(
    parameter int DISTANCE = 33,
    parameter int STEP = 31
) (
    input  logic clk,
    input  logic enable,
    input  logic [DISTANCE-1:0] distance,
    input  logic [STEP-1:0] step,
    input  logic [4:0] fraction,
    output logic [STEP+29:0] power
);
  localparam int U = (DISTANCE > STEP + 4 ? DISTANCE : STEP + 4) + 2;
  // -(a + (a >> 1) - (a >> 4)) of a = -distance: the shifts round down, so away from 0.
  logic [U-1:0] d, half, sixteenth, u, limit, wide_step, u1;
  logic [U-1:0] rest2, rest3;
  logic [4:0] quotient2, quotient3;
  logic bit4, bit3, bit2, bit1, bit0;
  logic [U-1:0] after4, after3, after2, after1, after0;

  assign d = U'(distance);
  assign wide_step = U'(step);
  assign half = (d + U'(1)) >> 1;
  assign sixteenth = (d + U'(15)) >> 4;
  assign limit = wide_step * U'(fraction);
  assign u = d + half - sixteenth;

  // u / step, at most n: five steps of a division.
  assign bit4 = u1 >= wide_step << 4;
  assign after4 = bit4 ? u1 - (wide_step << 4) : u1;
  assign bit3 = after4 >= wide_step << 3;
  assign after3 = bit3 ? after4 - (wide_step << 3) : after4;
  assign bit2 = after3 >= wide_step << 2;
  assign after2 = bit2 ? after3 - (wide_step << 2) : after3;
  assign bit1 = rest2 >= wide_step << 1;
  assign after1 = bit1 ? rest2 - (wide_step << 1) : rest2;
  assign bit0 = after1 >= wide_step;
  assign after0 = bit0 ? after1 - wide_step : after1;

  logic [STEP+29:0] mantissa;
  logic [4:0] left;
  assign mantissa = (STEP + 30)'({wide_step, 1'b0}) - (STEP + 30)'(rest3);
  assign left = fraction - quotient3;

  always_ff @(posedge clk)
    if (enable) begin
      u1 <= u > limit ? limit : u;
      rest2 <= after2;
      quotient2 <= {bit4, bit3, bit2, 2'b00};
      rest3 <= after0;
      quotient3 <= quotient2 | {3'b000, bit1, bit0};
      power <= left == 5'd0 ? mantissa >> 1 : mantissa << (left - 5'd1);
    end
endmodule
