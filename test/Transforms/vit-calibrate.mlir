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
// CHECK:       vit.relu {{.*}} {vit.channel_mean = dense<{{.*}}> : tensor<8xf64>, vit.channel_range = dense<{{.*}}> : tensor<8x2xf32>, vit.histogram = dense<{{.*}}> : tensor<{{[0-9]+}}x2xi64>, vit.range = array<f64: 0.000000e+00, 1.000000e+00>}
// CHECK-NEXT:  vit.relu {{.*}}vit.range = array<f64: 0.000000e+00, 1.000000e+00>}
// Two results: no statistics beside the ranges.
// CHECK:       vit.softmax_numerator {{.*}} {vit.range = array<f64: [[MIN:.*]], 1.000000e+00, [[SUM:.*]]>}

// Whether there are channel statistics and a histogram depends on the op and its uses.
// RUN: vitq-opt %t/kinds.mlir --vit-calibrate="data=%digits/calibration.npy preprocess=mean=0.5,std=0.5 save-ranges=%t/kinds.json" -o %t/kinds.attached.mlir
// RUN: FileCheck %s --check-prefix=KINDS < %t/kinds.attached.mlir
// KINDS:       @main
// KINDS:       vit.add {{.*}} {vit.histogram = dense<{{.*}}> : tensor<{{[0-9]+}}x2xi64>, vit.range
// KINDS:       vit.transpose {{.*}} {vit.range
// KINDS:       vit.reshape {{.*}} {vit.channel_mean = dense<{{.*}}> : tensor<64xf64>, vit.channel_range = dense<{{.*}}> : tensor<64x2xf32>, vit.range
// KINDS:       vit.linear {{.*}} {vit.channel_mean = dense<{{.*}}> : tensor<2xf64>, vit.channel_range = dense<{{.*}}> : tensor<2x2xf32>, vit.histogram = dense<{{.*}}> : tensor<{{[0-9]+}}x2xi64>, vit.range
// KINDS:       vit.layer_norm {{.*}}vit.channel_mean
// KINDS:       vit.gelu {{.*}}vit.channel_mean
// A move that a function reads has a histogram.
// KINDS:       vit.transpose {{.*}} {vit.histogram
// KINDS:       vit.tanh {{.*}}vit.channel_mean
// KINDS:       vit.softmax {{.*}} {vit.histogram

// The IR and the file are read back as they were.
// RUN: vitq-opt %t/kinds.attached.mlir | diff - %t/kinds.attached.mlir
// RUN: vitq-opt %t/kinds.mlir --vit-calibrate="load-ranges=%t/kinds.json save-ranges=%t/kinds.again.json" | diff - %t/kinds.attached.mlir
// RUN: diff %t/kinds.json %t/kinds.again.json

// A file of version 1 has ranges only; statistics of an earlier calibration go.
// RUN: vitq-opt %t/kinds.attached.mlir --vit-calibrate="load-ranges=%t/version1.json" | FileCheck %s --check-prefix=VERSION1
// VERSION1:     vit.range = array<f64: -1.000000e+00, 2.000000e+00>
// VERSION1-NOT: {{vit.(histogram|channel)}}

// JSON:      "version": 2,
// JSON:      "images": 32,
// JSON:      "preprocess": "mean=0.5,std=0.5",
// JSON:      "ranges": {
// JSON-DAG:  "/Relu": [
// JSON-DAG:  "/Relu#1": [
// JSON-DAG:  "/Softmax": [
// JSON-DAG:  "/Softmax:1": [
// JSON-DAG:  "input": [
// JSON:      "channels": {
// JSON-NEXT:   "/Relu": {
// JSON-NEXT:     "min": [0, {{.*}}],
// JSON-NEXT:     "max": [{{.*}}],
// JSON-NEXT:     "mean": [{{.*}}]
// JSON-NOT:    "/Softmax
// JSON:      "histograms": {
// JSON-NEXT:   "/Relu": {{\[\[}}0,{{[0-9]+}}], [
// JSON-NOT:    "/Softmax

// ONE: "images": 1,

//--- model.mlir
func.func @main(%arg: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  %0 = vit.relu %arg : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc("/Relu")
  %1 = vit.relu %0 : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc(fused["/Relu", "other"])
  %e, %s = vit.softmax_numerator %1 : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32>, tensor<1x1x8xf32> loc("/Softmax")
  return %e : tensor<1x1x8x8xf32>
}
//--- kinds.mlir
func.func @main(%arg: tensor<1x1x8x8xf32>) -> tensor<1x1x1x2xf32> {
  %w = arith.constant dense<0.125> : tensor<2x64xf32>
  %b = arith.constant dense<[0.5, -0.25]> : tensor<2xf32>
  %gamma = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = vit.add %arg, %arg : (tensor<1x1x8x8xf32>, tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> loc("add")
  %1 = vit.transpose %0 by [0, 1, 3, 2] : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc("transpose")
  %2 = vit.reshape %1 to [1, 1, 1, 64] : tensor<1x1x8x8xf32> -> tensor<1x1x1x64xf32> loc("reshape")
  %3 = vit.linear %2, %w, %b : (tensor<1x1x1x64xf32>, tensor<2x64xf32>, tensor<2xf32>) -> tensor<1x1x1x2xf32> loc("linear")
  %4 = vit.layer_norm %3, %gamma, %b eps 1.0e-5 : (tensor<1x1x1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x1x1x2xf32> loc("norm")
  %5 = vit.gelu erf %4 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32> loc("gelu")
  %6 = vit.transpose %5 by [1, 0, 2, 3] : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32> loc("part")
  %7 = vit.tanh %6 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32> loc("tanh")
  %8 = vit.softmax %7 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32> loc("softmax")
  return %8 : tensor<1x1x1x2xf32>
}
//--- version1.json
{"version": 1, "images": 2, "preprocess": "mean=0.5,std=0.5", "channels": 7, "ranges": {"input": [-1, 1], "vit.add": [-1, 2],
  "vit.transpose": [-1, 2], "vit.reshape": [-1, 2], "vit.linear": [-1, 2], "vit.layer_norm": [-1, 2], "vit.gelu": [-1, 2],
  "vit.transpose#1": [-1, 2], "vit.tanh": [-1, 2], "vit.softmax": [-1, 2]}}
