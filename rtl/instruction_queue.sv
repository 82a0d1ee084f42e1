// One of the queues: instructions that wait or run, oldest first. A place is taken from issue until the instruction and all
// before it in the queue are done. Instructions start in order. Whoever looks for hazards gets the local rows of all.
module instruction_queue #(
    parameter int unsigned PLACES = 8,
    parameter int unsigned INDEX_BITS = PLACES > 1 ? $clog2(PLACES) : 1,
    parameter int unsigned HEADS = 1,          // instructions that may start next, shown at once
    parameter int unsigned ROWS_BITS = 8,      // of what is kept of an instruction's local rows
    parameter int unsigned WAITS_A = 4,        // places of the two other queues
    parameter int unsigned WAITS_B = 4,
    parameter int unsigned WAITS_C = 1         // places of repeating loads, see hazards
) (
    input  logic                        clk,
    input  logic                        reset,
    // Issue: there is a place from the next cycle on.
    output logic                        has_place,
    output logic                        is_empty,      // from the next cycle on
    input  logic                        put,
    input  logic [255:0]                instruction,
    input  logic [ROWS_BITS-1:0]        local_rows,
    input  logic [WAITS_A-1:0]          waits_a,       // for instructions in these places of the others
    input  logic [WAITS_B-1:0]          waits_b,
    input  logic [WAITS_C-1:0]          waits_c,
    input  logic [WAITS_A-1:0]          freed_a,
    input  logic [WAITS_B-1:0]          freed_b,
    input  logic [WAITS_C-1:0]          freed_c,
    // Of all places.
    output logic [PLACES*ROWS_BITS-1:0] all_rows,
    output logic [PLACES-1:0]           taken,         // and not freed in this cycle
    output logic [PLACES-1:0]           has_read,
    output logic [PLACES-1:0]           is_done,
    output logic [PLACES-1:0]           freed,
    // The next to start, and how many of them do.
    output logic [HEADS-1:0]            head_valid,
    output logic [HEADS*256-1:0]        head_instruction,
    output logic [HEADS*INDEX_BITS-1:0] head_place,
    output logic [HEADS*WAITS_A-1:0]    head_waits_a,
    output logic [HEADS*WAITS_B-1:0]    head_waits_b,
    output logic [HEADS*WAITS_C-1:0]    head_waits_c,
    input  logic [$clog2(HEADS+1)-1:0]  starts,
    input  logic [PLACES-1:0]           set_read,
    input  logic [PLACES-1:0]           set_done,
    // Any instruction.
    input  logic [INDEX_BITS-1:0]       look_place,
    output logic [255:0]                look_instruction
);
  localparam int unsigned COUNT_BITS = $clog2(PLACES + 1);
  logic [255:0] instructions [0:PLACES-1];
  logic [WAITS_A-1:0] waiting_a [0:PLACES-1];
  logic [WAITS_B-1:0] waiting_b [0:PLACES-1];
  logic [WAITS_C-1:0] waiting_c [0:PLACES-1];
  logic [INDEX_BITS-1:0] oldest, newest, head;
  logic [COUNT_BITS-1:0] count, unstarted;  // instructions in the queue, and those that have not started
  logic [PLACES-1:0] held;
  assign look_instruction = instructions[look_place];

  // The place `steps` after `from`.
  function automatic logic [INDEX_BITS-1:0] after(input logic [INDEX_BITS-1:0] from, input logic [COUNT_BITS-1:0] steps);
    logic [COUNT_BITS:0] sum;
    begin
      sum = {1'b0, COUNT_BITS'(from)} + {1'b0, steps};
      after = INDEX_BITS'(sum >= (COUNT_BITS + 1)'(PLACES) ? sum - (COUNT_BITS + 1)'(PLACES) : sum);
    end
  endfunction

  logic [PLACES-1:0] done_next;
  logic [COUNT_BITS-1:0] frees;
  assign done_next = is_done | set_done;
  always_comb begin : free
    integer i;
    logic goes_on;
    logic [INDEX_BITS-1:0] place;
    i = 0;
    place = oldest;
    freed = '0;
    frees = '0;
    goes_on = count != '0;
    if (goes_on && done_next[oldest])
      for (i = 0; i < PLACES; i = i + 1) begin
        if (COUNT_BITS'(i) >= count || !done_next[place]) goes_on = 1'b0;
        if (goes_on) begin
          freed[place] = 1'b1;
          frees = frees + 1'b1;
        end
        place = after(place, COUNT_BITS'(1));
      end
  end
  assign taken = held & ~freed;
  assign has_place = count - frees < COUNT_BITS'(PLACES);
  assign is_empty = count == frees;

  generate
    genvar h;
    for (h = 0; h < HEADS; h = h + 1) begin : heads
      wire [INDEX_BITS-1:0] place = after(head, COUNT_BITS'(h % PLACES));
      assign head_valid[h] = 32'(unstarted) > h;
      assign head_place[h*INDEX_BITS+:INDEX_BITS] = place;
      assign head_instruction[h*256+:256] = instructions[place];
      assign head_waits_a[h*WAITS_A+:WAITS_A] = waiting_a[place];
      assign head_waits_b[h*WAITS_B+:WAITS_B] = waiting_b[place];
      assign head_waits_c[h*WAITS_C+:WAITS_C] = waiting_c[place];
    end
  endgenerate

  always_ff @(posedge clk) begin : places
    integer i;
    if (|freed_a || |freed_b || |freed_c)
      for (i = 0; i < PLACES; i = i + 1) begin
        waiting_a[i] <= waiting_a[i] & ~freed_a;
        waiting_b[i] <= waiting_b[i] & ~freed_b;
        waiting_c[i] <= waiting_c[i] & ~freed_c;
      end
    if (put) begin
      instructions[newest] <= instruction;
      waiting_a[newest] <= waits_a;
      waiting_b[newest] <= waits_b;
      waiting_c[newest] <= waits_c;
      all_rows[newest*ROWS_BITS+:ROWS_BITS] <= local_rows;
    end
  end
  always_ff @(posedge clk)
    if (reset) begin
      oldest <= '0;
      newest <= '0;
      head <= '0;
      count <= '0;
      unstarted <= '0;
      held <= '0;
      has_read <= '0;
      is_done <= '0;
    end else begin
      oldest <= after(oldest, frees);
      if (put) newest <= after(newest, COUNT_BITS'(1));
      head <= after(head, COUNT_BITS'(starts));
      count <= count - frees + COUNT_BITS'(put);
      unstarted <= unstarted - COUNT_BITS'(starts) + COUNT_BITS'(put);
      held <= taken | (PLACES'(put) << newest);
      has_read <= (has_read | set_read) & ~freed;
      is_done <= done_next & ~freed;
    end
endmodule
