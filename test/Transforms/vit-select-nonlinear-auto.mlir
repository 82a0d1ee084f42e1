// What a measurement needs.

// DEFINE: %{more} =
// DEFINE: %{refused} = not vitq-opt %s "--vit-select-nonlinear=nonlinear=auto %{more}" 2>&1 | FileCheck %s --check-prefix

// RUN: %{refused}=DATA
// DATA: error: --nonlinear=auto measures on the calibration images: give them (data=, --calibration-data)
// REDEFINE: %{more} = data=%digits/calibration.npy limit=0
// RUN: %{refused}=LIMIT
// REDEFINE: %{more} = data=%digits/calibration.npy limit=-1
// RUN: %{refused}=LIMIT
// LIMIT: error: --nonlinear=auto measures on one image at least: limit={{0|-1}} must be positive
// REDEFINE: %{more} = data=%digits/calibration.npy budget=-1
// RUN: %{refused}=BUDGET
// BUDGET: error: --nonlinear-budget must be 0 to 200 dB
// REDEFINE: %{more} = data=%digits/calibration.npy target=i987
// RUN: %{refused}=TARGET
// TARGET: error: unknown target 'i987'
// REDEFINE: %{more} = data=%digits/calibration.npy
// RUN: %{refused}=OPERAND
// OPERAND: error: {{.*}}--nonlinear=auto cannot measure 'act', whose operand no op computes; choose for its function or layer by name
// RUN: vitq-opt %s "--vit-select-nonlinear=nonlinear=auto,gelu=table data=%digits/calibration.npy" | FileCheck %s
// CHECK: vit.gelu erf using table

!u = !quant.uniform<u8:f32, 0.05:128>
func.func @main(%x: tensor<1x8x8x1x!u>) -> tensor<1x8x8x1x!u> {
  %0 = vit.gelu erf %x : tensor<1x8x8x1x!u> -> tensor<1x8x8x1x!u> loc("act")
  return %0 : tensor<1x8x8x1x!u>
}
