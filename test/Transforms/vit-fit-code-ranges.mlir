// RUN: vitq-opt %s --vit-fit-code-ranges="data=%digits/calibration.npy preprocess=mean=0.5,std=0.5" | FileCheck %s
// RUN: vitq-opt %s --vit-fit-code-ranges="data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 limit=3" --mlir-disable-threading | FileCheck %s --check-prefix=ALONE
// RUN: not vitq-opt %s --vit-fit-code-ranges 2>&1 | FileCheck %s --check-prefix=DATA
// DATA: error: codes of fewer than 8 bits: their range measures on the calibration images: give them (data=, --calibration-data)
// RUN: not vitq-opt %s --vit-fit-code-ranges="data=%digits/calibration.npy preprocess=crop=7" 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: error: images of {{.*}}calibration.npy come out as 7x7, the model takes 8x8; set resize= and crop= in --preprocess

// What has 8 bits keeps its range; few codes are spread over less than what was seen. Channels with ranges of their own are
// fitted by themselves, around zero.
// CHECK: pass = "vit-fit-code-ranges", text = "3 bits for {{[0-9]+}} % of the values' range"
// CHECK: vit.tanh {{.*}} {vit.code_bits = 3 : i64, vit.range = array<f64: -{{0\.[0-9]+|1\.0+e\+00|1}}, {{[0-9.e+-]+}}>}
// CHECK: vit.tanh {{.*}} {vit.range = array<f64: -1.000000e+00, 1.000000e+00>}
// CHECK: vit.linear {{.*}} {vit.code_bits = 4 : i64, vit.code_ranges = dense<{{.*}}> : tensor<2x2xf32>, vit.range = array<f64: -9.000000e+00, 9.000000e+00>}
// ALONE: vit-fit-code-ranges
func.func @main(%image: tensor<1x1x8x8xf32>) -> (tensor<1x8x2xf32>, tensor<1x8x2xf32>, tensor<1x8x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x8xf32>
  %v = arith.constant dense<1.0> : tensor<2x2xf32>
  %x = vit.reshape %image to [1, 8, 8] : tensor<1x1x8x8xf32> -> tensor<1x8x8xf32>
  %a = vit.tanh %x {vit.code_bits = 3 : i64, vit.range = array<f64: -1.0, 1.0>} : tensor<1x8x8xf32> -> tensor<1x8x8xf32>
  %b = vit.tanh %x {vit.range = array<f64: -1.0, 1.0>} : tensor<1x8x8xf32> -> tensor<1x8x8xf32>
  %y = vit.linear %a, %w : (tensor<1x8x8xf32>, tensor<2x8xf32>) -> tensor<1x8x2xf32>
  %z = vit.linear %b, %w {vit.code_bits = 4 : i64, vit.code_ranges = dense<[[-9.0, 9.0], [-8.0, 8.0]]> : tensor<2x2xf32>, vit.range = array<f64: -9.0, 9.0>} : (tensor<1x8x8xf32>, tensor<2x8xf32>) -> tensor<1x8x2xf32>
  %u = vit.linear %z, %v : (tensor<1x8x2xf32>, tensor<2x2xf32>) -> tensor<1x8x2xf32>
  return %y, %z, %u : tensor<1x8x2xf32>, tensor<1x8x2xf32>, tensor<1x8x2xf32>
}
