//===- PipelineOptions.h - Options of vitq-compile by name -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CAPI_PIPELINEOPTIONS_H
#define VITQ_LIB_CAPI_PIPELINEOPTIONS_H

#include "vitq/Pipelines/Pipelines.h"

namespace vitq::capi {

/// CompileOptions whose members can be set by name, so that a new one needs nothing
/// here. Only a derived class can see the names.
class PipelineOptions : public CompileOptions {
public:
  /// Each key at most once. Returns what is wrong, or nothing.
  std::string set(llvm::StringRef key, llvm::StringRef value);
};

} // namespace vitq::capi

#endif // VITQ_LIB_CAPI_PIPELINEOPTIONS_H
