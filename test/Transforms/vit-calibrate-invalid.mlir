// RUN: rm -rf %t && mkdir %t && split-file %s %t

// RUN: not vitq-opt %t/model.mlir --vit-calibrate 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: calibration needs either images (data=, --calibration-data) or a file of ranges (load-ranges=, --load-ranges)

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/other.json" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: no range for '/Relu' in {{.*}}other.json; it was made for another model, so calibrate again

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/wrong.json" 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: wrong.json: the range of 'input' is not [min, max] with min <= max

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/other.json preprocess=mean=0.25" 2>&1 | FileCheck %s --check-prefix=CONFLICT
// CONFLICT: were measured with preprocess 'mean=0.5,std=0.5', now it is 'mean=0.25,std=1'

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="data=%digits/calibration.npy preprocess=crop=4" 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: come out as 1x4x4 (channels, height, width), the model takes 1x8x8

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="data=%t/nowhere" 2>&1 | FileCheck %s --check-prefix=NOWHERE
// NOWHERE: nowhere

// RUN: not vitq-opt %t/nan.mlir --vit-calibrate="data=%digits/calibration.npy preprocess=mean=0.5" 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: '/Sqrt' has a value that is NaN or infinite for image #{{[0-9]+}}; check the model's weights and --preprocess

//--- model.mlir
func.func @main(%arg: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  %0 = vit.relu %arg : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc("/Relu")
  return %0 : tensor<1x1x8x8xf32>
}
//--- nan.mlir
func.func @main(%arg: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  %0 = vit.sqrt %arg : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc("/Sqrt")
  return %0 : tensor<1x1x8x8xf32>
}
//--- other.json
{"version": 1, "images": 2, "preprocess": "mean=0.5,std=0.5", "ranges": {"input": [-1, 1], "/Conv": [0, 1]}}
//--- wrong.json
{"version": 1, "images": 2, "preprocess": "mean=0.5,std=0.5", "ranges": {"input": [1, -1]}}
