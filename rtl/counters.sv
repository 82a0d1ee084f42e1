// Counts events of a launch, each in the cycles in which it is high.
module counters #(
    parameter int unsigned EVENTS = 4
) (
    input  logic                 clk,
    input  logic                 clear,
    input  logic [EVENTS-1:0]    events,
    output logic [EVENTS*64-1:0] counts
);
  always_ff @(posedge clk) begin : count
    integer i;
    for (i = 0; i < EVENTS; i = i + 1)
      if (clear) counts[i*64+:64] <= '0;
      else if (events[i]) counts[i*64+:64] <= counts[i*64+:64] + 64'd1;
  end
endmodule
