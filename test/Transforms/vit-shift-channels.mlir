// RUN: vitq-opt %s --vit-shift-channels="data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 at-most=4" | FileCheck %s
// RUN: vitq-opt %s --vit-shift-channels="data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 limit=3" --mlir-disable-threading | FileCheck %s --check-prefix=ALL
// RUN: not vitq-opt %s --vit-shift-channels 2>&1 | FileCheck %s --check-prefix=DATA
// DATA: error: shifting channels by what they count measures on the calibration images: give them (data=, --calibration-data)

// The second channel varies as the first, but is multiplied by 16 times the weight: four times as large it costs least.
// The weights, (1 + 16, 1 - 16) / sqrt 2 behind the transform, become those of (1, 4). Channels that are alike,
// and codes of 8 bits, stay.
// CHECK: pass = "vit-shift-channels", text = "channels times 1: 1, 4: 1"
// CHECK-LABEL: func.func @main
// CHECK: %[[H:.*]] = vit.hadamard %{{.*}} block 2 shifts [0, 2] {vit.code_bits = 4 : i64}
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}[3.535{{[0-9]*}}, -2.121{{[0-9]*}}]{{.*}}> : tensor<1x2xf32>
// CHECK: vit.linear %[[H]], %[[W]] :
// CHECK: vit.hadamard %{{.*}} block 2 {vit.code_bits = 4 : i64}
// CHECK: vit.hadamard %{{.*}} block 2 :
// ALL-COUNT-2: vit.hadamard %{{.*}} shifts [0, 2]
func.func @main(%image: tensor<1x1x8x8xf32>) -> (tensor<1x32x1xf32>, tensor<1x32x1xf32>, tensor<1x32x1xf32>) {
  %w = arith.constant dense<[[12.020815280, -10.606601718]]> : tensor<1x2xf32>
  %v = arith.constant dense<[[1.0, 0.0]]> : tensor<1x2xf32>
  %x = vit.reshape %image to [1, 32, 2] : tensor<1x1x8x8xf32> -> tensor<1x32x2xf32>
  %a = vit.tanh %x : tensor<1x32x2xf32> -> tensor<1x32x2xf32>
  %h = vit.hadamard %a block 2 {vit.code_bits = 4 : i64} : tensor<1x32x2xf32> -> tensor<1x32x2xf32>
  %y = vit.linear %h, %w : (tensor<1x32x2xf32>, tensor<1x2xf32>) -> tensor<1x32x1xf32>
  %i = vit.hadamard %a block 2 {vit.code_bits = 4 : i64} : tensor<1x32x2xf32> -> tensor<1x32x2xf32>
  %z = vit.linear %i, %v : (tensor<1x32x2xf32>, tensor<1x2xf32>) -> tensor<1x32x1xf32>
  %j = vit.hadamard %a block 2 : tensor<1x32x2xf32> -> tensor<1x32x2xf32>
  %u = vit.linear %j, %w : (tensor<1x32x2xf32>, tensor<1x2xf32>) -> tensor<1x32x1xf32>
  return %y, %z, %u : tensor<1x32x1xf32>, tensor<1x32x1xf32>, tensor<1x32x1xf32>
}
