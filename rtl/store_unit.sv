// Stores: rows of sums out of the accumulator memory, through the shift requantizers (units/vitq_shift) where an
// instruction says `scale`, and as words to the DMA's channel that writes. A row of a tile is read once. A word that has bytes of
// several takes a cycle for each. What the row unit sends goes the same way, as bytes that are there. The memory behind the channel answers the last word of each request, in order, DMA_LATENCY - 2 cycles
// after it: two cycles pass before it.
module store_unit #(
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter bit UNIT_SHIFT = vitq_config_pkg::UNIT_SHIFT,
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned REQUESTS = vitq_config_pkg::DMA_REQUESTS,
    parameter int unsigned REQUEST_BYTES = vitq_config_pkg::DMA_REQUEST_BYTES,
    parameter int unsigned PLACE_BITS = $clog2(BYTES + 1),
    parameter int unsigned ROW_BITS = 10
) (
    input  logic                     clk,
    input  logic                     reset,
    output logic                     ready,
    input  logic                     start,
    input  logic [255:0]             instruction,
    // Accumulator memory.
    output logic                     read,
    output logic [ROW_BITS-1:0]      read_row,
    input  logic [COLS*SUM_BITS-1:0] read_data,     // in the next cycle
    // The row unit: a move (see dma_words), the bytes that follow, how many of them go, and whether these are the last.
    // `completes`: with the move its instruction is done.
    input  logic                     unit_start,
    input  logic [7:0]               unit_operand,
    input  logic [31:0]              unit_offset,
    input  logic [31:0]              unit_next_offset,
    input  logic [31:0]              unit_pitch,
    input  logic [33:0]              unit_first_bytes,
    input  logic [19:0]              unit_span_bytes,
    input  logic [33:0]              unit_total_bytes,
    input  logic                     unit_completes,
    input  logic [8*BYTES-1:0]       unit_bytes,
    output logic [PLACE_BITS-1:0]    unit_takes,
    output logic                     unit_ends,
    // Memory.
    output logic                     give,
    output logic [7:0]               give_operand,
    output logic [31:0]              give_address,
    output logic [8*BYTES-1:0]       give_data,
    output logic [BYTES-1:0]         give_bytes,    // which of them
    output logic                     give_ends,     // a request
    input  logic                     answer,
    // Its rows have been read; the last answer is there. Both of the oldest instruction of which it was not so yet.
    output logic                     has_read,
    output logic                     done,
    output logic                     reads,         // an instruction of its own is not through
    output logic                     moves,
    output logic                     waits
);
  wire [4:0] shift = instruction[12:8];
  wire scale = instruction[23] && UNIT_SHIFT;
  wire relu = instruction[24];
  wire [31:0] local_row = instruction[63:32];
  wire [15:0] rows = instruction[111:96];
  wire [15:0] cols = instruction[127:112];
  wire [15:0] tile_stride = instruction[143:128];
  wire [7:0] operand = instruction[167:160];
  wire [17:0] row_bytes = scale ? {2'b00, cols} : {cols, 2'b00};
  wire unused_fields = &{1'b0, instruction, local_row, tile_stride};

  // What stays the same in an instruction.
  logic [4:0] shift_held, shift_now;
  logic scale_held, scale_now, relu_held, relu_now;
  logic [7:0] operand_held, operand_now;
  logic [17:0] row_bytes_held, row_bytes_now;
  logic [ROW_BITS-1:0] stride_held, stride_now;
  assign shift_now = start ? shift : shift_held;
  assign scale_now = start ? scale : scale_held;
  assign relu_now = start ? relu : relu_held;
  assign operand_now = start ? operand : unit_start ? unit_operand : operand_held;
  assign row_bytes_now = start ? row_bytes : row_bytes_held;
  assign stride_now = start ? ROW_BITS'(tile_stride) : stride_held;

  logic valid, take, ends_request, ends, answered, of_unit, of_unit_held, own;
  logic [31:0] address, next_offset;
  logic [33:0] first_bytes, total_bytes;
  logic [PLACE_BITS-1:0] first, last;
  row_spans spans (.offset(instruction[223:192]), .pitch(instruction[255:224]), .row_bytes, .rows, .next_offset,
                   .first_bytes, .total_bytes);
  dma_words #(.BYTES(BYTES), .REQUESTS(REQUESTS), .REQUEST_BYTES(REQUEST_BYTES)) words (
      .clk, .reset, .ready, .start(start || unit_start), .offset(unit_start ? unit_offset : instruction[223:192]),
      .next_offset(unit_start ? unit_next_offset : next_offset), .pitch(unit_start ? unit_pitch : instruction[255:224]),
      .first_bytes(unit_start ? unit_first_bytes : first_bytes), .span_bytes(unit_start ? unit_span_bytes : {2'b00, row_bytes}),
      .total_bytes(unit_start ? unit_total_bytes : total_bytes), .answer(answered), .valid, .take, .address, .first, .last,
      .ends_request, .ends, .waits);
  assign of_unit = unit_start || (of_unit_held && !start);
  assign own = valid && !of_unit;
  assign reads = !ready && !of_unit_held;
  assign unit_takes = valid && of_unit ? last - first : '0;
  assign unit_ends = valid && of_unit && ends;

  // Where the next byte is from: row, local row of its tile, byte in the tile, bytes left in the row; bytes of the word
  // that earlier cycles gave.
  localparam int unsigned TILE_BYTE_BITS = $clog2(4 * COLS + 1);
  logic [ROW_BITS-1:0] row, row_now, tile, tile_now;
  logic [TILE_BYTE_BITS-1:0] place, place_now, tile_bytes;
  logic [17:0] row_left, row_left_now, count, to_tile_end, to_word_end;
  logic [PLACE_BITS-1:0] word_at, word_at_now;
  logic fresh, fresh_now, ends_row, ends_tile;
  assign row_now = start ? ROW_BITS'(local_row) : row;
  assign tile_now = start ? '0 : tile;
  assign place_now = start ? '0 : place;
  assign row_left_now = start ? row_bytes : row_left;
  assign word_at_now = start || word_at == '0 ? first : word_at;
  assign fresh_now = start || fresh;
  assign tile_bytes = scale_now ? TILE_BYTE_BITS'(COLS) : TILE_BYTE_BITS'(4 * COLS);
  assign to_tile_end = 18'(tile_bytes) - 18'(place_now);
  assign to_word_end = 18'(last) - 18'(word_at_now);
  always_comb begin
    count = to_word_end;
    if (to_tile_end < count) count = to_tile_end;
    if (row_left_now < count) count = row_left_now;
  end
  assign take = of_unit || count == to_word_end;
  assign ends_row = count == row_left_now;
  assign ends_tile = count == to_tile_end;
  assign read = own && fresh_now;
  assign read_row = row_now + tile_now;
  assign moves = valid;
  assign has_read = own && take && ends;

  always_ff @(posedge clk) begin
    shift_held <= shift_now;
    scale_held <= scale_now;
    relu_held <= relu_now;
    operand_held <= operand_now;
    row_bytes_held <= row_bytes_now;
    stride_held <= stride_now;
    row <= row_now;
    tile <= tile_now;
    place <= place_now;
    row_left <= row_left_now;
    word_at <= reset || start ? '0 : word_at;
    fresh <= fresh_now;
    of_unit_held <= of_unit;
    if (own) begin
      word_at <= take ? '0 : word_at_now + PLACE_BITS'(count);
      fresh <= ends_row || ends_tile;
      place <= ends_row || ends_tile ? '0 : place_now + TILE_BYTE_BITS'(count);
      row_left <= ends_row ? row_bytes_now : row_left_now - count;
      if (ends_row) begin
        row <= row_now + 1'b1;
        tile <= '0;
      end else if (ends_tile) tile <= tile_now + stride_now;
    end
  end

  // The next cycle: the row is there, or is kept from before.
  logic [COLS*SUM_BITS-1:0] row_data, row_held;
  logic [32*COLS-1:0] row_sums;
  logic [8*COLS-1:0] row_codes;
  logic read_before, part_valid, part_of_unit, part_ends, part_ends_request, part_scale, part_relu;
  logic [4:0] part_shift;
  logic [7:0] part_operand;
  logic [31:0] part_address;
  logic [TILE_BYTE_BITS-1:0] part_place;
  logic [PLACE_BITS-1:0] part_at, part_end;
  assign row_data = read_before ? read_data : row_held;
  generate
    genvar n;
    for (n = 0; n < COLS; n = n + 1) begin : lanes
      assign row_sums[32*n+:32] = 32'($signed(row_data[n*SUM_BITS+:SUM_BITS]));
      if (UNIT_SHIFT) begin : scales
        vitq_shift #(.SUM(SUM_BITS)) requantizer (
            .sum(row_data[n*SUM_BITS+:SUM_BITS]), .shift(part_shift), .relu(part_relu), .result(row_codes[8*n+:8]));
      end else begin : none
        assign row_codes[8*n+:8] = '0;
        wire unused_here = &{1'b0, part_shift, part_relu};
      end
    end
  endgenerate

  logic [32*COLS-1:0] row_bytes_from;
  logic [8*BYTES-1:0] part, part_unit_bytes, so_far, whole;
  logic [BYTES-1:0] bytes_so_far, bytes_whole;
  assign row_bytes_from = (part_scale ? (32 * COLS)'(row_codes) : row_sums) >> {part_place, 3'b000};
  assign part = part_of_unit ? part_unit_bytes : (8 * BYTES)'(row_bytes_from);
  wire unused_bytes = &{1'b0, row_bytes_from};
  always_comb begin : assemble
    integer i;
    whole = so_far;
    bytes_whole = bytes_so_far;
    for (i = 0; i < BYTES; i = i + 1)
      if (part_valid && PLACE_BITS'(i) >= part_at && PLACE_BITS'(i) < part_end) begin
        whole[8*i+:8] = part[8*(i-32'(part_at))+:8];
        bytes_whole[i] = 1'b1;
      end
  end
  always_ff @(posedge clk) begin
    read_before <= read;
    part_valid <= valid && !reset;
    part_of_unit <= of_unit;
    if (of_unit) part_unit_bytes <= unit_bytes;
    part_ends <= valid && take && !reset;
    part_ends_request <= ends_request;
    part_scale <= scale_now;
    part_relu <= relu_now;
    part_shift <= shift_now;
    part_operand <= operand_now;
    part_address <= address;
    part_place <= place_now;
    part_at <= of_unit ? first : word_at_now;
    part_end <= of_unit ? last : word_at_now + PLACE_BITS'(count);
    row_held <= row_data;
    so_far <= whole;
    bytes_so_far <= part_ends || reset ? '0 : bytes_whole;
    give <= part_ends && !reset;
    give_operand <= part_operand;
    give_address <= part_address;
    give_data <= whole;
    give_bytes <= bytes_whole;
    give_ends <= part_ends_request;
  end

  // Requests without an answer, and whether each is its instruction's last.
  logic answer_ends;
  assign answered = answer;
  word_queue #(.PLACES(REQUESTS), .BITS(1)) asked (
      .clk, .reset, .put(valid && take && ends_request), .in(ends && (!of_unit || unit_completes)), .take(answer),
      .out(answer_ends));
  assign done = answer && answer_ends;
endmodule
