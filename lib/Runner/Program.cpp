//===- Program.cpp - What all kinds of programs have -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramKinds.h"

#include "llvm/ADT/STLExtras.h"

using namespace vitq;
using namespace vitq::runner;

int64_t OutputInfo::size() const { return llvm::product_of(llvm::ArrayRef(shape).drop_front()); }

std::optional<size_t> ProgramInfo::findOutput(llvm::StringRef name) const {
  auto found = llvm::find_if(outputs, [&](const OutputInfo &output) { return output.name == name; });
  return found == outputs.end() ? std::nullopt : std::optional<size_t>(found - outputs.begin());
}

Tensor runner::allocateOutputs(const ProgramInfo &info) {
  return Tensor::allocate(ElementKind::I32, {info.outputBytes() / 4});
}

llvm::SmallVector<Tensor> runner::outputsIn(const Tensor &memory, const ProgramInfo &info) {
  return llvm::map_to_vector(info.outputs,
                             [&](const OutputInfo &output) { return memory.part(output.offset / 4, output.shape); });
}

Program::~Program() = default;

llvm::Error Program::setThreads(int) {
  return llvm::createStringError(information.path + ": --num-threads is for compiled programs (.so)");
}

llvm::Error Program::setRtl(llvm::StringRef) {
  return llvm::createStringError(information.path + ": --engine is for programs of a systolic array (.vsys)");
}

llvm::Error Program::runProfiled(const Tensor &, std::vector<uint64_t> &) const {
  return llvm::createStringError(information.path + ": --profile is for compiled programs (.so)");
}

llvm::Expected<std::unique_ptr<Program>> runner::openProgram(llvm::StringRef path,
                                                             const frontend::ImportOptions &options) {
  if (path.ends_with(".vsys") || isSystolicProgram(path))
    return openSystolicProgram(path);
  if (path.ends_with(".so"))
    return openSharedObject(path);
  if (path.ends_with(".onnx") || path.ends_with(".mlir") || path.ends_with(".mlirbc"))
    return openModule(path, options);
  return llvm::createStringError(path + ": is none of .so, .vsys, .onnx, .mlir, .mlirbc");
}
