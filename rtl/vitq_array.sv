// The systolic array: three queues, a DMA with a channel each way, scratchpad, elements, accumulator memory, units. Program
// memory and DRAM are outside. Memories keep their contents between launches.
module vitq_array #(
    parameter int unsigned ROWS = vitq_config_pkg::ROWS,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned DMA_BYTES = vitq_config_pkg::DMA_BYTES
) (
    input  logic                   clk,
    input  logic                   reset,
    // A launch of `count` instructions, and its end; see controller.
    input  logic                   launch,
    input  logic [31:0]            count,
    input  logic [31:0]            parameter_bytes, // of its unit programs, operand 256; see unit_parameters
    output logic                   finished,
    output logic                   refused,
    output logic [63:0]            cycles,
    // Cycles of a launch, 64 bits each from the lowest on, in which a compute ran; a word was read; was written; a request
    // to read waited for an answer, one to write did; issue waited for a place; a bank held up a compute or preload; the
    // first of the execute queue waited for nothing but a hazard; of the load queue; of the store queue.
    output logic [10*64-1:0]        counts,
    // Program memory: an instruction a cycle after its number.
    output logic [31:0]            fetch_address,
    input  logic [255:0]           fetch_data,
    // DRAM, read: words of an operand, given in order DMA_LATENCY - 2 cycles after they are asked for.
    output logic                   read_ask,
    output logic [8:0]             read_operand,
    output logic [31:0]            read_address,
    input  logic                   read_given,
    input  logic [8*DMA_BYTES-1:0] read_data,
    // DRAM, written: an answer DMA_LATENCY - 2 cycles after each word with write_ends.
    output logic                   write_give,
    output logic [7:0]             write_operand,
    output logic [31:0]            write_address,
    output logic [8*DMA_BYTES-1:0] write_data,
    output logic [DMA_BYTES-1:0]   write_bytes,
    output logic                   write_ends,
    input  logic                   write_answer
);
  localparam int unsigned BITS = vitq_config_pkg::BITS;
  localparam int unsigned PLANES = vitq_config_pkg::PLANES;
  localparam int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS;
  localparam int unsigned WIDTH = ROWS > COLS ? ROWS : COLS;
  localparam int unsigned LOADS = vitq_config_pkg::LOAD_QUEUE;
  localparam int unsigned STORES = vitq_config_pkg::STORE_QUEUE;
  localparam int unsigned EXECUTES = vitq_config_pkg::EXECUTE_QUEUE;
  localparam int unsigned LOAD_INDEX = LOADS > 1 ? $clog2(LOADS) : 1;
  localparam int unsigned STORE_INDEX = STORES > 1 ? $clog2(STORES) : 1;
  localparam int unsigned EXECUTE_INDEX = EXECUTES > 1 ? $clog2(EXECUTES) : 1;
  localparam int unsigned ALL_ROWS = vitq_config_pkg::SCRATCHPAD_BANKS * vitq_config_pkg::SCRATCHPAD_ROWS;
  localparam int unsigned ALL_SUM_ROWS = vitq_config_pkg::ACCUMULATOR_BANKS * vitq_config_pkg::ACCUMULATOR_ROWS;
  localparam int unsigned ROW_BITS = $clog2(ALL_ROWS + 1);
  localparam int unsigned SUM_ROW_BITS = $clog2(ALL_SUM_ROWS + 1);
  localparam int unsigned ANY_ROW_BITS = ROW_BITS > SUM_ROW_BITS ? ROW_BITS : SUM_ROW_BITS;
  localparam int unsigned LANE_BITS = WIDTH > 1 ? $clog2(WIDTH) : 1;
  localparam int unsigned SUM_LANE_BITS = COLS > 1 ? $clog2(COLS) : 1;
  localparam int unsigned SLOTS = DMA_BYTES * PLANES;
  localparam int unsigned SUM_SLOTS = (DMA_BYTES + 3) / 4;
  localparam int unsigned PLACE_BITS = $clog2(DMA_BYTES + 1);
  localparam int unsigned LOAD_BITS = ANY_ROW_BITS + 70;
  localparam int unsigned EXECUTE_BITS = 3 * (ANY_ROW_BITS + 16);
  localparam int unsigned STORE_BITS = ANY_ROW_BITS + 48;

  //===--- Issue ---------------------------------------------------------------------------------------------------===//

  logic load_has_place, execute_has_place, store_has_place, load_empty, execute_empty, store_empty;
  logic to_load, to_execute, to_store, waits_for_place, begun, parameters_there, parameters_come;
  logic [LOAD_BITS-1:0] load_rows;
  logic [EXECUTE_BITS-1:0] execute_rows;
  logic [STORE_BITS-1:0] store_rows;
  controller #(.ROW_BITS(ANY_ROW_BITS)) control (
      .clk, .reset, .launch, .count, .finished, .refused, .cycles, .begun, .address(fetch_address), .instruction(fetch_data),
      .load_has_place, .execute_has_place, .store_has_place, 
      .all_empty(load_empty && execute_empty && store_empty && (parameters_there || parameters_come)),
      .to_load, .to_execute, .to_store, .load_rows, .execute_rows, .store_rows, .waits_for_place);

  logic [LOADS-1:0] load_taken, load_read, load_done, load_freed, load_set_done, load_set_read, for_loads,
      for_repeats;
  logic [EXECUTES-1:0] execute_taken, execute_read, execute_done, execute_freed, execute_set_read, execute_set_done,
      for_executes;
  logic [STORES-1:0] store_taken, store_read, store_done, store_freed, store_set_read, store_set_done, for_stores;
  logic [LOADS*LOAD_BITS-1:0] all_load_rows;
  logic [EXECUTES*EXECUTE_BITS-1:0] all_execute_rows;
  logic [STORES*STORE_BITS-1:0] all_store_rows;
  hazards #(.WIDTH(WIDTH), .COLS(COLS), .ROW_BITS(ANY_ROW_BITS)) scoreboard (
      .is_load(to_load), .is_execute(to_execute), .is_store(to_store), .load(load_rows), .execute(execute_rows),
      .store(store_rows), .load_taken, .load_rows(all_load_rows), .execute_taken, .execute_rows(all_execute_rows),
      .store_taken, .store_rows(all_store_rows), .for_loads, .for_repeats, .for_executes, .for_stores);

  logic load_valid, store_valid, load_starts, store_starts;
  logic [255:0] load_head, store_head, load_given_to;
  logic [LOAD_INDEX-1:0] load_place, given_place;
  logic [STORE_INDEX-1:0] store_place;
  logic [EXECUTES-1:0] load_waits_execute, store_waits_execute;
  logic [STORES-1:0] load_waits_store;
  logic [LOADS-1:0] store_waits_load;
  logic [2:0] execute_valid, execute_clear;
  logic [3*256-1:0] execute_heads;
  logic [3*EXECUTE_INDEX-1:0] execute_places;
  logic [3*LOADS-1:0] execute_waits_load, execute_waits_repeat;
  logic unused_load_repeat, unused_store_repeat;
  logic [3*STORES-1:0] execute_waits_store;
  logic [1:0] execute_starts;
  logic [255:0] unused_execute_look, unused_store_look;
  instruction_queue #(.PLACES(LOADS), .ROWS_BITS(LOAD_BITS), .WAITS_A(EXECUTES), .WAITS_B(STORES)) load_queue (
      .clk, .reset, .has_place(load_has_place), .is_empty(load_empty), .put(to_load), .instruction(fetch_data),
      .local_rows(load_rows), .waits_a(for_executes), .waits_b(for_stores), .waits_c(1'b0), .freed_a(execute_freed),
      .freed_b(store_freed), .freed_c(1'b0), .head_waits_c(unused_load_repeat),
      .all_rows(all_load_rows), .taken(load_taken), .has_read(load_read), .is_done(load_done), .freed(load_freed),
      .head_valid(load_valid), .head_instruction(load_head), .head_place(load_place), .head_waits_a(load_waits_execute),
      .head_waits_b(load_waits_store), .starts(load_starts), .set_read(load_set_read), .set_done(load_set_done),
      .look_place(given_place), .look_instruction(load_given_to));
  instruction_queue #(.PLACES(EXECUTES), .HEADS(3), .ROWS_BITS(EXECUTE_BITS), .WAITS_A(LOADS), .WAITS_B(STORES),
                      .WAITS_C(LOADS)) execute_queue (
      .clk, .reset, .has_place(execute_has_place), .is_empty(execute_empty), .put(to_execute), .instruction(fetch_data),
      .local_rows(execute_rows), .waits_a(for_loads), .waits_b(for_stores), .waits_c(for_repeats), .freed_a(load_freed),
      .freed_b(store_freed), .freed_c(load_freed), .head_waits_c(execute_waits_repeat),
      .all_rows(all_execute_rows), .taken(execute_taken), .has_read(execute_read), .is_done(execute_done),
      .freed(execute_freed), .head_valid(execute_valid), .head_instruction(execute_heads), .head_place(execute_places),
      .head_waits_a(execute_waits_load), .head_waits_b(execute_waits_store), .starts(execute_starts),
      .set_read(execute_set_read), .set_done(execute_set_done), .look_place('0), .look_instruction(unused_execute_look));
  instruction_queue #(.PLACES(STORES), .ROWS_BITS(STORE_BITS), .WAITS_A(LOADS), .WAITS_B(EXECUTES)) store_queue (
      .clk, .reset, .has_place(store_has_place), .is_empty(store_empty), .put(to_store), .instruction(fetch_data),
      .local_rows(store_rows), .waits_a(for_loads), .waits_b(for_executes), .waits_c(1'b0), .freed_a(load_freed),
      .freed_b(execute_freed), .freed_c(1'b0), .head_waits_c(unused_store_repeat),
      .all_rows(all_store_rows), .taken(store_taken), .has_read(store_read), .is_done(store_done), .freed(store_freed),
      .head_valid(store_valid), .head_instruction(store_head), .head_place(store_place), .head_waits_a(store_waits_load),
      .head_waits_b(store_waits_execute), .starts(store_starts), .set_read(store_set_read), .set_done(store_set_done),
      .look_place('0), .look_instruction(unused_store_look));

  // An instruction is clear when those that it waits for are done, or, where it writes what they read, have read.
  logic load_clear, store_clear;
  assign load_clear = (load_waits_execute & ~(load_head[7:0] == 8'd1 ? execute_read : execute_done)) == '0 &&
                      (load_waits_store & ~store_read) == '0;
  assign store_clear = (store_waits_load & ~load_done) == '0 && (store_waits_execute & ~execute_done) == '0;
  generate
    genvar h;
    for (h = 0; h < 3; h = h + 1) begin : heads
      assign execute_clear[h] = (execute_waits_load[h*LOADS+:LOADS] & ~load_done) == '0 &&
                                (execute_waits_repeat[h*LOADS+:LOADS] & ~load_read) == '0 &&
                                (execute_waits_store[h*STORES+:STORES] & ~store_read) == '0;
    end
  endgenerate
  wire unused_state = &{1'b0, store_done, unused_load_repeat, unused_store_repeat, unused_execute_look, unused_store_look, store_place};

  //===--- Loads ---------------------------------------------------------------------------------------------------===//

  wire [15:0] load_cols = load_head[127:112];
  wire load_is_sums = load_head[7:0] == 8'd2;
  wire [31:0] load_pitch = load_head[255:224];
  wire [18:0] load_row_bits = load_cols * 19'(BITS);
  wire [17:0] load_row_bytes = load_is_sums ? {load_cols, 2'b00}
                               : load_head[16] ? {2'b00, load_cols} : 18'((load_row_bits + 19'd7) >> 3);
  logic load_ready, load_moves, load_waits, given_ends, load_given;
  logic [PLACE_BITS-1:0] given_first, given_last;
  // Sums that are written as they come must not overtake a row that is being repeated.
  localparam int unsigned REPEAT_BITS = $clog2(LOADS + 1);
  logic [REPEAT_BITS-1:0] repeating;
  logic load_repeats_row, load_overtakes, repeat_done;
  assign load_repeats_row = load_is_sums && load_pitch == 32'd0;
  assign load_overtakes = load_is_sums && !load_repeats_row && repeating != '0;
  // Parameters go first, then loads, then rows of units, which then have the channel until all of a row is asked for.
  logic parameters_start, parameters_wait, parameters_given, unit_ask, unit_locked, unit_granted, unit_completes, unit_given;
  logic [1:0] unit_port;
  logic [7:0] unit_operand;
  logic [31:0] unit_offset, unit_next_offset, unit_pitch, load_next_offset;
  logic [33:0] unit_first_bytes, unit_total_bytes, load_first_bytes, load_total_bytes;
  logic [19:0] unit_span_bytes;
  logic [4:0] given_tag;
  localparam logic [1:0] FOR_LOADS = 2'd0, FOR_UNITS = 2'd1, FOR_PARAMETERS = 2'd2;
  localparam int unsigned TAG_BITS = 5;
  assign load_starts = load_valid && load_clear && load_ready && !load_overtakes && !parameters_wait && !unit_locked;
  assign unit_granted = unit_ask && load_ready && !parameters_wait && !load_starts;
  always_ff @(posedge clk)
    if (reset) repeating <= '0;
    else repeating <= repeating + REPEAT_BITS'(load_starts && load_repeats_row) - REPEAT_BITS'(repeat_done);
  row_spans load_spans (
      .offset(load_head[223:192]), .pitch(load_pitch), .row_bytes(load_row_bytes),
      .rows(load_repeats_row ? 16'd1 : load_head[111:96]), .next_offset(load_next_offset),
      .first_bytes(load_first_bytes), .total_bytes(load_total_bytes));
  dma_read #(.BYTES(DMA_BYTES), .TAG_BITS(TAG_BITS)) reader (
      .clk, .reset, .ready(load_ready), .start(parameters_start || load_starts || unit_granted),
      .tag(parameters_start ? {3'd0, FOR_PARAMETERS} : load_starts ? {3'd0, FOR_LOADS} : {unit_completes, unit_port, FOR_UNITS}),
      .operand(parameters_start ? 9'd256 : {1'b0, load_starts ? load_head[167:160] : unit_operand}),
      .offset(parameters_start ? '0 : load_starts ? load_head[223:192] : unit_offset),
      .next_offset(load_starts ? load_next_offset : unit_next_offset), .pitch(load_starts ? load_pitch : unit_pitch),
      .first_bytes(parameters_start ? 34'(parameter_bytes_held) : load_starts ? load_first_bytes : unit_first_bytes),
      .span_bytes(load_starts ? {2'b00, load_row_bytes} : unit_span_bytes),
      .total_bytes(parameters_start ? 34'(parameter_bytes_held) : load_starts ? load_total_bytes : unit_total_bytes),
      .ask(read_ask), .ask_operand(read_operand), .ask_address(read_address), .given(read_given), .first(given_first),
      .last(given_last), .ends(given_ends), .given_tag, .moves(load_moves), .waits(load_waits));
  assign load_given = read_given && given_tag[1:0] == FOR_LOADS;
  assign unit_given = read_given && given_tag[1:0] == FOR_UNITS;
  assign parameters_given = read_given && given_tag[1:0] == FOR_PARAMETERS;

  // The launch's parameters: asked for when it begins, there two cycles after the last word.
  logic [31:0] parameter_bytes_held;
  assign parameters_start = parameters_wait && begun && load_ready;
  always_ff @(posedge clk) begin
    parameters_come <= parameters_given && given_ends && !reset;
    if (launch) parameter_bytes_held <= parameter_bytes;
    if (reset) begin
      parameters_wait <= 1'b0;
      parameters_there <= 1'b1;
    end else if (launch) begin
      parameters_wait <= parameter_bytes != '0;
      parameters_there <= parameter_bytes == '0;
    end else begin
      if (parameters_start) parameters_wait <= 1'b0;
      if (parameters_come) parameters_there <= 1'b1;
    end
  end

  logic next_instruction, load_adds, load_repeats, loaded;
  logic [SLOTS-1:0] slot_write, slot_last;
  logic [SLOTS*ROW_BITS-1:0] slot_row;
  logic [SLOTS*LANE_BITS-1:0] slot_lane;
  logic [SLOTS*BITS-1:0] slot_data;
  logic [SUM_SLOTS-1:0] sum_load;
  logic [SUM_SLOTS*SUM_ROW_BITS-1:0] sum_load_row;
  logic [SUM_SLOTS*SUM_LANE_BITS-1:0] sum_load_lane;
  logic [SUM_SLOTS*SUM_BITS-1:0] sum_load_data;
  load_unit #(.WIDTH(WIDTH), .BYTES(DMA_BYTES), .ROW_BITS(ROW_BITS), .LANE_BITS(LANE_BITS), .SUM_ROW_BITS(SUM_ROW_BITS),
              .SUM_LANE_BITS(SUM_LANE_BITS)) loads (
      .clk, .reset, .given(load_given), .word(read_data), .first(given_first), .last(given_last), .ends(given_ends),
      .instruction(load_given_to), .next_instruction, .write(slot_write), .write_row(slot_row), .write_lane(slot_lane),
      .write_data(slot_data), .write_last(slot_last), .load(sum_load), .load_row(sum_load_row), .load_lane(sum_load_lane),
      .load_data(sum_load_data), .load_adds, .load_repeats, .loaded);

  // The instruction whose words come, and the one whose are being written.
  logic [LOAD_INDEX-1:0] written_place, repeated_place, begun_place;
  logic [255:0] written_instruction;
  logic repeat_write, repeat_adds, repeat_begins;
  logic [SUM_ROW_BITS-1:0] repeat_row;
  logic [COLS-1:0] repeat_lanes;
  logic [COLS*SUM_BITS-1:0] repeat_data;
  always_ff @(posedge clk) begin
    if (reset) given_place <= '0;
    else if (next_instruction) given_place <= given_place == LOAD_INDEX'(LOADS - 1) ? '0 : given_place + 1'b1;
    written_place <= given_place;
    if (load_given) written_instruction <= load_given_to;
  end
  repeat_unit #(.COLS(COLS), .SLOTS(SUM_SLOTS), .LANE_BITS(SUM_LANE_BITS), .ROW_BITS(SUM_ROW_BITS)) repeats (
      .clk, .reset, .load(load_repeats ? sum_load : '0), .load_lane(sum_load_lane), .load_data(sum_load_data),
      .complete(loaded && load_repeats), .place(written_place), .local_row(SUM_ROW_BITS'(written_instruction[63:32])),
      .rows(written_instruction[111:96]), .cols(written_instruction[127:112]), .adds(load_adds),
      .write(repeat_write), .write_row(repeat_row), .write_lanes(repeat_lanes), .write_data(repeat_data),
      .write_adds(repeat_adds), .first(repeat_begins), .first_place(begun_place),
      .done(repeat_done), .done_place(repeated_place));
  assign load_set_read = LOADS'(repeat_begins) << begun_place;
  assign load_set_done = (LOADS'(loaded && !load_repeats) << written_place) | (LOADS'(repeat_done) << repeated_place);
  wire unused_load = &{1'b0, load_head, load_place, written_instruction, load_row_bits};

  //===--- Memories and elements -----------------------------------------------------------------------------------===//

  logic enable, left_read, right_read, right_waits, sums_read, sums_wait, sums_write, store_reads;
  logic [ROW_BITS-1:0] left_row, right_row;
  logic [WIDTH*BITS-1:0] left_data, right_data;
  logic [SUM_ROW_BITS-1:0] sums_read_row, sums_write_row, store_row;
  logic [COLS*SUM_BITS-1:0] sums_read_data, sums_write_data, store_data;
  logic [COLS-1:0] sums_write_lanes;
  logic busy, conflict, hazard, hazard_is_compute, unit_reads;
  logic [SUM_ROW_BITS-1:0] unit_row;
  scratchpad #(.WIDTH(WIDTH), .SLOTS(SLOTS), .ADDRESS_BITS(ROW_BITS), .LANE_BITS(LANE_BITS)) operands (
      .clk, .enable, .left_read, .left_row, .left_data, .right_read, .right_row, .right_waits, .right_data,
      .write(slot_write), .write_row(slot_row), .write_lane(slot_lane), .write_data(slot_data), .write_last(slot_last));
  execute_unit #(.ROWS(ROWS), .COLS(COLS), .WIDTH(WIDTH), .ROW_BITS(ROW_BITS), .SUM_ROW_BITS(SUM_ROW_BITS)) executes (
      .clk, .reset, .valid(execute_valid), .clear(execute_clear), .instructions(execute_heads), .places(execute_places),
      .starts(execute_starts), .set_read(execute_set_read), .set_done(execute_set_done), .enable, .left_read, .left_row,
      .left_data, .right_read, .right_row, .right_waits, .right_data, .sums_read, .sums_read_row, .sums_wait,
      .sums_read_data, .sums_write, .sums_write_row, .sums_write_lanes, .sums_write_data, .busy, .conflict, .hazard,
      .hazard_entry(hazard_is_compute));
  accumulators #(.COLS(COLS), .SLOTS(SUM_SLOTS), .ADDRESS_BITS(SUM_ROW_BITS), .LANE_BITS(SUM_LANE_BITS)) sums (
      .clk, .array_read(sums_read), .array_row(sums_read_row), .array_waits(sums_wait), .array_data(sums_read_data),
      .store_read(store_reads || unit_reads),
      .store_row(unit_reads ? unit_row : store_row), .store_data, .write(sums_write), .write_row(sums_write_row),
      .write_lanes(sums_write_lanes), .write_data(sums_write_data), .load(load_repeats ? '0 : sum_load),
      .load_row(sum_load_row), .load_lane(sum_load_lane), .load_data(sum_load_data), .load_adds, .repeat_write,
      .repeat_row, .repeat_lanes, .repeat_data, .repeat_adds);

  //===--- Stores --------------------------------------------------------------------------------------------------===//

  logic store_ready, store_has_read, store_is_done, store_moves, store_waits;
  logic [STORE_INDEX-1:0] reading_place, answered_place;
  wire store_is_unit = store_head[7:0] == 8'd6;
  logic mvout_starts, mvout_reads, unit_starts, unit_idle, unit_has_read, send_start, send_completes, send_ends;
  logic [7:0] send_operand;
  logic [31:0] send_offset, send_next_offset, send_pitch;
  logic [33:0] send_first_bytes, send_total_bytes;
  logic [19:0] send_span_bytes;
  logic [8*DMA_BYTES-1:0] send_bytes;
  logic [PLACE_BITS-1:0] send_takes;
  assign mvout_starts = store_valid && store_clear && store_ready && !store_is_unit && unit_idle;
  assign store_starts = mvout_starts || unit_starts;
  store_unit #(.COLS(COLS), .BYTES(DMA_BYTES), .ROW_BITS(SUM_ROW_BITS)) stores (
      .clk, .reset, .ready(store_ready), .start(mvout_starts), .instruction(store_head), .read(store_reads),
      .reads(mvout_reads), .unit_start(send_start), .unit_operand(send_operand), .unit_offset(send_offset),
      .unit_next_offset(send_next_offset), .unit_pitch(send_pitch), .unit_first_bytes(send_first_bytes),
      .unit_span_bytes(send_span_bytes), .unit_total_bytes(send_total_bytes), .unit_completes(send_completes),
      .unit_bytes(send_bytes), .unit_takes(send_takes), .unit_ends(send_ends), .read_row(store_row), .read_data(store_data), .give(write_give), .give_operand(write_operand),
      .give_address(write_address), .give_data(write_data), .give_bytes(write_bytes), .give_ends(write_ends),
      .answer(write_answer), .has_read(store_has_read), .done(store_is_done), .moves(store_moves), .waits(store_waits));
  generate
    if (vitq_config_pkg::HAS_UNITS) begin : row_units
      localparam int unsigned WORDS = DMA_BYTES < 4 ? 1 : DMA_BYTES / 4;
      logic config_write;
      logic [1:0] config_space;
      logic [3:0] config_slot;
      logic [15:0] config_index, config_lane;
      logic [7:0] config_word;
      logic [32*WORDS-1:0] config_data;
      unit_parameters #(.BYTES(DMA_BYTES)) parameters (
          .clk, .reset(reset || launch), .given(parameters_given), .data(read_data), .write(config_write),
          .space(config_space), .slot(config_slot), .index(config_index), .lane(config_lane), .first_word(config_word),
          .words(config_data));
      row_unit #(.BYTES(DMA_BYTES), .ROW_BITS(SUM_ROW_BITS)) units (
          .clk, .reset, .valid(store_valid && store_is_unit && parameters_there), .clear(store_clear && !mvout_reads),
          .instruction(store_head), .starts(unit_starts), .idle(unit_idle), .has_read(unit_has_read), .config_write,
          .config_space, .config_slot, .config_index, .config_lane, .config_word, .config_data, .ask(unit_ask),
          .locked(unit_locked), .granted(unit_granted), .ask_port(unit_port), .ask_completes(unit_completes),
          .ask_operand(unit_operand), .ask_offset(unit_offset), .ask_next_offset(unit_next_offset), .ask_pitch(unit_pitch),
          .ask_first_bytes(unit_first_bytes), .ask_span_bytes(unit_span_bytes), .ask_total_bytes(unit_total_bytes),
          .given(unit_given), .given_data(read_data), .given_first, .given_last, .given_port(given_tag[3:2]),
          .given_completes(given_ends && given_tag[4]), .read(unit_reads), .read_row(unit_row), .read_data(store_data),
          .write_ready(store_ready), .write_start(send_start), .write_operand(send_operand), .write_offset(send_offset),
          .write_next_offset(send_next_offset), .write_pitch(send_pitch), .write_first_bytes(send_first_bytes),
          .write_span_bytes(send_span_bytes), .write_total_bytes(send_total_bytes), .write_completes(send_completes),
          .write_bytes(send_bytes), .write_takes(send_takes), .write_ends(send_ends));
    end else begin : no_units
      assign {unit_starts, unit_has_read, unit_ask, unit_locked, unit_completes, unit_reads, send_start, send_completes} = '0;
      assign {unit_port, unit_operand, unit_offset, unit_next_offset, unit_pitch, unit_first_bytes, unit_span_bytes,
              unit_total_bytes, unit_row} = '0;
      assign {send_operand, send_offset, send_next_offset, send_pitch, send_first_bytes, send_span_bytes,
              send_total_bytes, send_bytes} = '0;
      assign unit_idle = 1'b1;
      wire unused_units = &{1'b0, unit_granted, unit_given, given_tag, mvout_reads, send_takes, send_ends};
    end
  endgenerate
  // Both in the order of the queue.
  always_ff @(posedge clk)
    if (reset) begin
      reading_place <= '0;
      answered_place <= '0;
    end else begin
      if (store_has_read || unit_has_read) reading_place <= reading_place == STORE_INDEX'(STORES - 1) ? '0 : reading_place + 1'b1;
      if (store_is_done) answered_place <= answered_place == STORE_INDEX'(STORES - 1) ? '0 : answered_place + 1'b1;
    end
  assign store_set_read = STORES'(store_has_read || unit_has_read) << reading_place;
  assign store_set_done = STORES'(store_is_done) << answered_place;

  //===--- Counters ------------------------------------------------------------------------------------------------===//

  // A load or store whose channel is ready waits for a hazard.
  wire load_hazard = load_valid && load_ready && !load_clear;
  wire store_hazard = store_valid && store_ready && !store_clear;
  wire unused_hazard = &{1'b0, hazard_is_compute};
  counters #(.EVENTS(10)) all (
      .clk, .clear(launch),
      .events({store_hazard, load_hazard, hazard, conflict, waits_for_place, store_waits, load_waits,
               store_moves, load_moves, busy}),
      .counts);
endmodule
