// Every op of the dialect, in its own syntax, in generic form and as bytecode.
// RUN: vitq-opt %s | FileCheck %s
// RUN: vitq-opt %s | vitq-opt | FileCheck %s
// RUN: vitq-opt %s --mlir-print-op-generic | vitq-opt | FileCheck %s
// RUN: vitq-opt %s --emit-bytecode | vitq-opt | FileCheck %s

// CHECK: module attributes {vitq.scales = {"0" = [1.000000e-01, 3]}}
module attributes {vitq.scales = {"0" = [0.1, 3]}} {

// CHECK-LABEL: func @matmul
func.func @matmul(%a: tensor<2x3x4xi8>, %w: tensor<4x5xi8>, %t: tensor<2x5x4xi8>, %b: tensor<5xi32>, %l: tensor<2x3x4xi16>) {
  // CHECK: vitq.matmul %{{.*}}, %{{.*}}, %{{.*}} lhs <unsigned, zero = 131> {vitq.id = 0 : i64} : (tensor<2x3x4xi8>, tensor<4x5xi8>, tensor<5xi32>) -> tensor<2x3x5xi32>
  %0 = vitq.matmul %a, %w, %b lhs <unsigned, zero = 131> {vitq.id = 0 : i64} : (tensor<2x3x4xi8>, tensor<4x5xi8>, tensor<5xi32>) -> tensor<2x3x5xi32>
  // CHECK: vitq.matmul %{{.*}}, %{{.*}} transpose_rhs : (tensor<2x3x4xi8>, tensor<2x5x4xi8>) -> tensor<2x3x5xi32>
  %1 = vitq.matmul %a, %t transpose_rhs : (tensor<2x3x4xi8>, tensor<2x5x4xi8>) -> tensor<2x3x5xi32>
  // CHECK: vitq.matmul %{{.*}}, %{{.*}} lhs <signed, zero = -300> : (tensor<2x3x4xi16>, tensor<4x5xi8>) -> tensor<2x3x5xi32>
  %2 = vitq.matmul %l, %w lhs <signed, zero = -300> : (tensor<2x3x4xi16>, tensor<4x5xi8>) -> tensor<2x3x5xi32>
  return
}

// CHECK-LABEL: func @requant
func.func @requant(%x: tensor<2x3xi32>, %y: tensor<2x3xi8>) {
  // CHECK: vitq.requant %{{.*}} by <1073741824, 31> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  %0 = vitq.requant %x by <1073741824, 31> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  // CHECK: vitq.requant %{{.*}} by <[1, -2, 2147483647], [1, 30, 62]> round half_even result <unsigned, zero = 128> {max = 250 : i64, min = 3 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
  %1 = vitq.requant %x by <[1, -2, 2147483647], [1, 30, 62]> round half_even result <unsigned, zero = 128> {min = 3 : i64, max = 250 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
  // CHECK: vitq.requant %{{.*}} by <[5, 6], [7, 8]> round half_away input <unsigned, zero = 200> {axis = 0 : i64} : tensor<2x3xi8> -> tensor<2x3xi16>
  %2 = vitq.requant %y by <[5, 6], [7, 8]> round half_away input <unsigned, zero = 200> {axis = 0 : i64} : tensor<2x3xi8> -> tensor<2x3xi16>
  // CHECK: vitq.requant %{{.*}} by <5, 7> round floor : tensor<2x3xi8> -> tensor<2x3xi32>
  %3 = vitq.requant %y by <5, 7> round floor : tensor<2x3xi8> -> tensor<2x3xi32>
  return
}

// CHECK-LABEL: func @arithmetic
func.func @arithmetic(%a: tensor<2x3xi16>, %b: tensor<2x3xi32>, %c: tensor<3xi8>, %d: tensor<2x3xi8>) {
  // CHECK: vitq.add %{{.*}} by <1, 1>, %{{.*}} by <[1, 2, 3], [4, 5, 6]> round half_up : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi16>
  %0 = vitq.add %a by <1, 1>, %b by <[1, 2, 3], [4, 5, 6]> round half_up : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi16>
  // CHECK: vitq.add {{.*}} round half_even lhs <unsigned, zero = 3> rhs <signed, zero = -2> result <unsigned, zero = 7> : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  %1 = vitq.add %d by <1, 1>, %c by <1, 1> round half_even lhs <unsigned, zero = 3> rhs <signed, zero = -2> result <unsigned, zero = 7>
    : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  // CHECK: vitq.add %{{.*}} by <1073741824, 30>, %{{.*}} by <[1, 2, 3], [4, 5, 6]> round half_up : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  %6 = vitq.add %b by <1073741824, 30>, %b by <[1, 2, 3], [4, 5, 6]> round half_up : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  // CHECK: vitq.mul %{{.*}}, %{{.*}} by <3, 9> round half_up : (tensor<2x3xi16>, tensor<3xi8>) -> tensor<2x3xi32>
  %2 = vitq.mul %a, %c by <3, 9> round half_up : (tensor<2x3xi16>, tensor<3xi8>) -> tensor<2x3xi32>
  // CHECK: vitq.mul %{{.*}}, %{{.*}} by <3, 9> round half_up rhs <unsigned> result <unsigned, zero = 1> : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x3xi8>
  %3 = vitq.mul %d, %d by <3, 9> round half_up rhs <unsigned> result <unsigned, zero = 1> : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x3xi8>
  // CHECK: vitq.sum %{{.*}} axes [1] input <unsigned, zero = 9> : tensor<2x3xi8> -> tensor<2xi32>
  %4 = vitq.sum %d axes [1] input <unsigned, zero = 9> : tensor<2x3xi8> -> tensor<2xi32>
  // CHECK: vitq.hadamard %{{.*}} block 2 input <unsigned, zero = 9> : tensor<3x2xi8> -> tensor<3x2xi32>
  %h = vitq.reshape %d to [3, 2] : tensor<2x3xi8> -> tensor<3x2xi8>
  %hd = vitq.hadamard %h block 2 input <unsigned, zero = 9> : tensor<3x2xi8> -> tensor<3x2xi32>
  // CHECK: vitq.hadamard %{{.*}} block 2 zeros [9, 255] shifts [0, 4] input <unsigned> : tensor<3x2xi8> -> tensor<3x2xi32>
  %hs = vitq.hadamard %h block 2 zeros [9, 255] shifts [0, 4] input <unsigned> : tensor<3x2xi8> -> tensor<3x2xi32>
  // CHECK: vitq.sum %{{.*}} axes [0, 1] keep_dims : tensor<2x3xi16> -> tensor<1x1xi32>
  %5 = vitq.sum %a axes [0, 1] keep_dims : tensor<2x3xi16> -> tensor<1x1xi32>
  return
}

// CHECK-LABEL: func @nonlinear
func.func @nonlinear(%x: tensor<2x3xi8>, %t: tensor<256xi16>, %ts: tensor<2x256xi8>, %i: tensor<3xi8>, %e: tensor<256xi8>,
                     %s: tensor<1x2x3x4xi32>, %l: tensor<2x3xi16>, %k: tensor<1025xi16>) {
  // CHECK: vitq.table %{{.*}}, %{{.*}} input <unsigned> : (tensor<2x3xi8>, tensor<256xi16>) -> tensor<2x3xi16>
  %0 = vitq.table %x, %t input <unsigned> : (tensor<2x3xi8>, tensor<256xi16>) -> tensor<2x3xi16>
  // CHECK: vitq.table %{{.*}}, %{{.*}}, %{{.*}} : (tensor<2x3xi8>, tensor<2x256xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  %1 = vitq.table %x, %ts, %i : (tensor<2x3xi8>, tensor<2x256xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  // CHECK: vitq.gelu shift %{{.*}} exponent_step -17 fraction_bits 23 by <9, 12> round half_up input <unsigned, zero = 100> result <unsigned, zero = 12> : tensor<2x3xi8> -> tensor<2x3xi8>
  %2 = vitq.gelu shift %x exponent_step -17 fraction_bits 23 by <9, 12> round half_up input <unsigned, zero = 100> result <unsigned, zero = 12> : tensor<2x3xi8> -> tensor<2x3xi8>
  // CHECK: vitq.gelu shift %{{.*}} exponent_step -17 fraction_bits 23 reciprocal_bits 31 by <9, 12> round half_even : tensor<2x3xi8> -> tensor<2x3xi8>
  %10 = vitq.gelu shift %x exponent_step -17 fraction_bits 23 reciprocal_bits 31 by <9, 12> round half_even : tensor<2x3xi8> -> tensor<2x3xi8>
  // CHECK: vitq.interpolate %{{.*}}, %{{.*}} start -2048 shift 2 tail_by <1518500250, 31> : (tensor<2x3xi16>, tensor<1025xi16>) -> tensor<2x3xi16>
  %11 = vitq.interpolate %l, %k start -2048 shift 2 tail_by <1518500250, 31> : (tensor<2x3xi16>, tensor<1025xi16>) -> tensor<2x3xi16>
  // CHECK: vitq.softmax %{{.*}} with #exp_table by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  %3, %4 = vitq.softmax %s with #vitq.exp_table<dense<1> : tensor<256xi8>> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  // CHECK: vitq.softmax %{{.*}} with #vitq.exp_shift<step = -16, fraction_bits = 15, code_shift = 8> by <[7, 8], [9, 9]>
  %5, %6 = vitq.softmax %s with #vitq.exp_shift<step = -16, fraction_bits = 15, code_shift = 8> by <[7, 8], [9, 9]>
    : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  // CHECK: vitq.shiftmax %{{.*}} exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 16 : tensor<1x2x3x4xi32> -> tensor<1x2x3x4xi16>
  %12 = vitq.shiftmax %s exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 16 : tensor<1x2x3x4xi32> -> tensor<1x2x3x4xi16>
  // CHECK: vitq.shiftmax %{{.*}} exponent_step -1073741824 fraction_bits 30 reciprocal_bits 62 result_bits 8 : tensor<2x3xi8> -> tensor<2x3xi8>
  %13 = vitq.shiftmax %x exponent_step -1073741824 fraction_bits 30 reciprocal_bits 62 result_bits 8 : tensor<2x3xi8> -> tensor<2x3xi8>
  // CHECK: vitq.softmax %{{.*}} with #vitq.exp_pwl<lines = <breakpoints = [-85, -31], slopes = [2, 44, 162], intercepts = [447, 4052, 7771]>, code_shift = 5> by <7, 9> : (tensor<1x2x3x4xi32>)
  %15, %16 = vitq.softmax %s with #vitq.exp_pwl<lines = <breakpoints = [-85, -31], slopes = [2, 44, 162], intercepts = [447, 4052, 7771]>, code_shift = 5> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  // CHECK: vitq.softmax %{{.*}} with #vitq.exp_poly<step = -16, fraction_bits = 15, linear = 62, offset = 1487, code_shift = 18> by <7, 9>
  %17, %18 = vitq.softmax %s with #vitq.exp_poly<step = -16, fraction_bits = 15, linear = 62, offset = 1487, code_shift = 18> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  // CHECK: vitq.softmax %{{.*}} with #vitq.exp_log2<top_exponent = 14> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  %19, %20 = vitq.softmax %s with #vitq.exp_log2<top_exponent = 14> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  // CHECK: vitq.softmax %{{.*}} with #vitq.exp_octave<dense<16384> : tensor<256xi16>> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  %octave, %octaves = vitq.softmax %s with #vitq.exp_octave<dense<16384> : tensor<256xi16>> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  // CHECK: vitq.divide_rows %{{.*}}, %{{.*}} by <7, 9> round half_up lines <breakpoints = [1024, 2047], slopes = [-7281, -1820, -455], intercepts = [11176584, 5587692, 2793998]> : (tensor<1x2x3x4xi32>, tensor<1x2x3xi32>)
  %21 = vitq.divide_rows %s, %4 by <7, 9> round half_up lines <breakpoints = [1024, 2047], slopes = [-7281, -1820, -455], intercepts = [11176584, 5587692, 2793998]> : (tensor<1x2x3x4xi32>, tensor<1x2x3xi32>) -> tensor<1x2x3x4xi8>
  // CHECK: vitq.layer_norm %{{.*}} with #vitq.norm_pwl<eps = 1, lines = <breakpoints = [645, 1624], slopes = [-7381, -1845, -461], intercepts = [9638200, 6071126, 3824086]>> by <[1, -2, 3], [4, 5, 6]> offsets [-7, 0, 7] : tensor<2x3xi16> -> tensor<2x3xi8>
  %22 = vitq.layer_norm %l with #vitq.norm_pwl<eps = 1, lines = <breakpoints = [645, 1624], slopes = [-7381, -1845, -461], intercepts = [9638200, 6071126, 3824086]>> by <[1, -2, 3], [4, 5, 6]> offsets [-7, 0, 7] : tensor<2x3xi16> -> tensor<2x3xi8>
  %sq = arith.constant dense<5> : tensor<2x3xi32>
  // CHECK: vitq.norm_quant %{{.*}}, %{{.*}} negative [false, true, false] eps 7 from 3 result <unsigned> : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi8>
  %23 = vitq.norm_quant %l, %sq negative [false, true, false] eps 7 from 3 result <unsigned> : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi8>
  // CHECK: vitq.threshold %{{.*}}, %{{.*}} from -2 input <unsigned> : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi8>
  %24 = vitq.threshold %l, %sq from -2 input <unsigned> : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi8>
  // CHECK: vitq.divide_rows %{{.*}}, %{{.*}} by <[7, 8], [9, 9]> round half_up result <signed, zero = 3> {axis = 1 : i64} : (tensor<1x2x3x4xi32>, tensor<1x2x3xi32>) -> tensor<1x2x3x4xi8>
  %7 = vitq.divide_rows %s, %4 by <[7, 8], [9, 9]> round half_up result <signed, zero = 3> {axis = 1 : i64} : (tensor<1x2x3x4xi32>, tensor<1x2x3xi32>) -> tensor<1x2x3x4xi8>
  // CHECK: vitq.layer_norm %{{.*}} with #vitq.norm_exact<eps = 1> by <[1, -2, 3], [4, 5, 6]> offsets [-7, 0, 70000000000] result <unsigned, zero = 130> : tensor<2x3xi16> -> tensor<2x3xi8>
  %8 = vitq.layer_norm %l with #vitq.norm_exact<eps = 1> by <[1, -2, 3], [4, 5, 6]> offsets [-7, 0, 70000000000] result <unsigned, zero = 130> : tensor<2x3xi16> -> tensor<2x3xi8>
  // CHECK: vitq.layer_norm %{{.*}} with #vitq.norm_exact<eps = 1, centered = false> by <[1, -2, 3], [4, 5, 6]> offsets [-7, 0, 7] : tensor<2x3xi16> -> tensor<2x3xi8>
  %25 = vitq.layer_norm %l with #vitq.norm_exact<eps = 1, centered = false> by <[1, -2, 3], [4, 5, 6]> offsets [-7, 0, 7] : tensor<2x3xi16> -> tensor<2x3xi8>
  // CHECK: vitq.layer_norm %{{.*}} with #vitq.norm_pwl<eps = 1, lines = <breakpoints = [645, 1624], slopes = [-7381, -1845, -461], intercepts = [9638200, 6071126, 3824086]>, centered = false> by
  %26 = vitq.layer_norm %l with #vitq.norm_pwl<eps = 1, lines = <breakpoints = [645, 1624], slopes = [-7381, -1845, -461], intercepts = [9638200, 6071126, 3824086]>, centered = false> by <[1, -2, 3], [4, 5, 6]> offsets [-7, 0, 7] : tensor<2x3xi16> -> tensor<2x3xi8>
  // CHECK: vitq.layer_norm %{{.*}} with #vitq.norm_shift<post_offsets = [1, 2, 3]> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] input <unsigned> : tensor<2x3xi8> -> tensor<2x3xi16>
  %9 = vitq.layer_norm %x with #vitq.norm_shift<post_offsets = [1, 2, 3]> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] input <unsigned> : tensor<2x3xi8> -> tensor<2x3xi16>
  // CHECK: vitq.layer_norm %{{.*}} with #vitq.norm_shift<rounding = half_even> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi8> -> tensor<2x3xi16>
  %14 = vitq.layer_norm %x with #vitq.norm_shift<rounding = half_even> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi8> -> tensor<2x3xi16>
  return
}

// CHECK-LABEL: func @functions
func.func @functions(%x: tensor<2x3xi8>, %l: tensor<2x3xi16>) {
  // CHECK: vitq.pwl %{{.*}} lines <breakpoints = [-40, 12], slopes = [0, 3, 64], intercepts = [-2, 118, -610]> by <9, 12> round half_up input <unsigned, zero = 100> result <unsigned, zero = 12> : tensor<2x3xi8> -> tensor<2x3xi8>
  %0 = vitq.pwl %x lines <breakpoints = [-40, 12], slopes = [0, 3, 64], intercepts = [-2, 118, -610]> by <9, 12> round half_up
    input <unsigned, zero = 100> result <unsigned, zero = 12> : tensor<2x3xi8> -> tensor<2x3xi8>
  // Breakpoints may be equal, and beyond all codes.
  // CHECK: vitq.pwl %{{.*}} lines <breakpoints = [5, 5, 2147483647], slopes = [-1, 0, 1, 2], intercepts = [0, 0, 0, 0]> by <[1, -2, 3], [4, 5, 6]> round half_even result <signed, zero = -3> : tensor<2x3xi16> -> tensor<2x3xi16>
  %1 = vitq.pwl %l lines <breakpoints = [5, 5, 2147483647], slopes = [-1, 0, 1, 2], intercepts = [0, 0, 0, 0]> by <[1, -2, 3], [4, 5, 6]> round half_even
    result <signed, zero = -3> : tensor<2x3xi16> -> tensor<2x3xi16>
  // CHECK: vitq.pwl %{{.*}} lines <breakpoints = [0], slopes = [1, 2], intercepts = [3, 4]> by <1, 1> round floor : tensor<2x3xi8> -> tensor<2x3xi32>
  %2 = vitq.pwl %x lines <breakpoints = [0], slopes = [1, 2], intercepts = [3, 4]> by <1, 1> round floor : tensor<2x3xi8> -> tensor<2x3xi32>
  // CHECK: vitq.poly_gelu %{{.*}} clip 25 one 692 by <9, 12> round half_up input <unsigned, zero = 100> result <unsigned, zero = 12> : tensor<2x3xi8> -> tensor<2x3xi8>
  %3 = vitq.poly_gelu %x clip 25 one 692 by <9, 12> round half_up input <unsigned, zero = 100> result <unsigned, zero = 12> : tensor<2x3xi8> -> tensor<2x3xi8>
  // CHECK: vitq.poly_gelu %{{.*}} clip 0 one 1 by <[1, -2, 3], [4, 5, 6]> round half_away : tensor<2x3xi16> -> tensor<2x3xi32>
  %4 = vitq.poly_gelu %l clip 0 one 1 by <[1, -2, 3], [4, 5, 6]> round half_away : tensor<2x3xi16> -> tensor<2x3xi32>
  return
}

// CHECK-LABEL: func @moves
func.func @moves(%x: tensor<2x3x4xi16>, %p: tensor<1x4x6x3xi8>) {
  // CHECK: vitq.extract_patches %{{.*}} patch [2, 3] : tensor<1x4x6x3xi8> -> tensor<1x4x18xi8>
  %0 = vitq.extract_patches %p patch [2, 3] : tensor<1x4x6x3xi8> -> tensor<1x4x18xi8>
  // CHECK: vitq.extract_patches %{{.*}} patch [2, 3] strides [1, 2] pads [1, 0, 0, 2] dilations [2, 1] padding [3, -3, 200] as_map : tensor<1x4x6x3xi8> -> tensor<1x3x3x18xi8>
  %patches = vitq.extract_patches %p patch [2, 3] strides [1, 2] pads [1, 0, 0, 2] dilations [2, 1] padding [3, -3, 200] as_map : tensor<1x4x6x3xi8> -> tensor<1x3x3x18xi8>
  // CHECK: vitq.depthwise_conv2d %{{.*}}, %{{.*}} : (tensor<1x4x6x3xi8>, tensor<2x3x3xi4>) -> tensor<1x3x4x3xi32>
  %taps = arith.constant dense<1> : tensor<2x3x3xi4>
  %dw = vitq.depthwise_conv2d %p, %taps : (tensor<1x4x6x3xi8>, tensor<2x3x3xi4>) -> tensor<1x3x4x3xi32>
  // CHECK: vitq.depthwise_conv2d %{{.*}}, %{{.*}}, %{{.*}} strides [2, 1] pads [1, 0, 0, 2] dilations [2, 1] input <unsigned, zero = 7> : (tensor<1x4x6x3xi8>, tensor<2x3x3xi4>, tensor<3xi32>) -> tensor<1x2x6x3xi32>
  %dwbias = arith.constant dense<1> : tensor<3xi32>
  %dw2 = vitq.depthwise_conv2d %p, %taps, %dwbias strides [2, 1] pads [1, 0, 0, 2] dilations [2, 1] input <unsigned, zero = 7> : (tensor<1x4x6x3xi8>, tensor<2x3x3xi4>, tensor<3xi32>) -> tensor<1x2x6x3xi32>
  // CHECK: vitq.depthwise_conv2d %{{.*}}, %{{.*}} input <unsigned, zero = 40000> : (tensor<1x4x6x3xi16>, tensor<2x3x3xi4>) -> tensor<1x3x4x3xi32>
  %p16 = arith.constant dense<1> : tensor<1x4x6x3xi16>
  %dw3 = vitq.depthwise_conv2d %p16, %taps input <unsigned, zero = 40000> : (tensor<1x4x6x3xi16>, tensor<2x3x3xi4>) -> tensor<1x3x4x3xi32>
  // CHECK: vitq.reshape %{{.*}} to [6, 4] : tensor<2x3x4xi16> -> tensor<6x4xi16>
  %1 = vitq.reshape %x to [6, 4] : tensor<2x3x4xi16> -> tensor<6x4xi16>
  // CHECK: vitq.transpose %{{.*}} by [2, 0, 1] : tensor<2x3x4xi16> -> tensor<4x2x3xi16>
  %2 = vitq.transpose %x by [2, 0, 1] : tensor<2x3x4xi16> -> tensor<4x2x3xi16>
  // CHECK: vitq.concat %{{.*}}, %{{.*}} axis 0 : (tensor<2x3x4xi16>, tensor<2x3x4xi16>) -> tensor<4x3x4xi16>
  %3 = vitq.concat %x, %x axis 0 : (tensor<2x3x4xi16>, tensor<2x3x4xi16>) -> tensor<4x3x4xi16>
  // CHECK: vitq.slice %{{.*}} offsets [0, 1, 0] sizes [2, 1, 2] strides [1, 1, 3] : tensor<2x3x4xi16> -> tensor<2x1x2xi16>
  %4 = vitq.slice %x offsets [0, 1, 0] sizes [2, 1, 2] strides [1, 1, 3] : tensor<2x3x4xi16> -> tensor<2x1x2xi16>
  // CHECK: vitq.gather %{{.*}} indices [2, 0, 0, 1] axis 1 : tensor<2x3x4xi16> -> tensor<2x4x4xi16>
  %5 = vitq.gather %x indices [2, 0, 0, 1] axis 1 : tensor<2x3x4xi16> -> tensor<2x4x4xi16>
  // CHECK: vitq.broadcast %{{.*}} to [5, 2, 3, 4] : tensor<2x3x4xi16> -> tensor<5x2x3x4xi16>
  %6 = vitq.broadcast %x to [5, 2, 3, 4] : tensor<2x3x4xi16> -> tensor<5x2x3x4xi16>
  // CHECK: vitq.pad %{{.*}} low [0, 1, 0] high [0, 0, 2] value -3 : tensor<2x3x4xi16> -> tensor<2x4x6xi16>
  %7 = vitq.pad %x low [0, 1, 0] high [0, 0, 2] value -3 : tensor<2x3x4xi16> -> tensor<2x4x6xi16>
  return
}
}

// CHECK-LABEL: func @windows
func.func @windows(%x: tensor<1x5x4x3xi8>) {
  // CHECK: vitq.max_pool %{{.*}} kernel [3, 2] strides [2, 1] pads [1, 0, 1, 0] dilations [1, 2] input <unsigned> : tensor<1x5x4x3xi8> -> tensor<1x3x2x3xi8>
  %0 = vitq.max_pool %x kernel [3, 2] strides [2, 1] pads [1, 0, 1, 0] dilations [1, 2] input <unsigned> : tensor<1x5x4x3xi8> -> tensor<1x3x2x3xi8>
  // CHECK: vitq.resample %{{.*}} rows [0, 3] weights [1, 1, 2, 0] columns [1] weights [3] by <9, 12> round half_up result <unsigned, zero = 12> : tensor<1x5x4x3xi8> -> tensor<1x2x1x3xi8>
  %1 = vitq.resample %x rows [0, 3] weights [1, 1, 2, 0] columns [1] weights [3] by <9, 12> round half_up result <unsigned, zero = 12> : tensor<1x5x4x3xi8> -> tensor<1x2x1x3xi8>
  return
}
