// DEFINE: %{size} =
// DEFINE: %{choose} = vitq-opt %s --vit-choose-bits="bits=auto:size=%{size} data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 limit=4 front=%t.json"

// 24 weights of 8 bits of the last layer, 128 to choose for: with 80 bytes these have 3 or 4 bits on average.
// REDEFINE: %{size} = 80B
// RUN: %{choose} | FileCheck %s
// RUN: FileCheck %s --check-prefix=FRONT < %t.json
// FRONT:      "front": [
// FRONT:      "bytes": 56,
// FRONT:      "a": 2,
// FRONT-NEXT: "b": 2
// CHECK: pass = "vit-choose-bits", text = "{{[2-8]}} bits; 2: {{.*}} nats lost"
// CHECK-COUNT-2: vit.linear {{.*}} {vit.weight_bits = {{[2-6]}} : i64}

// Room for all.
// REDEFINE: %{size} = 1kB
// RUN: %{choose} | FileCheck %s --check-prefix=ALL
// ALL-NOT: vit.weight_bits

// REDEFINE: %{size} = 50B
// RUN: not %{choose} 2>&1 | FileCheck %s --check-prefix=SMALL
// SMALL: error: --bits=auto: weights of 0.05 kB are asked for, but with 2 bits they take 0.06 kB (with 8 bits 0.15 kB); of these the first layer, the last one and what --bits names take 0.02 kB
// RUN: not vitq-opt %s --vit-choose-bits=bits=auto:size=1kB 2>&1 | FileCheck %s --check-prefix=DATA
// DATA: error: --bits=auto measures on the calibration images: give them (data=, --calibration-data)
// RUN: vitq-opt %s --vit-choose-bits=bits=weights=4 | FileCheck %s --check-prefix=ALL

func.func @main(%image: tensor<1x1x8x8xf32>) -> tensor<1x8x3xf32> {
  %w = arith.constant dense<[[0.1, 0.9, -0.3, 0.4, 0.8, -0.7, 0.2, 0.6], [0.5, -0.2, 0.7, 0.1, -0.9, 0.3, 0.6, 0.4], [0.3, 0.1, 0.9, -0.6, 0.2, 0.8, -0.4, 0.7], [0.9, 0.4, -0.1, 0.3, 0.5, 0.2, 0.7, -0.8], [-0.3, 0.6, 0.2, 0.8, 0.1, 0.9, 0.4, 0.5], [0.7, 0.3, 0.5, -0.9, 0.6, 0.1, 0.8, 0.2], [0.2, -0.5, 0.4, 0.7, 0.3, 0.6, 0.9, 0.1], [0.8, 0.7, -0.6, 0.5, 0.4, 0.3, 0.2, 0.9]]> : tensor<8x8xf32>
  %v = arith.constant dense<[[0.1, -0.9, 0.3, 0.4, 0.8, 0.7, 0.2, 0.6], [0.5, 0.2, -0.7, 0.1, 0.9, 0.3, 0.6, 0.4], [0.3, 0.1, 0.9, 0.6, -0.2, 0.8, 0.4, 0.7], [0.9, 0.4, 0.1, 0.3, 0.5, -0.2, 0.7, 0.8], [0.3, 0.6, 0.2, 0.8, 0.1, 0.9, -0.4, 0.5], [-0.7, 0.3, 0.5, 0.9, 0.6, 0.1, 0.8, 0.2], [0.2, 0.5, 0.4, 0.7, -0.3, 0.6, 0.9, 0.1], [0.8, 0.7, 0.6, -0.5, 0.4, 0.3, 0.2, 0.9]]> : tensor<8x8xf32>
  %h = arith.constant dense<[[0.1, 0.9, 0.3, 0.4, 0.8, 0.7, 0.2, 0.6], [0.5, 0.2, 0.7, 0.1, 0.9, 0.3, 0.6, 0.4], [0.3, 0.1, 0.9, 0.6, 0.2, 0.8, 0.4, 0.7]]> : tensor<3x8xf32>
  %map = vit.transpose %image by [0, 2, 3, 1] : tensor<1x1x8x8xf32> -> tensor<1x8x8x1xf32>
  %x0 = vit.reshape %map to [1, 8, 8] : tensor<1x8x8x1xf32> -> tensor<1x8x8xf32>
  %x = vit.tanh %x0 : tensor<1x8x8xf32> -> tensor<1x8x8xf32>
  %a = vit.linear %x, %w : (tensor<1x8x8xf32>, tensor<8x8xf32>) -> tensor<1x8x8xf32> loc("a")
  %b = vit.linear %a, %v : (tensor<1x8x8xf32>, tensor<8x8xf32>) -> tensor<1x8x8xf32> loc("b")
  %y = vit.linear %b, %h : (tensor<1x8x8xf32>, tensor<3x8xf32>) -> tensor<1x8x3xf32> loc("head")
  return %y : tensor<1x8x3xf32>
}
