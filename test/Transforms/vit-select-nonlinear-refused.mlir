// Where no algorithm can compute a layer, the reason is that of the first.

// RUN: not vitq-opt %s "--vit-select-nonlinear=nonlinear=auto data=%digits/calibration.npy" 2>&1 | FileCheck %s
// CHECK: error: {{.*}}--nonlinear=auto: 'act' can be computed by no algorithm: the result of 'act' may vary in scale along the last axis only

!u = !quant.uniform<u8:f32, 0.05:128>
!rows = !quant.uniform<u8:f32:1, {0.05:128,0.05:128,0.05:128,0.05:128,0.05:128,0.05:128,0.05:128,0.05:128}>
func.func @main(%x: tensor<1x8x8x1x!u>) -> tensor<1x8x8x1x!rows> {
  %0 = vit.transpose %x by [0, 2, 1, 3] : tensor<1x8x8x1x!u> -> tensor<1x8x8x1x!u>
  %1 = vit.gelu erf %0 : tensor<1x8x8x1x!u> -> tensor<1x8x8x1x!rows> loc("act")
  return %1 : tensor<1x8x8x1x!rows>
}
