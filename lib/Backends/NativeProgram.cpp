//===- NativeProgram.cpp - Machine code of a lowered module -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NativeProgram.h"

#include "vitq/Conversion/KernelCalls.h"
#include "vitq/Runner/Profile.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/Stages.h"
#include "vitq/Target/FloatScan.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"

#include <deque>

using namespace mlir;

namespace vitq {

LogicalResult reportError(ModuleOp module, llvm::Error error) {
  if (!error)
    return success();
  return emitError(UnknownLoc::get(module.getContext()), llvm::toString(std::move(error)));
}

std::string siblingOf(llvm::StringRef path, llvm::StringRef suffix) {
  llvm::SmallString<128> sibling(path);
  llvm::sys::path::replace_extension(sibling, "");
  return (sibling + suffix).str();
}

/// The numbers of `kArenaPlanAttr`.
static void readPlan(ModuleOp module, NativeFacts &facts) {
  auto plan = module->getAttrOfType<ArrayAttr>(kArenaPlanAttr);
  for (Attribute entry : plan ? plan.getValue() : ArrayRef<Attribute>())
    if (auto buffer = dyn_cast<DenseI64ArrayAttr>(entry); buffer && buffer.size() == 4)
      facts.arenaPlan.push_back({buffer[0], buffer[1], buffer[2], buffer[3]});
}

void readSizes(ModuleOp module, NativeFacts &facts) {
  auto recorded = [&](llvm::StringRef name) -> std::optional<int64_t> {
    auto value = module->getAttrOfType<IntegerAttr>(name);
    return value ? std::optional<int64_t>(value.getInt()) : std::nullopt;
  };
  facts.weightBytes = recorded("vitq.weight_bytes");
  facts.arenaBytes = recorded("vitq.arena_bytes");
  facts.arenaLowerBound = recorded("vitq.arena_lower_bound");
  readPlan(module, facts);
}

void readSteps(ModuleOp module, const NativeOptions &options, NativeFacts &facts) {
  for (const Manifest::Step &step : describeProgram(module, options, 0).steps)
    facts.steps.push_back({step.node, step.op, static_cast<int64_t>(step.macs), std::nullopt, std::nullopt});
}

LogicalResult measureSteps(ModuleOp module, const NativeOptions &options, llvm::StringRef object, NativeFacts &facts) {
  Stage stage("time the steps");
  llvm::SmallString<128> path;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("vitq", "so", path))
    return reportError(module, llvm::createStringError("cannot create a temporary file: " + error.message()));
  llvm::FileRemover remove(path);
  if (llvm::Error error = linkSharedObject(ArrayRef<char>(object.data(), object.size()), path))
    return reportError(module, std::move(error));
  llvm::Expected<std::unique_ptr<runner::Program>> program = runner::openProgram(path);
  if (!program)
    return reportError(module, program.takeError());
  constexpr double milliseconds = 300;
  llvm::Expected<runner::Profile> profile = runner::profileSteps(**program, milliseconds);
  if (!profile)
    return reportError(module, profile.takeError());
  for (auto [step, measured] : llvm::zip(facts.steps, profile->steps)) {
    step.time = measured.median;
    step.limit = measured.limit;
  }
  return success();
}

FailureOr<llvm::SmallString<0>> compileObject(ModuleOp module, const NativeOptions &options, NativeFacts &facts) {
  llvm::SmallString<0> object;
  llvm::raw_svector_ostream os(object);
  if (failed(emitObject(module, options, os)))
    return failure();
  llvm::ArrayRef<char> bytes(object.data(), object.size());
  llvm::Expected<uint64_t> code = codeBytesOf(bytes);
  if (!code)
    return reportError(module, code.takeError());
  facts.codeBytes = static_cast<int64_t>(*code);
  auto floats = [&] {
    Stage stage("scan for floats");
    return scanForFloat(llvm::arrayRefFromStringRef(object));
  }();
  if (!floats)
    return reportError(module, floats.takeError());
  facts.floatInstructions = static_cast<int64_t>(floats->size());
  for (const FloatInstruction &instruction : *floats)
    module.emitError("the object computes with floats: '") << instruction.mnemonic << "' in " << instruction.function;
  if (!floats->empty())
    return failure();
  return object;
}

LogicalResult writeTogether(ModuleOp module, llvm::ArrayRef<std::pair<std::string, llvm::StringRef>> files) {
  std::deque<llvm::FileRemover> written;
  for (const auto &[path, contents] : files) {
    if (failed(reportError(module, writeFileAtomically(path, contents))))
      return failure();
    written.emplace_back(path);
  }
  for (llvm::FileRemover &file : written)
    file.releaseFile();
  return success();
}

} // namespace vitq
