//===- Patterns.h - Patterns of convert-vit-to-vitq -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_VITTOVITQ_PATTERNS_H
#define LIB_CONVERSION_VITTOVITQ_PATTERNS_H

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "mlir/Transforms/DialectConversion.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Approximation/Method.h"
#include "vitq/Numerics/Requantize.h"

namespace vitq::lowering {

/// What patterns share.
struct Context {
  unsigned mantissaBits = 31;
  approximation::Method lutMethod = approximation::Method::Optimal;
};

/// Quantized tensors become signless integer tensors of the storage type.
class QuantTypeConverter : public mlir::TypeConverter {
public:
  QuantTypeConverter();
};

/// `scales[i] * factor` as dyadic multipliers. Emits an error at `op` and fails
/// where one is not representable.
mlir::FailureOr<integer::DyadicAttr> makeDyadic(mlir::Operation *op, llvm::ArrayRef<double> ratios,
                                                const Context &context);

/// Parameters of a value's quantized type; an error at `op` when it has none.
mlir::FailureOr<UniformParameters> parametersOf(mlir::Operation *op, mlir::Value value);
/// The same, and an error when there is more than one scale.
mlir::FailureOr<UniformParameters> perTensorParametersOf(mlir::Operation *op, mlir::Value value);

inline integer::Rounding convertRounding(vit::Rounding rounding) {
  return rounding == vit::Rounding::HalfEven ? integer::Rounding::HalfEven : integer::Rounding::HalfUp;
}

/// Scales of a result: one, or one for each index of the last axis.
mlir::FailureOr<UniformParameters> channelParametersOf(mlir::Operation *op, mlir::Value value);

bool usesShift(std::optional<vit::AlgorithmAttr> algorithm);
/// Entries of `lut:N`, 0 for another algorithm.
unsigned entriesOf(std::optional<vit::AlgorithmAttr> algorithm);
/// The error of an op for which no lines could be fitted.
mlir::InFlightDiagnostic noLines(mlir::Operation *op, llvm::Error error);

/// How codes with these parameters are read.
inline integer::CodeAttr codeAttr(mlir::Operation *op, const UniformParameters &parameters) {
  return integer::CodeAttr::get(op->getContext(), parameters.code());
}
/// The same where it does not matter which code stands for 0.
inline integer::CodeAttr signAttr(mlir::Operation *op, const UniformParameters &parameters) {
  return integer::CodeAttr::get(op->getContext(), !parameters.isSigned, /*zero=*/0);
}
/// Signed codes of which 0 stands for 0.
inline integer::CodeAttr plainCode(mlir::Operation *op) {
  return integer::CodeAttr::get(op->getContext(), numerics::Code());
}

void populateArithmeticPatterns(mlir::RewritePatternSet &patterns, const mlir::TypeConverter &converter,
                                const Context &context);
void populateConvolutionPatterns(mlir::RewritePatternSet &patterns, const mlir::TypeConverter &converter,
                                 const Context &context);
void populateNonlinearPatterns(mlir::RewritePatternSet &patterns, const mlir::TypeConverter &converter,
                               const Context &context);
/// Softmax and layer_norm.
void populateRowPatterns(mlir::RewritePatternSet &patterns, const mlir::TypeConverter &converter,
                         const Context &context);
/// Gives the numerators of softmaxes that use `log2` a type of 16-bit powers of two, and
/// their sums and products its scale. Before any pattern is applied.
mlir::LogicalResult retypeNumerators(mlir::ModuleOp module);
void populateMovePatterns(mlir::RewritePatternSet &patterns, const mlir::TypeConverter &converter,
                          const Context &context);

/// A conversion pattern that holds the shared context.
template <typename OpTy>
class Lowering : public mlir::OpConversionPattern<OpTy> {
public:
  Lowering(const mlir::TypeConverter &converter, mlir::MLIRContext *mlirContext, const Context &context)
      : mlir::OpConversionPattern<OpTy>(converter, mlirContext), context(context) {}

protected:
  mlir::RankedTensorType convert(mlir::Type type) const {
    return llvm::cast<mlir::RankedTensorType>(this->getTypeConverter()->convertType(type));
  }
  const Context &context;
};

} // namespace vitq::lowering

#endif // LIB_CONVERSION_VITTOVITQ_PATTERNS_H
