// RUN: vitq-opt %s --vit-adopt-codes --split-input-file --verify-diagnostics | FileCheck %s

// A float model is left alone.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: vit.gelu erf %{{.*}} : tensor<1x4x8xf32> -> tensor<1x4x8xf32>
func.func @main(%x: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> {
  %y = vit.gelu erf %x : tensor<1x4x8xf32> -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}

// -----

// A quantization goes in front of moves, but not of one that takes a part.
// CHECK-LABEL: func.func @main
// CHECK: %[[N:.+]] = vit.layer_norm
// CHECK: %[[Q:.+]] = vit.quantize %[[N]] round half_even : tensor<1x4x8xf32> -> tensor<1x4x8x!quant.uniform<u8:f32, 1.000000e-01:128>>
// CHECK: %[[T:.+]] = vit.transpose %[[Q]] by [0, 2, 1]
// CHECK: %[[R:.+]] = vit.reshape %[[T]] to [1, 32]
// CHECK: vit.dequantize %[[R]]
// CHECK: %[[S:.+]] = vit.slice %[[N]]
// CHECK: vit.quantize %[[S]]
func.func @main(%x: tensor<1x4x8xf32>, %g: tensor<8xf32>) -> (tensor<1x32xf32>, tensor<1x1x8xf32>) {
  %n = vit.layer_norm %x, %g, %g eps 1.0e-6 : (tensor<1x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x4x8xf32>
  %t = vit.transpose %n by [0, 2, 1] : tensor<1x4x8xf32> -> tensor<1x8x4xf32>
  %r = vit.reshape %t to [1, 32] : tensor<1x8x4xf32> -> tensor<1x32xf32>
  %q = vit.quantize %r round half_even : tensor<1x32xf32> -> tensor<1x32x!quant.uniform<u8:f32, 0.1:128>>
  %d = vit.dequantize %q : tensor<1x32x!quant.uniform<u8:f32, 0.1:128>> -> tensor<1x32xf32>
  %s = vit.slice %n offsets [0, 0, 0] sizes [1, 1, 8] strides [1, 1, 1] : tensor<1x4x8xf32> -> tensor<1x1x8xf32>
  %p = vit.quantize %s round half_even : tensor<1x1x8xf32> -> tensor<1x1x8x!quant.uniform<u8:f32, 0.2:128>>
  %e = vit.dequantize %p : tensor<1x1x8x!quant.uniform<u8:f32, 0.2:128>> -> tensor<1x1x8xf32>
  return %d, %e : tensor<1x32xf32>, tensor<1x1x8xf32>
}

// -----

// The zero point of a right operand: codes less 128, and 128 - 120 times the row sums of the left one.
// CHECK-LABEL: func.func @main
// CHECK: %[[P:.+]] = vit.dequantize %{{.*}} : tensor<1x2x4x4x!quant.uniform<u8:f32
// CHECK: %[[A:.+]] = vit.quantize %{{.*}} round half_up : tensor<1x2x4x8xf32> -> tensor<1x2x4x8x!quant.uniform<i8:f32, 1.000000e-01:-8>>
// CHECK: %[[I:.+]] = quant.scast %[[A]]
// CHECK: quant.scast %[[I]] : tensor<1x2x4x8xi8> to tensor<1x2x4x8x!quant.uniform<i8:f32, 1.000000e-01>>
// CHECK: %[[M:.+]] = vit.matmul %[[P]]
// CHECK: dense<1> : tensor<1x4xi8>
// CHECK: tensor<1x4x!quant.uniform<i8:f32, 8.000000e-01>>
// CHECK: %[[S:.+]] = vit.linear %[[P]]
// CHECK: vit.add %[[M]], %[[S]] : (tensor<1x2x4x8xf32>, tensor<1x2x4x1xf32>) -> tensor<1x2x4x8xf32>
func.func @main(%x: tensor<1x2x4x4x!quant.uniform<u8:f32, 3.9e-3>>, %y: tensor<1x2x4x8x!quant.uniform<u8:f32, 0.1:120>>) -> tensor<1x2x4x8xf32> {
  %p = vit.dequantize %x : tensor<1x2x4x4x!quant.uniform<u8:f32, 3.9e-3>> -> tensor<1x2x4x4xf32>
  %v = vit.dequantize %y : tensor<1x2x4x8x!quant.uniform<u8:f32, 0.1:120>> -> tensor<1x2x4x8xf32>
  %o = vit.matmul %p, %v : (tensor<1x2x4x4xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// In front of a softmax they make no difference; rows of a softmax add up to 1.
// CHECK-LABEL: func.func @main
// CHECK: %[[S:.+]] = vit.matmul %{{.*}} transpose_rhs
// CHECK-NEXT: %[[P:.+]] = vit.softmax %[[S]]
// CHECK: %[[M:.+]] = vit.matmul %[[P]]
// CHECK-NEXT: %[[C:.+]] = arith.constant dense<-2.000000e-01> : tensor<1xf32>
// CHECK-NEXT: vit.add %[[M]], %[[C]]
func.func @main(%x: tensor<1x2x4x8x!quant.uniform<u8:f32, 0.1:130>>) -> tensor<1x2x4x8xf32> {
  %v = vit.dequantize %x : tensor<1x2x4x8x!quant.uniform<u8:f32, 0.1:130>> -> tensor<1x2x4x8xf32>
  %s = vit.matmul %v, %v transpose_rhs : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x4xf32>
  %p = vit.softmax %s : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  %o = vit.matmul %p, %v : (tensor<1x2x4x4xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// 16 bits: multiples of 257 steps, and the rest of 8 bits.
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.+]] = vit.dequantize %{{.*}} : tensor<1x2x4x8x!quant.uniform<i16:f32, 1.000000e-03>>
// CHECK: %[[H:.+]] = vit.quantize %[[W]] round half_up : tensor<1x2x4x8xf32> -> tensor<1x2x4x8x!quant.uniform<i8:f32, 2.570000e-01>>
// CHECK: %[[HIGH:.+]] = vit.dequantize %[[H]]
// CHECK: %[[N:.+]] = vit.mul %[[HIGH]], %{{.*}}
// CHECK: vit.quantize %[[N]] round half_up : tensor<1x2x4x8xf32> -> tensor<1x2x4x8x!quant.uniform<i16:f32, 2.570000e-01>>
// CHECK: %[[L:.+]] = vit.add %[[W]], %{{.*}}
// CHECK: %[[R:.+]] = vit.quantize %[[L]] round half_up : tensor<1x2x4x8xf32> -> tensor<1x2x4x8x!quant.uniform<i8:f32, 1.000000e-03>>
// CHECK: %[[LOW:.+]] = vit.dequantize %[[R]]
// CHECK-DAG: %[[A:.+]] = vit.matmul %{{.*}}, %[[LOW]] transpose_rhs
// CHECK-DAG: %[[B:.+]] = vit.matmul %{{.*}}, %[[HIGH]] transpose_rhs
// CHECK: vit.add %[[B]], %[[A]]
func.func @main(%x: tensor<1x2x4x8x!quant.uniform<u8:f32, 0.1:130>>, %y: tensor<1x2x4x8x!quant.uniform<i16:f32, 0.001>>, %z: tensor<1x2x4x8x!quant.uniform<u8:f32:3, {0.1:1, 0.1:2, 0.1:3, 0.1:4, 0.1:5, 0.1:6, 0.1:7, 0.1:8}>>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  %v = vit.dequantize %x : tensor<1x2x4x8x!quant.uniform<u8:f32, 0.1:130>> -> tensor<1x2x4x8xf32>
  %w = vit.dequantize %y {vit.range = array<f64: -2.0, 1.0>} : tensor<1x2x4x8x!quant.uniform<i16:f32, 0.001>> -> tensor<1x2x4x8xf32>
  %u = vit.dequantize %z {vit.range = array<f64: -2.0, 1.0>} : tensor<1x2x4x8x!quant.uniform<u8:f32:3, {0.1:1, 0.1:2, 0.1:3, 0.1:4, 0.1:5, 0.1:6, 0.1:7, 0.1:8}>> -> tensor<1x2x4x8xf32>
  %s = vit.matmul %v, %w transpose_rhs : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x4xf32>
  // expected-remark @+1 {{are not kept: they have several zero points, which no product of integers takes there; it gets codes of its own}}
  %t = vit.matmul %v, %u transpose_rhs : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x4xf32>
  return %s, %t : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// -----

// A function of a float has 16 bits, and so has one of 16-bit codes, which it reads around 0; one of bytes has not.
// CHECK-LABEL: func.func @main
// CHECK: vit.gelu erf %{{.*}} {vit.wide}
// CHECK: vit.gelu erf %{{.*}} : tensor
// CHECK: vit.quantize %{{.*}} : tensor<1x4xf32> -> tensor<1x4x!quant.uniform<i16:f32, 0.0020000305{{[0-9]*}}>>
// CHECK: vit.gelu erf %{{.*}} {vit.wide}
func.func @main(%x: tensor<1x4xf32>, %y: tensor<1x4x!quant.uniform<u8:f32, 0.1>>, %z: tensor<1x4x!quant.uniform<u16:f32, 0.001>>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
  %a = vit.gelu erf %x : tensor<1x4xf32> -> tensor<1x4xf32>
  %q = vit.quantize %a round half_even : tensor<1x4xf32> -> tensor<1x4x!quant.uniform<u8:f32, 0.1:12>>
  %d = vit.dequantize %q : tensor<1x4x!quant.uniform<u8:f32, 0.1:12>> -> tensor<1x4xf32>
  %r = vit.dequantize %y : tensor<1x4x!quant.uniform<u8:f32, 0.1>> -> tensor<1x4xf32>
  %b = vit.gelu erf %r : tensor<1x4xf32> -> tensor<1x4xf32>
  %e = vit.dequantize %z : tensor<1x4x!quant.uniform<u16:f32, 0.001>> -> tensor<1x4xf32>
  %c = vit.gelu erf %e : tensor<1x4xf32> -> tensor<1x4xf32>
  return %d, %b, %c : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>
}

// -----

// A softmax has numerators of 16 bits, unless the model has their bytes; it needs no 16-bit codes behind it.
// CHECK-LABEL: func.func @main
// CHECK: %[[P:.+]] = vit.softmax %{{.*}} {vit.wide}
// CHECK-NOT: vit.quantize
// CHECK: vit.matmul %[[P]]
// CHECK: vit.softmax_numerator wide %
// CHECK: vit.softmax_numerator %
func.func @main(%x: tensor<1x4x4xf32>, %v: tensor<1x4x4xf32>) -> (tensor<1x4x4xf32>, tensor<1x4x4xf32>, tensor<1x4xf32>, tensor<1x4x4xf32>, tensor<1x4xf32>) {
  %p = vit.softmax %x : tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  %q = vit.quantize %p round half_even : tensor<1x4x4xf32> -> tensor<1x4x4x!quant.uniform<u16:f32, 1.5e-5>>
  %d = vit.dequantize %q : tensor<1x4x4x!quant.uniform<u16:f32, 1.5e-5>> -> tensor<1x4x4xf32>
  %o = vit.matmul %d, %v : (tensor<1x4x4xf32>, tensor<1x4x4xf32>) -> tensor<1x4x4xf32>
  %e, %sum = vit.softmax_numerator %x : tensor<1x4x4xf32> -> tensor<1x4x4xf32>, tensor<1x4xf32>
  %f, %sums = vit.softmax_numerator %x {vit.coded} : tensor<1x4x4xf32> -> tensor<1x4x4xf32>, tensor<1x4xf32>
  return %o, %e, %sum, %f, %sums : tensor<1x4x4xf32>, tensor<1x4x4xf32>, tensor<1x4xf32>, tensor<1x4x4xf32>, tensor<1x4xf32>
}
