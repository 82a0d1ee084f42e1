//===- VitqDialect.td - The vitq dialect -*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DIALECT
#define VITQ_DIALECT

include "mlir/IR/OpBase.td"

def Vitq_Dialect : Dialect {
  let name = "vitq";
  // Not ::vitq::vitq, which would hide the project's own namespace inside itself.
  let cppNamespace = "::vitq::integer";
  let summary = "What the machine computes: integer arithmetic, bit for bit";
  let description = [{
    Ops of this dialect hold integers only. Types are signless: iN, N from 2 to 8, 16 and
    32, says the bits of a code. Its sign and the code that stands for 0 are an attribute of
    the op that reads or writes it, `#vitq.code<unsigned, zero = 131>`; `input.zero` in the
    text of an op is that of its attribute `input`, 0 where there is none. Every op's
    text gives its arithmetic bit for bit (docs/Numerics.md, lib/Numerics);
    interpreter, folders and every target compute exactly that.

    Ops are named by function; the algorithm is an attribute. Real scales are not
    part of the arithmetic: they live in the module attribute `vitq.scales`, keyed
    by the integer attribute `vitq.id` of the op that defines the value, for
    reports only.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // VITQ_DIALECT
