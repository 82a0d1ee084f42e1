// Pools, resizing and padding of a map.
module attributes {vitq.output_scale = 0.5 : f64} {
  func.func @main(%image: tensor<1x12x11x3xi8>) -> tensor<1x8x10x3xi32> {
    %pool = vitq.max_pool %image kernel [3, 2] strides [2, 1] pads [1, 0, 1, 1] dilations [1, 1] input <unsigned>
        : tensor<1x12x11x3xi8> -> tensor<1x6x11x3xi8>
    %small = vitq.resample %pool rows [0, 2, 4] weights [1, 1, 1, 1, 1, 1] columns [0, 3, 7] weights [300, -40, 5, 1, 200, 7]
        by <1610612737, 40> round half_up input <unsigned, zero = 128> result <signed, zero = -3>
        : tensor<1x6x11x3xi8> -> tensor<1x3x3x3xi8>
    %padded = vitq.pad %small low [0, 2, 3, 0] high [0, 3, 4, 0] value -3 : tensor<1x3x3x3xi8> -> tensor<1x8x10x3xi8>
    %y = vitq.requant %padded by <1073741824, 24> round half_up input <signed, zero = -3>
        : tensor<1x8x10x3xi8> -> tensor<1x8x10x3xi32>
    return %y : tensor<1x8x10x3xi32>
  }
}
