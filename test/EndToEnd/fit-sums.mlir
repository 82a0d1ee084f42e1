// What a layer of narrow weights loses of a sum, a later layer of the sum takes back, where it reads what tells of it.

// DEFINE: %{sums} = true
// DEFINE: %{measure} = vitq-opt %s --vit-calibrate="data=%digits/calibration.npy preprocess=mean=0.5,std=0.5" --vit-take-pixels --vit-quantize \
// DEFINE:     --vit-fit-weights="data=%digits/calibration.npy all sums=%{sums}" --vit-quantize-weights --vit-quantize-result -o %t.%{sums}.mlir && \
// DEFINE:   vitq-run %t.%{sums}.mlir --images=%digits/images.npy --limit=100 --reference=%s --preprocess=mean=0.5,std=0.5 --json=%t.%{sums}.json
// RUN: %{measure}
// REDEFINE: %{sums} = false
// RUN: %{measure}
// RUN: %{expect} f=%t.true.json a=%t.false.json 'f["outputs"][0]["sqnr_db"] > a["outputs"][0]["sqnr_db"] + 10'
func.func @main(%image: tensor<1x1x8x8xf32>) -> tensor<1x16x2xf32> {
  %w = arith.constant dense<[[0.9, -0.35, 0.2, 0.45], [-0.3, 0.7, 0.55, -0.25]]> : tensor<2x4xf32>
  %v = arith.constant dense<[[0.5, 0.1, -0.6, 0.3], [0.2, -0.4, 0.35, 0.8]]> : tensor<2x4xf32>
  %b = arith.constant dense<[0.1, -0.2]> : tensor<2xf32>
  %x = vit.reshape %image to [1, 16, 4] : tensor<1x1x8x8xf32> -> tensor<1x16x4xf32>
  %t = vit.tanh %x : tensor<1x16x4xf32> -> tensor<1x16x4xf32>
  %y = vit.linear %t, %w, %b {vit.weight_bits = 2 : i64} : (tensor<1x16x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<1x16x2xf32> loc("narrow")
  %z = vit.linear %t, %v, %b : (tensor<1x16x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<1x16x2xf32> loc("wide")
  %sum = vit.add %y, %z : (tensor<1x16x2xf32>, tensor<1x16x2xf32>) -> tensor<1x16x2xf32>
  return %sum : tensor<1x16x2xf32>
}
