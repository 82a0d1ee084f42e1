.config "rows=4,cols=4,block-tiles=2,load-queue=4,store-queue=2,execute-queue=6,scratchpad-rows=64,accumulator-rows=32,dma-bytes=4,units=all"
.routine "sums"
  mvin_acc local 0x0 rows 4 cols 4 from 0 + 0 pitch 16
  units unit 0 row 0 rows 4 channel 0 cols 4 local 0x0 from_accumulator
.unit rows_per_batch 4 batches 1 channels 4
  input operand 0 bytes 1 offset 0 batch_pitch 0 row_pitch 0 group_size 1 group_pitch 1
  output operand 1 bytes 1 offset 0 batch_pitch 0 row_pitch 4 group_size 4 group_pitch 4
  stage requant 0 0 0 -128 127 0
    array 123456789
    array 31
.launch "sums" "requant" kind units_only routine 0 macs 0 passes 1
  operand host 0 offset 0 bytes 64
  operand host 1 offset 0 bytes 16 output
  units 0
