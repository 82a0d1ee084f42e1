//===- Recording.h - Recording the real scale of an integer result -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_VITTOVITQ_RECORDING_H
#define LIB_CONVERSION_VITTOVITQ_RECORDING_H

#include "Patterns.h"

namespace vitq::lowering {

/// Leaves scale, zero point and node of `original`'s first result on the op that
/// replaces it, with the axis of several scales and whether the codes are unsigned;
/// the pass moves them to `vitq.scales`.
inline void recordScale(mlir::Operation *replacement, mlir::Operation *original) {
  std::optional<UniformParameters> parameters = getUniformParameters(getQuantizedType(original->getResult(0)));
  if (!parameters)
    return;
  mlir::Builder builder(replacement->getContext());
  mlir::NamedAttrList record;
  record.append("node", builder.getStringAttr(nodeName(original->getLoc())));
  record.append("scale", builder.getDenseF64ArrayAttr(parameters->scales));
  record.append("zero_point", builder.getDenseI64ArrayAttr(parameters->zeroPoints));
  if (parameters->axis >= 0)
    record.append("axis", builder.getI64IntegerAttr(parameters->axis));
  if (!parameters->isSigned)
    record.append("unsigned", builder.getUnitAttr());
  replacement->setAttr("vitq.pending_scale", record.getDictionary(builder.getContext()));
}

} // namespace vitq::lowering

#endif // LIB_CONVERSION_VITTOVITQ_RECORDING_H
