//===- OnnxImport.h - ONNX files as vit functions ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_FRONTEND_ONNXIMPORT_H
#define VITQ_FRONTEND_ONNXIMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vitq::frontend {

/// Opsets of the domain `ai.onnx` that importOnnx reads; of those up to `kLastOpset` what
/// means the same as in `kMaxOpset`.
constexpr int64_t kMinOpset = 9, kMaxOpset = 25, kLastOpset = 28;
/// The last version of the file format that it reads.
constexpr int64_t kMaxIrVersion = 14;

struct ImportOptions {
  /// The size of a batch axis that the model leaves open.
  int64_t batch = 1;
  /// What @main gives, in this order: names of outputs or of any value of the graph, or
  /// of a node for its first value, or of a module for its last node's. Empty: the model's first output.
  std::vector<std::string> outputs;
  /// Of a model that knows none of `outputs`, as many of its own are taken instead: it may
  /// be another export of the model that has them.
  bool orOwnOutputs = false;
  /// Sizes of inputs by name; they must be those that the model fixes.
  std::map<std::string, std::vector<int64_t>> shapes = {};
  /// The height and width that images have, for axes that the model leaves open and
  /// `shapes` too; 0 where that is not known.
  int64_t height = 0, width = 0;
};

/// Reads the value of `--shape`, INPUT:1x3x224x224, into `options.shapes`.
llvm::Error parseInputShape(llvm::StringRef text, ImportOptions &options);

/// Reads the ONNX model at `path` as a module with one function
/// `@main(tensor<BxCxHxWxf32>) -> (tensor<...xf32>, ...)` of vit and arith.constant
/// ops. Everything that does not depend on the image is folded. The location
/// of each op is the name of its ONNX node, or `<op_type>#<index>`; that of the return
/// has the names of the outputs (vitq/Analysis/ProgramResults.h).
///
/// On failure every reason has been emitted as an error that names the file
/// and, where there is one, the node.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> importOnnx(llvm::StringRef path, mlir::MLIRContext *context,
                                                              const ImportOptions &options = {});

/// The same for a model whose bytes are in memory; diagnostics call it by the
/// buffer's identifier. Weights in external files are an error: without a path
/// they cannot be found.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> importOnnx(llvm::MemoryBufferRef model, mlir::MLIRContext *context,
                                                              const ImportOptions &options = {});

} // namespace vitq::frontend

#endif // VITQ_FRONTEND_ONNXIMPORT_H
