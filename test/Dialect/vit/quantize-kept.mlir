// No quantization is ever removed: canonicalization, CSE and inlining leave as many
// vit.quantize as they found, also where a cast follows its inverse.
//
// RUN: vitq-opt %s | grep "vit.quantize " | count 11
// RUN: vitq-opt %s --canonicalize --cse > %t.mlir
// RUN: grep "vit.quantize " %t.mlir | count 11
// RUN: FileCheck %s < %t.mlir
// RUN: vitq-opt %s --inline > %t.inline.mlir
// RUN: grep "vit.quantize " %t.inline.mlir | count 11
// RUN: FileCheck %s --check-prefix=INLINE < %t.inline.mlir
// RUN: vitq-opt %t.inline.mlir --canonicalize --cse --sccp --canonicalize --cse | grep "vit.quantize " | count 11
// RUN: vitq-opt %s --canonicalize --emit-bytecode | vitq-opt --cse --canonicalize | grep "vit.quantize " | count 11
// RUN: vitq-opt %s --canonicalize | vitq-opt --cse | grep "vit.quantize " | count 11

// INLINE-LABEL: func @caller
// INLINE-NEXT: vit.dequantize
// INLINE-NEXT: vit.quantize
// INLINE-NEXT: return

!a = !quant.uniform<u8:f32, 0.1:128>
!b = !quant.uniform<u8:f32, 0.2:128>
!c = !quant.uniform<i16:f32, 0.001>

// Float to float through 8 bits: rounds.
// CHECK-LABEL: func @fake_quantize
// CHECK-NEXT: vit.quantize
// CHECK-NEXT: vit.dequantize
// CHECK-NEXT: return
func.func @fake_quantize(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = vit.quantize %x round half_up : tensor<4xf32> -> tensor<4x!a>
  %1 = vit.dequantize %0 : tensor<4x!a> -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// quantize(dequantize(q)) to the same type is the identity, and stays.
// CHECK-LABEL: func @same_type
// CHECK-NEXT: vit.dequantize
// CHECK-NEXT: vit.quantize
// CHECK-NEXT: return
func.func @same_type(%q: tensor<4x!a>) -> tensor<4x!a> {
  %0 = vit.dequantize %q : tensor<4x!a> -> tensor<4xf32>
  %1 = vit.quantize %0 round half_up : tensor<4xf32> -> tensor<4x!a>
  return %1 : tensor<4x!a>
}

// CHECK-LABEL: func @chain
// CHECK-COUNT-3: vit.quantize
// CHECK: return
func.func @chain(%q: tensor<4x!a>) -> tensor<4x!a> {
  %0 = vit.dequantize %q : tensor<4x!a> -> tensor<4xf32>
  %1 = vit.quantize %0 round half_up : tensor<4xf32> -> tensor<4x!b>
  %2 = vit.dequantize %1 : tensor<4x!b> -> tensor<4xf32>
  %3 = vit.quantize %2 round half_even : tensor<4xf32> -> tensor<4x!c>
  %4 = vit.dequantize %3 : tensor<4x!c> -> tensor<4xf32>
  %5 = vit.quantize %4 round half_up : tensor<4xf32> -> tensor<4x!a>
  return %5 : tensor<4x!a>
}

// Of a constant, too: there is no constant folding through a quantization.
// CHECK-LABEL: func @constant
// CHECK: vit.quantize
// CHECK: return
func.func @constant() -> tensor<4x!a> {
  %0 = arith.constant dense<[0.0, 0.04, 0.06, 99.0]> : tensor<4xf32>
  %1 = vit.quantize %0 round half_up : tensor<4xf32> -> tensor<4x!a>
  return %1 : tensor<4x!a>
}

// Different rounding is a different op.
// CHECK-LABEL: func @roundings
// CHECK: round half_up
// CHECK: round half_even
// CHECK: return
func.func @roundings(%x: tensor<4xf32>) -> (tensor<4x!a>, tensor<4x!a>) {
  %0 = vit.quantize %x round half_up : tensor<4xf32> -> tensor<4x!a>
  %1 = vit.quantize %x round half_even : tensor<4xf32> -> tensor<4x!a>
  return %0, %1 : tensor<4x!a>, tensor<4x!a>
}

// Nor does a shape op carry a quantization away.
// CHECK-LABEL: func @shapes
// CHECK-COUNT-2: vit.quantize
// CHECK: return
func.func @shapes(%x: tensor<2x2xf32>) -> tensor<2x2x!b> {
  %0 = vit.quantize %x round half_up : tensor<2x2xf32> -> tensor<2x2x!a>
  %1 = vit.reshape %0 to [4] : tensor<2x2x!a> -> tensor<4x!a>
  %2 = vit.dequantize %1 : tensor<4x!a> -> tensor<4xf32>
  %3 = vit.reshape %2 to [2, 2] : tensor<4xf32> -> tensor<2x2xf32>
  %4 = vit.quantize %3 round half_up : tensor<2x2xf32> -> tensor<2x2x!b>
  return %4 : tensor<2x2x!b>
}

// Nor does inlining, which brings a quantization next to its inverse.
// CHECK-LABEL: func @caller
func.func @caller(%q: tensor<4x!b>) -> tensor<4x!b> {
  %0 = vit.dequantize %q : tensor<4x!b> -> tensor<4xf32>
  %1 = call @callee(%0) : (tensor<4xf32>) -> tensor<4x!b>
  return %1 : tensor<4x!b>
}

func.func private @callee(%x: tensor<4xf32>) -> tensor<4x!b> {
  %0 = vit.quantize %x round half_up : tensor<4xf32> -> tensor<4x!b>
  return %0 : tensor<4x!b>
}
