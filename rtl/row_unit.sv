// Runs `units`: takes its rows one by one to the units (units/vitq_units) and back. What a row reads of DRAM is asked for up to
// ROWS rows ahead and waits in rings of bytes; sums come from the accumulator memory as the unit takes them; results wait in a
// ring for the channel that writes. Rows are in order everywhere.
//
// A row begins when all that it reads of DRAM is there. A row of sums has its first value three cycles after the instruction, or
// the row before, has let it go.
module row_unit #(
    parameter int unsigned LANES = vitq_config_pkg::UNIT_LANES,
    parameter int unsigned UNITS = vitq_config_pkg::UNITS,
    parameter int unsigned SLOTS = vitq_config_pkg::UNIT_SLOTS,
    parameter int unsigned PROGRAMS = vitq_config_pkg::UNIT_PROGRAMS,
    parameter int unsigned RECORDS = vitq_config_pkg::UNIT_RECORDS,
    parameter int unsigned TABLES = vitq_config_pkg::UNIT_TABLES,
    parameter int unsigned CHANNELS = vitq_config_pkg::UNIT_CHANNELS,
    parameter int unsigned LEVELS = vitq_config_pkg::UNIT_LEVELS,
    parameter int unsigned ENTRIES = vitq_config_pkg::UNIT_ENTRIES,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned ROWS = 16,            // in the buffers on each side of the unit
    parameter int unsigned ROW_BYTES = 4 * CHANNELS,
    parameter int unsigned WORDS = BYTES < 4 ? 1 : BYTES / 4,
    parameter int unsigned PLACE_BITS = $clog2(BYTES + 1),
    parameter int unsigned ROW_BITS = 10
) (
    input  logic                      clk,
    input  logic                      reset,
    // The first of the store queue, if it is a `units`; whether what it waits for is over.
    input  logic                      valid,
    input  logic                      clear,
    input  logic [255:0]              instruction,
    output logic                      starts,
    output logic                      idle,           // all rows asked for have been sent
    output logic                      has_read,       // the oldest instruction that had not, its sums
    // Configuration, see unit_parameters.
    input  logic                      config_write,
    input  logic [1:0]                config_space,
    input  logic [3:0]                config_slot,
    input  logic [15:0]               config_index,
    input  logic [15:0]               config_lane,
    input  logic [7:0]                config_word,
    input  logic [32*WORDS-1:0]       config_data,
    // The channel that reads: a move is asked for, and taken when `granted`. `locked`: the row's next move must follow.
    output logic                      ask,
    output logic                      locked,
    input  logic                      granted,
    output logic [1:0]                ask_port,       // 0 the row, 1 and 2 its extra inputs
    output logic                      ask_completes,  // the row
    output logic [7:0]                ask_operand,
    output logic [31:0]               ask_offset,
    output logic [31:0]               ask_next_offset,
    output logic [31:0]               ask_pitch,
    output logic [33:0]               ask_first_bytes,
    output logic [19:0]               ask_span_bytes,
    output logic [33:0]               ask_total_bytes,
    input  logic                      given,          // a word of the unit's
    input  logic [8*BYTES-1:0]        given_data,
    input  logic [PLACE_BITS-1:0]     given_first,
    input  logic [PLACE_BITS-1:0]     given_last,
    input  logic [1:0]                given_port,
    input  logic                      given_completes,
    // Accumulator memory.
    output logic                      read,
    output logic [ROW_BITS-1:0]       read_row,
    input  logic [LANES*SUM_BITS-1:0] read_data,      // in the next cycle
    // The channel that writes, see store_unit.
    input  logic                      write_ready,
    output logic                      write_start,
    output logic [7:0]                write_operand,
    output logic [31:0]               write_offset,
    output logic [31:0]               write_next_offset,
    output logic [31:0]               write_pitch,
    output logic [33:0]               write_first_bytes,
    output logic [19:0]               write_span_bytes,
    output logic [33:0]               write_total_bytes,
    output logic                      write_completes, // the instruction
    output logic [8*BYTES-1:0]        write_bytes,     // the next ones
    input  logic [PLACE_BITS-1:0]     write_takes,     // so many of them
    input  logic                      write_ends       // with them the move ends
);
  localparam int unsigned UNIT_BITS = PROGRAMS > 1 ? $clog2(PROGRAMS) : 1;
  localparam int unsigned COUNT_BITS = $clog2(ROWS + 1);
  localparam int unsigned RING = ROWS * ROW_BYTES;
  localparam int unsigned RING_BITS = $clog2(4 * LANES + 1);
  localparam int unsigned LANE_BITS = $clog2(LANES + 1);

  //===--- Operands of the programs --------------------------------------------------------------------------------===//

  logic [32*32-1:0] operands_of [0:2**UNIT_BITS-1];
  always_ff @(posedge clk) begin : describe
    integer w;
    if (config_write && config_space == 2'd3)
      for (w = 0; w < 32; w = w + 1)
        if (32'(config_word) == w - w % WORDS)
          operands_of[UNIT_BITS'(config_index)][w*32+:32] <= config_data[(w%WORDS)*32+:32];
  end
  function automatic logic [6*32-1:0] operand_of(input logic [UNIT_BITS-1:0] unit_number, input logic [2:0] which);
    operand_of = operands_of[unit_number][which*192+:192];
  endfunction
  function automatic logic exists(input logic [UNIT_BITS-1:0] unit_number, input logic [2:0] which);
    exists = operands_of[unit_number][which*192+172];
  endfunction
  // log2 of bytes, unsigned, one a row.
  function automatic logic [3:0] format_of(input logic [UNIT_BITS-1:0] unit_number, input logic [2:0] which);
    format_of = operands_of[unit_number][which*192+168+:4];
  endfunction

  //===--- Rows are asked for --------------------------------------------------------------------------------------===//

  // The instruction whose rows are being asked for: what is left of it.
  logic asking, from_sums;
  logic [UNIT_BITS-1:0] unit, head_unit;
  logic [ROW_BITS-1:0] local_row;
  logic [15:0] stride, cols, channel, rows_left, batch, row, rows_of_batch;
  logic [2:0] asked, needed, remaining;
  logic [COUNT_BITS-1:0] ahead;                  // asked for, and not out of the unit
  logic row_asked, row_leaves, may_ask;
  assign head_unit = UNIT_BITS'(instruction[175:168]);
  assign starts = valid && clear && !asking;
  assign needed = {exists(unit, 3'd2), exists(unit, 3'd1), !from_sums};
  assign remaining = needed & ~asked;
  assign may_ask = ahead != COUNT_BITS'(ROWS);
  assign locked = asked != '0;
  assign ask = asking && remaining != '0 && (locked || may_ask);
  assign ask_port = remaining[0] ? 2'd0 : remaining[1] ? 2'd1 : 2'd2;
  assign ask_completes = (remaining & (remaining - 3'd1)) == '0;
  assign row_asked = asking && (needed == '0 ? may_ask : granted && ask_completes);
  wire [6*32-1:0] ask_of = operand_of(unit, {1'b0, ask_port});
  assign ask_operand = ask_of[5*32+:8];
  unit_operand asked_for (
      .operand(ask_of), .batch, .row, .channel, .cols, .offset(ask_offset), .next_offset(ask_next_offset),
      .pitch(ask_pitch), .first_bytes(ask_first_bytes), .span_bytes(ask_span_bytes), .total_bytes(ask_total_bytes));
  assign rows_of_batch = operands_of[asking ? unit : head_unit][30*32+:16];
  wire unused_fields = &{1'b0, instruction, next_stride};
  always_ff @(posedge clk)
    if (reset) begin
      asking <= 1'b0;
      asked <= '0;
      ahead <= '0;
    end else begin
      if (starts) begin
        asking <= 1'b1;
        unit <= head_unit;
        from_sums <= instruction[25];
        local_row <= ROW_BITS'(instruction[63:32]);
        stride <= instruction[143:128];
        cols <= instruction[127:112];
        channel <= instruction[239:224];
        rows_left <= instruction[111:96];
        batch <= instruction[207:192] / rows_of_batch;
        row <= instruction[207:192] % rows_of_batch;
      end
      if (granted) asked <= asked | 3'(3'd1 << ask_port);
      if (row_asked) begin
        asked <= '0;
        asking <= rows_left != 16'd1;
        rows_left <= rows_left - 16'd1;
        local_row <= local_row + 1'b1;
        row <= row + 16'd1 == rows_of_batch ? '0 : row + 16'd1;
        batch <= batch + 16'(row + 16'd1 == rows_of_batch);
      end
      ahead <= ahead + COUNT_BITS'(row_asked) - COUNT_BITS'(row_leaves);
    end

  // All that is asked for and not sent.
  logic [COUNT_BITS:0] pending;
  logic row_sent;
  assign idle = pending == '0 && !asking;
  always_ff @(posedge clk)
    if (reset) pending <= '0;
    else pending <= pending + (COUNT_BITS + 1)'(row_asked) - (COUNT_BITS + 1)'(row_sent);

  //===--- What comes ----------------------------------------------------------------------------------------------===//

  localparam int unsigned IN_BITS = PLACE_BITS;
  logic [3*IN_BITS-1:0] puts;
  logic [3*RING_BITS-1:0] takes;
  logic [3*32*LANES-1:0] fronts;
  wire [8*BYTES-1:0] given_bytes = given_data >> {given_first, 3'b000};
  generate
    genvar p;
    for (p = 0; p < 3; p = p + 1) begin : inputs
      assign puts[p*IN_BITS+:IN_BITS] = given && given_port == 2'(p) ? given_last - given_first : '0;
      byte_ring #(.PLACES(RING), .IN(BYTES), .OUT(4 * LANES)) ring (
          .clk, .reset, .puts(puts[p*IN_BITS+:IN_BITS]), .in(given_bytes), .takes(takes[p*RING_BITS+:RING_BITS]),
          .out(fronts[p*32*LANES+:32*LANES]));
    end
  endgenerate

  //===--- Rows begin ----------------------------------------------------------------------------------------------===//

  localparam int unsigned TOKEN_BITS = UNIT_BITS + 4 * 16;
  localparam int unsigned WAIT_BITS = TOKEN_BITS + ROW_BITS + 16 + 3;
  logic [WAIT_BITS-1:0] next_row;
  logic [COUNT_BITS-1:0] waiting, complete, begun;
  logic waits_for_data, next_from_sums, next_completes, row_valid, row_ready, begins;
  logic [UNIT_BITS-1:0] next_unit;
  logic [ROW_BITS-1:0] next_local;
  logic [15:0] next_batch, next_in_batch, next_channel, next_cols, next_stride;
  word_queue #(.PLACES(ROWS), .BITS(WAIT_BITS)) asked_rows (
      .clk, .reset, .put(row_asked),
      .in({needed != '0, from_sums, rows_left == 16'd1, local_row, stride, unit, batch, row, channel, cols}),
      .take(begins), .out(next_row));
  assign {waits_for_data, next_from_sums, next_completes, next_local, next_stride, next_unit, next_batch, next_in_batch,
          next_channel, next_cols} = next_row;
  wire completes_now = given && given_completes;
  assign row_valid = waiting != '0 && begun != COUNT_BITS'(ROWS) &&
                     (!waits_for_data || complete != '0 || completes_now);
  assign begins = row_valid && row_ready;
  always_ff @(posedge clk)
    if (reset) begin
      waiting <= '0;
      complete <= '0;
      begun <= '0;
    end else begin
      waiting <= waiting + COUNT_BITS'(row_asked) - COUNT_BITS'(begins);
      complete <= complete + COUNT_BITS'(completes_now) - COUNT_BITS'(begins && waits_for_data);
      begun <= begun + COUNT_BITS'(begins) - COUNT_BITS'(row_sent);
    end

  //===--- Sums ----------------------------------------------------------------------------------------------------===//

  localparam int unsigned AHEAD = 4;  // beats
  logic [2:0] beats_held;
  logic arrives, fresh, sums_valid, sums_taken, reads_end;
  logic [COUNT_BITS-1:0] to_read;
  logic [ROW_BITS-1:0] read_first, read_at;
  logic [ROW_BITS-1:0] read_stride, next_stride_rows;
  assign next_stride_rows = ROW_BITS'(next_stride);
  logic [15:0] read_cols, read_done;
  logic [32*LANES-1:0] arriving, held_front, sums_data;
  word_queue #(.PLACES(ROWS), .BITS(2 * ROW_BITS + 16)) rows_to_read (
      .clk, .reset, .put(begins && next_from_sums), .in({next_local, next_stride_rows, next_cols}), .take(read && reads_end),
      .out({read_first, read_stride, read_cols}));
  assign read = to_read != '0 && 32'(beats_held) + 32'(arrives) < AHEAD;
  assign read_row = fresh ? read_first : read_at;
  assign reads_end = (fresh ? 16'd0 : read_done) + 16'(LANES) >= read_cols;
  always_ff @(posedge clk) begin
    if (read) begin
      read_at <= read_row + read_stride;
      read_done <= (fresh ? 16'd0 : read_done) + 16'(LANES);
    end
    arrives <= read && !reset;
    if (reset) begin
      to_read <= '0;
      fresh <= 1'b1;
      beats_held <= '0;
    end else begin
      to_read <= to_read + COUNT_BITS'(begins && next_from_sums) - COUNT_BITS'(read && reads_end);
      if (read) fresh <= reads_end;
      beats_held <= beats_held + 3'(arrives) - 3'(sums_taken);
    end
  end
  assign sums_valid = arrives || beats_held != '0;
  assign sums_data = beats_held != '0 ? held_front : arriving;
  word_queue #(.PLACES(AHEAD), .BITS(32 * LANES)) beats (
      .clk, .reset, .put(arrives && !(sums_taken && beats_held == '0)), .in(arriving),
      .take(sums_taken && beats_held != '0), .out(held_front));
  generate
    genvar n;
    for (n = 0; n < LANES; n = n + 1) begin : extended
      assign arriving[32*n+:32] = 32'($signed(read_data[n*SUM_BITS+:SUM_BITS]));
    end
  endgenerate

  //===--- Values to the units -------------------------------------------------------------------------------------===//

  // Elements as values. Format: see format_of.
  function automatic logic [32*LANES-1:0] values(input logic [32*LANES-1:0] elements_in, input logic [2:0] format);
    integer i;
    logic [7:0] narrow;
    logic [15:0] wide;
    begin
      values = elements_in;
      for (i = 0; i < LANES; i = i + 1) begin
        narrow = elements_in[8*i+:8];
        wide = elements_in[16*i+:16];
        if (format[1:0] == 2'd0) values[32*i+:32] = {{24{narrow[7] && !format[2]}}, narrow};
        if (format[1:0] == 2'd1) values[32*i+:32] = {{16{wide[15] && !format[2]}}, wide};
      end
    end
  endfunction
  // Elements of a beat, where so many channels are left.
  function automatic logic [LANE_BITS-1:0] elements(input logic [15:0] left);
    elements = left < 16'(LANES) ? LANE_BITS'(left) : LANE_BITS'(LANES);
  endfunction

  // Streams 0 the row, 1 and 2 extra inputs: rows that have begun, and channels of the first that have been given.
  logic [3*COUNT_BITS-1:0] to_give;
  logic [3*16-1:0] channels_given;
  logic [3*(UNIT_BITS+18)-1:0] stream_rows;
  logic [2:0] stream_begins, stream_valid, stream_takes, stream_ends;
  logic [3*32*LANES-1:0] stream_data;
  logic [1:0] extra_ready;
  logic in_ready;
  assign stream_begins = {begins && exists(next_unit, 3'd2), begins && exists(next_unit, 3'd1), begins};
  assign stream_takes = stream_valid & {extra_ready, in_ready};
  generate
    for (p = 0; p < 3; p = p + 1) begin : streams
      logic [UNIT_BITS-1:0] of_unit;
      logic [15:0] of_cols, left;
      logic of_sums, completes;
      logic [3:0] format;
      logic [LANE_BITS-1:0] count;
      word_queue #(.PLACES(ROWS), .BITS(UNIT_BITS + 18)) begun_rows (
          .clk, .reset, .put(stream_begins[p]), .in({next_from_sums && p == 0, next_completes, next_unit, next_cols}),
          .take(stream_takes[p] && stream_ends[p]), .out(stream_rows[p*(UNIT_BITS+18)+:UNIT_BITS+18]));
      assign {of_sums, completes, of_unit, of_cols} = stream_rows[p*(UNIT_BITS+18)+:UNIT_BITS+18];
      assign format = format_of(of_unit, 3'(p));
      assign left = of_cols - channels_given[p*16+:16];
      assign count = format[3] ? LANE_BITS'(1) : elements(left);
      assign stream_ends[p] = format[3] || left <= 16'(LANES);
      assign stream_valid[p] = to_give[p*COUNT_BITS+:COUNT_BITS] != '0 && (!of_sums || sums_valid);
      assign takes[p*RING_BITS+:RING_BITS] = stream_takes[p] && !of_sums ? RING_BITS'(count) << format[1:0] : '0;
      assign stream_data[p*32*LANES+:32*LANES] = of_sums ? sums_data : values(fronts[p*32*LANES+:32*LANES], format[2:0]);
      always_ff @(posedge clk)
        if (reset) begin
          to_give[p*COUNT_BITS+:COUNT_BITS] <= '0;
          channels_given[p*16+:16] <= '0;
        end else begin
          to_give[p*COUNT_BITS+:COUNT_BITS] <= to_give[p*COUNT_BITS+:COUNT_BITS] + COUNT_BITS'(stream_begins[p]) -
                                               COUNT_BITS'(stream_takes[p] && stream_ends[p]);
          if (stream_takes[p]) channels_given[p*16+:16] <= stream_ends[p] ? '0 : channels_given[p*16+:16] + 16'(LANES);
        end
      if (p == 0) begin : row_itself
        assign sums_taken = stream_takes[0] && of_sums;
        assign has_read = stream_takes[0] && stream_ends[0] && completes;
      end else begin : extra
        wire unused_here = &{1'b0, completes};
      end
    end
  endgenerate

  logic out_valid, out_last, sum_valid;
  logic [32*LANES-1:0] out_data;
  logic [31:0] sum;
  vitq_units #(
      .LANES(LANES), .SLOTS(SLOTS), .UNITS(UNITS), .PROGRAMS(PROGRAMS), .EXTRAS(2), .RECORDS(RECORDS), .TABLES(TABLES),
      .CHANNELS(CHANNELS), .LEVELS(LEVELS), .ENTRIES(ENTRIES), .WORDS(WORDS)) unit_rows (
      .clk, .reset, .config_valid(config_write), .config_space, .config_slot, .config_index, .config_lane,
      .config_word, .config_data, .row_valid, .row_ready, .row_program(8'(next_unit)), .row_batch(next_batch),
      .row_record(next_channel / 16'(LANES)), .row_channels(next_cols), .in_valid(stream_valid[0]), .in_ready,
      .in_data(stream_data[32*LANES-1:0]), .extra_valid(stream_valid[2:1]), .extra_ready,
      .extra_data(stream_data[3*32*LANES-1:32*LANES]), .out_valid, .out_ready(1'b1), .out_data, .out_last, .sum_valid,
      .sum_ready(1'b1), .sum);

  //===--- Results -------------------------------------------------------------------------------------------------===//

  logic [UNIT_BITS-1:0] out_unit;
  logic [15:0] out_cols, out_done, out_left;
  logic [3:0] out_format;
  logic [RING_BITS-1:0] out_bytes;
  logic [32*LANES-1:0] packed_out;
  logic [PLACE_BITS-1:0] ring_takes;
  logic [8*BYTES-1:0] ring_front;
  word_queue #(.PLACES(ROWS), .BITS(UNIT_BITS + 16)) leaving_rows (
      .clk, .reset, .put(begins), .in({next_unit, next_cols}), .take(row_leaves), .out({out_unit, out_cols}));
  assign row_leaves = out_valid && out_last;
  assign out_format = format_of(out_unit, 3'd4);
  assign out_left = out_cols - out_done;
  assign out_bytes = out_valid ? RING_BITS'(elements(out_left)) << out_format[1:0] : '0;
  always_comb begin : narrow
    integer i;
    packed_out = out_data;
    for (i = 0; i < LANES; i = i + 1) begin
      if (out_format[1:0] == 2'd0) packed_out[8*i+:8] = out_data[32*i+:8];
      if (out_format[1:0] == 2'd1) packed_out[16*i+:16] = out_data[32*i+:16];
    end
  end
  wire unused_format = &{1'b0, out_format};
  always_ff @(posedge clk)
    if (reset || row_leaves) out_done <= '0;
    else if (out_valid) out_done <= out_done + 16'(LANES);
  byte_ring #(.PLACES(RING), .IN(4 * LANES), .OUT(BYTES)) results (
      .clk, .reset, .puts(out_bytes), .in(packed_out), .takes(ring_takes), .out(ring_front));

  logic [COUNT_BITS-1:0] to_send;
  logic [UNIT_BITS-1:0] sent_unit;
  logic [15:0] sent_batch, sent_row, sent_channel, sent_cols;
  logic sent_completes, sends_sum, sum_sent, is_sum, is_sum_held, completes_held;
  logic [31:0] sum_front, sum_now, sum_held;
  logic [6*32-1:0] write_of;
  word_queue #(.PLACES(ROWS), .BITS(TOKEN_BITS + 1)) rows_to_send (
      .clk, .reset, .put(begins), .in({next_completes, next_unit, next_batch, next_in_batch, next_channel, next_cols}),
      .take(write_start && !sends_sum),
      .out({sent_completes, sent_unit, sent_batch, sent_row, sent_channel, sent_cols}));
  word_queue #(.PLACES(2 * ROWS), .BITS(32)) sums_to_send (
      .clk, .reset, .put(sum_valid), .in(sum), .take(write_start && sends_sum), .out(sum_front));
  assign write_start = write_ready && to_send != '0;
  assign sends_sum = exists(sent_unit, 3'd3) && !sum_sent;
  assign write_of = operand_of(sent_unit, sends_sum ? 3'd3 : 3'd4);
  assign write_operand = write_of[5*32+:8];
  unit_operand sent (
      .operand(write_of), .batch(sent_batch), .row(sent_row), .channel(sent_channel), .cols(sent_cols),
      .offset(write_offset), .next_offset(write_next_offset), .pitch(write_pitch), .first_bytes(write_first_bytes),
      .span_bytes(write_span_bytes), .total_bytes(write_total_bytes));
  assign is_sum = write_start ? sends_sum : is_sum_held;
  assign write_completes = write_start ? sent_completes && !sends_sum : completes_held;
  assign sum_now = write_start ? sum_front : sum_held;
  assign write_bytes = is_sum ? (8 * BYTES)'(sum_now) : ring_front;
  assign ring_takes = is_sum ? '0 : write_takes;
  assign row_sent = write_ends && !is_sum;
  always_ff @(posedge clk) begin
    is_sum_held <= is_sum;
    completes_held <= write_completes;
    sum_held <= sum_now >> {write_takes, 3'b000};
    if (reset) begin
      to_send <= '0;
      sum_sent <= 1'b0;
    end else begin
      to_send <= to_send + COUNT_BITS'(row_leaves) - COUNT_BITS'(write_start && !sends_sum);
      if (write_start) sum_sent <= sends_sum;
    end
  end
endmodule
