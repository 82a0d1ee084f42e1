// Takes the words that hold the parameters of a launch's unit programs apart, into configuration for vitq_units and for the
// operands of its rows. simulator::unitImage makes them.
//
// WORDS configuration words come at a time, at least one. A run begins with two: space (bits 1:0), slot (5:2) and index (31:16);
// words of an item less one (7:0), and items (31:16). Then its items follow, each from such a multiple on.
module unit_parameters #(
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned LANES = vitq_config_pkg::UNIT_LANES,
    parameter int unsigned WORDS = BYTES < 4 ? 1 : BYTES / 4
) (
    input  logic               clk,
    input  logic               reset,
    input  logic               given,
    input  logic [8*BYTES-1:0] data,
    output logic               write,
    output logic [1:0]         space,
    output logic [3:0]         slot,
    output logic [15:0]        index,
    output logic [15:0]        lane,
    output logic [7:0]         first_word,
    output logic [32*WORDS-1:0] words
);
  localparam logic [1:0] RECORDS = 2'd1;
  // As many bytes as WORDS have.
  logic there;
  logic [32*WORDS-1:0] group;
  generate
    if (BYTES >= 4) begin : whole
      always_ff @(posedge clk) begin
        there <= given && !reset;
        group <= data;
      end
    end else begin : parts
      localparam int unsigned PARTS = 4 / BYTES;
      localparam int unsigned PART_BITS = $clog2(PARTS);
      logic [PART_BITS-1:0] part;
      always_ff @(posedge clk) begin
        there <= given && part == PART_BITS'(PARTS - 1) && !reset;
        if (given) group <= {data, group[31:8*BYTES]};
        if (reset) part <= '0;
        else if (given) part <= part + 1'b1;
      end
    end
  endgenerate

  logic [1:0] run_space;
  logic [3:0] run_slot;
  logic [15:0] run_index, run_lane, items_left;
  logic [7:0] last_word, word;
  logic second, ends_item;  // word of a run's two
  assign write = there && items_left != '0;
  assign space = run_space;
  assign slot = run_slot;
  assign index = run_index;
  assign lane = run_lane;
  assign first_word = word;
  assign words = group;
  wire [8:0] next_word = {1'b0, word} + 9'(WORDS);
  assign ends_item = next_word > {1'b0, last_word};
  wire ends_record = run_lane == 16'(LANES - 1) || run_space != RECORDS;
  wire [31:0] head = group[31:0];
  wire [31:0] size = group[32*(WORDS > 1 ? 1 : 0)+:32];
  wire unused_bits = &{1'b0, head, size};
  always_ff @(posedge clk)
    if (reset) begin
      items_left <= '0;
      second <= 1'b0;
    end else if (there) begin
      if (items_left == '0) begin
        if (!second) begin
          run_space <= head[1:0];
          run_slot <= head[5:2];
          run_index <= head[31:16];
          second <= WORDS == 1;
        end
        if (second || WORDS > 1) begin
          last_word <= size[7:0];
          items_left <= size[31:16];
          second <= 1'b0;
        end
        run_lane <= '0;
        word <= '0;
      end else if (ends_item) begin
        word <= '0;
        items_left <= items_left - 16'd1;
        run_lane <= ends_record ? '0 : run_lane + 16'd1;
        if (ends_record) run_index <= run_index + 16'd1;
      end else word <= next_word[7:0];
    end
endmodule
