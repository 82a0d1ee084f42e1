//===- OnnxFunctions.h - Functions of a model --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_ONNXFUNCTIONS_H
#define VITQ_LIB_FRONTEND_ONNXFUNCTIONS_H

#include "OnnxModel.h"

namespace onnx {
class ModelProto;
} // namespace onnx

namespace vitq::frontend {

/// Replaces the nodes of the model's graph that call its functions by the functions' nodes,
/// of opset `opset` as the graph. Functions written for an opset in which one of their
/// operators means something else are problems.
llvm::Error inlineFunctions(onnx::ModelProto &model, int64_t opset, std::vector<Problem> &problems);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_ONNXFUNCTIONS_H
