// One stage of a unit program: its parameters, and the units that may run it. See vitq_units for the configuration's words
// and the handshakes. A stage of kind 0 passes values on.
//
//   current     the program whose stage is run
//   row_start   a row of it will come
//   passes      over a whole row, that the stage takes; 0 for a stage that works element by element
//   extra_port  the extra input that the stage reads
module vitq_slot #(
    parameter int LANES = 16,
    parameter int UNITS = 63,
    parameter int PROGRAMS = 8,
    parameter int PORT = 2,
    parameter int RECORDS = 1024,
    parameter int TABLES = 16,
    parameter int CHANNELS = 1024,
    parameter int LEVELS = 15,
    parameter int ENTRIES = 16,
    parameter int STEPS = 4,
    parameter int WORDS = 1
) (
    input  logic clk,
    input  logic reset,
    input  logic config_valid,
    input  logic [1:0] config_space,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [15:0] config_index,
    input  logic [15:0] config_lane,
    input  logic [7:0] config_word,
    input  logic [WORDS*32-1:0] config_data,
    input  logic [7:0] current,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic row_start,
    output logic [1:0] passes,
    input  logic in_valid,
    output logic in_ready,
    input  logic [LANES*32-1:0] in_data,
    input  logic [15:0] in_index,
    input  logic [15:0] in_batch,
    input  logic in_last,
    output logic [PORT-1:0] extra_port,
    input  logic extra_valid,
    output logic extra_ready,
    input  logic [LANES*32-1:0] extra_data,
    output logic out_valid,
    input  logic out_ready,
    output logic [LANES*32-1:0] out_data,
    output logic [15:0] out_index,
    output logic [15:0] out_batch,
    output logic out_last,
    output logic sum_valid,
    input  logic sum_ready,
    output logic [31:0] sum
);
  localparam int PROGRAM = PROGRAMS > 1 ? $clog2(PROGRAMS) : 1;
  localparam int RECORD = RECORDS > 1 ? $clog2(RECORDS) : 1;
  localparam int ADDRESS = 8 + $clog2(TABLES);

  // ------------------------------------------------------------------ parameters
  /* verilator lint_off UNUSEDSIGNAL */
  logic [64*32-1:0] header;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [LANES*512-1:0] record;
  logic record_read;
  logic [RECORD-1:0] record_address;
  genvar w, l;
  generate
    for (w = 0; w < 64; w = w + 1) begin : g_header
      logic [31:0] words[0:2**PROGRAM-1];
      always_ff @(posedge clk)
        if (config_valid && config_space == 2'd0 && config_word[5:0] == 6'(w - w % WORDS))
          words[config_index[PROGRAM-1:0]] <= config_data[w%WORDS*32+:32];
      assign header[w*32+:32] = words[current[PROGRAM-1:0]];
    end
    for (l = 0; l < LANES; l = l + 1) begin : g_records
      for (w = 0; w < 16; w = w + 1) begin : g_words
        logic [31:0] words[0:2**RECORD-1];
        always_ff @(posedge clk) begin
          if (config_valid && config_space == 2'd1 && config_lane == 16'(l) && config_word[3:0] == 4'(w - w % WORDS))
            words[config_index[RECORD-1:0]] <= config_data[w%WORDS*32+:32];
          if (record_read) record[l*512+w*32+:32] <= words[record_address];
        end
      end
    end
  endgenerate

  logic [3:0] kind;
  logic [7:0] flags;
  logic to_exponent, to_norm, to_element;
  assign kind = header[3:0];
  assign flags = header[7*32+:8];
  assign extra_port = header[10*32+:PORT];
  assign to_exponent = kind >= 4'd6 && kind <= 4'd8;
  assign to_norm = kind == 4'd10 || kind == 4'd11;
  assign to_element = kind != 4'd0 && !to_exponent && !to_norm;
  assign passes = to_norm || kind == 4'd8 ? 2'd3 : to_exponent ? 2'd2 : 2'd0;

  // ------------------------------------------------------------------ units
  logic [2*WORDS*9-1:0] table_entries;
  generate
    for (w = 0; w < 2 * WORDS; w = w + 1) begin : g_entries
      assign table_entries[w*9+:9] = config_data[w*16+:9];
    end
  endgenerate
  logic element_in, element_valid, element_last, element_read;
  logic [LANES*32-1:0] element_data;
  logic [15:0] element_index, element_batch;
  logic element_extra, element_sum;
  logic table_read;
  logic [LANES*8-1:0] table_index, table_entry;
  vitq_element #(
      .LANES(LANES),
      .UNITS(UNITS),
      .LEVELS(LEVELS),
      .ENTRIES(ENTRIES),
      .TABLE_ADDRESS(ADDRESS),
      .WRITES(2 * WORDS),
      .STEPS(STEPS)
  ) element (
      .clk(clk),
      .reset(reset),
      .kind(kind),
      .rounding(header[32+:2]),
      .input_zero_point($signed(header[2*32+:32])),
      .other_zero_point($signed(header[3*32+:32])),
      .zero_point($signed(header[4*32+:32])),
      .least($signed(header[5*32+:32])),
      .greatest($signed(header[6*32+:32])),
      .is_rhs(flags[2]),
      .has_lines(flags[3]),
      .levels(header[11*32+:8]),
      .lowest($signed(header[14*32+:32])),
      .code_signed(flags[6]),
      .table_base(ADDRESS'({header[9*32+:16], 8'd0})),
      .breakpoints(header[16*32+:(ENTRIES-1)*32]),
      .slopes(header[32*32+:ENTRIES*32]),
      .intercepts(header[48*32+:ENTRIES*32]),
      .in_valid(in_valid && to_element),
      .in_ready(element_in),
      .in_data(in_data),
      .in_index(in_index),
      .in_batch(in_batch),
      .in_last(in_last),
      .extra_valid(extra_valid),
      .extra_ready(element_extra),
      .extra_data(extra_data),
      .row_start(row_start),
      .sum_valid(extra_valid && kind == 4'd9),
      .sum_ready(element_sum),
      .sum(extra_data[31:0]),
      .record_read(element_read),
      .record(record),
      .write(config_valid && config_space == 2'd2),
      .write_address(ADDRESS'({config_index, config_word[6:0], 1'b0})),
      .write_data(table_entries),
      .table_use(to_exponent),
      .table_read(table_read),
      .table_index(table_index),
      .table_entry(table_entry),
      .out_valid(element_valid),
      .out_ready(out_ready),
      .out_data(element_data),
      .out_index(element_index),
      .out_batch(element_batch),
      .out_last(element_last)
  );
  assign extra_ready = kind == 4'd9 ? element_sum : element_extra;

  logic exponent_in, exponent_valid, exponent_last, exponent_read;
  logic [LANES*32-1:0] exponent_data;
  logic [15:0] exponent_index, exponent_batch, multiplier_batch;
  logic norm_in, norm_valid, norm_last, norm_read;
  logic [LANES*32-1:0] norm_data;
  logic [15:0] norm_index, norm_batch, record_beat;
  generate
    if ((UNITS & 8) != 0) begin : g_exponent
      vitq_exponent #(
          .LANES(LANES),
          .CHANNELS(CHANNELS),
          .STEPS(STEPS)
      ) exponent (
          .clk(clk),
          .reset(reset),
          .kind(kind == 4'd8 ? 2'd2 : kind == 4'd7 ? 2'd1 : 2'd0),
          .channels(header[15*32+:16]),
          .step(header[32+:31]),
          .fraction(header[2*32+:5]),
          .code_shift(header[3*32+:6]),
          .reciprocal_bits(header[4*32+:6]),
          .result_bits(header[5*32+:5]),
          .wants_sums(flags[7]),
          .in_valid(in_valid && to_exponent),
          .in_ready(exponent_in),
          .in_data(in_data),
          .in_batch(in_batch),
          .in_last(in_last),
          .multiplier_read(exponent_read),
          .multiplier_batch(multiplier_batch),
          .multiplier($signed(record[31:0])),
          .shift(record[37:32]),
          .table_read(table_read),
          .table_index(table_index),
          .table_entry(table_entry),
          .out_valid(exponent_valid),
          .out_ready(out_ready),
          .out_data(exponent_data),
          .out_index(exponent_index),
          .out_batch(exponent_batch),
          .out_last(exponent_last),
          .sum_valid(sum_valid),
          .sum_ready(sum_ready),
          .sum(sum)
      );
    end else begin : g_no_exponent
      assign exponent_in = 1'b0;
      assign exponent_valid = 1'b0;
      assign exponent_last = 1'b0;
      assign exponent_read = 1'b0;
      assign exponent_data = {LANES{32'd0}};
      assign exponent_index = 16'd0;
      assign exponent_batch = 16'd0;
      assign multiplier_batch = 16'd0;
      assign table_read = 1'b0;
      assign table_index = {LANES{8'd0}};
      assign sum_valid = 1'b0;
      assign sum = 32'd0;
    end
    if ((UNITS & 32) != 0) begin : g_norm
      vitq_norm #(
          .LANES(LANES),
          .CHANNELS(CHANNELS),
          .ENTRIES(ENTRIES),
          .LEVELS(LEVELS),
          .STEPS(STEPS)
      ) norm (
          .clk(clk),
          .reset(reset),
          .by_shifts(flags[5]),
          .by_lines(flags[3]),
          .to_levels(kind == 4'd11),
          .keeps_mean(flags[4]),
          .channels(header[15*32+:16]),
          .epsilon(header[12*32+:52]),
          .rounding(header[32+:2]),
          .zero_point($signed(header[4*32+:32])),
          .least($signed(header[5*32+:32])),
          .greatest($signed(header[6*32+:32])),
          .levels(header[11*32+:8]),
          .lowest($signed(header[14*32+:32])),
          .breaks(header[11*32+:8]),
          .breakpoints(header[16*32+:(ENTRIES-1)*32]),
          .slopes(header[32*32+:ENTRIES*32]),
          .intercepts(header[48*32+:ENTRIES*32]),
          .in_valid(in_valid && to_norm),
          .in_ready(norm_in),
          .in_data(in_data),
          .in_batch(in_batch),
          .in_last(in_last),
          .record_read(norm_read),
          .record_beat(record_beat),
          .record(record),
          .out_valid(norm_valid),
          .out_ready(out_ready),
          .out_data(norm_data),
          .out_index(norm_index),
          .out_batch(norm_batch),
          .out_last(norm_last)
      );
    end else begin : g_no_norm
      assign norm_in = 1'b0;
      assign norm_valid = 1'b0;
      assign norm_last = 1'b0;
      assign norm_read = 1'b0;
      assign norm_data = {LANES{32'd0}};
      assign norm_index = 16'd0;
      assign norm_batch = 16'd0;
      assign record_beat = 16'd0;
    end
  endgenerate

  // ------------------------------------------------------------------ who has the stream and the records
  logic [15:0] of_channel, of_batch;
  assign of_channel = to_norm ? record_beat : in_index;
  assign of_batch = to_exponent ? multiplier_batch : in_batch;
  assign record_read = to_exponent ? exponent_read : to_norm ? norm_read : element_read;
  assign record_address = RECORD'(header[8*32+:16] +
      (flags[1:0] == 2'd1 ? of_channel : flags[1:0] == 2'd2 ? of_batch : 16'd0));
  assign in_ready = to_exponent ? exponent_in : to_norm ? norm_in : to_element ? element_in : out_ready;
  assign out_valid = to_exponent ? exponent_valid : to_norm ? norm_valid : to_element ? element_valid : in_valid;
  assign out_data = to_exponent ? exponent_data : to_norm ? norm_data : to_element ? element_data : in_data;
  assign out_index = to_exponent ? exponent_index : to_norm ? norm_index : to_element ? element_index : in_index;
  assign out_batch = to_exponent ? exponent_batch : to_norm ? norm_batch : to_element ? element_batch : in_batch;
  assign out_last = to_exponent ? exponent_last : to_norm ? norm_last : to_element ? element_last : in_last;
endmodule
