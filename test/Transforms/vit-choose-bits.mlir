// DEFINE: %{size} =
// DEFINE: %{choose} = vitq-opt %s --vit-choose-bits="bits=auto:size=%{size} data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 limit=4 front=%t.json"

// 24 weights of 8 bits of the last layer, 128 to choose for: with 80 bytes these have 3 or 4 bits on average.
// REDEFINE: %{size} = 80B
// RUN: %{choose} | FileCheck %s
// RUN: FileCheck %s --check-prefix=FRONT < %t.json
// FRONT:      "all_4": {
// FRONT:      "bytes": 88,
// FRONT:      "budget": "size",
// FRONT:      "chosen": {
// FRONT:      "measured": {
// FRONT-NEXT: "classes_changed_percent":
// FRONT-NEXT: "images": 2,
// FRONT:      "front": [
// FRONT:      "bytes": 56,
// FRONT:      "a": 2,
// FRONT-NEXT: "b": 2
// CHECK: pass = "vit-choose-bits", text = "{{[2-8]}} bits; 2: {{.*}} nats lost"
// CHECK-COUNT-2: vit.linear {{.*}} {vit.weight_bits = {{[2-6]}} : i64}

// Room for all: as many bits as lose the least, which are fewer than 8 where that is chance.
// REDEFINE: %{size} = 1kB
// RUN: %{choose} | FileCheck %s --check-prefix=ALL
// ALL-NOT: vit.weight_bits = {{[2-5]}}

// REDEFINE: %{size} = 50B
// RUN: not %{choose} 2>&1 | FileCheck %s --check-prefix=SMALL
// SMALL: error: --bits=auto: weights of 0.05 kB are asked for, but with 2 bits they take 0.06 kB (with 8 bits 0.15 kB); of these the first layer, the last one and what --bits names take 0.02 kB
// RUN: not vitq-opt %s --vit-choose-bits=bits=auto:size=1kB 2>&1 | FileCheck %s --check-prefix=DATA
// RUN: echo '{"layers": {"a": {"weights": 4}, "b": {"weights": 4}}}' > %t.layers.json
// RUN: not vitq-opt %s --vit-choose-bits=bits=auto:size=1kB,@%t.layers.json 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: --bits=auto: there is nothing to choose: of the first layer, the last one and what --bits names bits are given
// DATA: error: --bits=auto measures on the calibration images: give them (data=, --calibration-data)

// Time of a run on AVX2, which bits of weights and of what layers read shorten; 8 bits are left to what the head reads.
// DEFINE: %{budget} = latency=0.93
// DEFINE: %{target} = x86-64-v3
// DEFINE: %{effort} = vitq-opt %s --vit-choose-bits="bits=auto:%{budget} target=%{target} data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 limit=4 front=%t.json"
// RUN: %{effort} | FileCheck %s --check-prefix=TIME
// RUN: FileCheck %s --check-prefix=TIME-FRONT < %t.json
// TIME: vitq.bit_front = {budget = "latency", chosen = array<f64: 0.{{89|9[0-3]}}{{[0-9]*}}, {{.*}}eight = array<f64: 1.000000e+00,
// TIME-SAME: pass = "vit-choose-bits", text = "{{attention|hidden}} of {{[468]}} bits; 4: {{[^ ]*}} 6: {{[^ ]*}} 8: {{[^ ]*}} nats lost"
// TIME-FRONT: "activation_bits"
// TIME-FRONT: "cost": "time over that of 8 bits"
// REDEFINE: %{budget} = latency=0.1
// RUN: not %{effort} 2>&1 | FileCheck %s --check-prefix=FAST
// FAST: error: --bits=auto: latency of 0.100 of what 8 bits take is asked for, but with the fewest bits it is 0.{{[0-9]+}}; what bits do not change, and what --bits names, are 0.{{[0-9]+}}
// REDEFINE: %{budget} = energy=0.5
// RUN: not %{effort} 2>&1 | FileCheck %s --check-prefix=ENERGY
// ENERGY: error: --bits=auto: energy is not modelled for --target=x86-64-v3; of a systolic array (--target=systolic:CONFIG) it is, auto:size=N for all
// REDEFINE: %{budget} = latency=0.95
// REDEFINE: %{target} = x86-64-v4+avx512vnni
// RUN: not %{effort} 2>&1 | FileCheck %s --check-prefix=BYTES
// BYTES: error: --bits=auto: on --target=x86-64-v4+avx512vnni fewer bits take as long as 8: its products are of bytes anyway; auto:size=N makes the program smaller
// REDEFINE: %{target} = systolic:edge-8x8-int4
// REDEFINE: %{budget} = energy=0.9
// RUN: %{effort} | FileCheck %s --check-prefix=ARRAY
// ARRAY: vitq.bit_front = {budget = "energy",
// REDEFINE: %{target} = i987
// RUN: not %{effort} 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: unknown target 'i987'

// The smallest program whose measured loss is small enough.
// REDEFINE: %{target} = native
// REDEFINE: %{budget} = drop=100
// RUN: not %{effort} 2>&1 | FileCheck %s --check-prefix=DROP-RANGE
// DROP-RANGE: error: --bits: 'auto:drop=100': a loss is a number of points of accuracy, 0 to 100
// REDEFINE: %{budget} = drop=99
// RUN: %{effort} | FileCheck %s --check-prefix=DROP
// DROP-COUNT-2: vit.linear {{.*}} {vit.weight_bits = 2 : i64}
// RUN: not vitq-opt %s --vit-choose-bits="bits=auto:drop=1 data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 limit=1" 2>&1 | FileCheck %s --check-prefix=DROP-IMAGES
// DROP-IMAGES: error: --bits=auto: drop is measured on images that nothing was fitted to: give two calibration images at least

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
