// RUN: vitq-opt %s --vitq-verify-integer-only --split-input-file --verify-diagnostics

// The module attributes that no lowering reads may hold floats.
module attributes {vitq.scales = {"0" = {scale = array<f64: 0.5>}}, vitq.output_scale = 0.5 : f64} {
  func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
    %t = arith.constant dense<1> : tensor<256xi8>
    %y = vitq.table %x, %t {vitq.id = 0 : i64} : (tensor<1x2xi8>, tensor<256xi8>) -> tensor<1x2xi8>
    return %y : tensor<1x2xi8>
  }
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  // expected-error @unknown {{node 'stray': a result holds the type 'f32'}}
  %c = arith.constant dense<1.0> : tensor<2xf32> loc("stray")
  return %x : tensor<1x2xi8>
}

// -----

// expected-error @+1 {{an argument holds the type 'f32'}}
func.func @main(%x: tensor<1x2xf32>) {
  return
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  // expected-error @+1 {{attribute 'note' holds the type 'f64', but the integer phase must be free of floats}}
  %y = vitq.reshape %x to [1, 2] {note = 1.0 : f64} : tensor<1x2xi8> -> tensor<1x2xi8>
  return %y : tensor<1x2xi8>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.5>>) {
  // expected-error @-1 {{an argument holds the type}}
  // expected-error @unknown {{node 'left over': 'vit.dequantize' is no op of the integer phase}}
  %y = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.5>> -> tensor<1x2xf32> loc("left over")
  return
}
