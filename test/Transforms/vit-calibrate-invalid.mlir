// RUN: rm -rf %t && mkdir %t && split-file %s %t

// RUN: not vitq-opt %t/model.mlir --vit-calibrate 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: calibration needs either images (data=, --calibration-data) or a file of ranges (load-ranges=, --load-ranges)

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/other.json" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: no range for '/Relu' in {{.*}}other.json; it was made for another model, so calibrate again

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/wrong.json" 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: wrong.json: the range of 'input' is not [min, max] with min <= max; calibrate again (--calibration-data, --save-ranges)

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/version.json" 2>&1 | FileCheck %s --check-prefix=VERSION
// VERSION: version.json: has another version than 1 or 2; write it again with --save-ranges

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/missing-keys.json" 2>&1 | FileCheck %s --check-prefix=KEYS
// KEYS: missing-keys.json: 'channels' or 'histograms' is no object; calibrate again

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/lengths.json" 2>&1 | FileCheck %s --check-prefix=LENGTHS
// LENGTHS: '/Relu' has 8 channels ('tensor<1x1x8x8xf32>'), in {{.*}}lengths.json it has 2; it was made for another model, so calibrate again

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/order.json" 2>&1 | FileCheck %s --check-prefix=ORDER
// ORDER: order.json: the channels of '/Relu' are not equally many (1 to 65536) finite numbers 'min', 'max', 'mean' and 'sum' with min <= max and a positive number of 'rows'; calibrate again

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/bin.json" 2>&1 | FileCheck %s --check-prefix=BIN
// BIN: bin.json: the histogram of '/Relu' is not {{\[\[}}bin, count], ...] with ascending bins from -1280 to 1280 and no negative count; calibrate again

// RUN: %python -c "print('[' * 1000000)" > %t/deep.json
// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/deep.json" 2>&1 | FileCheck %s --check-prefix=DEEP
// DEEP: deep.json: is no range table (written by --save-ranges): it is larger than 256 MiB or nested too deeply

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="load-ranges=%t/other.json preprocess=mean=0.25" 2>&1 | FileCheck %s --check-prefix=CONFLICT
// CONFLICT: were measured with preprocess 'mean=0.5,std=0.5', now it is 'mean=0.25,std=1'

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="data=%digits/calibration.npy preprocess=crop=4" 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: come out as 1x4x4 (channels, height, width), the model takes 1x8x8

// RUN: not vitq-opt %t/model.mlir --vit-calibrate="data=%t/nowhere" 2>&1 | FileCheck %s --check-prefix=NOWHERE
// NOWHERE: nowhere

// RUN: not vitq-opt %t/rows.mlir --vit-calibrate="data=%digits/calibration.npy" 2>&1 | FileCheck %s --check-prefix=ROWS
// ROWS: rows.mlir:1:1: error: calibration needs a function of one float image tensor [B, C, H, W] with 1 or 3 channels
// RUN: not vitq-opt %t/model.mlir --vit-calibrate="data=%digits/calibration.npy limit=9223372036854775808" 2>&1 | FileCheck %s --check-prefix=LIMIT
// LIMIT: error: the limit of calibration images (limit=, --calibration-limit) must not be negative

// RUN: not vitq-opt %t/nan.mlir --vit-calibrate="data=%digits/calibration.npy preprocess=mean=0.5" 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: '/Sqrt' has a value that is NaN or infinite for image #{{[0-9]+}}; check the model's weights and --preprocess

//--- model.mlir
func.func @main(%arg: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  %0 = vit.relu %arg : tensor<1x1x8x8xf32> -> tensor<1x1x8x8xf32> loc("/Relu")
  return %0 : tensor<1x1x8x8xf32>
}
//--- rows.mlir
func.func @main(%arg: tensor<1x8xf32>) -> tensor<1x8xf32> {
  return %arg : tensor<1x8xf32>
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
//--- version.json
{"version": 3, "images": 2, "preprocess": "", "ranges": {"input": [-1, 1]}}
//--- missing-keys.json
{"version": 2, "images": 2, "preprocess": "mean=0.5,std=0.5", "ranges": {"input": [-1, 1], "/Relu": [0, 1]}, "channels": {}}
//--- lengths.json
{"version": 2, "images": 2, "preprocess": "mean=0.5,std=0.5", "ranges": {"input": [-1, 1], "/Relu": [0, 1]}, "channels": {"/Relu": {"min": [0, 0], "max": [1, 1], "mean": [0.5, 0.5]}}, "histograms": {}}
//--- order.json
{"version": 2, "images": 2, "preprocess": "mean=0.5,std=0.5", "ranges": {"input": [-1, 1], "/Relu": [0, 1]}, "channels": {"/Relu": {"min": [2], "max": [1], "mean": [0.5]}}, "histograms": {}}
//--- bin.json
{"version": 2, "images": 2, "preprocess": "mean=0.5,std=0.5", "ranges": {"input": [-1, 1], "/Relu": [0, 1]}, "channels": {}, "histograms": {"/Relu": [[1281, 1]]}}
