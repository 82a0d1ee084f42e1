//===- ModelOutputs.h - Which values of a graph are wanted -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_MODELOUTPUTS_H
#define VITQ_LIB_FRONTEND_MODELOUTPUTS_H

#include "vitq/Frontend/OnnxImport.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace onnx {
class GraphProto;
class NodeProto;
} // namespace onnx

namespace vitq::frontend {

/// The module of PyTorch that a node is a part of (OnnxModel.h); empty when it does not say.
std::string moduleOf(const onnx::NodeProto &node);

/// The names of the values that `options` ask for, each once; none where the graph has
/// no output. An unknown name is an error that lists its neighbours.
llvm::Expected<std::vector<std::string>> chooseOutputs(const onnx::GraphProto &graph, const ImportOptions &options);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_MODELOUTPUTS_H
