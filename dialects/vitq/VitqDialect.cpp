//===- VitqDialect.cpp - The vitq dialect -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "dialects/vitq/VitqKernel.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/vitq/VitqDialect.cpp.inc"
#include "dialects/vitq/VitqEnums.cpp.inc"
#include "dialects/vitq/VitqInterfaces.cpp.inc"

#include "dialects/vitq/VitqAlgorithmInterfaces.cpp.inc"
#include "dialects/vitq/VitqAttrInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/vitq/VitqAttrs.cpp.inc"

namespace {
/// All ops are pure: any function may be inlined.
struct Inliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
};
} // namespace

namespace vitq::integer {

numerics::Rounding toNumerics(Rounding rounding) {
  switch (rounding) {
  case Rounding::HalfUp:
    return numerics::Rounding::HalfUp;
  case Rounding::HalfEven:
    return numerics::Rounding::HalfEven;
  case Rounding::HalfAway:
    return numerics::Rounding::HalfAway;
  case Rounding::Floor:
    return numerics::Rounding::Floor;
  }
  llvm_unreachable("unknown rounding");
}

void VitqDialect::initialize() {
  addInterfaces<Inliner>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/vitq/VitqAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/vitq/VitqOps.cpp.inc"
      >();
  addOperations<KernelOp, YieldOp>();
}

Operation *VitqDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

LogicalResult VitqDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kIdAttr && !isa<IntegerAttr>(attribute.getValue()))
    return op->emitOpError("attribute '") << kIdAttr << "' must be an integer";
  if (attribute.getName() == kScalesAttr && !isa<DictionaryAttr>(attribute.getValue()))
    return op->emitOpError("attribute '") << kScalesAttr << "' must be a dictionary";
  if (attribute.getName() == kTargetAttr && !isa<KernelTargetAttrInterface>(attribute.getValue()))
    return op->emitOpError("attribute '") << kTargetAttr << "' must be a target that kernels are formed for";
  return success();
}

numerics::Code codeOf(Value value, CodeAttr code) {
  return (code ? code : CodeAttr::get(value.getContext(), false, 0)).of(value.getType());
}

Type storageOf(Type element) {
  const unsigned width = element.getIntOrFloatBitWidth();
  return width > 1 && width < 8 ? IntegerType::get(element.getContext(), 8) : element;
}

//===----------------------------------------------------------------------===//
// #vitq.code
//===----------------------------------------------------------------------===//

numerics::Code CodeAttr::of(Type type) const {
  return {getElementTypeOrSelf(type).getIntOrFloatBitWidth(), getIsUnsigned(), getZero()};
}

Attribute CodeAttr::parse(AsmParser &parser, Type) {
  StringRef sign;
  int64_t zero = 0;
  if (parser.parseLess())
    return {};
  if (failed(parser.parseOptionalKeyword(&sign, {"signed", "unsigned"}))) {
    parser.emitError(parser.getCurrentLocation(), "expected 'signed' or 'unsigned'");
    return {};
  }
  if (succeeded(parser.parseOptionalComma()) &&
      (parser.parseKeyword("zero") || parser.parseEqual() || parser.parseInteger(zero)))
    return {};
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), sign == "unsigned", zero);
}

void CodeAttr::print(AsmPrinter &printer) const {
  printer << "<" << (getIsUnsigned() ? "unsigned" : "signed");
  if (getZero() != 0)
    printer << ", zero = " << getZero();
  printer << ">";
}

//===----------------------------------------------------------------------===//
// #vitq.dyadic and #vitq.pwl
//===----------------------------------------------------------------------===//

LogicalResult DyadicAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int32_t> multipliers,
                                 ArrayRef<int32_t> shifts) {
  if (multipliers.empty() || multipliers.size() != shifts.size())
    return emitError() << "dyadic needs as many shifts as multipliers, at least one; got " << multipliers.size()
                       << " multipliers and " << shifts.size() << " shifts";
  for (int32_t shift : shifts)
    if (shift < 1 || shift > 62)
      return emitError() << "dyadic shift " << shift << " is outside [1, 62]";
  if (llvm::is_contained(multipliers, std::numeric_limits<int32_t>::min()))
    return emitError() << "dyadic multiplier -2^31 is outside (-2^31, 2^31)";
  return success();
}

LogicalResult PiecewiseLinearAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int32_t> breakpoints,
                                          ArrayRef<int32_t> slopes, ArrayRef<int32_t> intercepts) {
  if (slopes.size() < 2 || slopes.size() > 256 || intercepts.size() != slopes.size() ||
      breakpoints.size() + 1 != slopes.size()) // C1
    return emitError() << "pwl needs 2 to 256 slopes, as many intercepts and one breakpoint fewer; got "
                       << slopes.size() << " slopes, " << intercepts.size() << " intercepts and " << breakpoints.size()
                       << " breakpoints";
  if (!llvm::is_sorted(breakpoints)) // C2
    return emitError() << "the breakpoints of a pwl must not fall";
  return success();
}

numerics::PiecewiseLinear PiecewiseLinearAttr::lines() const {
  return {std::vector<int32_t>(getBreakpoints()), std::vector<int32_t>(getSlopes()),
          std::vector<int32_t>(getIntercepts())};
}

PiecewiseLinearAttr PiecewiseLinearAttr::get(MLIRContext *context, const numerics::PiecewiseLinear &lines) {
  return get(context, lines.breakpoints, lines.slopes, lines.intercepts);
}

static ParseResult parseNumbers(AsmParser &parser, SmallVectorImpl<int32_t> &numbers) {
  if (succeeded(parser.parseOptionalLSquare())) {
    return failure(
        failed(parser.parseCommaSeparatedList([&] { return parser.parseInteger(numbers.emplace_back()); })) ||
        failed(parser.parseRSquare()));
  }
  return parser.parseInteger(numbers.emplace_back());
}

Attribute DyadicAttr::parse(AsmParser &parser, Type) {
  SmallVector<int32_t> multipliers, shifts;
  llvm::SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parseNumbers(parser, multipliers) || parser.parseComma() || parseNumbers(parser, shifts) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<DyadicAttr>(loc, parser.getContext(), multipliers, shifts);
}

void DyadicAttr::print(AsmPrinter &printer) const {
  auto numbers = [&](ArrayRef<int32_t> values) {
    if (values.size() == 1) {
      printer << values.front();
      return;
    }
    printer << "[";
    llvm::interleaveComma(values, printer);
    printer << "]";
  };
  printer << "<";
  numbers(getMultipliers());
  printer << ", ";
  numbers(getShifts());
  printer << ">";
}

} // namespace vitq::integer
