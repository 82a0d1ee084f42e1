// Registers before or behind the elements: lane i is delayed by i cycles, or with REVERSED by LANES - 1 - i.
module skew #(
    parameter int unsigned LANES = 4,
    parameter int unsigned BITS = 8,
    parameter bit REVERSED = 1'b0
) (
    input  logic                  clk,
    input  logic                  enable,
    input  logic [LANES*BITS-1:0] in,
    output logic [LANES*BITS-1:0] out
);
  generate
    genvar i;
    for (i = 0; i < LANES; i = i + 1) begin : lane
      localparam int unsigned DELAY = REVERSED ? LANES - 1 - i : i;
      if (DELAY == 0) begin : direct
        assign out[i*BITS+:BITS] = in[i*BITS+:BITS];
      end else if (DELAY == 1) begin : one
        logic [BITS-1:0] stage;
        always_ff @(posedge clk) if (enable) stage <= in[i*BITS+:BITS];
        assign out[i*BITS+:BITS] = stage;
      end else begin : several
        logic [DELAY*BITS-1:0] stages;
        always_ff @(posedge clk) if (enable) stages <= {stages[(DELAY-1)*BITS-1:0], in[i*BITS+:BITS]};
        assign out[i*BITS+:BITS] = stages[(DELAY-1)*BITS+:BITS];
      end
    end
  endgenerate
endmodule
