// Writes a row of sums that was read once into several rows of the accumulator memory, one a cycle, the first in the cycle
// in which the row's last sum comes. A row that comes while another is being written waits.
module repeat_unit #(
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter int unsigned PLACES = vitq_config_pkg::LOAD_QUEUE,
    parameter int unsigned INDEX_BITS = PLACES > 1 ? $clog2(PLACES) : 1,
    parameter int unsigned SLOTS = 4,
    parameter int unsigned LANE_BITS = 4,
    parameter int unsigned ROW_BITS = 10
) (
    input  logic                       clk,
    input  logic                       reset,
    // Sums of a row that come, and whether they complete it; its instruction and the place of that in the queue.
    input  logic [SLOTS-1:0]           load,
    input  logic [SLOTS*LANE_BITS-1:0] load_lane,
    input  logic [SLOTS*SUM_BITS-1:0]  load_data,
    input  logic                       complete,
    input  logic [INDEX_BITS-1:0]      place,
    input  logic [ROW_BITS-1:0]        local_row,
    input  logic [15:0]                rows,
    input  logic [15:0]                cols,
    input  logic                       adds,
    // To the accumulator memory.
    output logic                       write,
    output logic [ROW_BITS-1:0]        write_row,
    output logic [COLS-1:0]            write_lanes,
    output logic [COLS*SUM_BITS-1:0]   write_data,
    output logic                       write_adds,
    output logic                       first,        // of its instruction
    output logic [INDEX_BITS-1:0]      first_place,
    output logic                       done,         // its last
    output logic [INDEX_BITS-1:0]      done_place
);
  localparam int unsigned JOB_BITS = COLS * SUM_BITS + COLS + ROW_BITS + 16 + INDEX_BITS + 1;
  localparam int unsigned COUNT_BITS = $clog2(PLACES + 1);
  // The row as far as it has come.
  logic [COLS*SUM_BITS-1:0] gathered, row;
  logic [COLS-1:0] lanes;
  always_comb begin : gather
    integer i;
    row = gathered;
    for (i = 0; i < SLOTS; i = i + 1)
      if (load[i]) row[load_lane[i*LANE_BITS+:LANE_BITS]*SUM_BITS+:SUM_BITS] = load_data[i*SUM_BITS+:SUM_BITS];
    for (i = 0; i < COLS; i = i + 1) lanes[i] = 16'(i) < cols;
  end
  always_ff @(posedge clk) gathered <= row;

  logic [JOB_BITS-1:0] came, waiting, job;
  logic [COUNT_BITS-1:0] count;
  logic [15:0] left;  // rows that are still to be written
  logic begins, puts, takes;
  assign came = {row, lanes, local_row, rows, place, adds};
  assign begins = left == 16'd0 && (complete || count != '0);
  assign takes = left == 16'd0 && count != '0;
  assign puts = complete && !(begins && !takes);
  assign job = takes ? waiting : came;
  word_queue #(.PLACES(PLACES), .BITS(JOB_BITS)) jobs (.clk, .reset, .put(puts), .in(came), .take(takes), .out(waiting));

  logic [COLS*SUM_BITS-1:0] held_data, job_data;
  logic [COLS-1:0] held_lanes, job_lanes;
  logic [ROW_BITS-1:0] at, job_row;
  logic [15:0] job_rows;
  logic [INDEX_BITS-1:0] held_place, job_place;
  logic held_adds, job_adds;
  assign {job_data, job_lanes, job_row, job_rows, job_place, job_adds} = job;
  assign write = begins || left != 16'd0;
  assign write_row = begins ? job_row : at;
  assign write_lanes = begins ? job_lanes : held_lanes;
  assign write_data = begins ? job_data : held_data;
  assign write_adds = write && (begins ? job_adds : held_adds);
  assign first = begins;
  assign first_place = job_place;
  assign done = begins ? job_rows == 16'd1 : left == 16'd1;
  assign done_place = begins ? job_place : held_place;
  always_ff @(posedge clk) begin
    at <= write_row + 1'b1;
    held_lanes <= write_lanes;
    held_data <= write_data;
    held_place <= done_place;
    held_adds <= begins ? job_adds : held_adds;
    if (reset) begin
      left <= '0;
      count <= '0;
    end else begin
      if (begins) left <= job_rows - 16'd1;
      else if (left != 16'd0) left <= left - 16'd1;
      count <= count + COUNT_BITS'(puts) - COUNT_BITS'(takes);
    end
  end
endmodule
