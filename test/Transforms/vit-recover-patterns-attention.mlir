// RUN: vitq-opt %s --vit-recover-patterns --split-input-file --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// timm: five axes, slices of the first, k transposed, scale after the product.
// CHECK-LABEL: func.func @packed
// CHECK: %[[WQ:.+]] = arith.constant dense<{{\[\[}}0.0{{.*}}], [1.0{{.*}}], [2.0{{.*}}], [3.0{{.*}}]]>
// CHECK: %[[Q:.+]] = vit.linear %{{.+}}, %[[WQ]] {{.+}} -> tensor<2x5x4xf32> loc("qkv.q")
// CHECK: %[[Q4:.+]] = vit.reshape %[[Q]] to [2, 5, 2, 2]
// CHECK: %[[QH:.+]] = vit.transpose %[[Q4]] by [0, 2, 1, 3]
// CHECK: %[[WK:.+]] = arith.constant dense<{{\[\[}}4.0
// CHECK: %[[K:.+]] = vit.linear %{{.+}}, %[[WK]] {{.+}} loc("qkv.k")
// CHECK: %[[KH:.+]] = vit.transpose %{{.+}} by [0, 2, 1, 3]
// CHECK: %[[S:.+]] = vit.matmul %[[QH]], %[[KH]] transpose_rhs scale 0.70710678118654746 : (tensor<2x2x5x2xf32>, tensor<2x2x5x2xf32>) -> tensor<2x2x5x5xf32> loc("scale")
// CHECK: %[[P:.+]] = vit.softmax %[[S]]
// CHECK: vit.linear {{.+}} loc("qkv.v")
// CHECK: %[[VH:.+]] = vit.transpose %{{.+}} by [0, 2, 1, 3]
// CHECK: %[[O:.+]] = vit.matmul %[[P]], %[[VH]] :
// CHECK: return %[[O]]
func.func @packed(%x: tensor<2x5x1xf32>) -> tensor<2x2x5x2xf32> {
  %w = arith.constant dense<[[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0], [9.0], [10.0], [11.0]]> : tensor<12x1xf32>
  %scale = arith.constant dense<0.707106769> : tensor<f32>
  %l = vit.linear %x, %w : (tensor<2x5x1xf32>, tensor<12x1xf32>) -> tensor<2x5x12xf32> loc("qkv")
  %r = vit.reshape %l to [2, 5, 3, 2, 2] : tensor<2x5x12xf32> -> tensor<2x5x3x2x2xf32>
  %t = vit.transpose %r by [2, 0, 3, 1, 4] : tensor<2x5x3x2x2xf32> -> tensor<3x2x2x5x2xf32>
  %qs = vit.slice %t offsets [0, 0, 0, 0, 0] sizes [1, 2, 2, 5, 2] strides [1, 1, 1, 1, 1] : tensor<3x2x2x5x2xf32> -> tensor<1x2x2x5x2xf32>
  %ks = vit.gather %t indices [1] axis 0 : tensor<3x2x2x5x2xf32> -> tensor<1x2x2x5x2xf32>
  %vs = vit.slice %t offsets [2, 0, 0, 0, 0] sizes [1, 2, 2, 5, 2] strides [1, 1, 1, 1, 1] : tensor<3x2x2x5x2xf32> -> tensor<1x2x2x5x2xf32>
  %q = vit.reshape %qs to [2, 2, 5, 2] : tensor<1x2x2x5x2xf32> -> tensor<2x2x5x2xf32>
  %k = vit.reshape %ks to [2, 2, 5, 2] : tensor<1x2x2x5x2xf32> -> tensor<2x2x5x2xf32>
  %v = vit.reshape %vs to [2, 2, 5, 2] : tensor<1x2x2x5x2xf32> -> tensor<2x2x5x2xf32>
  %kt = vit.transpose %k by [0, 1, 3, 2] : tensor<2x2x5x2xf32> -> tensor<2x2x2x5xf32>
  %m = vit.matmul %q, %kt : (tensor<2x2x5x2xf32>, tensor<2x2x2x5xf32>) -> tensor<2x2x5x5xf32> loc("qk")
  %s = vit.mul %m, %scale : (tensor<2x2x5x5xf32>, tensor<f32>) -> tensor<2x2x5x5xf32> loc("scale")
  %p = vit.softmax %s : tensor<2x2x5x5xf32> -> tensor<2x2x5x5xf32>
  %o = vit.matmul %p, %v : (tensor<2x2x5x5xf32>, tensor<2x2x5x2xf32>) -> tensor<2x2x5x2xf32>
  return %o : tensor<2x2x5x2xf32>
}

// -----

// torch.nn.MultiheadAttention with a batch of 2: tokens first, heads and batch
// in one axis, tokens and batch in one for the output projection.
// CHECK-LABEL: func.func @tokens_first
// CHECK-SAME: (%[[X:.+]]: tensor<2x5x4xf32>
// CHECK-COUNT-3: vit.transpose %{{.+}} by [0, 2, 1, 3]
// CHECK: %[[O:.+]] = vit.matmul {{.+}} -> tensor<2x2x5x2xf32>
// CHECK: %[[T:.+]] = vit.transpose %[[O]] by [0, 2, 1, 3]
// CHECK: %[[M:.+]] = vit.reshape %[[T]] to [2, 5, 4]
// CHECK: %[[L:.+]] = vit.linear %[[M]]
// CHECK: vit.add %[[X]], %[[L]]
// CHECK-NOT: by [1, 0, 2]
func.func @tokens_first(%x: tensor<2x5x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x5x4xf32> {
  %root = arith.constant dense<1.41421354> : tensor<f32>
  %t = vit.transpose %x by [1, 0, 2] : tensor<2x5x4xf32> -> tensor<5x2x4xf32>
  %lq = vit.linear %t, %w : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> tensor<5x2x4xf32>
  %lk = vit.linear %t, %w : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> tensor<5x2x4xf32>
  %lv = vit.linear %t, %w : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> tensor<5x2x4xf32>
  %rq = vit.reshape %lq to [5, 4, 2] : tensor<5x2x4xf32> -> tensor<5x4x2xf32>
  %rk = vit.reshape %lk to [5, 4, 2] : tensor<5x2x4xf32> -> tensor<5x4x2xf32>
  %rv = vit.reshape %lv to [5, 4, 2] : tensor<5x2x4xf32> -> tensor<5x4x2xf32>
  %q = vit.transpose %rq by [1, 0, 2] : tensor<5x4x2xf32> -> tensor<4x5x2xf32>
  %kt = vit.transpose %rk by [1, 2, 0] : tensor<5x4x2xf32> -> tensor<4x2x5xf32>
  %v = vit.transpose %rv by [1, 0, 2] : tensor<5x4x2xf32> -> tensor<4x5x2xf32>
  %qs = vit.div %q, %root : (tensor<4x5x2xf32>, tensor<f32>) -> tensor<4x5x2xf32>
  %s = vit.matmul %qs, %kt : (tensor<4x5x2xf32>, tensor<4x2x5xf32>) -> tensor<4x5x5xf32>
  %p = vit.softmax %s : tensor<4x5x5xf32> -> tensor<4x5x5xf32>
  %o = vit.matmul %p, %v : (tensor<4x5x5xf32>, tensor<4x5x2xf32>) -> tensor<4x5x2xf32>
  %ot = vit.transpose %o by [1, 0, 2] : tensor<4x5x2xf32> -> tensor<5x4x2xf32>
  %or = vit.reshape %ot to [10, 4] : tensor<5x4x2xf32> -> tensor<10x4xf32>
  %l = vit.linear %or, %w : (tensor<10x4xf32>, tensor<4x4xf32>) -> tensor<10x4xf32>
  %lr = vit.reshape %l to [5, 2, 4] : tensor<10x4xf32> -> tensor<5x2x4xf32>
  %lt = vit.transpose %lr by [1, 0, 2] : tensor<5x2x4xf32> -> tensor<2x5x4xf32>
  %sum = vit.add %x, %lt : (tensor<2x5x4xf32>, tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
  return %sum : tensor<2x5x4xf32>
}

// -----

// q and k carry the fourth root each; a scale that is not 1/sqrt(d) stays.
// CHECK-LABEL: func.func @scales
// CHECK: vit.matmul {{.+}} scale 5.000000e-01 : (tensor<1x1x3x4xf32>
// CHECK: vit.matmul {{.+}} scale 6.000000e+00 : (tensor<1x1x3x4xf32>
func.func @scales(%a: tensor<1x1x3x4xf32>) -> (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) {
  %root = arith.constant dense<0.707106769> : tensor<1xf32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %three = arith.constant dense<3.0> : tensor<f32>
  %q = vit.mul %a, %root : (tensor<1x1x3x4xf32>, tensor<1xf32>) -> tensor<1x1x3x4xf32>
  %t = vit.transpose %q by [0, 1, 3, 2] : tensor<1x1x3x4xf32> -> tensor<1x1x4x3xf32>
  %m = vit.matmul %q, %t : (tensor<1x1x3x4xf32>, tensor<1x1x4x3xf32>) -> tensor<1x1x3x3xf32>
  %q2 = vit.mul %two, %a : (tensor<f32>, tensor<1x1x3x4xf32>) -> tensor<1x1x3x4xf32>
  %m2 = vit.matmul %q2, %a transpose_rhs : (tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x1x3x3xf32>
  %s2 = vit.mul %m2, %three : (tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  return %m, %s2 : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>
}

// -----

// A negative factor cannot be a scale.
// CHECK-LABEL: func.func @negative
// CHECK: vit.mul
// CHECK: vit.matmul %{{[^ ]+}}, %{{[^ ]+}} transpose_rhs :
func.func @negative(%a: tensor<1x1x3x4xf32>) -> tensor<1x1x3x3xf32> {
  %minus = arith.constant dense<-1.0> : tensor<f32>
  %q = vit.mul %a, %minus : (tensor<1x1x3x4xf32>, tensor<f32>) -> tensor<1x1x3x4xf32>
  %m = vit.matmul %q, %a transpose_rhs : (tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x1x3x3xf32>
  return %m : tensor<1x1x3x3xf32>
}

// -----

// The packed projection has a use that needs it whole: it is not split.
// CHECK-LABEL: func.func @whole
// CHECK-COUNT-1: vit.linear
// CHECK-NOT: vit.linear
func.func @whole(%x: tensor<1x5x1xf32>) -> (tensor<1x1x5x5xf32>, tensor<1x5x4xf32>) {
  %w = arith.constant dense<[[0.0], [1.0], [2.0], [3.0]]> : tensor<4x1xf32>
  %l = vit.linear %x, %w : (tensor<1x5x1xf32>, tensor<4x1xf32>) -> tensor<1x5x4xf32>
  %q = vit.slice %l offsets [0, 0, 0] sizes [1, 5, 2] strides [1, 1, 1] : tensor<1x5x4xf32> -> tensor<1x5x2xf32>
  %k = vit.slice %l offsets [0, 0, 2] sizes [1, 5, 2] strides [1, 1, 1] : tensor<1x5x4xf32> -> tensor<1x5x2xf32>
  %q4 = vit.reshape %q to [1, 1, 5, 2] : tensor<1x5x2xf32> -> tensor<1x1x5x2xf32>
  %k4 = vit.reshape %k to [1, 1, 5, 2] : tensor<1x5x2xf32> -> tensor<1x1x5x2xf32>
  %m = vit.matmul %q4, %k4 transpose_rhs : (tensor<1x1x5x2xf32>, tensor<1x1x5x2xf32>) -> tensor<1x1x5x5xf32>
  return %m, %l : tensor<1x1x5x5xf32>, tensor<1x5x4xf32>
}

// -----

// A norm of the queries before the product: q has a linear of its own, with the name of what it is to the product.
// CHECK-LABEL: func.func @normed_queries
// CHECK: %[[Q:.+]] = vit.linear {{.*}} (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
// CHECK-NEXT: %[[R:.+]] = vit.reshape %[[Q]] to [1, 3, 2, 2]
// CHECK-NEXT: %[[T:.+]] = vit.transpose %[[R]] by [0, 2, 1, 3]
// CHECK: vit.layer_norm %[[T]]
// CHECK: %[[K:.+]] = vit.linear {{.*}} -> tensor<1x3x4xf32>
// CHECK: vit.matmul {{.*}} transpose_rhs
// CHECK: vit.linear {{.*}} -> tensor<1x3x4xf32>
// CHECK-NOT: vit.linear
func.func @normed_queries(%x: tensor<1x3x4xf32>) -> tensor<1x2x3x2xf32> {
  %w = arith.constant dense<1.0> : tensor<12x4xf32>
  %g = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<0.0> : tensor<2xf32>
  %l = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<12x4xf32>) -> tensor<1x3x12xf32>
  %r = vit.reshape %l to [1, 3, 3, 2, 2] : tensor<1x3x12xf32> -> tensor<1x3x3x2x2xf32>
  %t = vit.transpose %r by [2, 0, 3, 1, 4] : tensor<1x3x3x2x2xf32> -> tensor<3x1x2x3x2xf32>
  %qs = vit.slice %t offsets [0, 0, 0, 0, 0] sizes [1, 1, 2, 3, 2] strides [1, 1, 1, 1, 1] : tensor<3x1x2x3x2xf32> -> tensor<1x1x2x3x2xf32>
  %ks = vit.slice %t offsets [1, 0, 0, 0, 0] sizes [1, 1, 2, 3, 2] strides [1, 1, 1, 1, 1] : tensor<3x1x2x3x2xf32> -> tensor<1x1x2x3x2xf32>
  %vs = vit.slice %t offsets [2, 0, 0, 0, 0] sizes [1, 1, 2, 3, 2] strides [1, 1, 1, 1, 1] : tensor<3x1x2x3x2xf32> -> tensor<1x1x2x3x2xf32>
  %q = vit.reshape %qs to [1, 2, 3, 2] : tensor<1x1x2x3x2xf32> -> tensor<1x2x3x2xf32>
  %k = vit.reshape %ks to [1, 2, 3, 2] : tensor<1x1x2x3x2xf32> -> tensor<1x2x3x2xf32>
  %v = vit.reshape %vs to [1, 2, 3, 2] : tensor<1x1x2x3x2xf32> -> tensor<1x2x3x2xf32>
  %n = vit.layer_norm %q, %g, %b eps 1.0e-6 : (tensor<1x2x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x2xf32>
  %s = vit.matmul %n, %k transpose_rhs scale 5.0e-01 : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32>
  %p = vit.softmax %s : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %o = vit.matmul %p, %v : (tensor<1x2x3x3xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
  return %o : tensor<1x2x3x2xf32>
}

// -----

// A linear over the heads of the probabilities (talking heads) does not keep v in the packed projection.
// CHECK-LABEL: func.func @talking_heads
// CHECK: vit.linear {{.*}} -> tensor<1x3x3x2xf32>
// CHECK: vit.linear {{.*}} (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
// CHECK: vit.matmul
func.func @talking_heads(%x: tensor<1x3x4xf32>, %p: tensor<1x3x3x2xf32>) -> tensor<1x2x3x2xf32> {
  %w = arith.constant dense<1.0> : tensor<12x4xf32>
  %m = arith.constant dense<1.0> : tensor<2x2xf32>
  %l = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<12x4xf32>) -> tensor<1x3x12xf32>
  %vs = vit.slice %l offsets [0, 0, 8] sizes [1, 3, 4] strides [1, 1, 1] : tensor<1x3x12xf32> -> tensor<1x3x4xf32>
  %r = vit.reshape %vs to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %v = vit.transpose %r by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %a = vit.linear %p, %m : (tensor<1x3x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x3x2xf32>
  %t = vit.transpose %a by [0, 3, 1, 2] : tensor<1x3x3x2xf32> -> tensor<1x2x3x3xf32>
  %o = vit.matmul %t, %v : (tensor<1x2x3x3xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
  return %o : tensor<1x2x3x2xf32>
}

// -----

// Attention pooling: the query is a constant, the keys still are heads of a linear.
// CHECK-LABEL: func.func @constant_query
// CHECK: %[[Q:.+]] = arith.constant dense<1.0{{.*}}> : tensor<1x2x1x2xf32>
// CHECK: %[[K:.+]] = vit.linear {{.*}} -> tensor<1x3x4xf32>
// CHECK-NEXT: %[[R:.+]] = vit.reshape %[[K]] to [1, 3, 2, 2]
// CHECK-NEXT: %[[T:.+]] = vit.transpose %[[R]] by [0, 2, 1, 3]
// CHECK-NEXT: %[[S:.+]] = vit.matmul %[[Q]], %[[T]] transpose_rhs
// CHECK-NEXT: return %[[S]]
func.func @constant_query(%x: tensor<1x3x4xf32>) -> tensor<1x2x1x3xf32> {
  %q = arith.constant dense<1.0> : tensor<1x2x1x2xf32>
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %l = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %r = vit.reshape %l to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %t = vit.transpose %r by [0, 2, 3, 1] : tensor<1x3x2x2xf32> -> tensor<1x2x2x3xf32>
  %s = vit.matmul %q, %t : (tensor<1x2x1x2xf32>, tensor<1x2x2x3xf32>) -> tensor<1x2x1x3xf32>
  return %s : tensor<1x2x1x3xf32>
}

// -----

// Keys that a norm gives, transposed in three axes.
// CHECK-LABEL: func.func @normed_keys
// CHECK-SAME: (%[[Q:.+]]: tensor<1x2x3x4xf32>{{.*}}, %[[K:.+]]: tensor<1x2x3x4xf32>
// CHECK: %[[N:.+]] = vit.layer_norm %[[K]]
// CHECK-NEXT: %[[S:.+]] = vit.matmul %[[Q]], %[[N]] transpose_rhs
// CHECK-NEXT: return %[[S]]
func.func @normed_keys(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x3x4xf32>) -> tensor<1x2x3x3xf32> {
  %g = arith.constant dense<2.0> : tensor<4xf32>
  %b = arith.constant dense<1.0> : tensor<4xf32>
  %n = vit.layer_norm %k, %g, %b eps 1.0e-6 : (tensor<1x2x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x2x3x4xf32>
  %r = vit.reshape %n to [2, 3, 4] : tensor<1x2x3x4xf32> -> tensor<2x3x4xf32>
  %t = vit.transpose %r by [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  %v = vit.reshape %t to [1, 2, 4, 3] : tensor<2x4x3xf32> -> tensor<1x2x4x3xf32>
  %s = vit.matmul %q, %v : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  return %s : tensor<1x2x3x3xf32>
}

// -----

// Attention head by head, each a slice of the projections: one product of all heads.
// CHECK-LABEL: func.func @head_by_head
// CHECK: %[[Q:.+]] = vit.linear {{.*}} -> tensor<1x3x4xf32>
// CHECK: %[[K:.+]] = vit.linear {{.*}} -> tensor<1x3x4xf32>
// CHECK: %[[S:.+]] = vit.matmul {{.*}} transpose_rhs scale 5.000000e-01 : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32>
// CHECK: %[[V:.+]] = vit.linear {{.*}} -> tensor<1x3x4xf32>
// CHECK: %[[O:.+]] = vit.matmul {{.*}} -> tensor<1x2x3x2xf32>
// CHECK-NEXT: %[[T:.+]] = vit.transpose %[[O]] by [0, 2, 1, 3]
// CHECK-NEXT: %[[R:.+]] = vit.reshape %[[T]] to [1, 3, 4]
// CHECK-NEXT: return %[[R]]
func.func @head_by_head(%x: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 8.0, 7.0, 6.0], [5.0, 4.0, 3.0, 2.0]]> : tensor<4x4xf32>
  %q = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %k = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %v = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %q0 = vit.slice %q offsets [0, 0, 0] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %k0 = vit.slice %k offsets [0, 0, 0] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %v0 = vit.slice %v offsets [0, 0, 0] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %q1 = vit.slice %q offsets [0, 0, 2] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %k1 = vit.slice %k offsets [0, 0, 2] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %v1 = vit.slice %v offsets [0, 0, 2] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %s0 = vit.matmul %q0, %k0 transpose_rhs scale 5.0e-01 : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  %s1 = vit.matmul %q1, %k1 transpose_rhs scale 5.0e-01 : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  %p0 = vit.softmax %s0 : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %p1 = vit.softmax %s1 : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %o0 = vit.matmul %p0, %v0 : (tensor<1x3x3xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %o1 = vit.matmul %p1, %v1 : (tensor<1x3x3xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %c = vit.concat %o0, %o1 axis 2 : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x4xf32>
  return %c : tensor<1x3x4xf32>
}

// -----

// Heads of different scales stay apart.
// CHECK-LABEL: func.func @different_heads
// CHECK: vit.softmax
// CHECK: vit.softmax
// CHECK: vit.concat
func.func @different_heads(%x: tensor<1x3x2xf32>, %y: tensor<1x3x2xf32>) -> tensor<1x3x4xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %q = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %k = vit.linear %y, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %s0 = vit.matmul %q, %k transpose_rhs scale 5.0e-01 : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  %s1 = vit.matmul %q, %k transpose_rhs scale 2.5e-01 : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  %p0 = vit.softmax %s0 : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %p1 = vit.softmax %s1 : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %o0 = vit.matmul %p0, %k : (tensor<1x3x3xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %o1 = vit.matmul %p1, %k : (tensor<1x3x3xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %c = vit.concat %o0, %o1 axis 2 : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x4xf32>
  return %c : tensor<1x3x4xf32>
}
