// A bank of the accumulator memory: rows of COLS sums. One port reads for the array and for stores, one writes for the
// array; loads have ports of their own, one for each sum that a word of the DMA can complete and one for whole rows.
// Rows are those of all banks; those of others are ignored.
module accumulator_bank #(
    parameter int unsigned ROWS = vitq_config_pkg::ACCUMULATOR_ROWS,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter int unsigned SLOTS = 4,
    parameter int unsigned ADDRESS_BITS = 32,
    parameter int unsigned LANE_BITS = 4,
    parameter int unsigned FIRST_ROW = 0
) (
    input  logic                          clk,
    input  logic                          read,
    input  logic [ADDRESS_BITS-1:0]       read_row,
    output logic [COLS*SUM_BITS-1:0]      read_data,      // a cycle later, kept until the next read
    input  logic                          write,          // by the array
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
  localparam int unsigned ROW_BITS = ROWS > 1 ? $clog2(ROWS) : 1;
  logic [COLS*SUM_BITS-1:0] data [0:ROWS-1];

  wire write_here = write && 32'(write_row) - FIRST_ROW < ROWS;
  wire repeat_here = repeat_write && 32'(repeat_row) - FIRST_ROW < ROWS;
  wire [ROW_BITS-1:0] read_at = ROW_BITS'(32'(read_row) - FIRST_ROW);
  wire [ROW_BITS-1:0] write_at = ROW_BITS'(32'(write_row) - FIRST_ROW);
  wire [ROW_BITS-1:0] repeat_at = ROW_BITS'(32'(repeat_row) - FIRST_ROW);

  logic [SLOTS-1:0] load_here;
  logic [SLOTS*ROW_BITS-1:0] load_at;
  logic [SLOTS*SUM_BITS-1:0] loaded;
  logic [COLS*SUM_BITS-1:0] repeated;
  always_comb begin : additions
    integer s;
    logic [COLS*SUM_BITS-1:0] old;
    s = 0;
    load_here = '0;
    load_at = '0;
    loaded = load_data;
    old = '0;
    if (|load)
      for (s = 0; s < SLOTS; s = s + 1) begin
        load_here[s] = load[s] && 32'(load_row[s*ADDRESS_BITS+:ADDRESS_BITS]) - FIRST_ROW < ROWS;
        load_at[s*ROW_BITS+:ROW_BITS] = ROW_BITS'(32'(load_row[s*ADDRESS_BITS+:ADDRESS_BITS]) - FIRST_ROW);
        if (load_adds) begin
          old = data[load_at[s*ROW_BITS+:ROW_BITS]];
          loaded[s*SUM_BITS+:SUM_BITS] = load_data[s*SUM_BITS+:SUM_BITS] +
                                         old[load_lane[s*LANE_BITS+:LANE_BITS]*SUM_BITS+:SUM_BITS];
        end
      end
    repeated = repeat_data;
    if (repeat_adds) begin
      old = data[repeat_at];
      for (s = 0; s < COLS; s = s + 1)
        repeated[s*SUM_BITS+:SUM_BITS] = repeat_data[s*SUM_BITS+:SUM_BITS] + old[s*SUM_BITS+:SUM_BITS];
    end
  end

  always_ff @(posedge clk) begin : writes
    integer i;
    if (write_here)
      for (i = 0; i < COLS; i = i + 1)
        if (write_lanes[i]) data[write_at][i*SUM_BITS+:SUM_BITS] <= write_data[i*SUM_BITS+:SUM_BITS];
    if (repeat_here)
      for (i = 0; i < COLS; i = i + 1)
        if (repeat_lanes[i]) data[repeat_at][i*SUM_BITS+:SUM_BITS] <= repeated[i*SUM_BITS+:SUM_BITS];
    if (|load)
      for (i = 0; i < SLOTS; i = i + 1)
        if (load_here[i])
          data[load_at[i*ROW_BITS+:ROW_BITS]][load_lane[i*LANE_BITS+:LANE_BITS]*SUM_BITS+:SUM_BITS] <=
              loaded[i*SUM_BITS+:SUM_BITS];
  end

  always_ff @(posedge clk) if (read) read_data <= data[read_at];
endmodule
