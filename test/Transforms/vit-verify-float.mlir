// RUN: vitq-opt %s --vit-verify-float --split-input-file --verify-diagnostics

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %y = vit.relu %x : tensor<1x4xf32> -> tensor<1x4xf32> loc("act")
  return %y : tensor<1x4xf32>
}

// -----

// expected-error @+1 {{the module needs a function @main of one block}}
module {
  func.func @other() {
    return
  }
}

// -----

// expected-error @+1 {{the module needs a function @main of one block}}
module {
  // expected-note @+1 {{this one has no body}}
  func.func private @main(tensor<1x4xf32>) -> tensor<1x4xf32>
}

// -----

// expected-error @+1 {{the module needs a function @main of one block}}
module {
  // expected-note @+1 {{this one has branches}}
  func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    cf.br ^bb1
  ^bb1:
    return %x : tensor<1x4xf32>
  }
}

// -----

// expected-error @-2 {{the output 'output0' has a leading axis of 4 where the batch is 1; --output=NAME chooses another value of the model}}
// expected-error @-3 {{the output 'output1' must be a statically shaped tensor with a leading batch axis, not 'tensor<f32>'; --output=NAME chooses another value of the model}}
func.func @main(%x: tensor<1x4xf32>) -> (tensor<4xf32>, tensor<f32>) {
  %y = vit.reshape %x to [4] : tensor<1x4xf32> -> tensor<4xf32> loc("a")
  %z = arith.constant dense<0.0> : tensor<f32>
  return %y, %z : tensor<4xf32>, tensor<f32>
}

// -----

// expected-error @below {{the float phase has no op beside the function @main}}
func.func private @helper()
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  // expected-error @below {{op does not belong to the float phase}}
  %a = arith.addf %x, %x : tensor<1x4xf32>
  // expected-error @below {{has no ONNX node's name as location}}
  %y = vit.relu %a : tensor<1x4xf32> -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

// A quantized model has casts; what computes on codes is past this phase.
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %q = vit.quantize %x round half_up : tensor<1x4xf32> -> tensor<1x4x!quant.uniform<i8:f32, 0.1>> loc("q")
  // expected-error @unknown {{'vit.relu' op is quantized already}}
  %r = vit.relu %q : tensor<1x4x!quant.uniform<i8:f32, 0.1>> -> tensor<1x4x!quant.uniform<i8:f32, 0.1>> loc("r")
  %y = vit.dequantize %r : tensor<1x4x!quant.uniform<i8:f32, 0.1>> -> tensor<1x4xf32> loc("d")
  return %y : tensor<1x4xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  // expected-error @unknown {{is not supported by itself (node '/mlp/Erf'); it is recognized as part of a GELU}}
  %e = vit.erf %x : tensor<1x4xf32> -> tensor<1x4xf32> loc("/mlp/Erf")
  return %e : tensor<1x4xf32>
}

// -----

// Several are one error, each cause with the first of its nodes.
// expected-error-re @below {{6 ops are not supported by themselves:{{.*}}vit.erf, 1 time: /mlp/Erf; recognized as part of a GELU{{.*}}vit.sqrt, 5 times: /1, /2, /3, /4, ...; recognized as part of a LayerNorm}}
module {
  func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    %e = vit.erf %x : tensor<1x4xf32> -> tensor<1x4xf32> loc("/mlp/Erf")
    %1 = vit.sqrt %e : tensor<1x4xf32> -> tensor<1x4xf32> loc("/1")
    %2 = vit.sqrt %1 : tensor<1x4xf32> -> tensor<1x4xf32> loc("/2")
    %3 = vit.sqrt %2 : tensor<1x4xf32> -> tensor<1x4xf32> loc("/3")
    %4 = vit.sqrt %3 : tensor<1x4xf32> -> tensor<1x4xf32> loc("/4")
    %5 = vit.sqrt %4 : tensor<1x4xf32> -> tensor<1x4xf32> loc("/5")
    return %5 : tensor<1x4xf32>
  }
}

// -----

// expected-error-re @below {{2 ops are not supported by themselves:{{.*}}vit.is_nan, 1 time: guard; recognized as where(is_nan(p), 0, p) with p = softmax(x){{.*}}vit.where, 1 time: choice}}
module {
  func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    %n = vit.is_nan %x : tensor<1x4xf32> -> tensor<1x4xi1> loc("guard")
    %y = vit.where %n, %x, %x : (tensor<1x4xi1>, tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("choice")
    return %y : tensor<1x4xf32>
  }
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %a = arith.constant dense<[0.0, 1.0, 0x7FC00000, 0xFF800000]> : tensor<4xf32>
  %b = arith.constant dense<[0.0, 0xFF800000, 0x7FC00000, 0.0]> : tensor<4xf32>
  // expected-error @unknown {{operand #1 of node 'sum' holds a NaN, the first at index 2; mend the model's weights and export it again}}
  %y = vit.add %x, %a : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32> loc("sum")
  // expected-error @unknown {{operand #1 of node 'product' holds an infinity, the first at index 1;}}
  %z = vit.mul %y, %b : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32> loc("product")
  return %z : tensor<1x4xf32>
}

// -----

func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %beta = arith.constant dense<0.0> : tensor<2xf32>
  %gamma = vit.reshape %x to [2] : tensor<1x2xf32> -> tensor<2xf32> loc("cut")
  // expected-error @unknown {{'vit.layer_norm' op has a parameter that depends on the image, operand #1 (node 'norm'); its integer form needs constants there}}
  %y = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32> loc("norm")
  return %y : tensor<1x2xf32>
}

// -----

// expected-error-re @below {{2 ops have a parameter that depends on the image; their integer forms need constants there:{{.*}}vit.layer_norm, 2 times: norm, last; operand #1}}
module {
  func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
    %beta = arith.constant dense<0.0> : tensor<2xf32>
    %gamma = vit.reshape %x to [2] : tensor<1x2xf32> -> tensor<2xf32> loc("cut")
    %y = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32> loc("norm")
    %z = vit.layer_norm %y, %gamma, %beta eps 1.0e-6 : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32> loc("last")
    return %z : tensor<1x2xf32>
  }
}
