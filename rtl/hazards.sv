// For which instructions of the other queues one that is being issued has to wait: those before it, still in their
// queue, that write local rows which it reads or writes, or read rows which it writes.
//
// Local rows of an instruction, from the lowest bit on. Rows are ROW_BITS wide, counts and strides 16 bits.
//   load:    first, rows, columns, tile stride, plane stride, planes (4 bits), are they sums, do they repeat (1 bit each)
//   execute: first and number of what is read; the same of a right operand; the same of the sums
//   store:   first, rows (0: none), columns, tile stride
//
// A load that repeats a row writes a row a cycle. A compute that begins at the same row adds to them later than that,
// in the same order: it need not wait for the last (`for_repeats`).
module hazards #(
    parameter int unsigned WIDTH = vitq_config_pkg::WIDTH,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned PLANES = vitq_config_pkg::PLANES,
    parameter int unsigned TILES = vitq_config_pkg::BLOCK_TILES,
    parameter int unsigned STORE_TILES = vitq_config_pkg::BLOCK_TILES,
    parameter int unsigned LOADS = vitq_config_pkg::LOAD_QUEUE,
    parameter int unsigned STORES = vitq_config_pkg::STORE_QUEUE,
    parameter int unsigned EXECUTES = vitq_config_pkg::EXECUTE_QUEUE,
    parameter int unsigned ROW_BITS = 15,
    parameter int unsigned LOAD_BITS = ROW_BITS + 70,
    parameter int unsigned EXECUTE_BITS = 3 * (ROW_BITS + 16),
    parameter int unsigned STORE_BITS = ROW_BITS + 48
) (
    // The queue of the instruction that is issued, if one is, and its local rows as of that queue.
    input  logic                              is_load,
    input  logic                              is_execute,
    input  logic                              is_store,
    input  logic [LOAD_BITS-1:0]              load,
    input  logic [EXECUTE_BITS-1:0]           execute,
    input  logic [STORE_BITS-1:0]             store,
    input  logic [LOADS-1:0]                  load_taken,
    input  logic [LOADS*LOAD_BITS-1:0]        load_rows,
    input  logic [EXECUTES-1:0]               execute_taken,
    input  logic [EXECUTES*EXECUTE_BITS-1:0]  execute_rows,
    input  logic [STORES-1:0]                 store_taken,
    input  logic [STORES*STORE_BITS-1:0]      store_rows,
    output logic [LOADS-1:0]                  for_loads,
    output logic [LOADS-1:0]                  for_repeats,
    output logic [EXECUTES-1:0]               for_executes,
    output logic [STORES-1:0]                 for_stores
);
  localparam int unsigned R = ROW_BITS;

  // Whether two runs of rows have one in common.
  function automatic logic meet(input logic [R-1:0] first, input logic [15:0] rows, input logic [R-1:0] other_first,
                                input logic [15:0] other_rows);
    meet = rows != 16'd0 && other_rows != 16'd0 && (R + 17)'(first) < (R + 17)'(other_first) + (R + 17)'(other_rows) &&
           (R + 17)'(other_first) < (R + 17)'(first) + (R + 17)'(rows);
  endfunction

  // A load and what a compute or preload reads or adds to.
  function automatic logic load_execute(input logic [LOAD_BITS-1:0] l, input logic [EXECUTE_BITS-1:0] e);
    integer t, p;
    logic [R-1:0] first;
    begin
      load_execute = 1'b0;
      if (l[R+68]) load_execute = meet(l[R-1:0], l[R+:16], e[2*(R+16)+:R], e[3*R+32+:16]);
      else
        for (p = 0; p < PLANES; p = p + 1)
          for (t = 0; t < TILES; t = t + 1)
            if (4'(p) < l[R+64+:4] && 32'(t) * WIDTH < 32'(l[R+16+:16])) begin
              first = l[R-1:0] + R'(t) * R'(l[R+32+:16]) + R'(p) * R'(l[R+48+:16]);
              load_execute = load_execute || meet(first, l[R+:16], e[0+:R], e[R+:16]) ||
                             meet(first, l[R+:16], e[R+16+:R], e[2*R+16+:16]);
            end
    end
  endfunction

  // A store and other sums.
  function automatic logic store_sums(input logic [STORE_BITS-1:0] s, input logic [R-1:0] first, input logic [15:0] rows);
    integer t;
    begin
      store_sums = 1'b0;
      for (t = 0; t < STORE_TILES; t = t + 1)
        if (32'(t) * COLS < 32'(s[R+16+:16]))
          store_sums = store_sums || meet(s[R-1:0] + R'(t) * R'(s[R+32+:16]), s[R+:16], first, rows);
    end
  endfunction

  always_comb begin : compare
    integer i;
    logic begins_there;
    i = 0;
    begins_there = 1'b0;
    for_loads = '0;
    for_repeats = '0;
    for_executes = '0;
    for_stores = '0;
    if (is_load || is_store)
      for (i = 0; i < EXECUTES; i = i + 1)
        for_executes[i] = execute_taken[i] &&
            (is_load ? load_execute(load, execute_rows[i*EXECUTE_BITS+:EXECUTE_BITS])
                     : store_sums(store, execute_rows[i*EXECUTE_BITS+2*(R+16)+:R], execute_rows[i*EXECUTE_BITS+3*R+32+:16]));
    if (is_execute || is_store)
      for (i = 0; i < LOADS; i = i + 1) begin
        for_loads[i] = load_taken[i] &&
            (is_execute ? load_execute(load_rows[i*LOAD_BITS+:LOAD_BITS], execute)
                        : load_rows[i*LOAD_BITS+R+68] &&
                          store_sums(store, load_rows[i*LOAD_BITS+:R], load_rows[i*LOAD_BITS+R+:16]));
        begins_there = is_execute && load_rows[i*LOAD_BITS+R+69] && load_rows[i*LOAD_BITS+:R] == execute[2*(R+16)+:R];
        for_repeats[i] = for_loads[i] && begins_there;
        for_loads[i] = for_loads[i] && !begins_there;
      end
    if (is_execute || (is_load && load[R+68]))
      for (i = 0; i < STORES; i = i + 1)
        for_stores[i] = store_taken[i] &&
            store_sums(store_rows[i*STORE_BITS+:STORE_BITS], is_load ? load[R-1:0] : execute[2*(R+16)+:R],
                       is_load ? load[R+:16] : execute[3*R+32+:16]);
  end
endmodule
