//===- VitToVitq.cpp - Lower the deferred quantized phase to integers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "vitq/Analysis/ProgramResults.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Support/MainFunction.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/InterleavedRange.h"

#define DEBUG_TYPE "convert-vit-to-vitq"

namespace vitq {
#define GEN_PASS_DEF_CONVERTVITTOVITQPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;

QuantTypeConverter::QuantTypeConverter() {
  addConversion([](Type type) -> std::optional<Type> { return type; });
  addConversion([](RankedTensorType type) -> std::optional<Type> {
    if (auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType()))
      return RankedTensorType::get(type.getShape(), quantized.getStorageType());
    return type;
  });
}

FailureOr<integer::DyadicAttr> lowering::makeDyadic(Operation *op, ArrayRef<double> ratios, const Context &context) {
  SmallVector<int32_t> multipliers, shifts;
  for (double ratio : ratios) {
    std::optional<numerics::Dyadic> dyadic = numerics::dyadicFromReal(ratio, context.mantissaBits);
    if (!dyadic)
      return op->emitError("the ratio of scales ")
             << ratio << " is too large for a dyadic multiplier of " << context.mantissaBits
             << " bits; check the calibrated ranges of the node and its consumers";
    multipliers.push_back(dyadic->multiplier);
    shifts.push_back(dyadic->shift);
  }
  // Equal multipliers stay one per channel: what code an op becomes must depend on
  // its types, not on its data.
  return integer::DyadicAttr::get(op->getContext(), multipliers, shifts);
}

FailureOr<UniformParameters> lowering::parametersOf(Operation *op, Value value) {
  if (std::optional<UniformParameters> parameters = getUniformParameters(getQuantizedType(value)))
    return *parameters;
  InFlightDiagnostic error = op->emitError("operand or result of '")
                             << nodeName(op->getLoc())
                             << "' is not quantized: vit-quantize and vit-defer-dequant left it float";
  if (Operation *producer = value.getDefiningOp(); producer && producer != op)
    error.attachNote(producer->getLoc()) << "the operand is computed here";
  return error;
}

FailureOr<UniformParameters> lowering::perTensorParametersOf(Operation *op, Value value) {
  FailureOr<UniformParameters> parameters = parametersOf(op, value);
  if (succeeded(parameters) && parameters->axis >= 0)
    return op->emitError("'") << nodeName(op->getLoc()) << "' needs one scale per tensor here, but axis "
                              << parameters->axis << " has " << parameters->scales.size();
  return parameters;
}

namespace {

/// Passes on the first error only. A pattern that cannot lower an op says why; after it
/// the driver of the conversion says that it gave up.
class FirstErrorOnly : public ScopedDiagnosticHandler {
public:
  explicit FirstErrorOnly(MLIRContext *context) : ScopedDiagnosticHandler(context) {
    setHandler([this](Diagnostic &diagnostic) {
      const bool repeats = hasError && diagnostic.getSeverity() == DiagnosticSeverity::Error;
      hasError |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
      return success(repeats); // handled, that is dropped
    });
  }

private:
  bool hasError = false;
};

class ConvertVitToVitq : public vitq::impl::ConvertVitToVitqPassBase<ConvertVitToVitq> {
  using ConvertVitToVitqPassBase::ConvertVitToVitqPassBase;

  void runOnOperation() override {
    if (mantissaBits < 2 || mantissaBits > 31) {
      getOperation().emitError("convert-vit-to-vitq: mantissa-bits must be 2 to 31");
      return signalPassFailure();
    }
    MLIRContext *context = &getContext();
    if (failed(retypeNumerators(getOperation())))
      return signalPassFailure();
    const SmallVector<double> outputScales = findOutputScales();
    QuantTypeConverter converter;
    Context shared{mantissaBits, lutMethod};
    RewritePatternSet patterns(context);
    populateArithmeticPatterns(patterns, converter, shared);
    populateConvolutionPatterns(patterns, converter, shared);
    populateNonlinearPatterns(patterns, converter, shared);
    populateRowPatterns(patterns, converter, shared);
    populateMovePatterns(patterns, converter, shared);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);

    ConversionTarget target(*context);
    target.addLegalDialect<integer::VitqDialect>();
    target.addLegalOp<ModuleOp, arith::ConstantOp>();
    target.addIllegalDialect<vit::VitDialect, quant::QuantDialect>();
    target.addDynamicallyLegalOp<func::FuncOp>(
        [&](func::FuncOp op) { return converter.isSignatureLegal(op.getFunctionType()); });
    target.addDynamicallyLegalOp<func::ReturnOp>([&](func::ReturnOp op) { return converter.isLegal(op); });
    if (failed(convert(target, std::move(patterns))))
      return signalPassFailure();
    finish(outputScales);
  }

  LogicalResult convert(const ConversionTarget &target, RewritePatternSet patterns) {
    FirstErrorOnly diagnostics(&getContext());
    return applyFullConversion(getOperation(), target, std::move(patterns));
  }

  /// Scales of the results of @main, 0 for one that has none.
  SmallVector<double> findOutputScales() {
    func::FuncOp main = lookupMain(getOperation());
    return llvm::map_to_vector(main ? main.getResultTypes() : ArrayRef<Type>(), [](Type type) {
      auto shaped = dyn_cast<ShapedType>(type);
      auto parameters = shaped ? getUniformParameters(shaped.getElementType()) : std::nullopt;
      return parameters ? parameters->scale() : 0;
    });
  }

  /// Numbers the ops, collects the recorded scales under the numbers, and drops
  /// constants and attributes that only the quantized phase needed.
  void finish(ArrayRef<double> outputScales) {
    Builder builder(&getContext());
    SmallVector<NamedAttribute> scales;
    int64_t id = 0;
    getOperation().walk([&](Operation *op) {
      if (auto function = dyn_cast<func::FuncOp>(op))
        for (unsigned i = 0; i < function.getNumArguments(); ++i)
          function.removeArgAttr(i, kRangeAttr);
      op->removeDiscardableAttr(kRangeAttr);
      Attribute recorded = op->removeDiscardableAttr("vitq.pending_scale");
      if (!recorded)
        return;
      op->setAttr(integer::kIdAttr, builder.getI64IntegerAttr(id));
      scales.push_back(builder.getNamedAttr(std::to_string(id++), recorded));
    });
    LDBG() << scales.size() << " ops remember their scales; those of the results are "
           << llvm::interleaved_array(outputScales);
    getOperation()->setAttr(integer::kScalesAttr, builder.getDictionaryAttr(scales));
    setOutputScales(getOperation(), outputScales);
    getOperation().walk([&](arith::ConstantOp op) {
      if (op->use_empty())
        op.erase();
    });
  }
};

} // namespace
