// Puts the words that the DMA has read where their instruction wants them: operands into the scratchpad, sums into the
// accumulator memory. Words come in the order of the instructions. All of a word is written in the cycle after it came.
module load_unit #(
    parameter int unsigned WIDTH = vitq_config_pkg::WIDTH,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned BITS = vitq_config_pkg::BITS,
    parameter int unsigned PLANES = vitq_config_pkg::PLANES,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned PLACES = vitq_config_pkg::LOAD_QUEUE,
    parameter int unsigned PLACE_BITS = $clog2(BYTES + 1),
    parameter int unsigned SLOTS = BYTES * PLANES,
    parameter int unsigned ROW_BITS = 14,          // of an address in the scratchpad
    parameter int unsigned LANE_BITS = 4,          // of a place in its rows
    parameter int unsigned SUM_SLOTS = (BYTES + 3) / 4,
    parameter int unsigned SUM_ROW_BITS = 10,
    parameter int unsigned SUM_LANE_BITS = 4
) (
    input  logic                              clk,
    input  logic                              reset,
    // A word, and the instruction that it is of, by its place in the queue and in full.
    input  logic                              given,
    input  logic [8*BYTES-1:0]                word,
    input  logic [PLACE_BITS-1:0]             first,
    input  logic [PLACE_BITS-1:0]             last,
    input  logic                              ends,
    input  logic [255:0]                      instruction,
    output logic                              next_instruction,
    // To the scratchpad.
    output logic [SLOTS-1:0]                  write,
    output logic [SLOTS*ROW_BITS-1:0]         write_row,
    output logic [SLOTS*LANE_BITS-1:0]        write_lane,
    output logic [SLOTS*BITS-1:0]             write_data,
    output logic [SLOTS-1:0]                  write_last,
    // To the accumulator memory.
    output logic [SUM_SLOTS-1:0]              load,
    output logic [SUM_SLOTS*SUM_ROW_BITS-1:0] load_row,
    output logic [SUM_SLOTS*SUM_LANE_BITS-1:0] load_lane,
    output logic [SUM_SLOTS*SUM_BITS-1:0]     load_data,
    output logic                              load_adds,
    output logic                              load_repeats, // these are for a row that is repeated
    output logic                              loaded        // with them the instruction is complete
);
  wire [7:0] opcode = instruction[7:0];
  wire [7:0] moved_planes = instruction[15:8];
  wire split = instruction[16];
  wire adds = instruction[17];
  wire [31:0] local_row = instruction[63:32];
  wire [15:0] cols = instruction[127:112];
  wire [15:0] tile_stride = instruction[143:128];
  wire [15:0] plane_stride = instruction[159:144];
  wire [31:0] pitch = instruction[255:224];
  wire is_sums = opcode == 8'd2;
  wire unused_fields = &{1'b0, instruction[31:18], instruction[111:64], instruction[223:160], 32'(PLACES), 32'(COLS), local_row, tile_stride, plane_stride};
  assign next_instruction = given && ends;

  // Where the next operand or sum goes: row of the instruction, column, place in its tile, local rows of the tiles before.
  logic [15:0] row, column, next_row, next_column;
  logic [LANE_BITS-1:0] lane, next_lane;
  logic [ROW_BITS-1:0] tile, next_tile;
  // Bits of a row that are no whole operand yet, or the bytes of a sum.
  logic [23:0] rest, next_rest;
  logic [4:0] rest_bits, next_rest_bits;

  logic [SLOTS-1:0] to_write, to_write_last;
  logic [SLOTS*ROW_BITS-1:0] to_row;
  logic [SLOTS*LANE_BITS-1:0] to_lane;
  logic [SLOTS*BITS-1:0] to_data;
  logic [SUM_SLOTS-1:0] to_load;
  logic [SUM_SLOTS*SUM_ROW_BITS-1:0] to_load_row;
  logic [SUM_SLOTS*SUM_LANE_BITS-1:0] to_load_lane;
  logic [SUM_SLOTS*SUM_BITS-1:0] to_load_data;

  always_comb begin : place
    integer i, p, sum_slot;
    logic [31:0] bits;
    logic [7:0] byte_in;
    logic [ROW_BITS-1:0] to;
    logic [SUM_ROW_BITS-1:0] to_sum;
    i = 0;
    p = 0;
    sum_slot = 0;
    bits = '0;
    byte_in = '0;
    to = '0;
    to_sum = '0;
    next_row = row;
    next_column = column;
    next_lane = lane;
    next_tile = tile;
    next_rest = rest;
    next_rest_bits = rest_bits;
    to_write = '0;
    to_write_last = '0;
    to_row = '0;
    to_lane = '0;
    to_data = '0;
    to_load = '0;
    to_load_row = '0;
    to_load_lane = '0;
    to_load_data = '0;
    if (given)
      for (i = 0; i < BYTES; i = i + 1)
        if (PLACE_BITS'(i) >= first && PLACE_BITS'(i) < last) begin
          byte_in = word[8*i+:8];
          bits = 32'({next_rest}) | (32'(byte_in) << next_rest_bits);
          if (is_sums) begin
            next_rest_bits = next_rest_bits + 5'd8;
            next_rest = bits[23:0];
            if (next_rest_bits == 5'd0) begin
              // Four bytes: 32 is 0 in five bits.
              to_load[sum_slot] = 1'b1;
              to_sum = SUM_ROW_BITS'(local_row) + SUM_ROW_BITS'(next_row);
              to_load_row[sum_slot*SUM_ROW_BITS+:SUM_ROW_BITS] = to_sum;
              to_load_lane[sum_slot*SUM_LANE_BITS+:SUM_LANE_BITS] = next_column[SUM_LANE_BITS-1:0];
              to_load_data[sum_slot*SUM_BITS+:SUM_BITS] = bits[SUM_BITS-1:0];
              sum_slot = sum_slot + 1;
              next_rest = '0;
              next_column = next_column + 16'd1;
              if (next_column == cols) begin
                next_column = '0;
                next_row = next_row + 16'd1;
              end
            end
          end else begin
            if (!split) next_rest_bits = next_rest_bits + 5'd8;
            for (p = 0; p < PLANES; p = p + 1)
              if (split ? moved_planes == 8'd0 || 8'(p) < moved_planes : next_rest_bits >= 5'(BITS)) begin
                to = ROW_BITS'(local_row) + ROW_BITS'(next_row) + next_tile +
                     (split ? ROW_BITS'(p) * ROW_BITS'(plane_stride) : '0);
                to_write[i*PLANES+p] = 1'b1;
                to_row[(i*PLANES+p)*ROW_BITS+:ROW_BITS] = to;
                to_lane[(i*PLANES+p)*LANE_BITS+:LANE_BITS] = next_lane;
                // Beyond its highest bit a byte continues with its sign.
                to_data[(i*PLANES+p)*BITS+:BITS] =
                    split ? BITS'({{8{byte_in[7]}}, byte_in} >> (p * BITS)) : bits[BITS-1:0];
                to_write_last[i*PLANES+p] = next_column + 16'd1 == cols || next_lane == LANE_BITS'(WIDTH - 1);
                if (!split) begin
                  bits = bits >> BITS;
                  next_rest_bits = next_rest_bits - 5'(BITS);
                end
                if (!split || p == PLANES - 1 || 8'(p) + 8'd1 == moved_planes) begin
                  next_column = next_column + 16'd1;
                  if (next_lane == LANE_BITS'(WIDTH - 1)) begin
                    next_lane = '0;
                    next_tile = next_tile + ROW_BITS'(tile_stride);
                  end else next_lane = next_lane + 1'b1;
                  if (next_column == cols) begin
                    // What is left of a row's last byte is of no row.
                    next_column = '0;
                    next_lane = '0;
                    next_tile = '0;
                    next_row = next_row + 16'd1;
                    next_rest_bits = '0;
                    bits = '0;
                  end
                end
              end
            next_rest = bits[23:0];
            if (split) next_rest = '0;
          end
        end
    if (next_instruction) begin
      next_row = '0;
      next_column = '0;
      next_lane = '0;
      next_tile = '0;
      next_rest = '0;
      next_rest_bits = '0;
    end
  end

  always_ff @(posedge clk) begin
    row <= reset ? '0 : next_row;
    column <= reset ? '0 : next_column;
    lane <= reset ? '0 : next_lane;
    tile <= reset ? '0 : next_tile;
    rest <= reset ? '0 : next_rest;
    rest_bits <= reset ? '0 : next_rest_bits;
    write <= reset ? '0 : to_write;
    load <= reset ? '0 : to_load;
    loaded <= next_instruction && !reset;
    if (given) begin
      write_row <= to_row;
      write_lane <= to_lane;
      write_data <= to_data;
      write_last <= to_write_last;
      load_row <= to_load_row;
      load_lane <= to_load_lane;
      load_data <= to_load_data;
      load_adds <= adds;
      load_repeats <= is_sums && pitch == 32'd0;
    end
  end
endmodule
