// What a channel of the DMA moves: spans of bytes, cut into requests at multiples of REQUEST_BYTES, and these into the aligned
// words that they touch, one a cycle. A request is sent only while fewer than REQUESTS are without an answer. A move is taken in
// the cycle in which its first word goes.
module dma_words #(
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned REQUESTS = vitq_config_pkg::DMA_REQUESTS,
    parameter int unsigned REQUEST_BYTES = vitq_config_pkg::DMA_REQUEST_BYTES,
    parameter int unsigned PLACE_BITS = $clog2(BYTES + 1)
) (
    input  logic                  clk,
    input  logic                  reset,
    // A move, if `ready`: `total_bytes` bytes, the first `first_bytes` from `offset` on, then `span_bytes` (what is left of the
    // total, in the last one) from `next_offset` on and from every `pitch` bytes after that.
    output logic                  ready,
    input  logic                  start,
    input  logic [31:0]           offset,
    input  logic [31:0]           next_offset,
    input  logic [31:0]           pitch,
    input  logic [33:0]           first_bytes,
    input  logic [19:0]           span_bytes,
    input  logic [33:0]           total_bytes,
    input  logic                  answer,        // to a request
    // A word.
    output logic                  valid,
    input  logic                  take,
    output logic [31:0]           address,       // a multiple of BYTES
    output logic [PLACE_BITS-1:0] first,         // its bytes from `first` to before `last`
    output logic [PLACE_BITS-1:0] last,
    output logic                  ends_request,
    output logic                  ends,          // the move
    output logic                  waits          // for an answer only
);
  localparam int unsigned COUNT_BITS = $clog2(REQUESTS + 1);
  logic busy, midway;
  logic [31:0] at, span_at, stride;
  logic [33:0] left, all_left;
  logic [19:0] length;
  logic [COUNT_BITS-1:0] unanswered;

  // What there is to do in this cycle.
  logic [31:0] now_at, now_span_at, now_stride, next_word, to_next_word;
  logic [33:0] now_left, now_all, rest, word_bytes;
  logic [19:0] now_length;
  logic now_midway, ends_span;
  assign ready = !busy;
  assign now_at = start ? offset : at;
  assign now_span_at = start ? next_offset : span_at;
  assign now_stride = start ? pitch : stride;
  assign now_left = start ? first_bytes : left;
  assign now_all = start ? total_bytes : all_left;
  assign now_length = start ? span_bytes : length;
  assign now_midway = midway && !start;
  assign address = now_at & ~32'(BYTES - 1);
  assign next_word = address + 32'(BYTES);
  assign to_next_word = next_word - now_at;
  assign first = PLACE_BITS'(now_at & 32'(BYTES - 1));
  assign ends_span = now_left <= 34'(to_next_word);
  assign word_bytes = ends_span ? now_left : 34'(to_next_word);
  assign rest = now_all - word_bytes;
  assign last = first + PLACE_BITS'(word_bytes);
  assign ends_request = ends_span || (next_word & 32'(REQUEST_BYTES - 1)) == 32'd0;
  assign ends = rest == '0;
  assign waits = (busy || start) && !now_midway && unanswered == COUNT_BITS'(REQUESTS);
  assign valid = (busy || start) && !waits;

  wire begins_request = valid && take && !now_midway;
  // The first word of a request may go in another cycle than it is offered.
  always_ff @(posedge clk)
    if (reset) begin
      busy <= 1'b0;
      midway <= 1'b0;
      unanswered <= '0;
    end else begin
      busy <= (busy || start) && !(valid && take && ends);
      unanswered <= unanswered + COUNT_BITS'(begins_request) - COUNT_BITS'(answer);
      if (valid && take) midway <= !ends_request;
      else midway <= now_midway;
    end

  always_ff @(posedge clk) begin
    at <= now_at;
    span_at <= now_span_at;
    stride <= now_stride;
    left <= now_left;
    all_left <= now_all;
    length <= now_length;
    if (valid && take) begin
      at <= next_word;
      left <= now_left - word_bytes;
      all_left <= rest;
      if (ends_span) begin
        at <= now_span_at;
        span_at <= now_span_at + now_stride;
        left <= 34'(now_length) < rest ? 34'(now_length) : rest;
      end
    end
  end
endmodule
