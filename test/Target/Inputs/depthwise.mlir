func.func @main(%x: tensor<1x56x56x64xi8>, %wide: tensor<1x28x28x64xi16>)
    -> (tensor<1x56x56x64xi8>, tensor<1x28x28x64xi8>, tensor<1x28x28x64xi8>, tensor<1x28x28x64xi8>) {
  %k3 = arith.constant dense<3> : tensor<3x3x64xi8>
  %k5 = arith.constant dense<5> : tensor<5x5x64xi8>
  %a = vitq.depthwise_conv2d %x, %k3 pads [1, 1, 1, 1] input <unsigned, zero = 131> : (tensor<1x56x56x64xi8>, tensor<3x3x64xi8>) -> tensor<1x56x56x64xi32>
  %a8 = vitq.requant %a by <1518500250, 40> round half_up result <unsigned, zero = 128> : tensor<1x56x56x64xi32> -> tensor<1x56x56x64xi8>
  %b = vitq.depthwise_conv2d %x, %k3 strides [2, 2] pads [1, 1, 1, 1] input <unsigned, zero = 131> : (tensor<1x56x56x64xi8>, tensor<3x3x64xi8>) -> tensor<1x28x28x64xi32>
  %b8 = vitq.requant %b by <1518500250, 40> round half_up result <unsigned, zero = 128> : tensor<1x28x28x64xi32> -> tensor<1x28x28x64xi8>
  %c = vitq.depthwise_conv2d %x, %k5 strides [2, 2] pads [2, 2, 2, 2] input <unsigned, zero = 131> : (tensor<1x56x56x64xi8>, tensor<5x5x64xi8>) -> tensor<1x28x28x64xi32>
  %c8 = vitq.requant %c by <1518500250, 41> round half_up result <unsigned, zero = 128> : tensor<1x28x28x64xi32> -> tensor<1x28x28x64xi8>
  %d = vitq.depthwise_conv2d %wide, %k3 pads [1, 1, 1, 1] : (tensor<1x28x28x64xi16>, tensor<3x3x64xi8>) -> tensor<1x28x28x64xi32>
  %d8 = vitq.requant %d by <1518500250, 48> round half_up result <unsigned, zero = 128> : tensor<1x28x28x64xi32> -> tensor<1x28x28x64xi8>
  return %a8, %b8, %c8, %d8 : tensor<1x56x56x64xi8>, tensor<1x28x28x64xi8>, tensor<1x28x28x64xi8>, tensor<1x28x28x64xi8>
}
