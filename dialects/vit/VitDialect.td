//===- VitDialect.td - The vit dialect ---------------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VIT_DIALECT
#define VIT_DIALECT

include "mlir/IR/OpBase.td"

def Vit_Dialect : Dialect {
  let name = "vit";
  let cppNamespace = "::vitq::vit";
  let summary = "What a vision transformer means: real-valued functions on float or quantized tensors";
  let description = [{
    Ops of this dialect are functions of real tensors. On float types they are
    evaluated in floating point. On `!quant.uniform` types an op means:
    dequantize the operands, apply the real function, quantize the result
    (round half up, clamp to the storage range); contractions are exact
    integers: the result of a contraction on quantized operands is the integer
    accumulator, whose scale is carried by its type and never applied.

    Shapes are static. Elementwise binary ops broadcast as in NumPy.

    The casts `vit.quantize` and `vit.dequantize` are this dialect's own:
    `quant.dcast(quant.qcast(x))` folds to `x` upstream, so that one
    `--canonicalize` would undo a quantization. Here nothing folds across a
    quantization.

    Elementary float ops (`sub`, `div`, `pow`, `sqrt`, `erf`, `exp`, `where`,
    `mean` …) exist so that pattern recovery has something to match; one that is
    left when quantization starts is an error.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::quant::QuantDialect", "::mlir::arith::ArithDialect"];
  let hasConstantMaterializer = 1;
}

#endif // VIT_DIALECT
