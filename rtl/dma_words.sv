// What a channel of the DMA moves: the spans of an instruction, cut into requests at multiples of REQUEST_BYTES, and these
// into the aligned words that they touch, one a cycle. A request is sent only while fewer than REQUESTS are without an
// answer. An instruction is taken in the cycle in which its first word goes.
module dma_words #(
    parameter int unsigned BYTES = vitq_config_pkg::DMA_BYTES,
    parameter int unsigned REQUESTS = vitq_config_pkg::DMA_REQUESTS,
    parameter int unsigned REQUEST_BYTES = vitq_config_pkg::DMA_REQUEST_BYTES,
    parameter int unsigned PLACE_BITS = $clog2(BYTES + 1)
) (
    input  logic                  clk,
    input  logic                  reset,
    // An instruction, if `ready`. A span is a row, or all of them where there is no gap between.
    output logic                  ready,
    input  logic                  start,
    input  logic [31:0]           offset,
    input  logic [31:0]           pitch,
    input  logic [17:0]           row_bytes,
    input  logic [15:0]           rows,
    input  logic                  answer,        // to a request
    // A word.
    output logic                  valid,
    input  logic                  take,
    output logic [31:0]           address,       // a multiple of BYTES
    output logic [PLACE_BITS-1:0] first,         // its bytes from `first` to before `last`
    output logic [PLACE_BITS-1:0] last,
    output logic                  ends_request,
    output logic                  ends,          // the instruction
    output logic                  waits          // for an answer only
);
  localparam int unsigned COUNT_BITS = $clog2(REQUESTS + 1);
  logic busy, midway;
  logic [31:0] at, span_at, stride;
  logic [33:0] left, span_bytes;
  logic [15:0] spans;
  logic [COUNT_BITS-1:0] unanswered;

  // What there is to do in this cycle.
  logic [31:0] now_at, now_span_at, now_stride, next_word, to_next_word;
  logic [33:0] now_left, now_span_bytes, word_bytes;
  logic [15:0] now_spans;
  logic gapless, now_midway, ends_span;
  assign gapless = pitch == 32'(row_bytes);
  assign ready = !busy;
  always_comb begin
    now_at = at;
    now_span_at = span_at;
    now_stride = stride;
    now_left = left;
    now_span_bytes = span_bytes;
    now_spans = spans;
    if (start) begin
      now_at = offset;
      now_span_at = offset;
      now_stride = pitch;
      now_left = gapless ? 34'(row_bytes) * 34'(rows) : 34'(row_bytes);
      now_span_bytes = now_left;
      now_spans = gapless ? 16'd1 : rows;
    end
  end
  assign now_midway = midway && !start;
  assign address = now_at & ~32'(BYTES - 1);
  assign next_word = address + 32'(BYTES);
  assign to_next_word = next_word - now_at;
  assign first = PLACE_BITS'(now_at & 32'(BYTES - 1));
  assign ends_span = now_left <= 34'(to_next_word);
  assign word_bytes = ends_span ? now_left : 34'(to_next_word);
  assign last = first + PLACE_BITS'(word_bytes);
  assign ends_request = ends_span || (next_word & 32'(REQUEST_BYTES - 1)) == 32'd0;
  assign ends = ends_span && now_spans == 16'd1;
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
    span_bytes <= now_span_bytes;
    spans <= now_spans;
    if (valid && take) begin
      at <= next_word;
      left <= now_left - word_bytes;
      if (ends_span) begin
        at <= now_span_at + now_stride;
        span_at <= now_span_at + now_stride;
        left <= now_span_bytes;
        spans <= now_spans - 16'd1;
      end
    end
  end
endmodule
