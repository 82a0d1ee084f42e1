// RUN: vitq-opt %s --convert-vit-to-vitq --split-input-file --verify-diagnostics | FileCheck %s

!q = !quant.uniform<u8:f32, 0.5:128>
!k = !quant.uniform<i8:f32, 0.5>
!s = !quant.uniform<i32:f32, 0.25>
!e = !quant.uniform<u8:f32, 0.0039215686274509803>
!sum = !quant.uniform<i32:f32, 0.0039215686274509803>
!o = !quant.uniform<i32:f32, 0.0019607843137254902>

// Lines for exp over 8 octaves in steps of 2^-5: 0.25 * 32 = 8. Those for the reciprocal
// are below it by 0.7 % in the mean, which the multiplier makes good.
// CHECK-LABEL: func.func @lines
func.func @lines(%x: tensor<1x3x3x!s>, %k: tensor<1x3x4x!k>) -> tensor<1x3x4x!q> {
  // CHECK: %[[E:.+]], %[[SUM:.+]] = vitq.softmax %{{.+}} with #vitq.exp_pwl<lines = <breakpoints = [-136, -96, -70, -50, -34, -21, -9], slopes = [1, 7, 19, 39, 68, 107, 158, 223], intercepts = [226, 1045, 2206, 3616, 5083, 6434, 7525, 8150]>, code_shift = 5> by <1073741824, 27> {vitq.id = {{[0-9]+}} : i64
  %e, %sum = vit.softmax_numerator using lut:8 %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  // CHECK: %[[O:.+]] = vitq.matmul %[[E]], %{{.+}} lhs <unsigned> {{.*}}: (tensor<1x3x3xi8>
  %o = vit.matmul %e, %k : (tensor<1x3x3x!e>, tensor<1x3x4x!k>) -> tensor<1x3x4x!o>
  // CHECK: vitq.divide_rows %[[O]], %[[SUM]] by <1081{{[0-9]+}}, 54> round half_up result <unsigned, zero = 128> lines <breakpoints = [664, 860, 1115, 1446, 1876, 2435, 3159], slopes = [-12422, -7393, -4401, -2617, -1555, -923, -548, -326], intercepts = [14595637, 11259655, 8687595, 6699279, 5164101, 3978636, 3065623, 2364465]>
  %y = vit.divide_rows using lut:8 %o, %sum : (tensor<1x3x4x!o>, tensor<1x3x!sum>) -> tensor<1x3x4x!q>
  return %y : tensor<1x3x4x!q>
}

// I-BERT's polynomial in steps of ln2/26; the division stays one.
// CHECK-LABEL: func.func @polynomial
func.func @polynomial(%x: tensor<1x3x3x!s>, %k: tensor<1x3x4x!k>) -> tensor<1x3x4x!q> {
  // CHECK: vitq.softmax %{{.+}} with #vitq.exp_poly<step = -26, fraction_bits = 9, linear = 101, offset = 3928, code_shift = 13> by <1258629129, 27> {vitq.id = {{[0-9]+}} : i64
  %e, %sum = vit.softmax_numerator using poly %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  %o = vit.matmul %e, %k : (tensor<1x3x3x!e>, tensor<1x3x4x!k>) -> tensor<1x3x4x!o>
  // CHECK: vitq.divide_rows %{{.+}}, %{{.+}} by <1073741824, 54> round half_up result <unsigned, zero = 128> {
  %y = vit.divide_rows using poly %o, %sum : (tensor<1x3x4x!o>, tensor<1x3x!sum>) -> tensor<1x3x4x!q>
  return %y : tensor<1x3x4x!q>
}

// Octaves: 0.25 / ln2. The scale of the powers of two cancels as that of bytes does.
// CHECK-LABEL: func.func @powers
func.func @powers(%x: tensor<1x3x3x!s>, %k: tensor<1x3x4x!k>) -> (tensor<1x3x4x!q>, tensor<1x3x3x!q>) {
  // CHECK: %[[E:.+]], %[[SUM:.+]] = vitq.softmax %{{.+}} with #vitq.exp_log2<top_exponent = 14> by <1549082005, 32> {{.*}} : (tensor<1x3x3xi32>) -> (tensor<1x3x3xi16>, tensor<1x3xi32>)
  %e, %sum = vit.softmax_numerator using log2 %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  // CHECK: %[[O:.+]] = vitq.matmul %[[E]], %{{[a-z0-9]+}} {vitq.id
  %o = vit.matmul %e, %k : (tensor<1x3x3x!e>, tensor<1x3x4x!k>) -> tensor<1x3x4x!o>
  // CHECK: vitq.divide_rows %[[O]], %[[SUM]] by <1073741824, 54>
  %y = vit.divide_rows using log2 %o, %sum : (tensor<1x3x4x!o>, tensor<1x3x!sum>) -> tensor<1x3x4x!q>
  // CHECK: %[[P:.+]] = vitq.requant %[[E]] by <1073741824, 30> round half_up : tensor<1x3x3xi16> -> tensor<1x3x3xi32>
  // CHECK: vitq.divide_rows %[[P]], %[[SUM]] by <1073741824, 53>
  %z = vit.divide_rows using log2 %e, %sum : (tensor<1x3x3x!e>, tensor<1x3x!sum>) -> tensor<1x3x3x!q>
  return %y, %z : tensor<1x3x4x!q>, tensor<1x3x3x!q>
}

// -----

// Numerators of 16 bits: the octave's table, in steps of 0.25 / (ln2/256). Another algorithm gives bytes.
!s = !quant.uniform<i32:f32, 0.25>
!k = !quant.uniform<i8:f32, 0.5>
!e = !quant.uniform<i16:f32, 6.103515625E-5>
!sum = !quant.uniform<i32:f32, 6.103515625E-5>
!o = !quant.uniform<i32:f32, 3.0517578125E-5>
!y = !quant.uniform<i8:f32, 0.0078125>
// CHECK-LABEL: func.func @wide
func.func @wide(%x: tensor<1x3x3x!s>, %k: tensor<1x3x4x!k>) -> (tensor<1x3x4x!y>, tensor<1x3x4x!y>) {
  // CHECK: %[[E:.+]], %[[SUM:.+]] = vitq.softmax %{{.+}} with #vitq.exp_octave<{{.*}}> by <1549082005, 24> {{.*}} : (tensor<1x3x3xi32>) -> (tensor<1x3x3xi16>, tensor<1x3xi32>)
  %e, %sum = vit.softmax_numerator wide using table %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  // CHECK: %[[O:.+]] = vitq.matmul %[[E]], %{{[a-z0-9]+}} {vitq.id
  %o = vit.matmul %e, %k : (tensor<1x3x3x!e>, tensor<1x3x4x!k>) -> tensor<1x3x4x!o>
  // CHECK: vitq.divide_rows %[[O]], %[[SUM]] by <1073741824, 48>
  %y = vit.divide_rows %o, %sum : (tensor<1x3x4x!o>, tensor<1x3x!sum>) -> tensor<1x3x4x!y>
  // CHECK: %[[F:.+]], %{{.+}} = vitq.softmax %{{.+}} with #vitq.exp_poly{{.*}} : (tensor<1x3x3xi32>) -> (tensor<1x3x3xi8>, tensor<1x3xi32>)
  %f, %sums = vit.softmax_numerator wide using poly %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  // CHECK: vitq.matmul %[[F]], %{{[a-z0-9]+}} lhs <unsigned>
  %p = vit.matmul %f, %k : (tensor<1x3x3x!e>, tensor<1x3x4x!k>) -> tensor<1x3x4x!o>
  %z = vit.divide_rows using poly %p, %sums : (tensor<1x3x4x!o>, tensor<1x3x!sum>) -> tensor<1x3x4x!y>
  return %y, %z : tensor<1x3x4x!y>, tensor<1x3x4x!y>
}

// -----

// Sums of 4096 products must fit 32 bits: powers from 2^11 down.
!s = !quant.uniform<i32:f32, 0.25>
!e = !quant.uniform<u8:f32, 0.0039215686274509803>
!sum = !quant.uniform<i32:f32, 0.0039215686274509803>
!y = !quant.uniform<i8:f32, 0.0078125>
// CHECK-LABEL: func.func @long_rows
func.func @long_rows(%x: tensor<1x4096x!s>) -> tensor<1x4096x!y> {
  // CHECK: vitq.softmax {{.*}} with #vitq.exp_log2<top_exponent = 11>
  %e, %sum = vit.softmax_numerator using log2 %x : tensor<1x4096x!s> -> tensor<1x4096x!e>, tensor<1x!sum>
  %y = vit.divide_rows using log2 %e, %sum : (tensor<1x4096x!e>, tensor<1x!sum>) -> tensor<1x4096x!y>
  return %y : tensor<1x4096x!y>
}

// -----

!s = !quant.uniform<i32:f32, 0.25>
!e = !quant.uniform<u8:f32, 0.0039215686274509803>
!sum = !quant.uniform<i32:f32, 0.0039215686274509803>
func.func @moved(%x: tensor<1x3x3x!s>) -> (tensor<3x3x!e>, tensor<1x3x!sum>) {
  // expected-error @+1 {{'?': powers of two need a product with the values and its division to follow; use --nonlinear=table for it}}
  %e, %sum = vit.softmax_numerator using log2 %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  %r = vit.reshape %e to [3, 3] : tensor<1x3x3x!e> -> tensor<3x3x!e>
  return %r, %sum : tensor<3x3x!e>, tensor<1x3x!sum>
}

// -----

!s = !quant.uniform<i32:f32, 0.25>
!e = !quant.uniform<i16:f32, 6.103515625E-5>
!sum = !quant.uniform<i32:f32, 6.103515625E-5>
func.func @moved_bytes(%x: tensor<1x3x3x!s>) -> (tensor<3x3x!e>, tensor<1x3x!sum>) {
  // expected-error @+1 {{'?': codes of at most 8 bits need a product with the values and its division to follow; use --nonlinear=table for it}}
  %e, %sum = vit.softmax_numerator wide using shift %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  %r = vit.reshape %e to [3, 3] : tensor<1x3x3x!e> -> tensor<3x3x!e>
  return %r, %sum : tensor<3x3x!e>, tensor<1x3x!sum>
}

// -----

!x = !quant.uniform<i16:f32, 0.01>
!y = !quant.uniform<i8:f32, 0.05>
// Square roots of polynomials are Newton's: the exact form.
// CHECK-LABEL: func.func @norms
func.func @norms(%x: tensor<1x3x!x>) -> (tensor<1x3x!y>, tensor<1x3x!y>) {
  %g = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf32>
  %b = arith.constant dense<[0.0, 0.5, -0.25]> : tensor<3xf32>
  // Gamma over a gain of 0.9945.
  // CHECK: vitq.layer_norm %{{.+}} with #vitq.norm_pwl<eps = 1, lines = <breakpoints = [362, 512, 724, 1025, 1450, 2051, 2901], slopes = [-12457, -7401, -4399, -2612, -1551, -922, -548, -326], intercepts = [11471587, 9643827, 8108403, 6815250, 5728259, 4816464, 4049591, 3405744]>> by <[20592, -41183, 10296], [24, 24, 24]> offsets [0, 167772160, -83886080]
  %p = vit.layer_norm using lut:8 %x, %g, %b eps 1.0e-6 : (tensor<1x3x!x>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x!y>
  // CHECK: vitq.layer_norm %{{.+}} with #vitq.norm_exact
  %q = vit.layer_norm using poly %x, %g, %b eps 1.0e-6 : (tensor<1x3x!x>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x!y>
  return %p, %q : tensor<1x3x!y>, tensor<1x3x!y>
}
