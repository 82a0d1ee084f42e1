//===- CheckEmit.cpp - What --emit and its paths must be -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/Driver.h"

#include "vitq/Support/NearestNames.h"
#include "vitq/Target/Onnx.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace vitq;
using llvm::StringRef;

/// The kinds that a target has, the common ones last.
static llvm::SmallVector<StringRef> namesOf(const TargetBackend &backend) {
  llvm::SmallVector<StringRef> names =
      llvm::map_to_vector(backend.emitKinds(), [](const EmitKind &kind) { return kind.name; });
  names.append({"mlir", "bytecode", kOnnxKind});
  return names;
}

/// A kind that this target does not have: who has it, and what there is.
static std::string explainMissing(const DriverOptions &options, const TargetBackend &backend) {
  llvm::SmallVector<StringRef> subjects, examples;
  for (const TargetBackend *other : registeredTargets())
    if (other->findEmitKind(options.emit)) {
      subjects.push_back(other->subject());
      examples.push_back(other->example());
    }
  const llvm::SmallVector<StringRef> names = namesOf(backend);
  const std::string own = "--target=" + options.target + " has --emit=" + llvm::join(names, ", ");
  if (subjects.empty())
    return "no target has --emit=" + options.emit + "; did you mean '" +
           nearestNames(options.emit, names, 1).front().str() + "'? " + own;
  return "--emit=" + options.emit + " is for " + llvm::join(subjects, " and ") +
         ", e.g. --target=" + llvm::join(examples, ", --target=") + "; " + own;
}

/// The paths of files that are written or read beside the output.
static llvm::SmallVector<StringRef> otherPaths(const DriverOptions &options) {
  llvm::SmallVector<StringRef> paths(options.reports.begin(), options.reports.end());
  paths.append({options.compile.saveRanges.getValue(), options.compile.loadRanges.getValue()});
  return paths;
}

static std::string explainTaken(StringRef path, StringRef what) {
  return ("'" + path + "' is where " + what + " goes: give the report and the ranges other names").str();
}

/// What is wrong with where the weights of an ONNX model go.
static std::string checkExternalData(const DriverOptions &options) {
  if (!options.externalData)
    return {};
  if (options.emit != kOnnxKind)
    return "--external-data has no effect without --emit=onnx: nothing else has weights in a file beside it";
  if (options.output == "-")
    return "--external-data writes the weights to a file beside the model: give -o FILE.onnx";
  const std::string weights = options.output + kOnnxWeightsSuffix.str();
  return llvm::is_contained(otherPaths(options), StringRef(weights)) ? explainTaken(weights, "the model's weights")
                                                                     : std::string();
}

bool vitq::needsTarget(const DriverOptions &options) {
  return options.stopAfter == Phase::Target || options.target != DriverOptions().target;
}

std::string vitq::checkEmit(const DriverOptions &options) {
  const bool isModule = isModuleKind(options.emit) || (options.emit.empty() && options.stopAfter != Phase::Target);
  if (options.emit == kOnnxKind && options.stopAfter != Phase::Quantized && options.stopAfter != Phase::Integer)
    return "--emit=onnx writes the quantized phase, or the integers of the program: leave out --stop-after, or give "
           "--stop-after=integer";
  if (!isModule && options.stopAfter != Phase::Target)
    return "--emit=" + options.emit + " needs the whole way: leave out --stop-after";
  if (std::string problem = checkExternalData(options); !problem.empty())
    return problem;
  if (!needsTarget(options))
    return {};
  llvm::Expected<TargetName> target = findTarget(options.target);
  if (!target)
    return llvm::toString(target.takeError());
  if (isModule)
    return {};
  const TargetBackend &backend = *target->backend;
  const EmitKind *kind = options.emit.empty() ? backend.emitKinds().begin() : backend.findEmitKind(options.emit);
  if (!kind)
    return explainMissing(options, backend);
  const StringRef output = options.output;
  if (!kind->whyFile.empty() && (output == "-" || (kind->needsExtension && !output.ends_with(kind->extension))))
    return (kind->whyFile + ": give -o FILE" + kind->extension).str();
  if (output != "-" && llvm::is_contained(otherPaths(options), output))
    return explainTaken(output, "the " + kind->description.str());
  if (output == options.input && options.input.ends_with(".onnx"))
    return ("-o " + output + " is the model that is read, which would be lost: give another name").str();
  for (const EmitKind::Sibling &sibling : kind->siblings) {
    llvm::SmallString<128> path(output);
    llvm::sys::path::replace_extension(path, "");
    path += sibling.suffix;
    if (llvm::is_contained(otherPaths(options), path))
      return explainTaken(path, sibling.what);
  }
  return {};
}
