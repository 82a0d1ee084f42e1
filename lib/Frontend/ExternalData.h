//===- ExternalData.h - Weights beside the model's file ----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_EXTERNALDATA_H
#define VITQ_LIB_FRONTEND_EXTERNALDATA_H

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <optional>
#include <string>

namespace vitq::frontend {

/// The files that a model's tensors lie in. A location is not trusted: it stays in the
/// model's folder, or in the repository of a model hub's cache that the folder is part of.
class ExternalFiles {
public:
  /// Nothing can be found for a model in memory.
  ExternalFiles() = default;
  explicit ExternalFiles(llvm::StringRef modelPath) : modelPath(modelPath.str()) {}

  /// The file at `location`, mapped into memory; the same one when asked again. An error
  /// is what follows the location's name: "is no regular file".
  llvm::Expected<std::shared_ptr<llvm::MemoryBuffer>> open(llvm::StringRef location);

  /// Keeps a part of a file that was opened. When nobody does any more, its pages go: what
  /// has been copied does not take memory twice.
  static std::shared_ptr<const void> keep(std::shared_ptr<llvm::MemoryBuffer> file, llvm::StringRef part);

private:
  llvm::Expected<std::string> resolve(llvm::StringRef location) const;

  std::optional<std::string> modelPath;
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> files;
};

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_EXTERNALDATA_H
