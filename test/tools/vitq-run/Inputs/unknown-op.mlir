func.func @main(%a: tensor<1x1x8x8xf32>) -> tensor<1x64xf32> {
  %0 = arith.addf %a, %a : tensor<1x1x8x8xf32>
  %1 = vit.reshape %0 to [1, 64] : tensor<1x1x8x8xf32> -> tensor<1x64xf32>
  return %1 : tensor<1x64xf32>
}
