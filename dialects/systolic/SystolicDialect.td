//===- SystolicDialect.td - The systolic dialect -*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SYSTOLIC_DIALECT
#define SYSTOLIC_DIALECT

include "mlir/IR/OpBase.td"

def Systolic_Dialect : Dialect {
  let name = "systolic";
  let cppNamespace = "::vitq::systolic";
  let summary = "What a systolic array does: moves, preloads, computes";
  let description = [{
    The array is the module attribute `systolic.config`; till kernels have become launches it is
    `vitq.target`, and the string `systolic.wishes` says what the user wants to run where. A *routine* is a function on memrefs,
    its DRAM operands, with the unit attribute `systolic.routine`: it allocates tiles in the
    array's own memories, and moves and multiplies them in loops (`affine.for`) whose bounds
    are constants. `systolic.launch` runs a routine on tensors; twelve equal layers are twelve
    launches of one routine. What the units beside the array do to the sums is a region of the
    launch, in `vitq` ops.

    A routine is one block without results. Its arguments are at most 256 memrefs of static
    shape; it holds ops of this dialect, `affine.for` without values, and what computes indices
    of constants and loop variables. Tiles are allocated in that block; those with addresses do not overlap.

    Effects: an op reads and writes DRAM (the memref), scratchpad or accumulator memory (the
    tiles); what must not be reordered follows from them. Every op of a routine is one
    instruction (docs/Systolic.md).
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
                           "::vitq::integer::VitqDialect"];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

#endif // SYSTOLIC_DIALECT
