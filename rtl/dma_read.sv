// The channel of the DMA that reads. The memory behind it answers each word of a request, in order, DMA_LATENCY - 2
// cycles after it was asked for: one cycle passes before it, and one behind.
module dma_read #(
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned REQUESTS = vitq_config_pkg::DMA_REQUESTS,
    parameter int unsigned REQUEST_BYTES = vitq_config_pkg::DMA_REQUEST_BYTES,
    parameter int unsigned PLACE_BITS = $clog2(BYTES + 1),
    parameter int unsigned TAG_BITS = 4
) (
    input  logic                  clk,
    input  logic                  reset,
    // A move; see dma_words. `tag` says whose it is.
    output logic                  ready,
    input  logic                  start,
    input  logic [TAG_BITS-1:0]   tag,
    input  logic [8:0]            operand,
    input  logic [31:0]           offset,
    input  logic [31:0]           next_offset,
    input  logic [31:0]           pitch,
    input  logic [33:0]           first_bytes,
    input  logic [19:0]           span_bytes,
    input  logic [33:0]           total_bytes,
    // Memory.
    output logic                  ask,
    output logic [8:0]            ask_operand,
    output logic [31:0]           ask_address,    // from the operand's start, a multiple of BYTES
    input  logic                  given,
    // What is given, in the same cycle: bytes from `first` to before `last` count.
    output logic [PLACE_BITS-1:0] first,
    output logic [PLACE_BITS-1:0] last,
    output logic                  ends,           // a move
    output logic [TAG_BITS-1:0]   given_tag,
    output logic                  moves,          // a word is asked for
    output logic                  waits
);
  logic [31:0] address;
  logic [8:0] held_operand;
  logic [TAG_BITS-1:0] held_tag;
  logic [PLACE_BITS-1:0] asked_first, asked_last;
  logic valid, asked_ends_request, asked_ends, ends_request, answered;

  dma_words #(.BYTES(BYTES), .REQUESTS(REQUESTS), .REQUEST_BYTES(REQUEST_BYTES)) words (
      .clk, .reset, .ready, .start, .offset, .next_offset, .pitch, .first_bytes, .span_bytes, .total_bytes,
      .answer(answered), .valid, .take(1'b1), .address,
      .first(asked_first), .last(asked_last), .ends_request(asked_ends_request), .ends(asked_ends), .waits);
  assign moves = valid;
  always_ff @(posedge clk) begin
    ask <= valid && !reset;
    ask_operand <= start ? operand : held_operand;
    ask_address <= address;
    if (start) begin
      held_operand <= operand;
      held_tag <= tag;
    end
    answered <= given && ends_request && !reset;
  end

  word_queue #(.PLACES(REQUESTS * (REQUEST_BYTES / BYTES)), .BITS(2 * PLACE_BITS + 2 + TAG_BITS)) asked (
      .clk, .reset, .put(valid), .in({asked_first, asked_last, asked_ends_request, asked_ends, start ? tag : held_tag}),
      .take(given), .out({first, last, ends_request, ends, given_tag}));
endmodule
