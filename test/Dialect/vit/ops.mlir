// Every op of the dialect, in its own syntax, in generic form and as bytecode.
// RUN: vitq-opt %s | FileCheck %s
// RUN: vitq-opt %s | vitq-opt | FileCheck %s
// RUN: vitq-opt %s --mlir-print-op-generic | vitq-opt | FileCheck %s
// RUN: vitq-opt %s --emit-bytecode | vitq-opt | FileCheck %s

!u8 = !quant.uniform<u8:f32, 0.1:128>
!i8c = !quant.uniform<i8:f32:0, {0.5, 0.25, 2.0}>
!acc = !quant.uniform<i32:f32:1, {0.05, 0.025, 0.2}>
!acc0 = !quant.uniform<i32:f32:0, {0.05, 0.025, 0.2}>

// CHECK-LABEL: func @casts
func.func @casts(%x: tensor<2x4xf32>, %w: tensor<3x4xf64>) -> (tensor<2x4xf32>, tensor<3x4xf64>) {
  // CHECK: vit.quantize %{{.*}} round half_up : tensor<2x4xf32> -> tensor<2x4x!quant.uniform<u8:f32, 1.000000e-01:128>>
  %0 = vit.quantize %x round half_up : tensor<2x4xf32> -> tensor<2x4x!u8>
  // CHECK: vit.quantize %{{.*}} round half_even : tensor<3x4xf64> -> tensor<3x4x!quant.uniform<i8:f64:0, {5.000000e-01,2.500000e-01,2.000000e+00}>>
  %1 = vit.quantize %w round half_even : tensor<3x4xf64> -> tensor<3x4x!quant.uniform<i8:f64:0, {0.5, 0.25, 2.0}>>
  // CHECK: vit.dequantize %{{.*}} : tensor<2x4x!quant.uniform<u8:f32, 1.000000e-01:128>> -> tensor<2x4xf32>
  %2 = vit.dequantize %0 : tensor<2x4x!u8> -> tensor<2x4xf32>
  // CHECK: vit.dequantize %{{.*}} -> tensor<3x4xf64>
  %3 = vit.dequantize %1 : tensor<3x4x!quant.uniform<i8:f64:0, {0.5, 0.25, 2.0}>> -> tensor<3x4xf64>
  return %2, %3 : tensor<2x4xf32>, tensor<3x4xf64>
}

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<2x4xf32>, %w: tensor<3x4xf32>, %b: tensor<3xf32>,
                  %xq: tensor<2x4x!u8>, %wq: tensor<3x4x!i8c>, %bq: tensor<3x!acc0>) {
  // CHECK: vit.linear %{{.*}}, %{{.*}} : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<2x3xf32>
  %0 = vit.linear %x, %w : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<2x3xf32>
  // CHECK: vit.linear %{{.*}}, %{{.*}}, %{{.*}} : (tensor<2x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %1 = vit.linear %x, %w, %b : (tensor<2x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: vit.linear %{{.*}}, %{{.*}}, %{{.*}} : {{.*}} -> tensor<2x3x!quant.uniform<i32:f32:1, {5.000000e-02,2.500000e-02,2.000000e-01}>>
  %2 = vit.linear %xq, %wq, %bq : (tensor<2x4x!u8>, tensor<3x4x!i8c>, tensor<3x!acc0>) -> tensor<2x3x!acc>
  return
}

// CHECK-LABEL: func @matmul
func.func @matmul(%a: tensor<2x3x4xf32>, %b: tensor<2x4x5xf32>, %c: tensor<2x5x4xf32>, %q: tensor<2x3x4x!u8>) {
  // CHECK: vit.matmul %{{.*}}, %{{.*}} : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  %0 = vit.matmul %a, %b : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  // CHECK: vit.matmul %{{.*}}, %{{.*}} transpose_rhs scale 5.000000e-01 : (tensor<2x3x4xf32>, tensor<2x5x4xf32>)
  %1 = vit.matmul %a, %c transpose_rhs scale 0.5 : (tensor<2x3x4xf32>, tensor<2x5x4xf32>) -> tensor<2x3x5xf32>
  // CHECK: vit.matmul %{{.*}}, %{{.*}} transpose_rhs : {{.*}} -> tensor<2x3x3x!quant.uniform<i32:f32, 1.000000e-02>>
  %2 = vit.matmul %q, %q transpose_rhs : (tensor<2x3x4x!u8>, tensor<2x3x4x!u8>) -> tensor<2x3x3x!quant.uniform<i32:f32, 0.01>>
  return
}

// CHECK-LABEL: func @convolutions
func.func @convolutions(%x: tensor<1x3x8x8xf32>, %l: tensor<1x8x8x3xf32>, %w: tensor<6x3x4x2xf32>, %b: tensor<6xf32>,
                        %g: tensor<6x1x3x3xf32>) {
  // CHECK: vit.patch_embed %{{.*}}, %{{.*}}, %{{.*}} : (tensor<1x3x8x8xf32>, tensor<6x3x4x2xf32>, tensor<6xf32>) -> tensor<1x8x6xf32>
  %0 = vit.patch_embed %x, %w, %b : (tensor<1x3x8x8xf32>, tensor<6x3x4x2xf32>, tensor<6xf32>) -> tensor<1x8x6xf32>
  // CHECK: vit.patch_embed channels_last %{{.*}}, %{{.*}} : (tensor<1x8x8x3xf32>, tensor<6x3x4x2xf32>) -> tensor<1x8x6xf32>
  %1 = vit.patch_embed channels_last %l, %w : (tensor<1x8x8x3xf32>, tensor<6x3x4x2xf32>) -> tensor<1x8x6xf32>
  // CHECK: vit.conv2d %{{.*}}, %{{.*}}, %{{.*}} {dilations = array<i64: 1, 1>, groups = 3 : i64, pads = array<i64: 1, 0, 1, 2>, strides = array<i64: 2, 1>}
  // CHECK-SAME: -> tensor<1x4x8x6xf32>
  %2 = vit.conv2d %l, %g, %b {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 1, 2>, dilations = array<i64: 1, 1>, groups = 3}
    : (tensor<1x8x8x3xf32>, tensor<6x1x3x3xf32>, tensor<6xf32>) -> tensor<1x4x8x6xf32>
  // CHECK: vit.conv2d %{{.*}}, %{{.*}} {dilations = array<i64: 1, 1>, padding = array<f64: 5.000000e-01, 2.500000e-01, -1.000000e+00>, pads = array<i64: 1, 1, 2, 0>, strides = array<i64: 1, 1>}
  %3 = vit.conv2d %l, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 2, 0>, dilations = array<i64: 1, 1>, padding = array<f64: 0.5, 0.25, -1.0>}
    : (tensor<1x8x8x3xf32>, tensor<6x3x4x2xf32>) -> tensor<1x8x8x6xf32>
  return
}

// CHECK-LABEL: func @attention
func.func @attention(%x: tensor<2x3x4xf32>, %v: tensor<4xf32>) {
  // CHECK: vit.softmax %{{.*}} : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  %0 = vit.softmax %x : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  // CHECK: vit.softmax_numerator %{{.*}} : tensor<2x3x4xf32> -> tensor<2x3x4xf32>, tensor<2x3xf32>
  %1, %2 = vit.softmax_numerator %x : tensor<2x3x4xf32> -> tensor<2x3x4xf32>, tensor<2x3xf32>
  // CHECK: vit.softmax_numerator using table %{{.*}} -> tensor<2x3x4x!quant.uniform<u8:f32, 4.000000e-03>>, tensor<2x3x!quant.uniform<i32:f32, 4.000000e-03>>
  %3, %4 = vit.softmax_numerator using table %x : tensor<2x3x4xf32>
    -> tensor<2x3x4x!quant.uniform<u8:f32, 4.0e-3>>, tensor<2x3x!quant.uniform<i32:f32, 4.0e-3>>
  // CHECK: vit.softmax_numerator wide using table %{{.*}} -> tensor<2x3x4xf32>, tensor<2x3xf32>
  %wide, %wides = vit.softmax_numerator wide using table %x : tensor<2x3x4xf32> -> tensor<2x3x4xf32>, tensor<2x3xf32>
  // CHECK: vit.divide_rows %{{.*}}, %{{.*}} : (tensor<2x3x4xf32>, tensor<2x3xf32>) -> tensor<2x3x4xf32>
  %5 = vit.divide_rows %1, %2 : (tensor<2x3x4xf32>, tensor<2x3xf32>) -> tensor<2x3x4xf32>
  // CHECK: vit.divide_rows using lut:16 %{{.*}}, %{{.*}} : (tensor<2x3x4xf32>, tensor<2x3xf32>)
  %8 = vit.divide_rows using lut:16 %1, %2 : (tensor<2x3x4xf32>, tensor<2x3xf32>) -> tensor<2x3x4xf32>
  // CHECK: vit.softmax using log2
  %9 = vit.softmax using log2 %x : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  // CHECK: vit.layer_norm %{{.*}}, %{{.*}}, %{{.*}} eps 9.9999999999999995E-7 : (tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  %6 = vit.layer_norm %x, %v, %v eps 1.0e-6 : (tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  // CHECK: vit.layer_norm rms using table %{{.*}} eps 0.0
  %31 = vit.layer_norm rms using table %x, %v, %v eps 0.0 : (tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  // CHECK: vit.layer_norm using shift
  %7 = vit.layer_norm using shift %x, %v, %v eps 0.0 : (tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  return
}

// CHECK-LABEL: func @functions
func.func @functions(%x: tensor<2x3xf32>) {
  // CHECK: vit.gelu erf %{{.*}} : tensor<2x3xf32> -> tensor<2x3xf32>
  %0 = vit.gelu erf %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.gelu tanh using shift %{{.*}}
  %1 = vit.gelu tanh using shift %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.gelu quick using table %{{.*}}
  %2 = vit.gelu quick using table %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.gelu erf using lut:8 %{{.*}} : tensor<2x3xf32> -> tensor<2x3xf32>
  %11 = vit.gelu erf using lut:8 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.gelu erf using poly %{{.*}}
  %12 = vit.gelu erf using poly %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.silu using lut:256 %{{.*}}
  %13 = vit.silu using lut:256 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.relu %{{.*}} : tensor<2x3xf32> -> tensor<2x3xf32>
  %3 = vit.relu %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.sigmoid using table %{{.*}}
  %4 = vit.sigmoid using table %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.tanh %{{.*}}
  %5 = vit.tanh %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.hard_swish %{{.*}}
  %6 = vit.hard_swish %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.silu %{{.*}}
  %7 = vit.silu %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.sqrt %{{.*}}
  %8 = vit.sqrt %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.erf %{{.*}}
  %9 = vit.erf %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.exp %{{.*}}
  %10 = vit.exp %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.is_nan %{{.*}} : tensor<2x3xf32> -> tensor<2x3xi1>
  %14 = vit.is_nan %x : tensor<2x3xf32> -> tensor<2x3xi1>
  return
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: tensor<2x3xf32>, %y: tensor<3xf32>, %s: tensor<f32>, %c: tensor<2x1xi1>) {
  // CHECK: vit.add %{{.*}}, %{{.*}} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %0 = vit.add %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: vit.mul %{{.*}}, %{{.*}} : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = vit.mul %s, %x : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: vit.sub
  %2 = vit.sub %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: vit.div
  %3 = vit.div %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: vit.pow
  %4 = vit.pow %x, %s : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  // CHECK: vit.where %{{.*}}, %{{.*}}, %{{.*}} : (tensor<2x1xi1>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %5 = vit.where %c, %x, %y : (tensor<2x1xi1>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: vit.hadamard %{{.*}} block 2 : tensor<3x2xf32> -> tensor<3x2xf32>
  %h = vit.reshape %x to [3, 2] : tensor<2x3xf32> -> tensor<3x2xf32>
  %8 = vit.hadamard %h block 2 : tensor<3x2xf32> -> tensor<3x2xf32>
  // CHECK: vit.hadamard %{{.*}} block 2 centers [5.000000e-01, -1.000000e+00] shifts [0, 4] : tensor<3x2xf32> -> tensor<3x2xf32>
  %9 = vit.hadamard %h block 2 centers [0.5, -1.0] shifts [0, 4] : tensor<3x2xf32> -> tensor<3x2xf32>
  // CHECK: vit.mean %{{.*}} axes [1] : tensor<2x3xf32> -> tensor<2xf32>
  %6 = vit.mean %x axes [1] : tensor<2x3xf32> -> tensor<2xf32>
  // CHECK: vit.mean %{{.*}} axes [0, 1] keep_dims : tensor<2x3xf32> -> tensor<1x1xf32>
  %7 = vit.mean %x axes [0, 1] keep_dims : tensor<2x3xf32> -> tensor<1x1xf32>
  return
}

// CHECK-LABEL: func @shapes
func.func @shapes(%x: tensor<2x3x4xf32>, %q: tensor<2x3x!quant.uniform<i8:f32:1, {0.5, 0.25, 2.0}>>) {
  // CHECK: vit.reshape %{{.*}} to [6, 4] : tensor<2x3x4xf32> -> tensor<6x4xf32>
  %0 = vit.reshape %x to [6, 4] : tensor<2x3x4xf32> -> tensor<6x4xf32>
  // CHECK: vit.reshape %{{.*}} to [] : tensor<1xf32> -> tensor<f32>
  %one = vit.slice %x offsets [1, 2, 3] sizes [1, 1, 1] strides [1, 1, 1] : tensor<2x3x4xf32> -> tensor<1x1x1xf32>
  %vector = vit.reshape %one to [1] : tensor<1x1x1xf32> -> tensor<1xf32>
  %1 = vit.reshape %vector to [] : tensor<1xf32> -> tensor<f32>
  // CHECK: vit.transpose %{{.*}} by [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %2 = vit.transpose %x by [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  // CHECK: vit.transpose %{{.*}} by [1, 0] : tensor<2x3x!quant.uniform<i8:f32:1, {{.*}}>> -> tensor<3x2x!quant.uniform<i8:f32:0, {{.*}}>>
  %3 = vit.transpose %q by [1, 0] : tensor<2x3x!quant.uniform<i8:f32:1, {0.5, 0.25, 2.0}>> -> tensor<3x2x!i8c>
  // CHECK: vit.concat %{{.*}}, %{{.*}} axis 1 : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x6x4xf32>
  %4 = vit.concat %x, %x axis 1 : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x6x4xf32>
  // CHECK: vit.slice %{{.*}} offsets [0, 1, 0] sizes [2, 1, 2] strides [1, 1, 3] : tensor<2x3x4xf32> -> tensor<2x1x2xf32>
  %5 = vit.slice %x offsets [0, 1, 0] sizes [2, 1, 2] strides [1, 1, 3] : tensor<2x3x4xf32> -> tensor<2x1x2xf32>
  // CHECK: vit.gather %{{.*}} indices [2, 0, 0, 1] axis 1 : tensor<2x3x4xf32> -> tensor<2x4x4xf32>
  %6 = vit.gather %x indices [2, 0, 0, 1] axis 1 : tensor<2x3x4xf32> -> tensor<2x4x4xf32>
  // CHECK: vit.broadcast %{{.*}} to [5, 2, 3, 4] : tensor<2x3x4xf32> -> tensor<5x2x3x4xf32>
  %7 = vit.broadcast %x to [5, 2, 3, 4] : tensor<2x3x4xf32> -> tensor<5x2x3x4xf32>
  // CHECK: vit.pad %{{.*}} low [0, 1, 0] high [0, 0, 2] : tensor<2x3x4xf32> -> tensor<2x4x6xf32>
  %8 = vit.pad %x low [0, 1, 0] high [0, 0, 2] : tensor<2x3x4xf32> -> tensor<2x4x6xf32>
  return
}

// CHECK-LABEL: func @pixels
func.func @pixels(%p: tensor<1x8x6x3x!quant.uniform<u8:f32, 0.0039215686274509803>>) {
  // CHECK: vit.normalize_pixels %{{.*}} mean [5.000000e-01, 4.000000e-01, 3.000000e-01] std [5.000000e-01, 2.500000e-01, 1.000000e+00]
  // CHECK-SAME: -> tensor<1x3x8x6xf32>
  %0 = vit.normalize_pixels %p mean [0.5, 0.4, 0.3] std [0.5, 0.25, 1.0]
    : tensor<1x8x6x3x!quant.uniform<u8:f32, 0.0039215686274509803>> -> tensor<1x3x8x6xf32>
  return
}

// CHECK-LABEL: func @functions_of_maps
func.func @functions_of_maps(%x: tensor<2x3xf32>) {
  // CHECK: vit.mish %{{.*}} : tensor<2x3xf32>
  %0 = vit.mish %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.softplus using table %{{.*}}
  %1 = vit.softplus using table %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.abs %{{.*}}
  %2 = vit.abs %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.clamp %{{.*}} min -1.000000e+00 max 6.000000e+00 : tensor<2x3xf32>
  %3 = vit.clamp %x min -1.0 max 6.0 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.clamp %{{.*}} max 6.000000e+00 : tensor<2x3xf32>
  %4 = vit.clamp %x max 6.0 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.hard_sigmoid using lut:8 %{{.*}} alpha 2.000000e-01 beta 5.000000e-01
  %5 = vit.hard_sigmoid using lut:8 %x alpha 0.2 beta 0.5 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.leaky_relu %{{.*}} alpha 1.250000e-01
  %6 = vit.leaky_relu %x alpha 0.125 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: vit.elu %{{.*}} alpha 1.000000e+00 gain 2.000000e+00 width 5.000000e-01
  %7 = vit.elu %x alpha 1.0 gain 2.0 width 0.5 : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func @windows
func.func @windows(%x: tensor<1x5x4x3xf32>, %d: tensor<2x3xf32>, %r: tensor<2xf32>) {
  // CHECK: vit.max_pool %{{.*}} kernel [3, 2] strides [2, 1] pads [1, 0, 1, 0] dilations [1, 2] : tensor<1x5x4x3xf32> -> tensor<1x3x2x3xf32>
  %0 = vit.max_pool %x kernel [3, 2] strides [2, 1] pads [1, 0, 1, 0] dilations [1, 2] : tensor<1x5x4x3xf32> -> tensor<1x3x2x3xf32>
  // CHECK: vit.resample %{{.*}} rows [0, 3] weights [1, 1, 2, 0] columns [1] weights [3] over 6 : tensor<1x5x4x3xf32> -> tensor<1x2x1x3xf32>
  %1 = vit.resample %x rows [0, 3] weights [1, 1, 2, 0] columns [1] weights [3] over 6 : tensor<1x5x4x3xf32> -> tensor<1x2x1x3xf32>
  // CHECK: vit.divide_rows %{{.*}}, %{{.*}} eps 1.250000e-01 : (tensor<2x3xf32>, tensor<2xf32>)
  %2 = vit.divide_rows %d, %r eps 0.125 : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}
