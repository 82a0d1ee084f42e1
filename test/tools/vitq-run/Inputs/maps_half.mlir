// Every second pixel of a picture.
func.func @main(%x: tensor<1x3x4x4xf32>) -> tensor<1x3x2x2xf32> {
  %y = vit.slice %x offsets [0, 0, 0, 0] sizes [1, 3, 2, 2] strides [1, 1, 2, 2] : tensor<1x3x4x4xf32> -> tensor<1x3x2x2xf32>
  return %y : tensor<1x3x2x2xf32>
}
