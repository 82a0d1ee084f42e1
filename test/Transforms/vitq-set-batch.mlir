// RUN: vitq-opt %s --vitq-set-batch=batch=3 --split-input-file --verify-diagnostics | FileCheck %s

// Everything that depends on the input grows; constants stay, and are repeated only
// where the op does not do it by itself.

// CHECK: module attributes {vitq.batch = 3 : i64}
// CHECK: func.func @main(%[[X:.*]]: tensor<3x4x4x1xi8>) -> tensor<3x2xi32>
func.func @main(%x: tensor<1x4x4x1xi8>) -> tensor<1x2xi32> {
  // CHECK-DAG: %[[W:.*]] = arith.constant dense<1> : tensor<4x4xi8>
  // CHECK-DAG: %[[TOKEN:.*]] = arith.constant dense<2> : tensor<1x1x4xi8>
  // CHECK-DAG: %[[POSITION:.*]] = arith.constant dense<3> : tensor<1x5x4xi8>
  %w = arith.constant dense<1> : tensor<4x4xi8>
  %token = arith.constant dense<2> : tensor<1x1x4xi8>
  %position = arith.constant dense<3> : tensor<1x5x4xi8>
  %table = arith.constant dense<4> : tensor<256xi8>
  %head = arith.constant dense<5> : tensor<2x4xi8>
  // CHECK: %[[P:.*]] = vitq.extract_patches %[[X]] patch [2, 2] : tensor<3x4x4x1xi8> -> tensor<3x4x4xi8>
  %p = vitq.extract_patches %x patch [2, 2] : tensor<1x4x4x1xi8> -> tensor<1x4x4xi8>
  // CHECK: vitq.matmul %[[P]], %[[W]] {{.*}} : (tensor<3x4x4xi8>, tensor<4x4xi8>) -> tensor<3x4x4xi32>
  %e = vitq.matmul %p, %w transpose_rhs : (tensor<1x4x4xi8>, tensor<4x4xi8>) -> tensor<1x4x4xi32>
  // CHECK: vitq.requant {{.*}} : tensor<3x4x4xi32> -> tensor<3x4x4xi8>
  %q = vitq.requant %e by #vitq.dyadic<[1073741824, 1073741824, 1073741824, 1073741824], [34, 35, 36, 37]> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
  // CHECK: %[[B:.*]] = vitq.broadcast %[[TOKEN]] to [3, 1, 4] : tensor<1x1x4xi8> -> tensor<3x1x4xi8>
  // CHECK: vitq.concat %[[B]], %{{.*}} axis 1 : (tensor<3x1x4xi8>, tensor<3x4x4xi8>) -> tensor<3x5x4xi8>
  %t = vitq.concat %token, %q axis 1 : (tensor<1x1x4xi8>, tensor<1x4x4xi8>) -> tensor<1x5x4xi8>
  // CHECK: vitq.add %{{.*}}, %[[POSITION]] {{.*}} : (tensor<3x5x4xi8>, tensor<1x5x4xi8>) -> tensor<3x5x4xi8>
  %a = vitq.add %t by #vitq.dyadic<1073741824, 30>, %position by #vitq.dyadic<1073741824, 30> round half_up : (tensor<1x5x4xi8>, tensor<1x5x4xi8>) -> tensor<1x5x4xi8>
  // CHECK: vitq.reshape %{{.*}} to [3, 5, 2, 2]
  %r = vitq.reshape %a to [1, 5, 2, 2] : tensor<1x5x4xi8> -> tensor<1x5x2x2xi8>
  // CHECK: vitq.transpose %{{.*}} by [0, 2, 1, 3] : tensor<3x5x2x2xi8> -> tensor<3x2x5x2xi8>
  %h = vitq.transpose %r by [0, 2, 1, 3] : tensor<1x5x2x2xi8> -> tensor<1x2x5x2xi8>
  // CHECK: vitq.matmul {{.*}} : (tensor<3x2x5x2xi8>, tensor<3x2x5x2xi8>) -> tensor<3x2x5x5xi32>
  %s = vitq.matmul %h, %h transpose_rhs : (tensor<1x2x5x2xi8>, tensor<1x2x5x2xi8>) -> tensor<1x2x5x5xi32>
  // One multiplier for each head, as before.
  // CHECK: vitq.softmax {{.*}} by <[1073741824, 1073741823], [30, 30]> {{.*}} -> (tensor<3x2x5x5xi8>, tensor<3x2x5xi32>)
  %c, %sums = vitq.softmax %s with #vitq.exp_table<dense<4> : tensor<256xi8>> by <[1073741824, 1073741823], [30, 30]> : (tensor<1x2x5x5xi32>) -> (tensor<1x2x5x5xi8>, tensor<1x2x5xi32>)
  // CHECK: vitq.matmul {{.*}} : (tensor<3x2x5x5xi8>, tensor<3x2x5x2xi8>) -> tensor<3x2x5x2xi32>
  %o = vitq.matmul %c, %h lhs <unsigned> : (tensor<1x2x5x5xi8>, tensor<1x2x5x2xi8>) -> tensor<1x2x5x2xi32>
  // CHECK: vitq.divide_rows {{.*}} : (tensor<3x2x5x2xi32>, tensor<3x2x5xi32>) -> tensor<3x2x5x2xi8>
  %d = vitq.divide_rows %o, %sums by #vitq.dyadic<[1073741824, 1073741823], [40, 40]> round half_up {axis = 1 : i64} : (tensor<1x2x5x2xi32>, tensor<1x2x5xi32>) -> tensor<1x2x5x2xi8>
  // CHECK: vitq.slice %{{.*}} offsets [0, 0, 0, 0] sizes [3, 2, 1, 2] strides [1, 1, 1, 1]
  %f = vitq.slice %d offsets [0, 0, 0, 0] sizes [1, 2, 1, 2] strides [1, 1, 1, 1] : tensor<1x2x5x2xi8> -> tensor<1x2x1x2xi8>
  // CHECK: vitq.reshape %{{.*}} to [3, 4]
  %g = vitq.reshape %f to [1, 4] : tensor<1x2x1x2xi8> -> tensor<1x4xi8>
  // CHECK: %[[Y:.*]] = vitq.matmul {{.*}} : (tensor<3x4xi8>, tensor<2x4xi8>) -> tensor<3x2xi32>
  %y = vitq.matmul %g, %head transpose_rhs : (tensor<1x4xi8>, tensor<2x4xi8>) -> tensor<1x2xi32>
  // CHECK: return %[[Y]] : tensor<3x2xi32>
  return %y : tensor<1x2xi32>
}

// -----

// A left operand that is the same for all images is repeated, as is a result.

// CHECK: func.func @main({{.*}} -> (tensor<3x2x4xi8>, tensor<3x2x4xi8>, tensor<3x2x2xi32>)
func.func @main(%x: tensor<1x2x4xi8>) -> (tensor<1x2x4xi8>, tensor<1x2x4xi8>, tensor<1x2x2xi32>) {
  // CHECK: %[[C:.*]] = arith.constant dense<1> : tensor<1x2x4xi8>
  %c = arith.constant dense<1> : tensor<1x2x4xi8>
  // CHECK: %[[A:.*]] = vitq.broadcast %[[C]] to [3, 2, 4]
  // CHECK: vitq.add %[[A]]
  %a = vitq.add %c by #vitq.dyadic<1073741824, 30>, %x by #vitq.dyadic<1073741824, 30> round half_up : (tensor<1x2x4xi8>, tensor<1x2x4xi8>) -> tensor<1x2x4xi8>
  // CHECK: %[[M:.*]] = vitq.broadcast %[[C]] to [3, 2, 4]
  // CHECK: vitq.matmul %[[M]], %{{.*}} : (tensor<3x2x4xi8>, tensor<3x2x4xi8>)
  %m = vitq.matmul %c, %x transpose_rhs : (tensor<1x2x4xi8>, tensor<1x2x4xi8>) -> tensor<1x2x2xi32>
  // CHECK: %[[R:.*]] = vitq.broadcast %[[C]] to [3, 2, 4]
  // CHECK: return %{{.*}}, %[[R]], %{{.*}}
  return %a, %c, %m : tensor<1x2x4xi8>, tensor<1x2x4xi8>, tensor<1x2x2xi32>
}

// -----

// A program of as many images stays as it is.

// CHECK: module attributes {vitq.batch = 3 : i64}
// CHECK: vitq.sum %{{.*}} axes [0]
func.func @main(%x: tensor<3x4xi8>) -> tensor<4xi32> {
  %y = vitq.sum %x axes [0] : tensor<3x4xi8> -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----

func.func @main(%x: tensor<1x4x2xi8>) -> tensor<4x1x2xi8> {
  // expected-error @unknown {{node 'tokens': the leading axis is not the batch: it moves the axis; compile this model with a batch of 1}}
  %y = vitq.transpose %x by [1, 0, 2] : tensor<1x4x2xi8> -> tensor<4x1x2xi8> loc("tokens")
  return %y : tensor<4x1x2xi8>
}

// -----

func.func @main(%x: tensor<1x1x2xi8>) -> tensor<1x1x2xi8> {
  // expected-error @+1 {{the leading axis is not the batch: it moves the axis}}
  %y = vitq.transpose %x by [1, 0, 2] : tensor<1x1x2xi8> -> tensor<1x1x2xi8>
  return %y : tensor<1x1x2xi8>
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi32> {
  // expected-error @+1 {{the leading axis is not the batch: it sums over it}}
  %y = vitq.sum %x axes [0] keep_dims : tensor<1x2xi8> -> tensor<1x2xi32>
  return %y : tensor<1x2xi32>
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  // expected-error @+1 {{the leading axis is not the batch: it gathers along it}}
  %y = vitq.gather %x indices [0] axis 0 : tensor<1x2xi8> -> tensor<1x2xi8>
  return %y : tensor<1x2xi8>
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  %c = arith.constant dense<1> : tensor<1x2xi8>
  %t = vitq.reshape %x to [1, 2] : tensor<1x2xi8> -> tensor<1x2xi8>
  // expected-error @+1 {{the leading axis is not the batch: operand 1 is shared by all images, and depends on the input}}
  %y = vitq.matmul %c, %t transpose_rhs : (tensor<1x2xi8>, tensor<1x2xi8>) -> tensor<1x1xi32>
  return %c : tensor<1x2xi8>
}

// -----

// Windows: slices of an image stay together. What is the same for all images and differs
// from window to window is repeated as a whole.
// CHECK-LABEL: func.func @main(%{{.*}}: tensor<3x4x2xi8>) -> (tensor<6x2x2xi8>, tensor<6x2xi8>)
// CHECK: %[[C:.*]] = arith.constant dense<[
// CHECK: %[[W:.*]] = vitq.reshape %{{.*}} to [6, 2, 2]
// CHECK: %[[R:.*]] = vitq.reshape %{{.*}} to [1, 2, 1, 2]
// CHECK: %[[B:.*]] = vitq.broadcast %[[R]] to [3, 2, 1, 2]
// CHECK: %[[M:.*]] = vitq.reshape %[[B]] to [6, 1, 2]
// CHECK: vitq.add %[[W]] by {{.*}}, %[[M]] by {{.*}} -> tensor<6x2x2xi8>
// CHECK: vitq.slice %{{.*}} offsets [0, 1, 0] sizes [6, 1, 2]
func.func @main(%x: tensor<1x4x2xi8>) -> (tensor<2x2x2xi8>, tensor<2x2xi8>) {
  %c = arith.constant dense<[[[1, 2]], [[3, 4]]]> : tensor<2x1x2xi8>
  %d = arith.constant dense<1> : tensor<2x2xi8>
  %w = vitq.reshape %x to [2, 2, 2] : tensor<1x4x2xi8> -> tensor<2x2x2xi8>
  %y = vitq.add %w by #vitq.dyadic<1073741824, 30>, %c by #vitq.dyadic<1073741824, 30> round half_up : (tensor<2x2x2xi8>, tensor<2x1x2xi8>) -> tensor<2x2x2xi8>
  %s = vitq.slice %y offsets [0, 1, 0] sizes [2, 1, 2] strides [1, 1, 1] : tensor<2x2x2xi8> -> tensor<2x1x2xi8>
  return %y, %d : tensor<2x2x2xi8>, tensor<2x2xi8>
}

// -----

func.func @main(%x: tensor<1x4x2xi8>) -> tensor<1x2x2xi8> {
  %w = vitq.reshape %x to [2, 2, 2] : tensor<1x4x2xi8> -> tensor<2x2x2xi8>
  // expected-error @+1 {{the leading axis is not the batch: it takes a part of it}}
  %y = vitq.slice %w offsets [0, 0, 0] sizes [1, 2, 2] strides [1, 1, 1] : tensor<2x2x2xi8> -> tensor<1x2x2xi8>
  return %y : tensor<1x2x2xi8>
}

// -----

func.func @main(%x: tensor<1x2x2xi8>) -> tensor<2x2x2xi8> {
  // expected-error @+1 {{the leading axis is not the batch: it repeats along it}}
  %y = vitq.broadcast %x to [2, 2, 2] : tensor<1x2x2xi8> -> tensor<2x2x2xi8>
  return %y : tensor<2x2x2xi8>
}

// -----

func.func @main(%x: tensor<1x2x2xi8>) -> tensor<2x1x2xi8> {
  %w = vitq.reshape %x to [2, 1, 2] : tensor<1x2x2xi8> -> tensor<2x1x2xi8>
  %z = vitq.slice %x offsets [0, 0, 0] sizes [1, 1, 2] strides [1, 1, 1] : tensor<1x2x2xi8> -> tensor<1x1x2xi8>
  // expected-error @+1 {{the leading axis is not the batch: an operand that depends on the input is repeated along it}}
  %y = vitq.add %w by #vitq.dyadic<1073741824, 30>, %z by #vitq.dyadic<1073741824, 30> round half_up : (tensor<2x1x2xi8>, tensor<1x1x2xi8>) -> tensor<2x1x2xi8>
  return %y : tensor<2x1x2xi8>
}

// -----

// expected-error @+1 {{the model takes 2 images at a time; only a model of one image can be given a batch of 3}}
func.func @main(%x: tensor<2x2xi8>) -> tensor<2x2xi8> {
  return %x : tensor<2x2xi8>
}

// -----

// Comparisons, and powers of two in 16 bits.
// CHECK-LABEL: func.func @main(%{{.*}}: tensor<3x2x4xi16>, %{{.*}}: tensor<3x2x4xi32>)
func.func @main(%x: tensor<1x2x4xi16>, %s: tensor<1x2x4xi32>) -> (tensor<1x2x4xi8>, tensor<1x2x4xi8>, tensor<1x2x4xi16>) {
  %squares = arith.constant dense<7> : tensor<3x4xi32>
  // CHECK: vitq.norm_quant {{.*}} : (tensor<3x2x4xi16>, tensor<3x4xi32>) -> tensor<3x2x4xi8>
  %n = vitq.norm_quant %x, %squares negative [false, false, true, false] eps 1 from 0 : (tensor<1x2x4xi16>, tensor<3x4xi32>) -> tensor<1x2x4xi8>
  // CHECK: vitq.threshold {{.*}} : (tensor<3x2x4xi32>, tensor<3x4xi32>) -> tensor<3x2x4xi8>
  %t = vitq.threshold %s, %squares from 0 : (tensor<1x2x4xi32>, tensor<3x4xi32>) -> tensor<1x2x4xi8>
  // CHECK: vitq.softmax {{.*}} with #vitq.exp_log2{{.*}} -> (tensor<3x2x4xi16>, tensor<3x2xi32>)
  %c, %sum = vitq.softmax %s with #vitq.exp_log2<top_exponent = 14> by <1, 1> : (tensor<1x2x4xi32>) -> (tensor<1x2x4xi16>, tensor<1x2xi32>)
  return %n, %t, %c : tensor<1x2x4xi8>, tensor<1x2x4xi8>, tensor<1x2x4xi16>
}

// -----

func.func @main(%x: tensor<1xi8>) -> tensor<1xi8> {
  %t = arith.constant dense<7> : tensor<3x1xi32>
  // expected-error @+1 {{the leading axis is not the batch: it is the last one, along which the op computes}}
  %y = vitq.threshold %x, %t from 0 : (tensor<1xi8>, tensor<3x1xi32>) -> tensor<1xi8>
  return %y : tensor<1xi8>
}

// -----

// A kernel grows with its body.
// CHECK-LABEL: func.func @main(%{{.*}}: tensor<3x4x8xi8>) -> tensor<3x4x2xi16>
// CHECK: %[[R:.*]] = vitq.broadcast %{{.*}} to [3, 4, 2]
// CHECK: vitq.kernel({{.*}}) : (tensor<3x4x8xi8>, tensor<8x2xi8>, tensor<3x4x2xi16>, tensor<4x2xi16>) -> tensor<3x4x2xi16> {
// CHECK: vitq.matmul {{.*}} -> tensor<3x4x2xi32>
// CHECK: vitq.add {{.*}} : (tensor<3x4x2xi16>, tensor<3x4x2xi32>) -> tensor<3x4x2xi16>
// CHECK: vitq.add {{.*}} : (tensor<3x4x2xi16>, tensor<4x2xi16>) -> tensor<3x4x2xi16>
// CHECK: vitq.yield {{.*}} : tensor<3x4x2xi16>
func.func @main(%x: tensor<1x4x8xi8>) -> tensor<1x4x2xi16> {
  %w = arith.constant dense<3> : tensor<8x2xi8>
  %r = arith.constant dense<9> : tensor<1x4x2xi16>
  %s = arith.constant dense<5> : tensor<4x2xi16>
  %y = vitq.kernel(%a = %x, %b = %w, %c = %r, %d = %s) : (tensor<1x4x8xi8>, tensor<8x2xi8>, tensor<1x4x2xi16>, tensor<4x2xi16>) -> tensor<1x4x2xi16> {
    %sums = vitq.matmul %a, %b : (tensor<1x4x8xi8>, tensor<8x2xi8>) -> tensor<1x4x2xi32>
    %t = vitq.add %c by <1073741824, 31>, %sums by <1518500250, 40> round half_up : (tensor<1x4x2xi16>, tensor<1x4x2xi32>) -> tensor<1x4x2xi16>
    %u = vitq.add %t by <1073741824, 31>, %d by <1518500250, 40> round half_up : (tensor<1x4x2xi16>, tensor<4x2xi16>) -> tensor<1x4x2xi16>
    vitq.yield %u : tensor<1x4x2xi16>
  }
  return %y : tensor<1x4x2xi16>
}

// -----

func.func @main(%x: tensor<1x4xi8>) -> tensor<1x4xi8> {
  // expected-error @+1 {{the leading axis is not the batch: an op of the kernel reads what is the same for all images as theirs, or the reverse}}
  %y = vitq.kernel(%a = %x) : (tensor<1x4xi8>) -> tensor<1x4xi8> {
    %c = arith.constant dense<3> : tensor<1x4xi8>
    %s = vitq.add %c by <1073741824, 31>, %a by <1073741824, 31> round half_up : (tensor<1x4xi8>, tensor<1x4xi8>) -> tensor<1x4xi8>
    vitq.yield %s : tensor<1x4xi8>
  }
  return %y : tensor<1x4xi8>
}

// -----

// CHECK-LABEL: func.func @main(%{{.*}}: tensor<3x4xi8>) -> tensor<3x4xi8>
// CHECK: vitq.reshape %{{.*}} to [6, 2]
func.func @main(%x: tensor<1x4xi8>) -> tensor<1x4xi8> {
  %y = vitq.kernel(%a = %x) : (tensor<1x4xi8>) -> tensor<1x4xi8> {
    %r = vitq.reshape %a to [2, 2] : tensor<1x4xi8> -> tensor<2x2xi8>
    %q = vitq.requant %r by <1518500250, 33> round half_up : tensor<2x2xi8> -> tensor<2x2xi8>
    %s = vitq.reshape %q to [1, 4] : tensor<2x2xi8> -> tensor<1x4xi8>
    vitq.yield %s : tensor<1x4xi8>
  }
  return %y : tensor<1x4xi8>
}
