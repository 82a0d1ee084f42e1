// The spans of a move of rows: one if there is no gap between them, else one a row. See dma_words.
module row_spans (
    input  logic [31:0] offset,
    input  logic [31:0] pitch,
    input  logic [17:0] row_bytes,
    input  logic [15:0] rows,
    output logic [31:0] next_offset,
    output logic [33:0] first_bytes,
    output logic [33:0] total_bytes
);
  assign total_bytes = 34'(row_bytes) * 34'(rows);
  assign first_bytes = pitch == 32'(row_bytes) ? total_bytes : 34'(row_bytes);
  assign next_offset = offset + pitch;
endmodule
