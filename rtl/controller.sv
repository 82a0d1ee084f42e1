// Fetches the instructions of a launch and issues them in order, at most one a cycle, each to its queue when that has a
// place; a fence when all queues are empty. Says which local rows the instruction touches. Cycle 0 is the one after the
// first issue, in which the first instruction can start.
module controller #(
    parameter bit SUMS_STAY = vitq_config_pkg::SUMS_STAY,
    parameter bit HAS_UNITS = vitq_config_pkg::HAS_UNITS,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned PLANES = vitq_config_pkg::PLANES,
    parameter int unsigned ROW_BITS = 15,       // see hazards
    parameter int unsigned LOAD_BITS = ROW_BITS + 70,
    parameter int unsigned EXECUTE_BITS = 3 * (ROW_BITS + 16),
    parameter int unsigned STORE_BITS = ROW_BITS + 48
) (
    input  logic                    clk,
    input  logic                    reset,
    // A launch of so many instructions. `finished` stays high from its end until the next begins.
    input  logic                    launch,
    input  logic [31:0]             count,
    output logic                    finished,
    output logic                    refused,       // at an instruction that this array does not have
    output logic [63:0]             cycles,
    output logic                    begun,         // from cycle 0 on
    // Program memory: what is at `address` is there in the next cycle.
    output logic [31:0]             address,
    input  logic [255:0]            instruction,
    // Queues.
    input  logic                    load_has_place,
    input  logic                    execute_has_place,
    input  logic                    store_has_place,
    input  logic                    all_empty,     // from the next cycle on
    output logic                    to_load,
    output logic                    to_execute,
    output logic                    to_store,
    output logic [LOAD_BITS-1:0]    load_rows,
    output logic [EXECUTE_BITS-1:0] execute_rows,
    output logic [STORE_BITS-1:0]   store_rows,
    output logic                    waits_for_place
);
  localparam logic [7:0] FENCE = 8'd0, MVIN = 8'd1, MVIN_ACC = 8'd2, PRELOAD = 8'd3, COMPUTE = 8'd4, MVOUT = 8'd5,
      LAST = HAS_UNITS ? 8'd6 : 8'd5;
  localparam int unsigned R = ROW_BITS;
  logic running, there, issues, empty;
  logic [31:0] number, total;

  wire [7:0] opcode = instruction[7:0];
  wire [7:0] shift = instruction[15:8];
  wire [31:0] row = instruction[63:32];
  wire [31:0] row2 = instruction[95:64];
  wire [15:0] rows = instruction[111:96];
  wire [15:0] cols = instruction[127:112];
  wire [15:0] tile_stride = instruction[143:128];
  wire [15:0] plane_stride = instruction[159:144];
  wire split = instruction[16];
  wire transpose = instruction[18];
  wire last = instruction[22];
  wire unused_fields = &{1'b0, instruction, row2};

  // An instruction is there in the cycle after its address.
  assign there = running && number != total;
  wire is_load = opcode == MVIN || opcode == MVIN_ACC;
  wire is_execute = opcode == PRELOAD || opcode == COMPUTE;
  wire is_store = opcode == MVOUT || (HAS_UNITS && opcode == LAST);
  assign to_load = there && is_load && load_has_place;
  assign to_execute = there && is_execute && execute_has_place;
  assign to_store = there && is_store && store_has_place;
  assign issues = to_load || to_execute || to_store || (there && opcode == FENCE && all_empty);
  assign address = number + 32'(issues);
  assign waits_for_place = begun && there && ((is_load && !load_has_place) || (is_execute && !execute_has_place) ||
                                              (is_store && !store_has_place));

  // Where the sums of the next compute go.
  logic [31:0] sums;
  logic [15:0] sums_rows;
  always_ff @(posedge clk)
    if (to_execute && opcode == PRELOAD) begin
      sums <= row2;
      sums_rows <= rows;
    end

  logic [3:0] planes;
  assign planes = !split ? 4'd1 : shift != 8'd0 ? shift[3:0] : 4'(PLANES);
  assign load_rows = {opcode == MVIN_ACC && instruction[255:224] == 32'd0, opcode == MVIN_ACC, planes, plane_stride, tile_stride, cols, rows, R'(row)};
  // Of `units` all from the first tile to the last, or none.
  wire [15:0] before_last = (cols - 16'd1) / 16'(COLS);
  assign store_rows = opcode == MVOUT ? {tile_stride, cols, rows, R'(row)}
                      : {16'd0, 16'd1, instruction[25] ? before_last * tile_stride + rows : 16'd0, R'(row)};
  logic [15:0] left_rows, right_rows, added_rows;
  assign left_rows = opcode == COMPUTE ? rows : &row ? 16'd0 : transpose ? cols : rows;
  assign right_rows = opcode == COMPUTE && SUMS_STAY ? cols : 16'd0;
  assign added_rows = opcode != COMPUTE || (SUMS_STAY && !last) ? 16'd0 : SUMS_STAY ? sums_rows : rows;
  assign execute_rows = {added_rows, R'(sums), right_rows, R'(row2), left_rows, R'(row)};
  wire unused_sums = &{1'b0, sums};

  always_ff @(posedge clk)
    if (reset) begin
      running <= 1'b0;
      begun <= 1'b0;
      finished <= 1'b0;
      refused <= 1'b0;
      number <= '0;
      total <= '0;
      cycles <= '0;
      empty <= 1'b1;
    end else if (launch) begin
      running <= 1'b1;
      begun <= 1'b0;
      finished <= 1'b0;
      refused <= 1'b0;
      number <= '0;
      total <= count;
      cycles <= '0;
      empty <= 1'b1;
    end else if (running) begin
      number <= address;
      empty <= all_empty && !issues;
      begun <= begun || issues;
      if (begun && !finished) cycles <= cycles + 64'd1;
      if (there && opcode > LAST) begin
        running <= 1'b0;
        refused <= 1'b1;
        finished <= 1'b1;
      end else if (number == total && empty) begin
        running <= 1'b0;
        finished <= 1'b1;
        cycles <= cycles;
      end
    end
endmodule
