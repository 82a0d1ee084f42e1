//===- VerifyFloat.cpp - vit-verify-float -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Transforms/Passes.h"

#include "dialects/vit/Vit.h"
#include "vitq/Analysis/ProgramResults.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/DebugLog.h"

#include <cmath>

#define DEBUG_TYPE "vit-verify-float"

namespace vitq {
#define GEN_PASS_DEF_VITVERIFYFLOATPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace vitq;

/// Whether patterns must have recovered the op as part of others: it has no integer form.
static bool isLeftover(Operation *op) {
  return !isa<vit::QuantizableOp, vit::NormalizePixelsOp>(op) && !op->hasTrait<vit::MoveOp>() &&
         !isa<vit::QuantizeOp, vit::DequantizeOp>(op);
}

/// For ops that only exist to be matched: the pattern that nearly did.
static StringRef leftoverHint(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<vit::SqrtOp, vit::PowOp>([](auto) {
        return "as part of a LayerNorm: (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) over the last axis, with a "
               "constant eps; a power of 3 as part of the tanh form of GELU";
      })
      .Case<vit::SubOp>([](auto) {
        return "as part of a LayerNorm: x - mean(x) over the last axis, kept as size 1; or with a constant right "
               "operand";
      })
      .Case<vit::DivOp>([](auto) {
        return "as part of a LayerNorm: (x - mean(x)) / sqrt(variance + eps), or with a constant divisor";
      })
      .Case<vit::ErfOp>([](auto) { return "as part of a GELU: x/2 * (1 + erf(x / sqrt(2)))"; })
      .Case<vit::ExpOp>([](auto) { return "inside Softmax or Sigmoid: export these as single operators"; })
      .Case<vit::WhereOp>([](auto) { return "with constant operands: masks of activations are not supported"; })
      .Case<vit::IsNaNOp>([](auto) {
        return "as where(is_nan(p), 0, p) with p = softmax(x), whose masks are constants that leave something of every "
               "row";
      })
      .Default([](Operation *) { return StringRef(); });
}

static bool isQuantized(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && isa<quant::QuantizedType>(shaped.getElementType());
}

namespace {
struct VerifyFloatPass : vitq::impl::VitVerifyFloatPassBase<VerifyFloatPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> found = findMain(getOperation());
    if (failed(found))
      return signalPassFailure();
    func::FuncOp main = *found;
    bool valid = checkInterface(main);
    for (Operation &op : getOperation().getOps())
      if (&op != main.getOperation()) {
        op.emitError("the float phase has no op beside the function @main");
        valid = false;
      }
    SmallVector<Operation *> leftovers;
    SmallVector<OpOperand *> parameters;
    for (Operation &op : main.getBody().front()) {
      valid &= checkOp(&op, leftovers);
      if (OpOperand *parameter = findVariableParameter(&op))
        parameters.push_back(parameter);
    }
    valid &= leftovers.empty() && parameters.empty();
    report(leftovers);
    reportParameters(parameters);
    LDBG() << main.getBody().front().getOperations().size() << " ops are " << (valid ? "" : "not all ")
           << "of the float phase";
    if (!valid)
      signalPassFailure();
  }

private:
  bool checkInterface(func::FuncOp main) {
    bool valid = true;
    std::optional<int64_t> batch;
    auto check = [&](Type type, Location loc, const Twine &what, StringRef advice) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || !tensor.hasStaticShape() || tensor.getRank() == 0) {
        emitError(loc) << what << " must be a statically shaped tensor with a leading batch axis, not " << type
                       << advice;
        valid = false;
        return;
      }
      if (!batch)
        batch = tensor.getDimSize(0);
      if (tensor.getDimSize(0) != *batch) {
        emitError(loc) << what << " has a leading axis of " << tensor.getDimSize(0) << " where the batch is " << *batch
                       << advice;
        valid = false;
      }
    };
    for (Type type : main.getArgumentTypes())
      check(type, main.getLoc(), "an operand of @main", "");
    // No node is at fault.
    for (auto [type, name] : llvm::zip_equal(main.getResultTypes(), resultNames(main)))
      check(type, getOperation().getLoc(), "the output '" + name + "'",
            "; --output=NAME chooses another value of the model");
    return valid;
  }

  /// A calibration would find such weights too, but ranges may come from a file.
  static bool checkConstants(Operation *op) {
    bool valid = true;
    for (OpOperand &operand : op->getOpOperands()) {
      auto constant = operand.get().getDefiningOp<arith::ConstantOp>();
      if (!constant)
        continue;
      // Weights are large: they are read where they are.
      llvm::Expected<Tensor> tensor = readTensor(constant.getValue());
      if (!tensor || !isFloat(tensor->kind())) {
        llvm::consumeError(tensor.takeError());
        continue;
      }
      const Tensor converted = tensor->converted(ElementKind::F32);
      ArrayRef<float> values = converted.values<float>();
      const auto *bad = llvm::find_if(values, [](float value) { return !std::isfinite(value); });
      if (bad == values.end())
        continue;
      StringRef name = getBlobName(operand.get());
      InFlightDiagnostic diagnostic = op->emitError("operand #") << operand.getOperandNumber();
      if (!name.empty())
        diagnostic << " ('" << name << "')";
      diagnostic << " of node '" << nodeName(op->getLoc()) << "' holds " << (std::isnan(*bad) ? "a NaN" : "an infinity")
                 << ", the first at index " << bad - values.begin() << "; mend the model's weights and export it again";
      valid = false;
    }
    return valid;
  }

  /// The first operand that an op takes as it is, uncoded (a weight, a bias, a gamma), and that is no constant.
  static OpOperand *findVariableParameter(Operation *op) {
    auto quantizable = dyn_cast<vit::QuantizableOp>(op);
    if (!quantizable || isa<vit::NormalizePixelsOp>(op))
      return nullptr;
    for (OpOperand &operand : op->getOpOperands())
      if (quantizable.getOperandCode(operand.getOperandNumber()).kind == vit::CodeKind::None &&
          !isConstant(operand.get()) && !operand.get().getDefiningOp<vit::DequantizeOp>())
        return &operand;
    return nullptr;
  }

  using Groups = llvm::MapVector<StringRef, SmallVector<Operation *>>;

  /// A line for each name of an op, with the first nodes and what `hint` says.
  static void list(InFlightDiagnostic &error, const Groups &groups, llvm::function_ref<std::string(Operation *)> hint) {
    constexpr size_t kShown = 4;
    for (const auto &[name, ops] : groups) {
      error << "\n  " << name << ", " << ops.size() << (ops.size() == 1 ? " time: " : " times: ");
      llvm::interleaveComma(ArrayRef(ops).take_front(kShown), error,
                            [&](Operation *op) { error << nodeName(op->getLoc()); });
      error << (ops.size() > kShown ? ", ..." : "") << hint(ops.front());
    }
  }

  /// One error for all ops with such parameters.
  void reportParameters(ArrayRef<OpOperand *> parameters) {
    if (parameters.empty())
      return;
    if (parameters.size() == 1) {
      Operation *op = parameters.front()->getOwner();
      InFlightDiagnostic error = op->emitOpError("has a parameter that depends on the image, operand #")
                                 << parameters.front()->getOperandNumber();
      if (auto name = dyn_cast<NameLoc>(op->getLoc()))
        error << " (node '" << name.getName().getValue() << "')";
      error << "; its integer form needs constants there";
      return;
    }
    Groups byName;
    for (OpOperand *parameter : parameters)
      byName[parameter->getOwner()->getName().getStringRef()].push_back(parameter->getOwner());
    InFlightDiagnostic error = getOperation().emitError()
                               << parameters.size()
                               << " ops have a parameter that depends on the image; their integer forms need "
                                  "constants there:";
    list(error, byName,
         [&](Operation *op) { return "; operand #" + std::to_string(findVariableParameter(op)->getOperandNumber()); });
  }

  /// One error for all ops that were not recovered.
  void report(ArrayRef<Operation *> leftovers) {
    if (leftovers.empty())
      return;
    if (leftovers.size() == 1) {
      InFlightDiagnostic error = leftovers.front()->emitOpError("is not supported by itself");
      if (auto name = dyn_cast<NameLoc>(leftovers.front()->getLoc()))
        error << " (node '" << name.getName().getValue() << "')";
      if (StringRef hint = leftoverHint(leftovers.front()); !hint.empty())
        error << "; it is recognized " << hint;
      return;
    }
    Groups byName;
    for (Operation *op : leftovers)
      byName[op->getName().getStringRef()].push_back(op);
    InFlightDiagnostic error = getOperation().emitError()
                               << leftovers.size() << " ops are not supported by themselves:";
    list(error, byName, [](Operation *op) {
      const StringRef hint = leftoverHint(op);
      return hint.empty() ? std::string() : ("; recognized " + hint).str();
    });
  }

  static bool checkOp(Operation *op, SmallVectorImpl<Operation *> &leftovers) {
    // Codes that a quantized model brought stand between casts.
    if (isa<func::ReturnOp, arith::ConstantOp, quant::StorageCastOp, vit::QuantizeOp, vit::DequantizeOp>(op))
      return true;
    if (!isa_and_nonnull<vit::VitDialect>(op->getDialect())) {
      op->emitError("op does not belong to the float phase");
      return false;
    }
    bool valid = checkConstants(op);
    bool readsPixels = isa<vit::NormalizePixelsOp>(op);
    if (llvm::any_of(op->getResultTypes(), isQuantized) ||
        (!readsPixels && llvm::any_of(op->getOperandTypes(), isQuantized))) {
      op->emitOpError("is quantized already");
      valid = false;
    }
    if (!isa<NameLoc>(op->getLoc())) {
      op->emitOpError("has no ONNX node's name as location");
      valid = false;
    }
    if (isLeftover(op))
      leftovers.push_back(op);
    return valid;
  }
};
} // namespace
