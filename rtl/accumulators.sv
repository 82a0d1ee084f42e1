// The accumulator memory: its banks. A store goes before the array where both read one bank; the array then waits, as
// `array_waits` says. What is read is there a cycle later.
module accumulators #(
    parameter int unsigned BANKS = vitq_config_pkg::ACCUMULATOR_BANKS,
    parameter int unsigned ROWS = vitq_config_pkg::ACCUMULATOR_ROWS,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter int unsigned SLOTS = 4,
    parameter int unsigned ADDRESS_BITS = 32,
    parameter int unsigned LANE_BITS = 4
) (
    input  logic                          clk,
    input  logic                          array_read,
    input  logic [ADDRESS_BITS-1:0]       array_row,
    output logic                          array_waits,
    output logic [COLS*SUM_BITS-1:0]      array_data,   // kept until the array's next read
    input  logic                          store_read,
    input  logic [ADDRESS_BITS-1:0]       store_row,
    output logic [COLS*SUM_BITS-1:0]      store_data,   // in the next cycle only
    // See accumulator_bank.
    input  logic                          write,
    input  logic [ADDRESS_BITS-1:0]       write_row,
    input  logic [COLS-1:0]               write_lanes,
    input  logic [COLS*SUM_BITS-1:0]      write_data,
    input  logic [SLOTS-1:0]              load,
    input  logic [SLOTS*ADDRESS_BITS-1:0] load_row,
    input  logic [SLOTS*LANE_BITS-1:0]    load_lane,
    input  logic [SLOTS*SUM_BITS-1:0]     load_data,
    input  logic                          load_adds,
    input  logic                          repeat_write,
    input  logic [ADDRESS_BITS-1:0]       repeat_row,
    input  logic [COLS-1:0]               repeat_lanes,
    input  logic [COLS*SUM_BITS-1:0]      repeat_data,
    input  logic                          repeat_adds
);
  logic [BANKS-1:0] array_here, store_here, array_was, store_was;
  logic [BANKS*COLS*SUM_BITS-1:0] rows;
  assign array_waits = array_read && store_read && |(array_here & store_here);

  generate
    genvar b;
    for (b = 0; b < BANKS; b = b + 1) begin : banks
      localparam int unsigned FIRST = b * ROWS;
      assign array_here[b] = 32'(array_row) - FIRST < ROWS;
      assign store_here[b] = 32'(store_row) - FIRST < ROWS;
      wire by_store = store_read && store_here[b];
      accumulator_bank #(.ROWS(ROWS), .COLS(COLS), .SUM_BITS(SUM_BITS), .SLOTS(SLOTS), .ADDRESS_BITS(ADDRESS_BITS),
                         .LANE_BITS(LANE_BITS), .FIRST_ROW(FIRST)) bank (
          .clk, .read(by_store || (array_read && array_here[b])), .read_row(by_store ? store_row : array_row),
          .read_data(rows[b*COLS*SUM_BITS+:COLS*SUM_BITS]),
          .write, .write_row, .write_lanes, .write_data, .load, .load_row, .load_lane, .load_data, .load_adds,
          .repeat_write, .repeat_row, .repeat_lanes, .repeat_data, .repeat_adds);
    end
  endgenerate

  // A store may read the bank before the array takes what it has read, if the array is held: then a copy serves.
  logic array_held;
  logic [COLS*SUM_BITS-1:0] array_now, array_copy;
  always_ff @(posedge clk) begin
    array_was <= array_here;
    store_was <= store_here;
    array_held <= !(array_read && !array_waits);
    array_copy <= array_data;
  end
  always_comb begin : choose
    integer i;
    array_now = '0;
    store_data = '0;
    for (i = 0; i < BANKS; i = i + 1) begin
      if (array_was[i]) array_now = array_now | rows[i*COLS*SUM_BITS+:COLS*SUM_BITS];
      if (store_was[i]) store_data = store_data | rows[i*COLS*SUM_BITS+:COLS*SUM_BITS];
    end
    array_data = array_held ? array_copy : array_now;
  end
endmodule
