// RUN: vitq-opt %s --vit-quantize --split-input-file --verify-diagnostics
// RUN: not vitq-opt %s --vit-quantize=headroom=0.5 --split-input-file 2>&1 | FileCheck %s --check-prefix=HEADROOM
// HEADROOM: error: vit-quantize: headroom must be 1 to 16

// expected-error @below {{the module needs a function @main of one block}}
module {
  func.func @other() {
    return
  }
}

// -----

!u = !quant.uniform<u8:f32, 0.1>
func.func @main(%x: tensor<1x2x!u>) -> tensor<1x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!u> -> tensor<1x2xf32>
  // expected-error @+1 {{'vit.code_ranges' must hold a finite [min, max] for each of 2 channels}}
  %r = vit.relu %x0 {vit.range = array<f64: 0.0, 6.0>, vit.code_ranges = dense<[[0.0, 1.0]]> : tensor<1x2xf32>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %l = vit.linear %r, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %l : tensor<1x2xf32>
}

// -----

!u = !quant.uniform<u8:f32, 0.1>
func.func @main(%x: tensor<1x1x16x!u>) -> tensor<1x2x16xf32> {
  %c = arith.constant dense_resource<elided> : tensor<1x1x16xf32>
  %g = arith.constant dense<1.0> : tensor<16xf32>
  %x0 = vit.dequantize %x : tensor<1x1x16x!u> -> tensor<1x1x16xf32>
  // expected-error @+1 {{operand has no data for its resource 'elided'; was the module printed with elided resources?}}
  %l = vit.concat %c, %x0 axis 1 {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x1x16xf32>, tensor<1x1x16xf32>) -> tensor<1x2x16xf32>
  %n = vit.layer_norm %l, %g, %g eps 1.0e-6 {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<1x2x16xf32>
  return %n : tensor<1x2x16xf32>
}
