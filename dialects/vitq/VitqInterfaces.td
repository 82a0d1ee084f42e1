//===- VitqInterfaces.td - Interfaces of vitq ops ----------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_INTERFACES
#define VITQ_INTERFACES

include "mlir/IR/OpBase.td"

def BatchableOp : OpInterface<"BatchableOp"> {
  let cppNamespace = "::vitq::integer";
  let description = [{
    How an op on one image becomes one on a batch. `vitq-set-batch` lets the leading
    axis of every value that depends on the input grow by the batch; each op says what that
    means for its operands, and changes what it holds of its shape.
  }];
  let methods = [
    InterfaceMethod<[{
        What operand `index` is to the images. The first is theirs; others (tables,
        weights) are the same for all.
      }],
      "::vitq::integer::BatchOperand", "getBatchOperand", (ins "unsigned":$index), "", [{
        return index == 0 ? ::vitq::integer::BatchOperand::Image : ::vitq::integer::BatchOperand::Shared;
      }]>,
    InterfaceMethod<[{
        Whether the op computes along the last axis, which therefore must not be the
        leading one.
      }],
      "bool", "computesAlongLastAxis", (ins), "", [{ return false; }]>,
    InterfaceMethod<[{
        Multiplies the leading axis in attributes by `batch`; operands have grown. Fails where an image is no slice
        along it, with the reason.
      }],
      "::llvm::LogicalResult", "growLeadingAxis", (ins "int64_t":$batch, "std::string &":$reason), "",
      [{ return ::mlir::success(); }]>
  ];
}

def IntegerOp : OpInterface<"IntegerOp"> {
  let cppNamespace = "::vitq::integer";
  let description = [{
    What reports and comparisons ask of an op of the integer phase.
  }];
  let methods = [
    InterfaceMethod<"Whether codes of the first result are unsigned.",
      "bool", "hasUnsignedResult", (ins), "", [{
        if constexpr (requires { $_op.getResultCode(); })
          return $_op.getResultCode().isUnsigned();
        return false;
      }]>,
    InterfaceMethod<[{
        How operand `index` is read; nothing where it is moved, or no code.
      }],
      "::vitq::integer::CodeAttr", "getOperandCode", (ins "unsigned":$index), "", [{
        if constexpr (requires { $_op.getLhsCode(); })
          if (index == 0)
            return $_op.getLhsCode();
        if constexpr (requires { $_op.getRhsCode(); })
          if (index == 1)
            return $_op.getRhsCode();
        if constexpr (requires { $_op.getInputCode(); })
          if (index == 0)
            return $_op.getInputCode();
        return {};
      }]>,
    InterfaceMethod<[{
        How the first result is written; nothing where the op moves elements, or takes them
        from a table.
      }],
      "::vitq::integer::CodeAttr", "getWrittenCode", (ins), "", [{
        if constexpr (requires { $_op.getResultCode(); })
          return $_op.getResultCode();
        return {};
      }]>,
    InterfaceMethod<[{
        The algorithm that a nonlinear function is computed by, as `--nonlinear` names
        it where it has a name there; empty for other ops.
      }],
      "std::string", "getAlgorithmName", (ins), "", [{ return {}; }]>
  ];
}

def ProductOp : OpInterface<"ProductOp"> {
  let cppNamespace = "::vitq::integer";
  let description = [{
    An op whose results are sums of products in 32 bits, accumulators, of its first operand and
    a second one.
  }];
  let methods = [
    InterfaceMethod<"How many multiply-accumulates it takes.", "int64_t", "getMacs", (ins)>,
    InterfaceMethod<[{
        The range of every partial sum, in any order, of the accumulators, as the union over its
        output channels, where the codes of the first operand are in `codes`. With constant
        weights it is per channel `sum max(0, extreme of (x - z) * w)` plus the bias, otherwise
        products times the largest magnitudes (docs/Rules.md, R3).
      }],
      "::vitq::numerics::Interval", "getAccumulatorBound", (ins "::vitq::numerics::Interval":$codes)>
  ];
}

def RowwiseOp : OpInterface<"RowwiseOp"> {
  let cppNamespace = "::vitq::integer";
  let description = [{
    An op of which a row of the results (their last axis) needs one row of some operands,
    and all of the others. So it can be computed where that row is, while it is still in
    registers or a cache: in the kernel of the op that gives the row. Whether a target does
    that is the target's to say (`KernelTargetAttrInterface`); ops say what they read.
  }];
  let methods = [
    InterfaceMethod<"What a row of the results needs of operand `index`.",
      "::vitq::integer::RowOperand", "getRowOperand", (ins "unsigned":$index), "", [{
        return index == 0 ? ::vitq::integer::RowOperand::Row : ::vitq::integer::RowOperand::Shared;
      }]>,
    InterfaceMethod<[{
        Whether an element of a result needs only the elements of its own column, and what
        is shared; otherwise it needs whole rows.
      }],
      "bool", "isElementwise", (ins), "", [{ return false; }]>
  ];
}

#endif // VITQ_INTERFACES
