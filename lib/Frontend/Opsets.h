//===- Opsets.h - Which operators an opset has -------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_OPSETS_H
#define VITQ_LIB_FRONTEND_OPSETS_H

#include "OnnxModel.h"

namespace vitq::frontend {

/// The opset that gave the ai.onnx operator `name` the meaning it has in `opset`; 0 when
/// it is not there yet, or unknown.
int64_t versionOf(llvm::StringRef name, int64_t opset);

/// Why a node cannot stand in a file of an opset, or is not read there; empty when it can.
struct OpsetProblem {
  std::string what;
  /// The file contradicts itself: its opset cannot hold the node.
  bool isMisfit = false;
};
OpsetProblem checkOpset(const Node &node, int64_t opset);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_OPSETS_H
