// Constants wherever an op takes them: rows of the picture, as tokens of 8 channels.
module attributes {vit.preprocess = "mean=0.5,std=0.5"} {
func.func @main(%x: tensor<1x8x8x1xi8>) -> tensor<1x10xi32> {
  %left = arith.constant dense<[[[1, 2, 3, 4, 5, 6, 7, 8], [9, 8, 7, 6, 5, 4, 3, 2], [-1, -2, -3, -4, 5, 6, 7, 8], [0, 0, 0, 0, 0, 0, 0, 1], [3, 3, 3, 3, -3, -3, -3, -3], [1, 0, 1, 0, 1, 0, 1, 0], [7, 7, 7, 7, 7, 7, 7, 7], [2, -2, 2, -2, 2, -2, 2, -2]]]> : tensor<1x8x8xi8>
  %queries = arith.constant dense<[[[1, 2, -3, 4, 5, -6, 7, 8], [9, -8, 7, 6, -5, 4, 3, 2]]]> : tensor<1x2x8xi8>
  %channels = arith.constant dense<[5, -5, 9, 0, 1, 2, 3, 4]> : tensor<8xi8>
  %token = arith.constant dense<[[[1, -1, 2, -2, 3, -3, 4, -4]]]> : tensor<1x1x8xi8>
  %head = arith.constant dense<[[1, 2, 3, 4, 5, 6, 7, 8], [2, 3, 4, 5, 6, 7, 8, 9], [-1, 1, -1, 1, -1, 1, -1, 1], [4, 4, 4, 4, 0, 0, 0, 0], [0, 0, 0, 0, 4, 4, 4, 4], [1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3, 2], [-5, -5, 5, 5, -5, -5, 5, 5], [3, 1, 4, 1, 5, 9, 2, 6]]> : tensor<10x8xi8>
  %rows = vitq.reshape %x to [1, 8, 8] : tensor<1x8x8x1xi8> -> tensor<1x8x8xi8>
  %pixels = vitq.requant %rows by #vitq.dyadic<1073741824, 32> round half_up input <unsigned> : tensor<1x8x8xi8> -> tensor<1x8x8xi8>
  %a = vitq.add %left by #vitq.dyadic<1073741824, 30>, %pixels by #vitq.dyadic<1073741824, 30> round half_up : (tensor<1x8x8xi8>, tensor<1x8x8xi8>) -> tensor<1x8x8xi8>
  %b = vitq.add %a by #vitq.dyadic<1073741824, 30>, %left by #vitq.dyadic<1073741824, 31> round half_up : (tensor<1x8x8xi8>, tensor<1x8x8xi8>) -> tensor<1x8x8xi8>
  %c = vitq.add %b by #vitq.dyadic<1073741824, 30>, %channels by #vitq.dyadic<1073741824, 30> round half_up : (tensor<1x8x8xi8>, tensor<8xi8>) -> tensor<1x8x8xi8>
  %d = vitq.mul %left, %c by #vitq.dyadic<1073741824, 33> round half_up : (tensor<1x8x8xi8>, tensor<1x8x8xi8>) -> tensor<1x8x8xi8>
  %e = vitq.mul %d, %left by #vitq.dyadic<1073741824, 32> round half_up : (tensor<1x8x8xi8>, tensor<1x8x8xi8>) -> tensor<1x8x8xi8>
  %m = vitq.matmul %queries, %c transpose_rhs : (tensor<1x2x8xi8>, tensor<1x8x8xi8>) -> tensor<1x2x8xi32>
  %n = vitq.requant %m by #vitq.dyadic<1073741824, 34> round half_up : tensor<1x2x8xi32> -> tensor<1x2x8xi8>
  %o = vitq.matmul %e, %left : (tensor<1x8x8xi8>, tensor<1x8x8xi8>) -> tensor<1x8x8xi32>
  %p = vitq.requant %o by #vitq.dyadic<1073741824, 36> round half_up : tensor<1x8x8xi32> -> tensor<1x8x8xi8>
  %q = vitq.concat %token, %n, %p axis 1 : (tensor<1x1x8xi8>, tensor<1x2x8xi8>, tensor<1x8x8xi8>) -> tensor<1x11x8xi8>
  %s = vitq.sum %q axes [1] : tensor<1x11x8xi8> -> tensor<1x8xi32>
  %t = vitq.requant %s by #vitq.dyadic<1073741824, 33> round half_up : tensor<1x8xi32> -> tensor<1x8xi8>
  %y = vitq.matmul %t, %head transpose_rhs : (tensor<1x8xi8>, tensor<10x8xi8>) -> tensor<1x10xi32>
  return %y : tensor<1x10xi32>
}
}
