; A product of 16 x 16 by 16 x 16 with a bias, to bytes by a shift.
.config "gemmini-16x16"

.manifest
| {"name": "product"}

.routine "product"
  mvin_acc local 0x0 rows 16 cols 16 from 1 + 256 pitch 0
  mvin local 0x0 rows 16 cols 16 from 0 + 0 pitch 16
  mvin local 0x10 rows 16 cols 16 from 1 + 0 pitch 16
  preload weights 0x10 rows 16 cols 16 sums 0x0 accumulate
  compute left 0x0 rows 16 cols 16 fresh
  mvout local 0x0 rows 16 cols 16 to 2 + 0 pitch 16 shift 7 scale

.launch "product" "linear+requant" kind linear routine 0 macs 4096 passes 1
  operand host 0 offset 0 bytes 256
  operand image offset 0 bytes 320
  operand host 1 offset 0 bytes 256 output

.placement "product" "linear" "array" "a product"

; 256 weights and 16 sums, all 0.
.image 320
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
