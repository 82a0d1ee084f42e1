// Where some channels of a row lie of an operand of a unit program, as spans (dma_words). Channels are in groups; groups that are
// side by side are one span.
module unit_operand (
    // The operand, as unit_parameters has it: offset, pitch of a batch, of a row, of a group, channels of a group; then number of
    // the operand, log2 of an element's bytes, is it unsigned?, one a row?, is there one?
    input  logic [6*32-1:0] operand,
    input  logic [15:0]     batch,
    input  logic [15:0]     row,
    input  logic [15:0]     channel,
    input  logic [15:0]     cols,
    output logic [31:0]     offset,
    output logic [31:0]     next_offset,
    output logic [31:0]     pitch,
    output logic [33:0]     first_bytes,
    output logic [19:0]     span_bytes,
    output logic [33:0]     total_bytes
);
  wire [1:0] size = operand[5*32+8+:2];
  wire one_per_row = operand[5*32+11];
  wire [15:0] group_size = operand[4*32+:16];
  wire unused_bits = &{1'b0, operand};
  logic [31:0] row_at, group_at;
  logic [15:0] group, place, to_end, elements;
  logic [19:0] to_group;
  // One division for an instruction: its channel stays.
  assign group = one_per_row ? '0 : channel / group_size;
  assign place = one_per_row ? '0 : channel % group_size;
  assign pitch = operand[3*32+:32];
  assign row_at = operand[31:0] + 32'(batch) * operand[32+:32] + 32'(row) * operand[2*32+:32];
  assign group_at = row_at + 32'(group) * pitch;
  assign offset = group_at + (32'(place) << size);
  assign next_offset = group_at + pitch;
  assign span_bytes = 20'(group_size) << size;
  assign to_end = group_size - place;
  assign to_group = 20'(to_end) << size;
  assign elements = one_per_row ? 16'd1 : cols;
  assign total_bytes = 34'(elements) << size;
  assign first_bytes = one_per_row || pitch == 32'(span_bytes) || 34'(to_group) > total_bytes ? total_bytes : 34'(to_group);
endmodule
