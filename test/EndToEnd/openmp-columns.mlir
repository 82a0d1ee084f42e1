// REQUIRES: x86_64, libomp

// Products of few rows, whose columns are shared out: the interpreter's numbers for every number of threads, of units
// that divide by it and that do not.

// RUN: %python -c 'import random, sys; random.seed(1); head = ("{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": (4, 13, 64), }").replace(chr(34), chr(39)).ljust(117) + "\n"; open(sys.argv[1], "wb").write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + bytes(random.randrange(256) for _ in range(4 * 13 * 64)))' %t.in.npy
// RUN: vitq-opt %s --compile --target=x86-64-v4+avx512vnni@x86-64 --openmp --emit=so -o %t.so
// RUN: vitq-run %s --images=%t.in.npy --dump-outputs=%t.npy
// RUN: vitq-run %t.so --images=%t.in.npy --dump-outputs=%t.0.npy && cmp %t.npy %t.0.npy
// RUN: vitq-run %t.so --images=%t.in.npy --dump-outputs=%t.2.npy --num-threads=2 && cmp %t.npy %t.2.npy
// RUN: vitq-run %t.so --images=%t.in.npy --dump-outputs=%t.5.npy --num-threads=5 && cmp %t.npy %t.5.npy

module attributes {vit.preprocess = "mean=0.5,std=0.5"} {
func.func @main(%x: tensor<1x13x64x1xi8>) -> tensor<1x13x50xi32> {
  %w = arith.constant dense<101> : tensor<96x64xi8>
  %v = arith.constant dense<-57> : tensor<50x96xi8>
  // Columns differ.
  %a = arith.constant dense<[-8146, -6998, -7218, 1832, -4459, 98, -1756, 9856, -3046, 9884, -8829, 9045, -4810, 4113, 2896, 6682, 2192, 7832, 4577, 6452, -1210, -8822, -9100, 1929, 5234, 436, 2453, 3881, 7228, -4610, 8367, -4185, -2262, -2443, -9218, -4209, 655, -4311, -5520, 6718, 6720, 1787, 6835, 8347, -4041, 4603, 3588, 7216, 1936, 9448, 1593, 1859, 4607, -4718, 3103, 5120, 7379, -1811, 6057, -854, 6321, 6412, 6889, 1598, 4900, 5107, 1495, 8603, 8271, 4961, 5946, -2731, 639, -4558, -1213, 5721, 144, -61, 6524, 8422, 6966, 6626, 9266, 3326, 219, -3190, 6021, 6774, 2013, -7530, 1189, -9724, -3728, -6521, -8074, 8823]> : tensor<96xi32>
  %b = arith.constant dense<[-8397, -1051, 9389, -2574, -6517, 7117, -5527, -1288, -1977, -3103, -8021, 3859, -8955, -8138, 1874, 1804, -4367, -1824, -9231, -7283, -6224, -7789, -9169, -8660, -9307, 2226, -1621, -5812, -4851, -3979, 7141, -9936, 2635, 9316, -8585, -1879, -5038, -8811, -9862, 1279, -6293, -627, 1050, 6016, -8990, 106, 4702, 8072, 9830, -8500]> : tensor<50xi32>
  %t = vitq.reshape %x to [1, 13, 64] : tensor<1x13x64x1xi8> -> tensor<1x13x64xi8>
  %s = vitq.matmul %t, %w, %a transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x13x64xi8>, tensor<96x64xi8>, tensor<96xi32>) -> tensor<1x13x96xi32>
  %h = vitq.requant %s by <1518500250, 44> round half_up result <unsigned, zero = 120> : tensor<1x13x96xi32> -> tensor<1x13x96xi8>
  %y = vitq.matmul %h, %v, %b transpose_rhs lhs <unsigned, zero = 120> : (tensor<1x13x96xi8>, tensor<50x96xi8>, tensor<50xi32>) -> tensor<1x13x50xi32>
  return %y : tensor<1x13x50xi32>
}
}
