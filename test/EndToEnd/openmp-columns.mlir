// REQUIRES: x86_64, libomp

// Products of few rows, whose columns are shared out: the interpreter's numbers for every number of threads, of units
// that divide by it and that do not.

// RUN: %python -c 'import random, sys; random.seed(1); head = ("{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": (4, 13, 1024), }").replace(chr(34), chr(39)).ljust(117) + "\n"; open(sys.argv[1], "wb").write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + bytes(random.randrange(256) for _ in range(4 * 13 * 1024)))' %t.in.npy
// RUN: vitq-opt %s --compile --target=x86-64-v4+avx512vnni@x86-64 --openmp --emit=so -o %t.so
// RUN: vitq-run %s --images=%t.in.npy --dump-outputs=%t.npy
// RUN: vitq-run %t.so --images=%t.in.npy --dump-outputs=%t.0.npy && cmp %t.npy %t.0.npy
// RUN: vitq-run %t.so --images=%t.in.npy --dump-outputs=%t.2.npy --num-threads=2 && cmp %t.npy %t.2.npy
// RUN: vitq-run %t.so --images=%t.in.npy --dump-outputs=%t.5.npy --num-threads=5 && cmp %t.npy %t.5.npy

module attributes {vit.preprocess = "mean=0.5,std=0.5"} {
func.func @main(%x: tensor<1x13x1024x1xi8>) -> tensor<1x13x50xi32> {
  %w = arith.constant dense<101> : tensor<144x1024xi8>
  %v = arith.constant dense<-57> : tensor<50x144xi8>
  // Columns differ.
  %a = arith.constant dense<[-2202, 9420, 7834, -5726, 2123, 9790, 5534, 9034, -7852, 9845, -9568, 5376, -1501, 8049, -2321, -3716, 5410, 7727, 8011, 5610, 3014, -5064, -2400, -5031, 7144, 2778, -9503, -7901, -4776, 9370, -8597, -128, -8983, -1171, 5492, 9489, 2702, 3990, 2943, 8905, 4570, -5604, 1978, -6806, -8824, -5544, 6217, -2889, -1546, 4293, -135, 3801, 6622, 2645, 8810, 1499, 7502, 9172, 3356, 9145, -2385, 1036, -9060, -835, 9852, -4655, 6144, 7753, 8742, 8649, -6589, -3081, 8794, -1248, -662, -5922, -7920, 5795, 5844, -7099, 1275, -7817, 3451, -5059, -9340, -369, 3997, 3606, -6103, -8551, 9825, -8527, 2380, 9215, 845, 8051, -855, 6562, -2268, -8819, 148, -9762, -7477, -6457, 14454, 7550, -8971, -3532, 3368, -444, -1369, -4881, -8609, 1136, 284, 1803, -5467, 2380, 2346, 5087, 7042, 2655, 9519, 8326, -6638, 6615, -1110, 4130, -2213, -133, 4335, -1538, 7077, -71, 7971, 1106, -14424, 3606, 9005, 318, -9342, 2338, 9308, -5633]> : tensor<144xi32>
  %b = arith.constant dense<[-8397, -1051, 9389, -2574, -6517, 7117, -5527, -1288, -1977, -3103, -8021, 3859, -8955, -8138, 1874, 1804, -4367, -1824, -9231, -7283, -6224, -7789, -9169, -8660, -9307, 2226, -1621, -5812, -4851, -3979, 7141, -9936, 2635, 9316, -8585, -1879, -5038, -8811, -9862, 1279, -6293, -627, 1050, 6016, -8990, 106, 4702, 8072, 9830, -8500]> : tensor<50xi32>
  %t = vitq.reshape %x to [1, 13, 1024] : tensor<1x13x1024x1xi8> -> tensor<1x13x1024xi8>
  %s = vitq.matmul %t, %w, %a transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x13x1024xi8>, tensor<144x1024xi8>, tensor<144xi32>) -> tensor<1x13x144xi32>
  %h = vitq.requant %s by <1518500250, 47> round half_up result <unsigned, zero = 120> : tensor<1x13x144xi32> -> tensor<1x13x144xi8>
  %y = vitq.matmul %h, %v, %b transpose_rhs lhs <unsigned, zero = 120> : (tensor<1x13x144xi8>, tensor<50x144xi8>, tensor<50xi32>) -> tensor<1x13x50xi32>
  return %y : tensor<1x13x50xi32>
}
}
