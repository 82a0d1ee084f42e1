//===- VitInterfaces.td - Interfaces of vit ops ------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VIT_INTERFACES
#define VIT_INTERFACES

include "mlir/IR/OpBase.td"

def CommutesWithDequant : OpInterface<"CommutesWithDequant"> {
  let cppNamespace = "::vitq::vit";
  let description = [{
    An op `f` commutes with dequantization for given operand layouts when there
    is a quantized type Q with `f(dequantize(x)) = dequantize(f(x))` exactly over
    the reals, `f(x)` having element type Q. The pass `vit-defer-dequant` asks
    this before it moves a dequantization behind the op (docs/Rules.md, which
    has the rules and the table of legal scale layouts).
  }];
  let methods = [
    InterfaceMethod<[{
        The quantized element type of the result, given for every operand its
        quantized element type, or null for an operand that stays float. On
        failure `reason` says which rule forbids it, and what would help.
      }],
      "::mlir::FailureOr<::mlir::Type>", "getDeferredElementType",
      (ins "::llvm::ArrayRef<::mlir::Type>":$operandTypes, "std::string &":$reason)>,
    InterfaceMethod<[{
        Operands that must be quantized together for the op to be deferred
        (a constant bias is not among them: it is quantized to the accumulator's
        scale by the pass).
      }],
      "::llvm::SmallVector<unsigned>", "getDeferrableOperands", (ins), "",
      [{
        ::llvm::SmallVector<unsigned> all;
        for (unsigned i = 0, e = $_op->getNumOperands(); i != e; ++i)
          all.push_back(i);
        return all;
      }]>,
    InterfaceMethod<[{
        The number of the bias operand, to be quantized to the accumulator's
        type when the op is deferred; -1 when there is none.
      }],
      "int", "getBiasOperandIndex", (ins), "", [{ return -1; }]>
  ];
}

def UnaryFunction : OpInterface<"UnaryFunction"> {
  let cppNamespace = "::vitq::vit";
  let description = [{
    An elementwise function of one real variable. Interpreters and table
    builders evaluate it through this interface only.
  }];
  let methods = [
    InterfaceMethod<"The function's value at `x`.", "double", "evaluate",
                    (ins "double":$x)>,
    InterfaceMethod<[{
        Whether the function is nearly constant below some value and nearly the identity
        above another one, such as GELU.
      }],
      "bool", "approachesIdentity", (ins), "", [{ return false; }]>,
    InterfaceMethod<[{
        The function over an array of floats, as `numerics::RealArray` says; null where only
        `evaluate` knows it.
      }],
      "::vitq::numerics::RealArray", "getArrayFunction", (ins), "", [{ return nullptr; }]>
  ];
}

def WeightedOp : OpInterface<"WeightedOp"> {
  let cppNamespace = "::vitq::vit";
  let description = [{
    A contraction of an activation, operand 0, with a weight `[D, ...]`, operand 1, each
    row of which gives a channel of the result's last axis, and with or without a bias
    `[D]`, operand 2. `vit-quantize-weights` codes each row with a scale of its own.
  }];
  let methods = [
    InterfaceMethod<[{
        The channel of the input that element `element` of the weight multiplies, the
        elements counted row by row.
      }],
      "int64_t", "getInputChannel", (ins "int64_t":$element)>,
    InterfaceMethod<[{
        Whether the result's rows (along the last axis) are the products of the rows of operand
        0, in their order, with all rows of the weight `[D, K]`.
      }],
      "bool", "isRowProduct", (ins), "", [{ return false; }]>,
    InterfaceMethod<[{
        The op on an image `[B, H, W, C]` of which `padding` has for each channel what
        stands around it, instead of on the normalized one that its input is a view of; null
        where it has no such form. It takes the place of this op.
      }],
      "::mlir::Operation *", "makeOnPixels",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$image, "::mlir::Value":$weight, "::mlir::Value":$bias,
           "::llvm::ArrayRef<double>":$padding), "", [{ return nullptr; }]>,
    InterfaceMethod<"Whether `makeOnPixels` gives an op.",
      "bool", "canReadPixels", (ins), "", [{ return false; }]>
  ];
}

def PermutableOp : OpInterface<"PermutableOp"> {
  let cppNamespace = "::vitq::vit";
  let description = [{
    An op that can work on its operands in another order of axes: the transpose before it
    may stand behind it as well. `vit-move-layouts` asks through this interface.

    `permutation` is that of the transpose before: axis `i` of an operand is axis
    `permutation[i]` of what the op is to read instead.
  }];
  let methods = [
    InterfaceMethod<[{
        The permutation that the result of the op on the other order needs to become that of
        this one; failure where there is no such op.
      }],
      "::llvm::FailureOr<::llvm::SmallVector<int64_t>>", "getResultPermutation",
      (ins "::llvm::ArrayRef<int64_t>":$permutation), "", [{
        return ::llvm::SmallVector<int64_t>(permutation);
      }]>,
    InterfaceMethod<[{
        Writes the attributes that number axes, or have an entry for each, for the other order.
      }],
      "void", "permuteAttributes", (ins "::llvm::ArrayRef<int64_t>":$permutation), "", [{ return; }]>,
    InterfaceMethod<[{
        Whether operand `index` has the axes that are permuted, or broadcasts to them.
      }],
      "bool", "isPermutedOperand", (ins "unsigned":$index), "", [{ return true; }]>
  ];
}

def RowLinearOp : OpInterface<"RowLinearOp"> {
  let cppNamespace = "::vitq::vit";
  let description = [{
    An op that may treat all channels, the last axis of its operands and of its result, alike:
    each row of the result is a sum of rows of the operands, each times a number. A matrix that
    multiplies the channels of the result can then multiply those of the operands instead.
    `vit-rotate-residual` asks through this interface.
  }];
  let methods = [
    InterfaceMethod<"Whether it does, with the shapes and attributes that it has.", "bool", "isRowLinear">,
    InterfaceMethod<[{
        Of a row-linear op, whether the numbers of each row add up to 1: what is added to each
        row of the operands is then added to each of the result.
      }],
      "bool", "keepsOffsets", (ins), "", [{ return true; }]>
  ];
}

// An op on the rows and columns of a map [B, H, W, C].
def MapOp : NativeOpTrait<"MapOp"> {
  let cppNamespace = "::vitq::vit";
}

def MoveOp : NativeOpTrait<"MoveOp"> {
  let cppNamespace = "::vitq::vit";
}

def QuantizableOp : OpInterface<"QuantizableOp"> {
  let cppNamespace = "::vitq::vit";
  let description = [{
    An op that has an integer form, and says which codes that takes and gives. The
    passes of the quantized phase ask through this interface only: `vit-quantize` for
    the codes of operands and results, `vit-clip-ranges` for the kind of tensor,
    `vit-defer-dequant` for what a dequantization in front of the op does. Ops without
    it (and without the trait `MoveOp`) cannot be quantized: patterns must have recovered
    them as part of others.
  }];
  let methods = [
    InterfaceMethod<[{
        The code that operand `index` is to have. A constant operand whose kind is
        not `None` is coded symmetrically with as many bits.
      }],
      "::vitq::vit::CodeSpec", "getOperandCode", (ins "unsigned":$index)>,
    InterfaceMethod<[{
        The code that result `index` has before it is requantized. `Code` where
        the op computes whatever codes its users want.
      }],
      "::vitq::vit::CodeSpec", "getResultCode", (ins "unsigned":$index), "", [{
        ::vitq::vit::CodeSpec code;
        code.kind = ::vitq::vit::CodeKind::Code;
        return code;
      }]>,
    InterfaceMethod<[{
        The quantized element type of result `index` where it is the same in every
        model; null where calibration decides.
      }],
      "::mlir::Type", "getFixedResultType", (ins "unsigned":$index), "", [{ return {}; }]>,
    InterfaceMethod<[{
        Whether the integer form can give result 0 at 32 bits: an accumulator, or
        sums and clamps of one. Others give 16 bits at most.
      }],
      "bool", "hasWideResult", (ins), "", [{
        ::vitq::vit::CodeKind kind = $_op.getResultCode(0).kind;
        return kind == ::vitq::vit::CodeKind::Accumulator || kind == ::vitq::vit::CodeKind::Residual;
      }]>,
    InterfaceMethod<"How codes of the result are rounded.",
      "::vitq::vit::ResultRounding", "getResultRounding", (ins), "",
      [{ return ::vitq::vit::ResultRounding::HalfUp; }]>,
    InterfaceMethod<[{
        Takes the rounding of the quantization that it absorbs. Called where
        `getResultRounding` is `Chosen`.
      }],
      "void", "takeRounding", (ins "::vitq::vit::Rounding":$rounding), "", [{
        if constexpr (requires { $_op.setRounding(rounding); })
          $_op.setRounding(rounding);
      }]>,
    InterfaceMethod<[{
        Why a dequantization cannot cross the op (docs/Rules.md, Barriers): the text of
        the remark. Empty where it may, which `CommutesWithDequant` tells.
      }],
      "std::string", "getBarrierReason", (ins), "", [{ return {}; }]>
  ];
}

#endif // VIT_INTERFACES
