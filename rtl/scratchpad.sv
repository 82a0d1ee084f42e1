// The scratchpad: its banks, each of which is read by one of two, `left` first. What is read is there a cycle later and
// stays until the same reader reads again.
module scratchpad #(
    parameter int unsigned BANKS = vitq_config_pkg::SCRATCHPAD_BANKS,
    parameter int unsigned ROWS = vitq_config_pkg::SCRATCHPAD_ROWS,
    parameter int unsigned WIDTH = vitq_config_pkg::WIDTH,
    parameter int unsigned BITS = vitq_config_pkg::BITS,
    parameter int unsigned SLOTS = vitq_config_pkg::DMA_BYTES * vitq_config_pkg::PLANES,
    parameter int unsigned ADDRESS_BITS = 32,
    parameter int unsigned LANE_BITS = 4
) (
    input  logic                          clk,
    input  logic                          enable,      // of both readers
    input  logic                          left_read,
    input  logic [ADDRESS_BITS-1:0]       left_row,
    output logic [WIDTH*BITS-1:0]         left_data,
    input  logic                          right_read,
    input  logic [ADDRESS_BITS-1:0]       right_row,
    output logic                          right_waits, // for the left reader, at the same bank
    output logic [WIDTH*BITS-1:0]         right_data,
    // See scratchpad_bank.
    input  logic [SLOTS-1:0]              write,
    input  logic [SLOTS*ADDRESS_BITS-1:0] write_row,
    input  logic [SLOTS*LANE_BITS-1:0]    write_lane,
    input  logic [SLOTS*BITS-1:0]         write_data,
    input  logic [SLOTS-1:0]              write_last
);
  logic [BANKS-1:0] left_here, right_here, left_was, right_was;
  logic [BANKS*WIDTH*BITS-1:0] rows;
  assign right_waits = left_read && right_read && |(left_here & right_here);

  generate
    genvar b;
    for (b = 0; b < BANKS; b = b + 1) begin : banks
      localparam int unsigned FIRST = b * ROWS;
      assign left_here[b] = 32'(left_row) - FIRST < ROWS;
      assign right_here[b] = 32'(right_row) - FIRST < ROWS;
      wire by_left = left_read && left_here[b];
      scratchpad_bank #(.ROWS(ROWS), .WIDTH(WIDTH), .BITS(BITS), .SLOTS(SLOTS), .ADDRESS_BITS(ADDRESS_BITS),
                        .LANE_BITS(LANE_BITS), .FIRST_ROW(FIRST)) bank (
          .clk, .read(enable && (by_left || (right_read && right_here[b]))),
          .read_row(by_left ? left_row : right_row), .read_data(rows[b*WIDTH*BITS+:WIDTH*BITS]),
          .write, .write_row, .write_lane, .write_data, .write_last);
    end
  endgenerate

  always_ff @(posedge clk)
    if (enable) begin
      if (left_read) left_was <= left_here;
      if (right_read && !right_waits) right_was <= right_here;
    end
  always_comb begin : choose
    integer i;
    left_data = '0;
    right_data = '0;
    for (i = 0; i < BANKS; i = i + 1) begin
      if (left_was[i]) left_data = left_data | rows[i*WIDTH*BITS+:WIDTH*BITS];
      if (right_was[i]) right_data = right_data | rows[i*WIDTH*BITS+:WIDTH*BITS];
    end
  end
endmodule
