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
/// replaces it; the pass moves them to `vitq.scales`.
inline void recordScale(mlir::Operation *replacement, mlir::Operation *original) {
  std::optional<UniformParameters> parameters = getUniformParameters(getQuantizedType(original->getResult(0)));
  if (!parameters)
    return;
  mlir::Builder builder(replacement->getContext());
  replacement->setAttr("vitq.pending_scale",
                       builder.getDictionaryAttr(
                           {builder.getNamedAttr("node", builder.getStringAttr(nodeName(original->getLoc()))),
                            builder.getNamedAttr("scale", builder.getDenseF64ArrayAttr(parameters->scales)),
                            builder.getNamedAttr("zero_point", builder.getDenseI64ArrayAttr(parameters->zeroPoints))}));
}

} // namespace vitq::lowering

#endif // LIB_CONVERSION_VITTOVITQ_RECORDING_H
