// RUN: rm -rf %t && mkdir %t && split-file %s %t

// DEFINE: %{module} = model
// DEFINE: %{more} =
// DEFINE: %{fit} = vitq-opt %t/%{module}.mlir --vit-fit-weights="data=%digits/calibration.npy %{more}"

// Codes of 4 bits and a new bias for the layer that asks for it; the other is left to vit-quantize-weights, and so is what
// reads pixels. The decision says what was gained.
// REDEFINE: %{more} = least-squares=1
// RUN: %{fit} -o %t/fitted.mlir
// RUN: FileCheck %s < %t/fitted.mlir
// CHECK:      {node = "first", pass = "vit-fit-weights", text = "weights of 4 bits: {{[0-9.]+}} dB rounded, {{[0-9.]+}} dB fitted, with least squares, ridge 1.00"}
// CHECK-NOT:  node = "second"
// CHECK:      vit.patch_embed %{{.*}}, %[[PIXELS:cst[_0-9]*]], %{{.*}} {vit.weight_bits = 4 : i64}
// CHECK:      %[[W:.*]] = quant.scast %{{.*}} : tensor<8x8xi4> to tensor<8x8x!quant.uniform<i4:f32:0, {
// CHECK:      %[[D:.*]] = vit.dequantize %[[W]]
// CHECK:      vit.linear %{{.*}}, %[[D]], %{{[a-z0-9_]+}} :
// CHECK:      vit.linear %{{[0-9]+}}, %{{cst[_0-9]*}} :

// Any number of threads gives the same, and so does another run.
// RUN: %{fit} --mlir-disable-threading | diff - %t/fitted.mlir
// What is left is coded afterwards, what was fitted stays.
// RUN: vitq-opt %t/fitted.mlir --vit-quantize-weights | FileCheck %s --check-prefix=AFTER
// AFTER-DAG: tensor<8x8x!quant.uniform<i4:f32:0
// AFTER-DAG: tensor<3x8x!quant.uniform<i8<-127:127>:f32:0
// AFTER-DAG: tensor<8x1x2x2x!quant.uniform<i4:f32:0

// Without least squares, without a new bias: the op keeps its own.
// REDEFINE: %{more} = least-squares=0 match-bias=false
// RUN: %{fit} | FileCheck %s --check-prefix=PLAIN
// PLAIN: dB fitted"}
// PLAIN: %[[B:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00,
// PLAIN: vit.linear %{{.*}}, %{{.*}}, %[[B]] :

// 8 bits where that is asked for.
// REDEFINE: %{more} = all
// RUN: %{fit} | FileCheck %s --check-prefix=ALL
// ALL-DAG: tensor<8x8x!quant.uniform<i4:f32:0
// ALL-DAG: tensor<3x8x!quant.uniform<i8<-127:127>:f32:0
// Other bits, and each part by itself.
// REDEFINE: %{more} = bits=3 sweeps=2 candidates=0.8,1.0 damping=0.02 class-weight=5 gptq=false
// RUN: %{fit} | FileCheck %s --check-prefix=THREE
// THREE-DAG: text = "weights of 4 bits
// THREE-DAG: text = "weights of 3 bits
// THREE-DAG: tensor<3x8x!quant.uniform<i3:f32:0

// Rows that alone reach the result count more, and most where the others reach nothing.
// REDEFINE: %{more} =
// REDEFINE: %{module} = token
// RUN: %{fit} | FileCheck %s --check-prefix=TOKEN
// TOKEN: node = "mixed", {{.*}} dB fitted{{.*}}, row 2 counting 10 times"
// TOKEN: node = "last", {{.*}} dB fitted{{.*}}, row 2 counting 100 times"

// Convolutions, and inputs whose channels have scales of their own.
// REDEFINE: %{module} = convolution
// RUN: %{fit} | FileCheck %s --check-prefix=CONVOLUTION
// CONVOLUTION: node = "conv", {{.*}} dB fitted"
// CONVOLUTION: tensor<2x1x3x3x!quant.uniform<i4:f32:0
// REDEFINE: %{module} = folded
// RUN: %{fit} | FileCheck %s --check-prefix=FOLDED
// REDEFINE: %{more} = least-squares=0
// RUN: %{fit} | FileCheck %s --check-prefix=FOLDED
// FOLDED: node = "folded", {{.*}} {{[3-9][0-9]\.[0-9]}} dB fitted

// One image: 4 rows for 16 inputs.
// RUN: vitq-opt %t/few.mlir --vit-fit-weights="data=%digits/calibration.npy limit=1" 2>&1 | FileCheck %s --check-prefix=FEW
// FEW: remark: {{.*}}'few' has 16 inputs, but the images give only 4 rows to fit its weights to: damping is 0.040; more images would be better

// Nothing to fit needs no images.
// RUN: vitq-opt %t/wide.mlir --vit-fit-weights | FileCheck %s --check-prefix=WIDE
// WIDE-NOT: vitq.decisions

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

// REDEFINE: %{module} = model
// DEFINE: %{options} =
// DEFINE: %{refused} = not vitq-opt %t/%{module}.mlir --vit-fit-weights="%{options}" 2>&1 | FileCheck %s --check-prefix
// RUN: %{refused}=DATA
// DATA: error: fitting weights of few bits measures on the calibration images: give them (data=, --calibration-data)
// REDEFINE: %{options} = bits=9
// RUN: %{refused}=BITS
// BITS: error: vit-fit-weights: bits must be 2 to 8
// REDEFINE: %{options} = damping=2
// RUN: %{refused}=DAMPING
// DAMPING: error: vit-fit-weights: damping must be 0 to 1
// REDEFINE: %{options} = least-squares=-2
// RUN: %{refused}=RIDGE
// RIDGE: error: vit-fit-weights: least-squares must be a ridge of 0 or more, or -1
// REDEFINE: %{options} = sweeps=101
// RUN: %{refused}=SWEEPS
// SWEEPS: error: vit-fit-weights: sweeps must be 0 to 100, or -1
// REDEFINE: %{options} = class-weight=-1
// RUN: %{refused}=CLASS
// CLASS: error: vit-fit-weights: class-weight must not be negative
// REDEFINE: %{options} = candidates=1.0,0.0
// RUN: %{refused}=CANDIDATES
// CANDIDATES: error: vit-fit-weights: candidates must be above 0 and at most 4
// REDEFINE: %{options} = data=%digits/nothing.npy
// RUN: %{refused}=MISSING
// MISSING: error: {{.*}}nothing.npy
// REDEFINE: %{options} = data=%digits/calibration.npy preprocess=crop=7
// RUN: %{refused}=SIZE
// SIZE: error: images of {{.*}} come out as 7x7, the model takes 8x8; set resize= and crop= in --preprocess
// REDEFINE: %{module} = nan
// REDEFINE: %{options} = data=%digits/calibration.npy
// RUN: %{refused}=NAN
// NAN: error: {{.*}}'nan' reads or gives values that are NaN or infinite for the calibration images, so that its weights cannot be fitted; check the model's weights and --preprocess
// REDEFINE: %{module} = vector
// RUN: %{refused}=IMAGE
// IMAGE: error: fitting weights of few bits needs a function @main of one image tensor [B, C, H, W]

//--- model.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
!h = !quant.uniform<u8:f32, 0.03:128>
module attributes {vit.preprocess = "mean=0.5,std=0.5"} {
  func.func @main(%p: tensor<1x8x8x1x!u>) -> tensor<1x16x3xf32> {
    %e = arith.constant dense<[[[[1.0, -0.5], [0.25, 0.1]]], [[[0.1, 0.9], [-0.4, 0.3]]], [[[0.2, 0.2], [0.7, -0.6]]], [[[0.5, 0.1], [0.1, 0.9]]],
                               [[[0.3, -0.3], [0.6, 0.2]]], [[[-0.8, 0.4], [0.4, 0.1]]], [[[0.7, 0.7], [0.6, 0.5]]], [[[0.2, -0.9], [0.8, 0.3]]]]> : tensor<8x1x2x2xf32>
    %eb = arith.constant dense<0.1> : tensor<8xf32>
    %w = arith.constant dense<[[1.0, 0.3, -0.2, 0.7, 0.1, 0.4, -0.9, 0.6], [0.2, 0.8, 0.3, -0.6, 0.5, 0.1, 0.2, 0.9],
                               [-0.4, 0.7, 0.9, 0.1, 0.3, -0.8, 0.6, 0.2], [0.6, 0.2, 0.1, 0.5, -0.7, 0.3, 0.8, 0.4],
                               [0.9, -0.1, 0.6, 0.3, 0.2, 0.7, 0.4, -0.5], [0.3, 0.5, -0.8, 0.2, 0.9, 0.6, 0.1, 0.7],
                               [0.1, 0.9, 0.4, 0.8, -0.3, 0.2, 0.5, 0.6], [0.7, -0.6, 0.2, 0.4, 0.8, 0.1, 0.3, 0.9]]> : tensor<8x8xf32>
    %b = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
    %v = arith.constant dense<[[1.0, 0.3, -0.2, 0.7, 0.1, 0.4, -0.9, 0.6], [0.2, 0.8, 0.3, -0.6, 0.5, 0.1, 0.2, 0.9],
                               [-0.4, 0.7, 0.9, 0.1, 0.3, -0.8, 0.6, 0.2]]> : tensor<3x8xf32>
    %n = vit.normalize_pixels %p mean [0.5] std [0.5] : tensor<1x8x8x1x!u> -> tensor<1x1x8x8xf32>
    %x = vit.patch_embed %n, %e, %eb {vit.weight_bits = 4 : i64} : (tensor<1x1x8x8xf32>, tensor<8x1x2x2xf32>, tensor<8xf32>) -> tensor<1x16x8xf32>
    %q = vit.quantize %x round half_up : tensor<1x16x8xf32> -> tensor<1x16x8x!h>
    %d = vit.dequantize %q : tensor<1x16x8x!h> -> tensor<1x16x8xf32>
    %y = vit.linear %d, %w, %b {vit.weight_bits = 4 : i64} : (tensor<1x16x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<1x16x8xf32> loc("first")
    %r = vit.quantize %y round half_up : tensor<1x16x8xf32> -> tensor<1x16x8x!h>
    %s = vit.dequantize %r : tensor<1x16x8x!h> -> tensor<1x16x8xf32>
    %z = vit.linear %s, %v : (tensor<1x16x8xf32>, tensor<3x8xf32>) -> tensor<1x16x3xf32> loc("second")
    return %z : tensor<1x16x3xf32>
  }
}

//--- token.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
!s = !quant.uniform<i8:f32, 0.02>
func.func @main(%p: tensor<1x8x8x1x!u>) -> tensor<1x1x4xf32> {
  %w = arith.constant dense<[[1.0, 0.3, -0.2, 0.7], [0.2, 0.8, 0.3, -0.6], [-0.4, 0.7, 0.9, 0.1], [0.5, 0.2, 0.1, 0.6]]> : tensor<4x4xf32>
  %c = arith.constant dense<1.0> : tensor<1x16x4xf32>
  %x = vit.dequantize %p : tensor<1x8x8x1x!u> -> tensor<1x8x8x1xf32>
  %t = vit.reshape %x to [1, 16, 4] : tensor<1x8x8x1xf32> -> tensor<1x16x4xf32>
  %a = vit.linear %t, %w {vit.weight_bits = 4 : i64} : (tensor<1x16x4xf32>, tensor<4x4xf32>) -> tensor<1x16x4xf32> loc("mixed")
  %q = vit.quantize %a round half_up : tensor<1x16x4xf32> -> tensor<1x16x4x!s>
  %d = vit.dequantize %q : tensor<1x16x4x!s> -> tensor<1x16x4xf32>
  %g = vit.matmul %d, %d transpose_rhs : (tensor<1x16x4xf32>, tensor<1x16x4xf32>) -> tensor<1x16x16xf32>
  %h = vit.matmul %g, %d : (tensor<1x16x16xf32>, tensor<1x16x4xf32>) -> tensor<1x16x4xf32>
  %i = vit.add %h, %c : (tensor<1x16x4xf32>, tensor<1x16x4xf32>) -> tensor<1x16x4xf32>
  %l = vit.linear %i, %w {vit.weight_bits = 4 : i64} : (tensor<1x16x4xf32>, tensor<4x4xf32>) -> tensor<1x16x4xf32> loc("last")
  %o = vit.slice %l offsets [0, 2, 0] sizes [1, 1, 4] strides [1, 1, 1] : tensor<1x16x4xf32> -> tensor<1x1x4xf32>
  return %o : tensor<1x1x4xf32>
}

//--- convolution.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
func.func @main(%p: tensor<1x8x8x1x!u>) -> tensor<1x8x8x2xf32> {
  %k = arith.constant dense<[[[[1.0, 0.3, -0.2], [0.7, 0.2, 0.8], [0.3, -0.6, -0.4]]], [[[0.5, 0.2, 0.1], [0.6, 0.1, 0.9], [0.3, 0.3, 0.8]]]]> : tensor<2x1x3x3xf32>
  %x = vit.dequantize %p : tensor<1x8x8x1x!u> -> tensor<1x8x8x1xf32>
  %y = vit.conv2d %x, %k {vit.weight_bits = 4 : i64, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<1x8x8x1xf32>, tensor<2x1x3x3xf32>) -> tensor<1x8x8x2xf32> loc("conv")
  return %y : tensor<1x8x8x2xf32>
}

// Channels whose codes differ by factors of up to 1000: codes of 8 bits leave nothing to lose.
//--- folded.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
!o = !quant.uniform<u8:f32:2, {0.004,0.04,0.4,4.0}>
func.func @main(%p: tensor<1x8x8x1x!u>) -> tensor<1x16x4xf32> {
  %w = arith.constant dense<[[1.0, 0.03, -0.002, 0.0007], [0.2, 0.08, 0.003, -0.0006], [-0.4, 0.07, 0.009, 0.0001], [0.5, 0.02, 0.001, 0.0006]]> : tensor<4x4xf32>
  %f = arith.constant dense<[1.0, 10.0, 100.0, 1000.0]> : tensor<4xf32>
  %x = vit.dequantize %p : tensor<1x8x8x1x!u> -> tensor<1x8x8x1xf32>
  %t = vit.reshape %x to [1, 16, 4] : tensor<1x8x8x1xf32> -> tensor<1x16x4xf32>
  %m = vit.mul %t, %f : (tensor<1x16x4xf32>, tensor<4xf32>) -> tensor<1x16x4xf32>
  %q = vit.quantize %m round half_up : tensor<1x16x4xf32> -> tensor<1x16x4x!o>
  %i = quant.scast %q : tensor<1x16x4x!o> to tensor<1x16x4xi8>
  %c = quant.scast %i : tensor<1x16x4xi8> to tensor<1x16x4x!quant.uniform<u8:f32, 0.004>>
  %d = vit.dequantize %c : tensor<1x16x4x!quant.uniform<u8:f32, 0.004>> -> tensor<1x16x4xf32>
  %y = vit.linear %d, %w {vit.weight_bits = 7 : i64} : (tensor<1x16x4xf32>, tensor<4x4xf32>) -> tensor<1x16x4xf32> loc("folded")
  return %y : tensor<1x16x4xf32>
}

//--- few.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
func.func @main(%p: tensor<1x8x8x1x!u>) -> tensor<1x4x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x16xf32>
  %x = vit.dequantize %p : tensor<1x8x8x1x!u> -> tensor<1x8x8x1xf32>
  %t = vit.reshape %x to [1, 4, 16] : tensor<1x8x8x1xf32> -> tensor<1x4x16xf32>
  %y = vit.linear %t, %w {vit.weight_bits = 4 : i64} : (tensor<1x4x16xf32>, tensor<2x16xf32>) -> tensor<1x4x2xf32> loc("few")
  return %y : tensor<1x4x2xf32>
}

//--- wide.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
func.func @main(%p: tensor<1x8x8x1x!u>) -> tensor<1x4x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x16xf32>
  %x = vit.dequantize %p : tensor<1x8x8x1x!u> -> tensor<1x8x8x1xf32>
  %t = vit.reshape %x to [1, 4, 16] : tensor<1x8x8x1xf32> -> tensor<1x4x16xf32>
  %y = vit.linear %t, %w : (tensor<1x4x16xf32>, tensor<2x16xf32>) -> tensor<1x4x2xf32> loc("wide")
  return %y : tensor<1x4x2xf32>
}

//--- nan.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
func.func @main(%p: tensor<1x8x8x1x!u>) -> tensor<1x4x2xf32> {
  %w = arith.constant dense<0x7FC00000> : tensor<2x16xf32>
  %x = vit.dequantize %p : tensor<1x8x8x1x!u> -> tensor<1x8x8x1xf32>
  %t = vit.reshape %x to [1, 4, 16] : tensor<1x8x8x1xf32> -> tensor<1x4x16xf32>
  %y = vit.linear %t, %w {vit.weight_bits = 4 : i64} : (tensor<1x4x16xf32>, tensor<2x16xf32>) -> tensor<1x4x2xf32> loc("nan")
  return %y : tensor<1x4x2xf32>
}

//--- vector.mlir
!u = !quant.uniform<u8:f32, 0.0039215686274509803>
func.func @main(%p: tensor<4x16x!u>) -> tensor<4x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x16xf32>
  %x = vit.dequantize %p : tensor<4x16x!u> -> tensor<4x16xf32>
  %y = vit.linear %x, %w {vit.weight_bits = 4 : i64} : (tensor<4x16xf32>, tensor<2x16xf32>) -> tensor<4x2xf32> loc("vector")
  return %y : tensor<4x2xf32>
}
