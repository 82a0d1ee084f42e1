// A bank of the scratchpad: rows of WIDTH operands, one read port, and a write port for each operand that a word of the
// DMA can hold. A row that is moved in is written from its first operand on; how many it has stands beside it, and what
// follows is read as 0.
module scratchpad_bank #(
    parameter int unsigned ROWS = vitq_config_pkg::SCRATCHPAD_ROWS,
    parameter int unsigned WIDTH = vitq_config_pkg::WIDTH,
    parameter int unsigned BITS = vitq_config_pkg::BITS,
    parameter int unsigned SLOTS = vitq_config_pkg::DMA_BYTES * vitq_config_pkg::PLANES,
    parameter int unsigned ADDRESS_BITS = 32,  // of a row of all banks
    parameter int unsigned LANE_BITS = 4,
    parameter int unsigned FIRST_ROW = 0       // of this bank
) (
    input  logic                          clk,
    input  logic                          read,
    input  logic [ADDRESS_BITS-1:0]       read_row,
    output logic [WIDTH*BITS-1:0]         read_data,  // a cycle later, kept until the next read
    // Rows are those of all banks; those of others are ignored.
    input  logic [SLOTS-1:0]              write,
    input  logic [SLOTS*ADDRESS_BITS-1:0] write_row,
    input  logic [SLOTS*LANE_BITS-1:0]    write_lane,
    input  logic [SLOTS*BITS-1:0]         write_data,
    input  logic [SLOTS-1:0]              write_last  // the tile has no more operands in this row
);
  localparam int unsigned ROW_BITS = ROWS > 1 ? $clog2(ROWS) : 1;
  localparam int unsigned COUNT_BITS = $clog2(WIDTH + 1);
  logic [WIDTH*BITS-1:0] data [0:ROWS-1];
  logic [COUNT_BITS-1:0] counts [0:ROWS-1];

  logic [SLOTS-1:0] mine;
  logic [SLOTS*ROW_BITS-1:0] row;
  always_comb begin : select
    integer s;
    for (s = 0; s < SLOTS; s = s + 1) begin
      mine[s] = write[s] && 32'(write_row[s*ADDRESS_BITS+:ADDRESS_BITS]) - FIRST_ROW < ROWS;
      row[s*ROW_BITS+:ROW_BITS] = ROW_BITS'(32'(write_row[s*ADDRESS_BITS+:ADDRESS_BITS]) - FIRST_ROW);
    end
  end

  always_ff @(posedge clk) begin : writes
    integer s;
    if (|write)
      for (s = 0; s < SLOTS; s = s + 1)
        if (mine[s]) begin
          data[row[s*ROW_BITS+:ROW_BITS]][write_lane[s*LANE_BITS+:LANE_BITS]*BITS+:BITS] <= write_data[s*BITS+:BITS];
          if (write_last[s])
            counts[row[s*ROW_BITS+:ROW_BITS]] <= COUNT_BITS'(write_lane[s*LANE_BITS+:LANE_BITS]) + COUNT_BITS'(1);
        end
  end

  logic [WIDTH*BITS-1:0] row_data;
  logic [COUNT_BITS-1:0] row_count;
  wire [ROW_BITS-1:0] at = ROW_BITS'(32'(read_row) - FIRST_ROW);
  always_ff @(posedge clk)
    if (read) begin
      row_data <= data[at];
      row_count <= counts[at];
    end
  generate
    genvar lane;
    for (lane = 0; lane < WIDTH; lane = lane + 1) begin : lanes
      assign read_data[lane*BITS+:BITS] = lane < 32'(row_count) ? row_data[lane*BITS+:BITS] : '0;
    end
  endgenerate
endmodule
