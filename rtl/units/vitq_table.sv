// Table lookup of one lane: the entry of a code (docs/Numerics.md, "Tables"). One cycle.
//
//   write, write_address, write_data   WRITES entries, 9-bit signed numbers, from a multiple of WRITES on
//   enable       advances the lookup
//   base         the address of the table's first entry, a multiple of 2^INDEX
//   x            whose lowest code_bits bits are the code
//   code_bits    2 to INDEX
//   code_signed  whether codes are signed: the least one has the first entry
//   entry        one enabled cycle later
// ADDRESS bits number the entries of all tables, INDEX those of one.
module vitq_table #(
    parameter int ADDRESS = 8,
    parameter int INDEX   = 8,
    parameter int WRITES  = 2
) (
    input  logic clk,
    input  logic write,
    input  logic [ADDRESS-1:0] write_address,
    input  logic [WRITES*9-1:0] write_data,
    input  logic enable,
    input  logic [ADDRESS-1:0] base,
    input  logic [INDEX-1:0] x,
    input  logic [3:0] code_bits,
    input  logic code_signed,
    output logic signed [8:0] entry
);
  logic signed [8:0] entries[0:2**ADDRESS-1];
  logic [INDEX-1:0] mask, top, index;
  logic [ADDRESS-1:0] address;

  assign mask = ~({INDEX{1'b1}} << code_bits);
  assign top = code_signed ? mask ^ (mask >> 1) : {INDEX{1'b0}};
  assign index = (x & mask) ^ top;
  assign address = base | ADDRESS'(index);

  integer w;
  always_ff @(posedge clk) begin
    if (write)
      for (w = 0; w < WRITES; w = w + 1)
        entries[write_address+ADDRESS'(w)] <= $signed(write_data[w*9+:9]);
    if (enable) entry <= entries[address];
  end
endmodule
