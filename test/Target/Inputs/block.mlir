// A transformer block of 197 tokens, so that tiles are whole and cut: linear layers
// with a requantization, a table or the residual stream behind them, and attention.
module attributes {vit.preprocess = "mean=0.5,std=0.5"} {
func.func @main(%x: tensor<1x197x128x1xi8>) -> tensor<1x197x128xi16> {
  %wq = arith.constant dense<101> : tensor<128x128xi8>
  %wk = arith.constant dense<102> : tensor<128x128xi8>
  %wv = arith.constant dense<103> : tensor<128x128xi8>
  %wo = arith.constant dense<104> : tensor<128x128xi8>
  %w1 = arith.constant dense<105> : tensor<256x128xi8>
  %w2 = arith.constant dense<106> : tensor<128x256xi8>
  %exp = arith.constant dense<1> : tensor<256xi8>
  %gelu = arith.constant dense<1> : tensor<256xi8>
  %stream = arith.constant dense<100> : tensor<1x197x128xi16>
  %t = vitq.reshape %x to [1, 197, 128] : tensor<1x197x128x1xi8> -> tensor<1x197x128xi8>

  %q0 = vitq.matmul %t, %wq transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x197x128xi8>, tensor<128x128xi8>) -> tensor<1x197x128xi32>
  %q1 = vitq.requant %q0 by <1518500250, 42> round half_up result <unsigned, zero = 128> : tensor<1x197x128xi32> -> tensor<1x197x128xi8>
  %q2 = vitq.reshape %q1 to [1, 197, 2, 64] : tensor<1x197x128xi8> -> tensor<1x197x2x64xi8>
  %q = vitq.transpose %q2 by [0, 2, 1, 3] : tensor<1x197x2x64xi8> -> tensor<1x2x197x64xi8>
  %k0 = vitq.matmul %t, %wk transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x197x128xi8>, tensor<128x128xi8>) -> tensor<1x197x128xi32>
  %k1 = vitq.requant %k0 by <1518500250, 42> round half_up : tensor<1x197x128xi32> -> tensor<1x197x128xi8>
  %k2 = vitq.reshape %k1 to [1, 197, 2, 64] : tensor<1x197x128xi8> -> tensor<1x197x2x64xi8>
  %k = vitq.transpose %k2 by [0, 2, 1, 3] : tensor<1x197x2x64xi8> -> tensor<1x2x197x64xi8>
  %v0 = vitq.matmul %t, %wv transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x197x128xi8>, tensor<128x128xi8>) -> tensor<1x197x128xi32>
  %v1 = vitq.requant %v0 by <1518500250, 42> round half_up : tensor<1x197x128xi32> -> tensor<1x197x128xi8>
  %v2 = vitq.reshape %v1 to [1, 197, 2, 64] : tensor<1x197x128xi8> -> tensor<1x197x2x64xi8>
  %v = vitq.transpose %v2 by [0, 2, 1, 3] : tensor<1x197x2x64xi8> -> tensor<1x2x197x64xi8>

  %s = vitq.matmul %q, %k transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x2x197x64xi8>, tensor<1x2x197x64xi8>) -> tensor<1x2x197x197xi32>
  %codes, %sums = vitq.softmax %s with #vitq.exp_table<dense<1> : tensor<256xi8>> by <[1518469120, 1418461184], [39, 39]> : (tensor<1x2x197x197xi32>) -> (tensor<1x2x197x197xi8>, tensor<1x2x197xi32>)
  %c0 = vitq.matmul %codes, %v lhs <unsigned> : (tensor<1x2x197x197xi8>, tensor<1x2x197x64xi8>) -> tensor<1x2x197x64xi32>
  %c1 = vitq.divide_rows %c0, %sums by <[1518500250, 1418500250], [54, 54]> round half_up result <unsigned, zero = 128> {axis = 1 : i64} : (tensor<1x2x197x64xi32>, tensor<1x2x197xi32>) -> tensor<1x2x197x64xi8>
  %c2 = vitq.transpose %c1 by [0, 2, 1, 3] : tensor<1x2x197x64xi8> -> tensor<1x197x2x64xi8>
  %c = vitq.reshape %c2 to [1, 197, 128] : tensor<1x197x2x64xi8> -> tensor<1x197x128xi8>

  %o = vitq.matmul %c, %wo transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x197x128xi8>, tensor<128x128xi8>) -> tensor<1x197x128xi32>
  %a = vitq.add %stream by <1518500250, 31>, %o by <1418500250, 36> round half_up : (tensor<1x197x128xi16>, tensor<1x197x128xi32>) -> tensor<1x197x128xi16>

  // Codes with a sign, which only some dot products take as they are.
  %n = vitq.requant %a by <1518500250, 38> round half_up : tensor<1x197x128xi16> -> tensor<1x197x128xi8>
  %h0 = vitq.matmul %n, %w1 transpose_rhs lhs <signed, zero = 3> : (tensor<1x197x128xi8>, tensor<256x128xi8>) -> tensor<1x197x256xi32>
  %h1 = vitq.requant %h0 by <1518500250, 42> round half_up result <unsigned> : tensor<1x197x256xi32> -> tensor<1x197x256xi8>
  %h = vitq.table %h1, %gelu input <unsigned> : (tensor<1x197x256xi8>, tensor<256xi8>) -> tensor<1x197x256xi8>
  %m = vitq.matmul %h, %w2 transpose_rhs lhs <unsigned, zero = 7> : (tensor<1x197x256xi8>, tensor<128x256xi8>) -> tensor<1x197x128xi32>
  %y = vitq.add %a by <1518500250, 31>, %m by <1418500250, 36> round half_up : (tensor<1x197x128xi16>, tensor<1x197x128xi32>) -> tensor<1x197x128xi16>
  return %y : tensor<1x197x128xi16>
}
}
