//===- Options.cpp - Options as text -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PipelineOptions.h"

#include "Handles.h"

#include "vitq/Analysis/NonlinearChoice.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/InitAll.h"
#include "vitq/Target/Backend/TargetBackend.h"
#include "vitq/Target/Isa/Portable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace vitq;
using namespace vitq::capi;
using llvm::StringRef;

std::string PipelineOptions::set(StringRef key, StringRef value) {
  // Not parseFromString: in its text a value cannot hold every character.
  auto found = OptionsMap.find(key);
  if (found == OptionsMap.end()) {
    std::vector<std::string> known = {"name", "batch", "output", "report", "shape"};
    for (const auto &entry : OptionsMap)
      known.push_back(entry.first.str());
    llvm::sort(known);
    return "unknown option '" + key.str() + "'; known are " + llvm::join(known, ", ");
  }
  llvm::cl::Option *option = found->second;
  // LLVM writes the values that an enumeration has to standard error.
  if (option->addOccurrence(0, key, value))
    return "option '" + key.str() + "' cannot be '" + value.str() + "': " + option->HelpStr.str();
  return {};
}

std::string Options::set(StringRef key, StringRef value) {
  if (key == "target") {
    registerAllTargets();
    llvm::Expected<TargetName> found = findTarget(value);
    if (!found)
      return llvm::toString(found.takeError());
    if (found->backend->name() != kDefaultBackend)
      return "option 'target' cannot be '" + value.str() + "': programs of the C API are for CPUs, not for " +
             found->backend->subject().str();
    llvm::Expected<TargetDesc> parsed = parseMachine(found->config);
    if (!parsed)
      return llvm::toString(parsed.takeError());
    target = found->config;
  }
  if (key == "nonlinear")
    if (llvm::Expected<NonlinearChoice> choice = NonlinearChoice::parse(value); !choice)
      return "option 'nonlinear' cannot be '" + value.str() + "': " + llvm::toString(choice.takeError());
  if (key == "name") {
    bool isIdentifier = !value.empty() && !llvm::isDigit(value.front()) &&
                        llvm::all_of(value, [](char c) { return llvm::isAlnum(c) || c == '_'; });
    if (!isIdentifier)
      return "option 'name' cannot be '" + value.str() + "': it must be a C identifier";
    name = value.str();
    return {};
  }
  if (key == "batch") {
    int64_t size = 0;
    if (value.getAsInteger(10, size) || size < 1)
      return "option 'batch' cannot be '" + value.str() + "': it must be a positive number";
    batch = size;
    return {};
  }
  if (key == "output") {
    llvm::SmallVector<StringRef> names;
    value.split(names, ',', -1, /*KeepEmpty=*/false);
    outputs.assign(names.begin(), names.end());
    return {};
  }
  if (key == "report") {
    if (value != "facts" && value != "measured")
      return "option 'report' cannot be '" + value.str() + "': it must be facts or measured";
    measures = value == "measured";
    return {};
  }
  if (key == "shape") {
    frontend::ImportOptions parsed;
    llvm::SmallVector<StringRef> given;
    value.split(given, ',', -1, /*KeepEmpty=*/false);
    for (StringRef shape : given)
      if (llvm::Error error = frontend::parseInputShape(shape, parsed))
        return "option 'shape' cannot be '" + value.str() + "': " + llvm::toString(std::move(error));
    shapes = std::move(parsed.shapes);
    return {};
  }
  PipelineOptions check;
  if (std::string problem = check.set(key, value); !problem.empty())
    return problem;
  auto known = llvm::find_if(pipeline, [&](const auto &option) { return option.first == key; });
  if (known != pipeline.end())
    known->second = value.str();
  else
    pipeline.emplace_back(key.str(), value.str());
  return {};
}
