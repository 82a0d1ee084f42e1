// The channel of the DMA that reads. The memory behind it answers each word of a request, in order, DMA_LATENCY - 2
// cycles after it was asked for: one cycle passes before it, and one behind.
module dma_read #(
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned REQUESTS = vitq_config_pkg::DMA_REQUESTS,
    parameter int unsigned REQUEST_BYTES = vitq_config_pkg::DMA_REQUEST_BYTES,
    parameter int unsigned PLACE_BITS = $clog2(BYTES + 1)
) (
    input  logic                  clk,
    input  logic                  reset,
    output logic                  ready,
    input  logic                  start,
    input  logic [7:0]            operand,
    input  logic [31:0]           offset,
    input  logic [31:0]           pitch,
    input  logic [17:0]           row_bytes,
    input  logic [15:0]           rows,
    // Memory.
    output logic                  ask,
    output logic [7:0]            ask_operand,
    output logic [31:0]           ask_address,    // from the operand's start, a multiple of BYTES
    input  logic                  given,
    // What is given, in the same cycle: bytes from `first` to before `last` count.
    output logic [PLACE_BITS-1:0] first,
    output logic [PLACE_BITS-1:0] last,
    output logic                  ends,           // an instruction
    output logic                  moves,          // a word is asked for
    output logic                  waits
);
  logic [31:0] address;
  logic [7:0] held_operand;
  logic [PLACE_BITS-1:0] asked_first, asked_last;
  logic valid, asked_ends_request, asked_ends, ends_request, answered;

  dma_words #(.BYTES(BYTES), .REQUESTS(REQUESTS), .REQUEST_BYTES(REQUEST_BYTES)) words (
      .clk, .reset, .ready, .start, .offset, .pitch, .row_bytes, .rows, .answer(answered), .valid, .take(1'b1), .address,
      .first(asked_first), .last(asked_last), .ends_request(asked_ends_request), .ends(asked_ends), .waits);
  assign moves = valid;
  always_ff @(posedge clk) begin
    ask <= valid && !reset;
    ask_operand <= start ? operand : held_operand;
    ask_address <= address;
    if (start) held_operand <= operand;
    answered <= given && ends_request && !reset;
  end

  word_queue #(.PLACES(REQUESTS * (REQUEST_BYTES / BYTES)), .BITS(2 * PLACE_BITS + 2)) asked (
      .clk, .reset, .put(valid), .in({asked_first, asked_last, asked_ends_request, asked_ends}),
      .take(given), .out({first, last, ends_request, ends}));
endmodule
