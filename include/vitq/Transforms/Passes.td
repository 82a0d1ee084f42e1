//===- Passes.td - Passes inside a phase -------------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TRANSFORMS_PASSES
#define VITQ_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def VitVerifyFloatPass : Pass<"vit-verify-float", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the float phase";
  let description = [{
    Succeeds when the module is a float vit program as `vit-quantize` expects it:

    * one function `@main`, whose operands and results are statically shaped
      tensors with a leading batch axis;
    * only `func`, `arith.constant` and `vit` ops, no quantized type but that of
      the pixels that `vit.normalize_pixels` reads;
    * the location of every op is a name: its ONNX node.

    Every violation is an error at the op. The module is not changed.
  }];
}

#endif // VITQ_TRANSFORMS_PASSES
