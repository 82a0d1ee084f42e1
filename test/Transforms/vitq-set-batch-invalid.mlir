// RUN: vitq-opt %s --vitq-set-batch=batch=3 --split-input-file --verify-diagnostics
// RUN: not vitq-opt %s --vitq-set-batch=batch=4097 --split-input-file 2>&1 | FileCheck %s
// CHECK: error: a batch of 4097 is not supported; it must be 1 to 4096

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x1x2xi8> {
  // expected-error @+1 {{the leading axis is not the batch: it adds axes in front of it}}
  %0 = vitq.broadcast %x to [1, 1, 2] : tensor<1x2xi8> -> tensor<1x1x2xi8>
  return %0 : tensor<1x1x2xi8>
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  %c = arith.constant dense<1> : tensor<0x2xi8>
  // expected-error @+1 {{the leading axis is not the batch: it joins along it}}
  %0 = vitq.concat %x, %c axis 0 : (tensor<1x2xi8>, tensor<0x2xi8>) -> tensor<1x2xi8>
  return %0 : tensor<1x2xi8>
}

// -----

func.func @main(%x: tensor<1x2xi8>, %s: tensor<1x2xi32>) -> tensor<1x2xi8> {
  %y = vitq.slice %x offsets [0, 0] sizes [1, 2] strides [1, 1] : tensor<1x2xi8> -> tensor<1x2xi8>
  // expected-error @+1 {{the leading axis is not the batch: operand 1 is shared by all images, and depends on the input}}
  %0 = vitq.threshold %x, %s from 0 : (tensor<1x2xi8>, tensor<1x2xi32>) -> tensor<1x2xi8>
  return %0 : tensor<1x2xi8>
}

// -----

// expected-error @+1 {{the inputs of @main have unequal leading axes}}
func.func @main(%x: tensor<1x2xi8>, %y: tensor<3x2xi8>) -> tensor<1x2xi8> {
  return %x : tensor<1x2xi8>
}

// -----

// expected-error @+1 {{the inputs of @main must be statically shaped tensors with a leading batch axis}}
func.func @main(%x: tensor<i8>) {
  return
}

// -----

func.func @main(%x: tensor<1x1x2xi8>, %y: tensor<1x2xi8>) -> tensor<1x1x2xi8> {
  // expected-error @+1 {{the leading axis is not the batch: an operand of lower rank depends on the input}}
  %0 = vitq.add %x by #vitq.dyadic<1073741824, 30>, %y by #vitq.dyadic<1073741824, 30> round half_up : (tensor<1x1x2xi8>, tensor<1x2xi8>) -> tensor<1x1x2xi8>
  return %0 : tensor<1x1x2xi8>
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<i32> {
  // expected-error @+1 {{the leading axis is not the batch: the result has no axes}}
  %0 = vitq.sum %x axes [0, 1] : tensor<1x2xi8> -> tensor<i32>
  return %0 : tensor<i32>
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> (tensor<1x2xi8>, tensor<i32>) {
  %c = arith.constant dense<1> : tensor<i32>
  // expected-error @+1 {{the leading axis is not the batch: operand 1 has no axes}}
  return %x, %c : tensor<1x2xi8>, tensor<i32>
}
