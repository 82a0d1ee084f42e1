// RUN: vitq-opt %s --vit-take-pixels --split-input-file --verify-diagnostics | FileCheck %s

// The image becomes bytes, channels last; mean and deviation are the module's.
module attributes {vit.preprocess = "mean=0.5,std=0.25"} {
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[P:.+]]: tensor<1x4x4x1x!quant.uniform<u8:f32, 0.0039215686274509803>> {vit.range = array<f64: -2.000000e+00, 2.000000e+00>}
// CHECK: %[[N:.+]] = vit.normalize_pixels %[[P]] mean [5.000000e-01] std [2.500000e-01] {vit.range = array<f64: -2.000000e+00, 2.000000e+00>}
// CHECK: vit.patch_embed %[[N]]
func.func @main(%img: tensor<1x1x4x4xf32> {vit.range = array<f64: -2.0, 2.0>}) -> tensor<1x4x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  %e = vit.patch_embed %img, %w : (tensor<1x1x4x4xf32>, tensor<1x1x2x2xf32>) -> tensor<1x4x1xf32>
  return %e : tensor<1x4x1xf32>
}
}

// -----

// Codes are left alone.
// CHECK-LABEL: func.func @main
// CHECK-NOT: vit.normalize_pixels
func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x!quant.uniform<u8:f32, 0.1>> {
  return %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>>
}

// -----

// expected-error @+1 {{the module needs a function @main of one block}}
module {
}

// -----

// expected-error @+1 {{vit-take-pixels: @main must take one image}}
func.func @main(%a: tensor<1x1x4x4xf32>, %b: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  return %a : tensor<1x1x4x4xf32>
}

// -----

// expected-error @+1 {{vit-take-pixels: the image must be a tensor [B, C, H, W]}}
func.func @main(%img: tensor<1x4x4xf32>) -> tensor<1x4x4xf32> {
  %r = vit.relu %img : tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  return %r : tensor<1x4x4xf32>
}

// -----

// A model that makes bytes of its image reads the program's.
module attributes {vit.preprocess = "mean=0.5,std=0.25"} {
// CHECK-LABEL: func.func @main
// CHECK: %[[N:.+]] = vit.normalize_pixels %{{.*}} mean [0.000000e+00] std [1.000000e+00]
// CHECK-NOT: vit.quantize
// CHECK: vit.patch_embed %[[N]]
func.func @main(%img: tensor<1x1x4x4xf32>) -> tensor<1x4x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  %s = arith.constant dense<0.25> : tensor<1x1x1x1xf32>
  %m = arith.constant dense<0.5> : tensor<1x1x1x1xf32>
  %a = vit.mul %img, %s : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %b = vit.add %a, %m : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %q = vit.quantize %b round half_even : tensor<1x1x4x4xf32> -> tensor<1x1x4x4x!quant.uniform<u8:f32, 0.0039215688593685627>>
  %d = vit.dequantize %q : tensor<1x1x4x4x!quant.uniform<u8:f32, 0.0039215688593685627>> -> tensor<1x1x4x4xf32>
  %e = vit.patch_embed %d, %w : (tensor<1x1x4x4xf32>, tensor<1x1x2x2xf32>) -> tensor<1x4x1xf32>
  return %e : tensor<1x4x1xf32>
}
}
