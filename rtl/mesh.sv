// The elements, with the registers at their edges that let every operand begin a cycle later in each row and column, and
// that bring the sums of a row together again.
//
// What is given in one cycle is a step. Weights stay: a row of the left operand, and a row (transposed: a column) of the
// weights that come next. Sums stay: a row of the right operand, and what row of the left operand there is, see
// left_rows. A row of sums is there ROWS + COLS - 1 cycles after its row of the left operand was given, or after
// `capture`, cycles in which `enable` is low not counted.
module mesh #(
    parameter int unsigned ROWS = vitq_config_pkg::ROWS,
    parameter int unsigned COLS = vitq_config_pkg::COLS,
    parameter int unsigned WIDTH = vitq_config_pkg::WIDTH,
    parameter int unsigned BITS = vitq_config_pkg::BITS,
    parameter int unsigned SUM_BITS = vitq_config_pkg::ACCUMULATOR_BITS,
    parameter bit SUMS_STAY = vitq_config_pkg::SUMS_STAY
) (
    input  logic                     clk,
    input  logic                     enable,
    input  logic [4:0]               control,       // of the step, see processing_element
    input  logic [ROWS*(BITS+1)-1:0] left,          // weights stay: with signs
    input  logic [ROWS*BITS-1:0]     side,          // weights of a transposed tile
    input  logic [COLS*(BITS+1)-1:0] top,           // weights, or the right operand with signs
    input  logic [ROWS-1:0]          load,          // sums stay: whose left operands `load_data` is
    input  logic [WIDTH*BITS-1:0]    load_data,
    input  logic                     load_unsigned,
    output logic [COLS*SUM_BITS-1:0] sums
);
  logic [SUM_BITS*COLS-1:0] leaving;
  logic [5*ROWS-1:0] control_skewed;
  logic [(BITS+1)*ROWS-1:0] left_skewed;
  logic [BITS*ROWS-1:0] side_skewed;
  logic [(BITS+1)*COLS-1:0] top_skewed;

  skew #(.LANES(ROWS), .BITS(5)) skew_control (.clk, .enable, .in({ROWS{control}}), .out(control_skewed));
  skew #(.LANES(COLS), .BITS(BITS + 1)) skew_top (.clk, .enable, .in(top), .out(top_skewed));
  skew #(.LANES(COLS), .BITS(SUM_BITS), .REVERSED(1'b1)) align (.clk, .enable, .in(leaving), .out(sums));
  generate
    genvar k, n;
    if (!SUMS_STAY) begin : edge_weights_stay
      skew #(.LANES(ROWS), .BITS(BITS + 1)) skew_left (.clk, .enable, .in(left), .out(left_skewed));
      skew #(.LANES(ROWS), .BITS(BITS)) skew_side (.clk, .enable, .in(side), .out(side_skewed));
      wire unused_here = &{1'b0, load, load_data, load_unsigned};
    end else begin : edge_sums_stay
      logic [ROWS-1:0] step;
      for (k = 0; k < ROWS; k = k + 1) begin : steps
        assign step[k] = control_skewed[5*k];
      end
      left_rows #(.ROWS(ROWS), .WIDTH(WIDTH), .BITS(BITS)) rows (
          .clk, .enable, .load, .row(load_data), .is_unsigned(load_unsigned), .step, .operands(left_skewed));
      assign side_skewed = '0;
      wire unused_here = &{1'b0, left, side};
    end

    for (k = 0; k < ROWS; k = k + 1) begin : row
      for (n = 0; n < COLS; n = n + 1) begin : column
        logic [BITS:0] left_in, left_out, top_in, top_out;
        logic [4:0] control_in, control_out;
        logic [BITS-1:0] side_in, weight_out;
        logic [SUM_BITS-1:0] sum_in, sum_out, sum_leaves;
        if (n == 0) begin : first_column
          assign left_in = left_skewed[(BITS+1)*k+:BITS+1];
          assign control_in = control_skewed[5*k+:5];
          assign side_in = side_skewed[BITS*k+:BITS];
        end else begin : next_column
          assign left_in = row[k].column[n-1].left_out;
          assign control_in = row[k].column[n-1].control_out;
          assign side_in = row[k].column[n-1].weight_out;
        end
        if (k == 0) begin : first_row
          assign top_in = top_skewed[(BITS+1)*n+:BITS+1];
          assign sum_in = '0;
        end else begin : next_row
          // A weight comes out of the register of the element above, a right operand passes through it.
          assign top_in = SUMS_STAY ? row[k-1].column[n].top_out : {1'b0, row[k-1].column[n].weight_out};
          assign sum_in = row[k-1].column[n].sum_out;
        end
        processing_element #(.BITS(BITS), .SUM_BITS(SUM_BITS), .SUMS_STAY(SUMS_STAY)) element (
            .clk, .enable, .left_in, .left_out, .control_in, .control_out, .side_in, .weight_out, .top_in, .top_out,
            .sum_in, .sum_out, .sum_leaves);
        if (k == ROWS - 1) begin : last_row
          assign leaving[SUM_BITS*n+:SUM_BITS] = sum_leaves;
        end
        // What no neighbour takes.
        wire unused_outputs = &{1'b0, left_out, control_out, weight_out, top_out, sum_out, sum_leaves};
      end
    end
  endgenerate
endmodule
