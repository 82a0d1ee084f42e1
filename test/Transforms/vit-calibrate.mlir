// RUN: rm -rf %t && mkdir %t && split-file %s %t

// Ranges measured on images; the images are bytes 0 to 255, normalized to -1 to 1.
// RUN: vitq-opt %t/model.mlir --vit-calibrate="data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 save-ranges=%t/ranges.json" | FileCheck %s
// RUN: FileCheck %s --check-prefix=JSON < %t/ranges.json

// The same ranges from the file.
// RUN: vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/ranges.json" | FileCheck %s
// RUN: vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/ranges.json preprocess=std=0.5,mean=0.5" | FileCheck %s

// The first image only.
// RUN: vitq-opt %t/model.mlir --vit-calibrate="data=%digits/calibration.npy limit=1 save-ranges=%t/one.json" -o /dev/null
// RUN: FileCheck %s --check-prefix=ONE < %t/one.json

// CHECK:       vit.preprocess = "mean=0.5,std=0.5"
// CHECK:       @main(%{{.*}}: tensor<1x1x8x8xf32> {vit.range = array<f64: -1.000000e+00, 1.000000e+00>})
// CHECK:       vit.relu {{.*}} {vit.range = array<f64: 0.000000e+00, 1.000000e+00>}
// CHECK-NEXT:  vit.relu {{.*}} {vit.range = array<f64: 0.000000e+00, 1.000000e+00>}
// CHECK:       vit.softmax_numerator {{.*}} {vit.range = array<f64: [[MIN:.*]], 1.000000e+00, [[SUM:.*]]>}

// JSON:      "version": 1,
// JSON:      "images": 32,
// JSON:      "preprocess": "mean=0.5,std=0.5",
// JSON:      "ranges": {
// JSON-DAG:  "/Relu": [
// JSON-DAG:  "/Relu#1": [
// JSON-DAG:  "/Softmax": [
// JSON-DAG:  "/Softmax:1": [
// JSON-DAG:  "input": [

// ONE: "images": 1,

//--- model.mlir
func.func @main(%arg: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  %0 = vit.relu %arg : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc("/Relu")
  %1 = vit.relu %0 : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc(fused["/Relu", "other"])
  %e, %s = vit.softmax_numerator %1 : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32>, tensor<1x1x8xf32> loc("/Softmax")
  return %e : tensor<1x1x8x8xf32>
}
