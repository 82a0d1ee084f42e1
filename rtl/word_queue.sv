// Words of BITS bits, first in, first out; what was put in last cycle or before can be taken. Never more than PLACES of them
// are put in.
module word_queue #(
    parameter int unsigned PLACES = 8,
    parameter int unsigned BITS = 8
) (
    input  logic            clk,
    input  logic            reset,
    input  logic            put,
    input  logic [BITS-1:0] in,
    input  logic            take,
    output logic [BITS-1:0] out
);
  localparam int unsigned INDEX_BITS = PLACES > 1 ? $clog2(PLACES) : 1;
  logic [BITS-1:0] words [0:PLACES-1];
  logic [INDEX_BITS-1:0] newest, oldest;
  assign out = words[oldest];
  always_ff @(posedge clk) if (put) words[newest] <= in;
  always_ff @(posedge clk)
    if (reset) begin
      newest <= '0;
      oldest <= '0;
    end else begin
      if (put) newest <= newest == INDEX_BITS'(PLACES - 1) ? '0 : newest + 1'b1;
      if (take) oldest <= oldest == INDEX_BITS'(PLACES - 1) ? '0 : oldest + 1'b1;
    end
endmodule
