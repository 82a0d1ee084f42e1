// Bytes, first in, first out: in each cycle up to IN are put behind the others and up to OUT are taken from the front. Never
// more than PLACES are in it. As hardware it is banks of bytes side by side.
module byte_ring #(
    parameter int unsigned PLACES = 1024,  // a power of two
    parameter int unsigned IN = 8,
    parameter int unsigned OUT = 8,
    parameter int unsigned IN_BITS = $clog2(IN + 1),
    parameter int unsigned OUT_BITS = $clog2(OUT + 1)
) (
    input  logic                clk,
    input  logic                reset,
    input  logic [IN_BITS-1:0]  puts,   // the first so many of `in`
    input  logic [8*IN-1:0]     in,
    input  logic [OUT_BITS-1:0] takes,
    output logic [8*OUT-1:0]    out     // the front
);
  localparam int unsigned INDEX_BITS = $clog2(PLACES);
  logic [7:0] bytes [0:PLACES-1];
  logic [INDEX_BITS-1:0] front, back;
  always_ff @(posedge clk) begin : put
    integer i;
    if (puts != '0)
      for (i = 0; i < IN; i = i + 1)
        if (IN_BITS'(i) < puts) bytes[back + INDEX_BITS'(i)] <= in[8*i+:8];
  end
  generate
    genvar o;
    for (o = 0; o < OUT; o = o + 1) begin : fronts
      assign out[8*o+:8] = bytes[front + INDEX_BITS'(o)];
    end
  endgenerate
  always_ff @(posedge clk)
    if (reset) begin
      front <= '0;
      back <= '0;
    end else begin
      front <= front + INDEX_BITS'(takes);
      back <= back + INDEX_BITS'(puts);
    end
endmodule
