//===- VitqKernelOps.td - Ops that are computed together ----*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_KERNEL_OPS
#define VITQ_KERNEL_OPS

include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/vit/VitInterfaces.td"
include "dialects/vitq/VitqDialect.td"
include "dialects/vitq/VitqInterfaces.td"

class Vitq_RegionOp<string mnemonic, list<Trait> traits> : Op<Vitq_Dialect, mnemonic, traits>;

def Vitq_KernelOp : Vitq_RegionOp<"kernel", [
    IsolatedFromAbove, RecursiveMemoryEffects, RecursivelySpeculatable,
    DeclareOpInterfaceMethods<RegionBranchOpInterface,
      ["getEntrySuccessorOperands", "getRegionInvocationBounds"]>,
    DeclareOpInterfaceMethods<BatchableOp, ["getBatchOperand", "computesAlongLastAxis", "growLeadingAxis"]>,
    DeclareOpInterfaceMethods<IntegerOp, ["hasUnsignedResult", "getAlgorithmName"]>]> {
  let summary = "Ops that a target computes together";
  let description = [{
    Computes what its body computes: the same as if the ops of the body stood in its place.
    That they are together says where they are computed: a row of the results of one is what the
    next begins with, and never needs to be in memory. `vitq-form-kernels` makes kernels as the
    target wants them (docs/Architecture.md, Kernels).

    All that the body reads, constants too, are operands and its arguments. The first op that
    is no move is the root: a product (`ProductOp`), or an op on rows. Each of the others that is no move reads,
    as the row that flows through it, the first result of the one before it. Moves
    before them say where operands are read (patches, strides), moves behind them where results are
    written.

    ```mlir
    func.func @main(%x: tensor<4x8xi8>) -> tensor<4x16xi8> {
      %weights = arith.constant dense<3> : tensor<8x16xi8>
      %y = vitq.kernel(%rows = %x, %w = %weights) : (tensor<4x8xi8>, tensor<8x16xi8>) -> tensor<4x16xi8> {
        %sums = vitq.matmul %rows, %w : (tensor<4x8xi8>, tensor<8x16xi8>) -> tensor<4x16xi32>
        %codes = vitq.requant %sums by <1518500250, 40> round half_up : tensor<4x16xi32> -> tensor<4x16xi8>
        vitq.yield %codes : tensor<4x16xi8>
      }
      return %y : tensor<4x16xi8>
    }
    ```

    Constraints:
    * C1: the body's arguments have the types of the operands.
    * C2: the body holds ops on rows, moves of `vitq` and constants, and an op on rows or a
      product as its root at least.
    * C3: an op on rows but the root reads, as the row that flows through it, the first result of
      the one before it.
    * C4: the body yields the results of its last op, and the kernel's results have their types.
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$inputs);
  let results = (outs Variadic<AnyStaticShapeTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The ops of the body but constants and the terminator, in order.
    ::llvm::SmallVector<::mlir::Operation *> getOps();
    /// The first op that is no move.
    ::mlir::Operation *getRoot();
    /// The last op.
    ::mlir::Operation *getLast();
  }];
}

def Vitq_YieldOp : Vitq_RegionOp<"yield", [Pure, Terminator, ReturnLike, HasParent<"KernelOp">]> {
  let summary = "The results of a kernel";
  let description = [{
    ```mlir
    func.func @main(%x: tensor<4x8xi32>) -> tensor<4x8xi8> {
      %y = vitq.kernel(%rows = %x) : (tensor<4x8xi32>) -> tensor<4x8xi8> {
        %codes = vitq.requant %rows by <1518500250, 40> round half_up : tensor<4x8xi32> -> tensor<4x8xi8>
        vitq.yield %codes : tensor<4x8xi8>
      }
      return %y : tensor<4x8xi8>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

#endif // VITQ_KERNEL_OPS
