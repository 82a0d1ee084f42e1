// Integers at the ends of their ranges: factors far apart, negative or 0, sums beyond 24 bits, codes that are read with
// another sign than they were written with.
module attributes {vitq.output_scale = 1.0 : f64} {
  func.func @main(%image: tensor<1x4x4x3xi8>) -> tensor<1x16x3xi32> {
    %x = vitq.reshape %image to [1, 16, 3] : tensor<1x4x4x3xi8> -> tensor<1x16x3xi8>
    %wide = vitq.requant %x by <[2147483647, -1073741824, 1610612737], [24, 47, 25]> round half_up input <unsigned, zero = 100>
        : tensor<1x16x3xi8> -> tensor<1x16x3xi16>
    %even = vitq.requant %x by <[1073741824, 1610612736, 0], [31, 33, 1]> round half_even input <unsigned, zero = 3>
        result <signed, zero = 5> : tensor<1x16x3xi8> -> tensor<1x16x3xi8>
    %constant = arith.constant dense<[[[-32768, 32767, 77]]]> : tensor<1x1x3xi16>
    %rows = vitq.concat %constant, %wide axis 1 : (tensor<1x1x3xi16>, tensor<1x16x3xi16>) -> tensor<1x17x3xi16>
    %some = vitq.gather %rows indices [0, 3, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] axis 1
        : tensor<1x17x3xi16> -> tensor<1x16x3xi16>
    %product = vitq.mul %some, %even by <1690000001, 40> round half_up rhs <unsigned, zero = 7> result <unsigned, zero = 9>
        : (tensor<1x16x3xi16>, tensor<1x16x3xi8>) -> tensor<1x16x3xi8>
    %norm = vitq.layer_norm %some with #vitq.norm_exact<eps = 1> by <[1073741823, -536870912, 3], [40, 44, 38]>
        offsets [0, -70368744177664, 4398046511104] : tensor<1x16x3xi16> -> tensor<1x16x3xi16>
    %plain = vitq.layer_norm %some with #vitq.norm_exact<eps = 3, centered = false> by <[268435456, 268435456, 268435457], [35, 36, 37]>
        offsets [0, 0, 0] : tensor<1x16x3xi16> -> tensor<1x16x3xi16>
    %norms = vitq.add %norm by <1073741824, 31>, %plain by <1999999999, 33> round half_even
        : (tensor<1x16x3xi16>, tensor<1x16x3xi16>) -> tensor<1x16x3xi16>
    %line = vitq.reshape %product to [1, 1, 48] : tensor<1x16x3xi8> -> tensor<1x1x48xi8>
    %long = vitq.broadcast %line to [1, 16, 48] : tensor<1x1x48xi8> -> tensor<1x16x48xi8>
    %row = vitq.reshape %long to [1, 768] : tensor<1x16x48xi8> -> tensor<1x768xi8>
    %w = arith.constant dense<127> : tensor<3x768xi8>
    %bias = arith.constant dense<[-25000000, 1, 30000001]> : tensor<3xi32>
    %big = vitq.matmul %row, %w, %bias transpose_rhs lhs <unsigned> : (tensor<1x768xi8>, tensor<3x768xi8>, tensor<3xi32>) -> tensor<1x3xi32>
    %sum = vitq.sum %norms axes [1] : tensor<1x16x3xi16> -> tensor<1x3xi32>
    %both = vitq.add %big by <1073741824, 30>, %sum by <1500000001, 32> round half_up : (tensor<1x3xi32>, tensor<1x3xi32>) -> tensor<1x3xi32>
    %small = vitq.requant %both by <1610612737, 41> round half_up : tensor<1x3xi32> -> tensor<1x3xi16>
    %spread = vitq.broadcast %small to [1, 16, 3] : tensor<1x3xi16> -> tensor<1x16x3xi16>
    %all = vitq.add %norms by <1073741824, 30>, %spread by <1073741824, 30> round half_up
        : (tensor<1x16x3xi16>, tensor<1x16x3xi16>) -> tensor<1x16x3xi32>
    return %all : tensor<1x16x3xi32>
  }
}
