// Runs `preload` and `compute`: takes them from the execute queue, reads their operands from the scratchpad into the mesh,
// and adds the sums that come out of it to the accumulator memory. In one cycle may start a preload, the compute after it, and
// the preload after that.
//
// Everything between a scratchpad row and the accumulator memory holds (`enable`) while a store reads the bank that the
// array would read.
module execute_unit #(
    parameter int unsigned ROWS = vitq_config_pkg::ROWS,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned WIDTH = vitq_config_pkg::WIDTH,
    parameter int unsigned BITS = vitq_config_pkg::BITS,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter bit SUMS_STAY = vitq_config_pkg::SUMS_STAY,
    parameter int unsigned PLACES = vitq_config_pkg::EXECUTE_QUEUE,
    parameter int unsigned INDEX_BITS = PLACES > 1 ? $clog2(PLACES) : 1,
    parameter int unsigned ROW_BITS = 14,
    parameter int unsigned SUM_ROW_BITS = 10
) (
    input  logic                      clk,
    input  logic                      reset,
    // The first three of the queue, and whether nothing that they wait for is left.
    input  logic [2:0]                valid,
    input  logic [2:0]                clear,
    input  logic [3*256-1:0]          instructions,
    input  logic [3*INDEX_BITS-1:0]   places,
    output logic [1:0]                starts,
    output logic [PLACES-1:0]         set_read,
    output logic [PLACES-1:0]         set_done,
    // Scratchpad.
    output logic                      enable,
    output logic                      left_read,
    output logic [ROW_BITS-1:0]       left_row,
    input  logic [WIDTH*BITS-1:0]     left_data,
    output logic                      right_read,
    output logic [ROW_BITS-1:0]       right_row,
    input  logic                      right_waits,
    input  logic [WIDTH*BITS-1:0]     right_data,
    // Accumulator memory.
    output logic                      sums_read,
    output logic [SUM_ROW_BITS-1:0]   sums_read_row,
    input  logic                      sums_wait,
    input  logic [COLS*SUM_BITS-1:0]  sums_read_data,
    output logic                      sums_write,
    output logic [SUM_ROW_BITS-1:0]   sums_write_row,
    output logic [COLS-1:0]           sums_write_lanes,
    output logic [COLS*SUM_BITS-1:0]  sums_write_data,
    // Counters: a compute runs; it, or a preload, is held up by a bank; the next waits for a hazard only.
    output logic                      busy,
    output logic                      conflict,
    output logic                      hazard,
    output logic                      hazard_entry
);
  localparam logic [15:0] SHORTEST = 16'd4;  // cycles of a compute
  localparam logic [7:0] PRELOAD = 8'd3, COMPUTE = 8'd4;
  localparam int unsigned EVENT_BITS = $clog2((ROWS > COLS ? ROWS : COLS) + 1);
  localparam int unsigned LANE_COUNT_BITS = $clog2(COLS + 1);

  assign enable = !sums_wait;

  //===--- What starts ---------------------------------------------------------------------------------------------===//

  logic [15:0] left_left, right_left, least_left;  // rows to read and cycles to pass of the compute that runs
  logic [EVENT_BITS-1:0] events_left;              // steps of the weights that are being shifted in
  logic capture, capture_waits;
  logic preload_free, compute_free, starts_first, first_none, starts_compute, starts_second;
  logic [255:0] first_in, compute_in, second_in, preload_in;
  logic [INDEX_BITS-1:0] compute_place, preload_place;
  logic compute_valid, compute_clear, second_valid, second_clear, compute_fresh, second_none, starts_weights;

  assign preload_free = events_left == '0;
  assign compute_free = left_left == '0 && right_left == '0 && least_left == '0;
  assign first_in = instructions[255:0];
  assign first_none = &first_in[63:32];
  assign starts_first = enable && valid[0] && clear[0] && first_in[7:0] == PRELOAD && (first_none || preload_free);
  assign compute_in = starts_first ? instructions[511:256] : instructions[255:0];
  assign compute_place = starts_first ? places[2*INDEX_BITS-1:INDEX_BITS] : places[INDEX_BITS-1:0];
  assign compute_valid = starts_first ? valid[1] : valid[0];
  assign compute_clear = starts_first ? clear[1] : clear[0];
  assign compute_fresh = compute_in[21];
  assign starts_compute = enable && compute_valid && compute_clear && compute_in[7:0] == COMPUTE && compute_free &&
                          (SUMS_STAY ? !capture_waits || capture
                                     : !compute_fresh || (preload_free && !(starts_first && !first_none)));
  assign second_in = starts_first ? instructions[767:512] : instructions[511:256];
  assign second_valid = starts_first ? valid[2] : valid[1];
  assign second_clear = starts_first ? clear[2] : clear[1];
  assign second_none = &second_in[63:32];
  assign starts_second = starts_compute && second_valid && second_clear && second_in[7:0] == PRELOAD &&
                         (second_none || (preload_free && !(starts_first && !first_none)));
  assign starts = 2'(starts_first) + 2'(starts_compute) + 2'(starts_second);
  assign starts_weights = (starts_first && !first_none) || (starts_second && !second_none);
  assign preload_in = starts_second && !second_none ? second_in : first_in;
  assign preload_place = starts_second && !second_none
                             ? (starts_first ? places[3*INDEX_BITS-1:2*INDEX_BITS] : places[2*INDEX_BITS-1:INDEX_BITS])
                             : places[INDEX_BITS-1:0];
  // Waiting for a hazard only: what is first could go otherwise.
  assign hazard = enable && valid[0] && !clear[0] &&
                  (first_in[7:0] == PRELOAD ? first_none || preload_free
                                            : compute_free && (SUMS_STAY ? !capture_waits || capture
                                                                         : !first_in[21] || preload_free));
  assign hazard_entry = first_in[7:0] == COMPUTE;

  // Where sums go, as the last preload says.
  logic [SUM_ROW_BITS-1:0] target_row, target_row_now;
  logic [15:0] target_rows, target_rows_now;
  logic [LANE_COUNT_BITS-1:0] target_cols, target_cols_now;
  logic [4:0] target_shift, target_shift_now;
  logic target_adds, target_adds_now;
  assign target_row_now = starts_first ? SUM_ROW_BITS'(first_in[95:64]) : target_row;
  assign target_rows_now = starts_first ? first_in[111:96] : target_rows;
  assign target_cols_now = starts_first ? LANE_COUNT_BITS'(first_in[127:112]) : target_cols;
  assign target_shift_now = starts_first ? first_in[12:8] : target_shift;
  assign target_adds_now = starts_first ? first_in[17] : target_adds;
  always_ff @(posedge clk) begin
    target_row <= starts_second ? SUM_ROW_BITS'(second_in[95:64]) : target_row_now;
    target_rows <= starts_second ? second_in[111:96] : target_rows_now;
    target_cols <= starts_second ? LANE_COUNT_BITS'(second_in[127:112]) : target_cols_now;
    target_shift <= starts_second ? second_in[12:8] : target_shift_now;
    target_adds <= starts_second ? second_in[17] : target_adds_now;
  end

  //===--- The compute ---------------------------------------------------------------------------------------------===//

  // Of the compute that runs: rows still to read from each side, and how it is read. `_now` is what holds in this cycle.
  logic [15:0] left_left_now, right_left_now, least_left_now, k_now, k;
  logic [ROW_BITS-1:0] left_at, left_at_now, right_at, right_at_now;
  logic [INDEX_BITS-1:0] place, place_now;
  logic left_unsigned, left_unsigned_now, right_unsigned, right_unsigned_now, fresh, fresh_now, ends_tile, ends_tile_now;
  logic [SUM_ROW_BITS-1:0] sums_at, sums_at_now;
  logic [15:0] sums_rows, sums_rows_now;
  logic [LANE_COUNT_BITS-1:0] sums_cols, sums_cols_now;
  logic [4:0] sums_shift, sums_shift_now;
  logic sums_add, sums_add_now, runs, steps, ends;

  assign left_left_now = starts_compute ? compute_in[111:96] : left_left;
  assign right_left_now = !SUMS_STAY ? '0 : starts_compute ? compute_in[127:112] : right_left;
  assign least_left_now = starts_compute ? SHORTEST : least_left;
  assign k_now = starts_compute ? compute_in[127:112] : k;
  assign left_at_now = starts_compute ? ROW_BITS'(compute_in[63:32]) : left_at;
  assign right_at_now = starts_compute ? ROW_BITS'(compute_in[95:64]) : right_at;
  assign place_now = starts_compute ? compute_place : place;
  assign left_unsigned_now = starts_compute ? compute_in[19] : left_unsigned;
  assign right_unsigned_now = starts_compute ? compute_in[20] : right_unsigned;
  assign fresh_now = starts_compute ? compute_fresh : fresh;
  assign ends_tile_now = starts_compute ? compute_in[22] : ends_tile;
  assign sums_at_now = starts_compute ? target_row_now : sums_at;
  assign sums_rows_now = starts_compute ? target_rows_now : sums_rows;
  assign sums_cols_now = starts_compute ? target_cols_now : sums_cols;
  assign sums_shift_now = starts_compute ? target_shift_now : sums_shift;
  assign sums_add_now = starts_compute ? target_adds_now : sums_add;
  assign runs = starts_compute || !compute_free;
  assign left_read = left_left_now != '0;
  assign left_row = left_at_now;
  // A step of the mesh: sums stay: a row of the right operand.
  assign steps = SUMS_STAY ? right_left_now != '0 && !right_waits : left_read;
  assign ends = runs && left_left_now <= 16'd1 && least_left_now <= 16'd1 &&
                (right_left_now == '0 || (right_left_now == 16'd1 && steps));

  always_ff @(posedge clk)
    if (reset) begin
      left_left <= '0;
      right_left <= '0;
      least_left <= '0;
    end else if (enable) begin
      left_left <= left_read ? left_left_now - 16'd1 : '0;
      right_left <= SUMS_STAY && steps ? right_left_now - 16'd1 : right_left_now;
      least_left <= least_left_now == '0 ? '0 : least_left_now - 16'd1;
    end
  always_ff @(posedge clk)
    if (enable) begin
      k <= k_now;
      left_at <= left_at_now + 1'b1;
      right_at <= right_at_now + ROW_BITS'(steps);
      place <= place_now;
      left_unsigned <= left_unsigned_now;
      right_unsigned <= right_unsigned_now;
      fresh <= fresh_now && !steps;
      ends_tile <= ends_tile_now;
      sums_at <= SUMS_STAY ? sums_at_now : sums_at_now + 1'b1;
      sums_rows <= sums_rows_now;
      sums_cols <= sums_cols_now;
      sums_shift <= sums_shift_now;
      sums_add <= sums_add_now;
    end

  //===--- Weights that are shifted in -----------------------------------------------------------------------------===//

  logic [EVENT_BITS-1:0] events_now;
  logic [ROW_BITS-1:0] weights_at, weights_at_now;
  logic [EVENT_BITS-1:0] weights_rows, weights_rows_now;
  logic [INDEX_BITS-1:0] weights_place, weights_place_now;
  logic sideways, sideways_now, weights_read, shifts;
  assign sideways_now = starts_weights ? preload_in[18] : sideways;
  assign events_now = !starts_weights ? events_left : sideways_now ? EVENT_BITS'(COLS) : EVENT_BITS'(ROWS);
  assign weights_at_now = starts_weights ? ROW_BITS'(preload_in[63:32]) : weights_at;
  assign weights_rows_now = !starts_weights ? weights_rows
                            : EVENT_BITS'(sideways_now ? preload_in[127:112] : preload_in[111:96]);
  assign weights_place_now = starts_weights ? preload_place : weights_place;
  // The last row goes first, as it has the longest way.
  assign weights_read = !SUMS_STAY && events_now != '0 && events_now <= weights_rows_now;
  assign shifts = !SUMS_STAY && events_now != '0 && !right_waits;
  assign right_read = SUMS_STAY ? right_left_now != '0 : weights_read;
  assign right_row = SUMS_STAY ? right_at_now : weights_at_now + ROW_BITS'(events_now) - 1'b1;
  always_ff @(posedge clk)
    if (reset) events_left <= '0;
    else if (enable) events_left <= shifts ? events_now - 1'b1 : events_now;
  always_ff @(posedge clk)
    if (enable) begin
      weights_at <= weights_at_now;
      weights_rows <= weights_rows_now;
      weights_place <= weights_place_now;
      sideways <= sideways_now;
    end

  //===--- Sums that stay leave ------------------------------------------------------------------------------------===//

  localparam int unsigned DRAIN_BITS = $clog2(ROWS + 1);
  logic [DRAIN_BITS-1:0] drain_left;
  logic drains;
  logic [SUM_ROW_BITS-1:0] waiting_at, drain_at;
  logic [15:0] waiting_rows, drain_rows;
  logic [LANE_COUNT_BITS-1:0] waiting_cols, drain_cols;
  logic [4:0] waiting_shift, drain_shift;
  logic waiting_add, drain_add;
  logic [INDEX_BITS-1:0] waiting_place, drain_place;
  assign capture = SUMS_STAY && capture_waits && drain_left == '0;
  assign drains = drain_left != '0;
  always_ff @(posedge clk)
    if (reset) begin
      drain_left <= '0;
      capture_waits <= 1'b0;
    end else if (enable) begin
      capture_waits <= SUMS_STAY && ((ends && ends_tile_now) || (capture_waits && !capture));
      drain_left <= capture ? DRAIN_BITS'(ROWS - 1) : drains ? drain_left - 1'b1 : '0;
    end
  always_ff @(posedge clk)
    if (enable) begin
      if (ends) begin
        waiting_at <= sums_at_now;
        waiting_rows <= sums_rows_now;
        waiting_cols <= sums_cols_now;
        waiting_shift <= sums_shift_now;
        waiting_add <= sums_add_now;
        waiting_place <= place_now;
      end
      if (capture) begin
        drain_at <= waiting_at;
        drain_rows <= waiting_rows;
        drain_cols <= waiting_cols;
        drain_shift <= waiting_shift;
        drain_add <= waiting_add;
        drain_place <= waiting_place;
      end
    end

  //===--- The mesh ------------------------------------------------------------------------------------------------===//

  // With the rows of the scratchpad, a cycle later.
  logic [4:0] control;
  logic [15:0] mesh_k;
  logic mesh_left_unsigned, mesh_right_unsigned, mesh_left;
  logic [ROWS-1:0] load_row, load;
  logic [15:0] row_number;
  always_ff @(posedge clk)
    if (enable) begin
      control <= SUMS_STAY ? {capture, drains, 1'b0, steps && fresh_now, steps}
                           : {sideways_now, shifts, right_unsigned_now, steps && fresh_now, steps};
      mesh_k <= k_now;
      mesh_left <= left_read;
      mesh_left_unsigned <= left_unsigned_now;
      mesh_right_unsigned <= right_unsigned_now;
      row_number <= starts_compute ? '0 : row_number + 16'd1;
    end
  generate
    genvar i;
    for (i = 0; i < ROWS; i = i + 1) begin : loads
      assign load_row[i] = row_number == 16'(i);
    end
  endgenerate
  assign load = mesh_left ? load_row : '0;

  logic [ROWS*(BITS+1)-1:0] left;
  logic [ROWS*BITS-1:0] side;
  logic [COLS*(BITS+1)-1:0] top;
  logic [COLS*SUM_BITS-1:0] sums;
  always_comb begin : operands
    integer n;
    for (n = 0; n < ROWS; n = n + 1) begin
      left[n*(BITS+1)+:BITS+1] = 16'(n) < mesh_k
          ? {~mesh_left_unsigned & left_data[n*BITS+BITS-1], left_data[n*BITS+:BITS]} : '0;
      side[n*BITS+:BITS] = right_data[n*BITS+:BITS];
    end
    for (n = 0; n < COLS; n = n + 1)
      top[n*(BITS+1)+:BITS+1] = {SUMS_STAY && !mesh_right_unsigned && right_data[n*BITS+BITS-1], right_data[n*BITS+:BITS]};
  end
  mesh #(.ROWS(ROWS), .COLS(COLS), .WIDTH(WIDTH), .BITS(BITS), .SUM_BITS(SUM_BITS), .SUMS_STAY(SUMS_STAY)) elements (
      .clk, .enable, .control, .left, .side, .top, .load, .load_data(left_data), .load_unsigned(mesh_left_unsigned), .sums);

  //===--- The way of the sums -------------------------------------------------------------------------------------===//

  // What becomes of the row of sums that a step makes, for as long as it is on its way.
  localparam int unsigned DELAY = ROWS + COLS - 1;
  localparam int unsigned DELAY_BITS = DELAY > 1 ? $clog2(DELAY) : 1;
  localparam int unsigned TAG_BITS = SUM_ROW_BITS + LANE_COUNT_BITS + 5 + 1 + INDEX_BITS;
  logic [TAG_BITS-1:0] tags [0:DELAY-1];
  logic [TAG_BITS-1:0] tag_in, tag_out;
  logic [DELAY-1:0] rows_on_way, ends_on_way;
  logic [DELAY_BITS-1:0] tag_at;
  logic row_in, end_in;
  logic [15:0] drain_row;
  assign drain_row = capture ? 16'(ROWS - 1) : 16'(drain_left) - 16'd1;
  assign row_in = !SUMS_STAY ? steps : (capture && drain_row < waiting_rows) || (drains && drain_row < drain_rows);
  assign end_in = !SUMS_STAY ? ends : (capture && ROWS == 1) || (drains && drain_left == DRAIN_BITS'(1));
  assign tag_in = !SUMS_STAY ? {sums_at_now, sums_cols_now, sums_shift_now, sums_add_now, place_now}
                  : capture ? {waiting_at + SUM_ROW_BITS'(drain_row), waiting_cols, waiting_shift, waiting_add, waiting_place}
                  : {drain_at + SUM_ROW_BITS'(drain_row), drain_cols, drain_shift, drain_add, drain_place};
  assign tag_out = tags[tag_at];
  always_ff @(posedge clk) if (enable) tags[tag_at] <= tag_in;
  always_ff @(posedge clk)
    if (reset) begin
      tag_at <= '0;
      rows_on_way <= '0;
      ends_on_way <= '0;
    end else if (enable) begin
      tag_at <= tag_at == DELAY_BITS'(DELAY - 1) ? '0 : tag_at + 1'b1;
      rows_on_way <= DELAY'({rows_on_way, row_in});
      ends_on_way <= DELAY'({ends_on_way, end_in});
    end

  logic [SUM_ROW_BITS-1:0] out_row;
  logic [LANE_COUNT_BITS-1:0] out_cols, write_cols;
  logic [4:0] out_shift, write_shift;
  logic out_add, write_add, writes, write_ends;
  logic [INDEX_BITS-1:0] out_place, write_place;
  assign {out_row, out_cols, out_shift, out_add, out_place} = tag_out;
  assign sums_read = rows_on_way[DELAY-1] && out_add;
  assign sums_read_row = out_row;
  always_ff @(posedge clk)
    if (reset) begin
      writes <= 1'b0;
      write_ends <= 1'b0;
    end else if (enable) begin
      writes <= rows_on_way[DELAY-1];
      write_ends <= ends_on_way[DELAY-1];
    end
  always_ff @(posedge clk)
    if (enable) begin
      sums_write_row <= out_row;
      write_cols <= out_cols;
      write_shift <= out_shift;
      write_add <= out_add;
      write_place <= out_place;
    end
  assign sums_write = writes && enable;
  // A row may be read in the cycle in which it is written.
  logic [COLS-1:0] forwards;
  logic [COLS*SUM_BITS-1:0] forwarded;
  always_ff @(posedge clk)
    if (enable) begin
      forwards <= sums_write && sums_read_row == sums_write_row ? sums_write_lanes : '0;
      forwarded <= sums_write_data;
    end
  always_comb begin : add
    integer n;
    for (n = 0; n < COLS; n = n + 1) begin
      sums_write_lanes[n] = LANE_COUNT_BITS'(n) < write_cols;
      sums_write_data[n*SUM_BITS+:SUM_BITS] = (sums[n*SUM_BITS+:SUM_BITS] << write_shift) +
                                              (!write_add ? '0
                                               : forwards[n] ? forwarded[n*SUM_BITS+:SUM_BITS]
                                                             : sums_read_data[n*SUM_BITS+:SUM_BITS]);
    end
  end

  //===--- What the queue is told ----------------------------------------------------------------------------------===//

  always_comb begin : tell
    set_read = '0;
    set_done = '0;
    if (enable) begin
      if (starts_first && first_none) begin
        set_read[places[INDEX_BITS-1:0]] = 1'b1;
        set_done[places[INDEX_BITS-1:0]] = 1'b1;
      end
      if (starts_second && second_none) begin
        set_read[starts_first ? places[3*INDEX_BITS-1:2*INDEX_BITS] : places[2*INDEX_BITS-1:INDEX_BITS]] = 1'b1;
        set_done[starts_first ? places[3*INDEX_BITS-1:2*INDEX_BITS] : places[2*INDEX_BITS-1:INDEX_BITS]] = 1'b1;
      end
      if (shifts && events_now == EVENT_BITS'(1)) begin
        set_read[weights_place_now] = 1'b1;
        set_done[weights_place_now] = 1'b1;
      end
      if (ends) set_read[place_now] = 1'b1;
      if (SUMS_STAY && ends && !ends_tile_now) set_done[place_now] = 1'b1;
      if (write_ends) set_done[write_place] = 1'b1;
    end
  end
  assign busy = runs;
  assign conflict = (runs && !enable) || (enable && right_waits);
  wire unused_fields = &{1'b0, instructions, compute_in, first_in, second_in, preload_in, mesh_right_unsigned};
endmodule
