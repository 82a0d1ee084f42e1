//===- OutputChoice.cpp - Which outputs are looked at -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Evaluation.h"

#include "vitq/Data/Npy.h"
#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace vitq;
using namespace vitq::runner;

Subject::Subject(const Program *program) : program(program) {
  llvm::append_range(outputs, llvm::seq<size_t>(program->info().outputs.size()));
}

static llvm::SmallVector<llvm::StringRef> namesOf(const ProgramInfo &info) {
  return llvm::map_to_vector(info.outputs, [](const OutputInfo &output) { return llvm::StringRef(output.name); });
}

llvm::Expected<Subject> runner::chooseOutputs(const Program &program, llvm::ArrayRef<std::string> names) {
  const ProgramInfo &info = program.info();
  // An ONNX model was asked for these: what names a node there is not a value's name.
  if (names.empty() || llvm::StringRef(info.path).ends_with(".onnx"))
    return Subject(&program);
  Subject subject(&program, {});
  for (const std::string &name : names) {
    std::optional<size_t> found = info.findOutput(name);
    if (!found)
      return llvm::createStringError(info.path + ": has no output '" + name + "'; it has '" +
                                     llvm::join(nearestNames(name, namesOf(info), 8), "', '") + "'");
    if (llvm::is_contained(subject.outputs, *found))
      return llvm::createStringError("--output names '" + name + "' twice");
    subject.outputs.push_back(*found);
  }
  return subject;
}

/// What is wrong with the shapes of two outputs, or nothing.
static std::string compareShapes(const ProgramInfo &info, const OutputInfo &own, const ProgramInfo &reference,
                                 const OutputInfo &other) {
  if (llvm::ArrayRef(own.shape).drop_front() == llvm::ArrayRef(other.shape).drop_front())
    return {};
  if (own.hasClasses() && other.hasClasses())
    return llvm::formatv("{0} has {1} classes, {2} has {3}", reference.path, other.size(), info.path, own.size());
  auto describe = [](const OutputInfo &output) {
    return "'" + output.name + "' of shape " + data::shapeToString(output.shape);
  };
  return llvm::formatv("{0} gives {1}, {2} gives {3}; --output=NAME chooses what is compared", reference.path,
                       describe(other), info.path, describe(own));
}

llvm::Expected<Subject> runner::chooseCounterparts(const Subject &subject, const Program &reference) {
  const ProgramInfo &info = reference.info(), &own = subject.program->info();
  Subject counterparts(&reference, {});
  for (auto [i, number] : llvm::enumerate(subject.outputs)) {
    const OutputInfo &output = own.outputs[number];
    std::optional<size_t> found = info.findOutput(output.name);
    if (!found && info.outputs.size() == subject.outputs.size())
      found = i;
    if (!found)
      return llvm::createStringError(info.path + ": has no output '" + output.name + "' to compare with that of " +
                                     own.path + "; it has '" +
                                     llvm::join(nearestNames(output.name, namesOf(info), 8), "', '") + "'");
    if (std::string problem = compareShapes(own, output, info, info.outputs[*found]); !problem.empty())
      return llvm::createStringError(problem);
    counterparts.outputs.push_back(*found);
  }
  return counterparts;
}

std::optional<size_t> runner::findClasses(const Subject &subject) {
  for (size_t i = 0; i < subject.outputs.size(); ++i)
    if (subject.output(i).hasClasses())
      return i;
  return std::nullopt;
}
