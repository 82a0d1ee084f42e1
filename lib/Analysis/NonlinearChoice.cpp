//===- NonlinearChoice.cpp - Which algorithm each nonlinearity gets -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/NonlinearChoice.h"

#include "vitq/Analysis/ChoiceFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace llvm;
using namespace vitq;

static constexpr StringLiteral kFunctions[] = {"gelu", "softmax",    "layer_norm", "sigmoid",
                                               "tanh", "hard_swish", "silu"};

//===----------------------------------------------------------------------===//
// Algorithms
//===----------------------------------------------------------------------===//

Expected<AlgorithmSpec> AlgorithmSpec::parse(StringRef text) {
  AlgorithmSpec spec;
  if (text == "auto") {
    spec.isAuto = true;
    return spec;
  }
  auto [name, number] = text.split(':');
  std::optional<vit::Algorithm> kind = vit::symbolizeAlgorithm(name);
  if (!kind)
    return createStringError("'" + text + "' is no algorithm: table, shift, lut:N, poly, log2 or auto");
  spec.kind = *kind;
  const bool counts = *kind == vit::Algorithm::Lut;
  if (counts != text.contains(':'))
    return createStringError(counts ? "'lut' needs a number of entries: lut:8"
                                    : "'" + text + "': only lut has a number of entries");
  if (counts && (number.getAsInteger(10, spec.entries) || spec.entries < 2 || spec.entries > 256))
    return createStringError("'" + text + "': a lut has 2 to 256 entries");
  return spec;
}

std::string AlgorithmSpec::str() const {
  if (isAuto)
    return "auto";
  std::string text = vit::stringifyAlgorithm(kind).str();
  return kind == vit::Algorithm::Lut ? text + ":" + std::to_string(entries) : text;
}

StringRef vitq::nonlinearFunctionOf(mlir::Operation *op) {
  return TypeSwitch<mlir::Operation *, StringRef>(op)
      .Case<vit::GeluOp>([](auto) { return "gelu"; })
      .Case<vit::SoftmaxOp, vit::SoftmaxNumeratorOp>([](auto) { return "softmax"; })
      .Case<vit::LayerNormOp>([](auto) { return "layer_norm"; })
      .Case<vit::SigmoidOp>([](auto) { return "sigmoid"; })
      .Case<vit::TanhOp>([](auto) { return "tanh"; })
      .Case<vit::HardSwishOp>([](auto) { return "hard_swish"; })
      .Case<vit::SiluOp>([](auto) { return "silu"; })
      .Default([](auto) { return ""; });
}

bool vitq::hasAlgorithm(StringRef function, vit::Algorithm kind) {
  switch (kind) {
  case vit::Algorithm::Table:
  case vit::Algorithm::Lut:
    return true;
  case vit::Algorithm::Shift:
  case vit::Algorithm::IVit:
  case vit::Algorithm::Poly:
    return function == "gelu" || function == "softmax" || function == "layer_norm";
  case vit::Algorithm::Log2:
    return function == "softmax";
  }
  llvm_unreachable("unknown algorithm");
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

Error NonlinearChoice::addFunction(StringRef function, StringRef algorithm, const Twine &where) {
  if (!is_contained(kFunctions, function)) {
    SmallVector<StringRef> names(std::begin(kFunctions), std::end(kFunctions));
    return createStringError(where + "'" + function + "' is no nonlinear function; is " +
                             suggestNames(function, names) + " meant?");
  }
  Expected<AlgorithmSpec> spec = AlgorithmSpec::parse(algorithm);
  if (!spec)
    return createStringError(where + toString(spec.takeError()));
  if (!spec->isAuto && !hasAlgorithm(function, spec->kind))
    return createStringError(where + function + " has no form '" + spec->str() + "'; table and lut:N exist for all, " +
                             "shift and poly for gelu, softmax and layer_norm, log2 for softmax");
  ofFunctions[function] = *spec;
  return Error::success();
}

Error NonlinearChoice::addFile(StringRef path) {
  Expected<json::Object> root = readChoiceFile(path);
  if (!root)
    return root.takeError();
  const std::string where = (path + ": ").str();
  for (const auto &[key, content] : *root) {
    if (key == "default") {
      std::optional<StringRef> text = content.getAsString();
      Expected<AlgorithmSpec> spec = AlgorithmSpec::parse(text.value_or(""));
      if (!spec)
        return createStringError(where + "default: " + toString(spec.takeError()));
      ofAll = *spec;
      continue;
    }
    const json::Object *entries = content.getAsObject();
    const bool layers = key == "layers";
    if (!entries || (!layers && key != "functions"))
      return createStringError(
          where + "'" + StringRef(key) +
          "' is not expected: \"default\" with a string, \"functions\" or \"layers\" with an object");
    for (const auto &[name, algorithm] : *entries) {
      StringRef text = algorithm.getAsString().value_or("");
      if (!layers) {
        if (Error error = addFunction(name, text, where))
          return error;
        continue;
      }
      Expected<AlgorithmSpec> spec = AlgorithmSpec::parse(text);
      if (!spec)
        return createStringError(where + StringRef(name) + ": " + toString(spec.takeError()));
      ofLayers[StringRef(name)] = *spec;
    }
  }
  return Error::success();
}

Error NonlinearChoice::addItem(StringRef item) {
  if (item.consume_front("@"))
    return addFile(item);
  if (item.contains('=')) {
    auto [function, algorithm] = item.split('=');
    return addFunction(function.trim(), algorithm.trim(), "");
  }
  Expected<AlgorithmSpec> spec = AlgorithmSpec::parse(item);
  if (!spec)
    return spec.takeError();
  ofAll = *spec;
  return Error::success();
}

Expected<NonlinearChoice> NonlinearChoice::parse(StringRef text) {
  NonlinearChoice choice;
  SmallVector<StringRef> items;
  text.split(items, ',');
  for (StringRef item : items)
    if (Error error = choice.addItem(item.trim()))
      return error;
  return choice;
}

AlgorithmSpec NonlinearChoice::of(StringRef function, StringRef layer) const {
  if (auto found = ofLayers.find(layer); found != ofLayers.end())
    return found->second;
  if (auto found = ofFunctions.find(function); found != ofFunctions.end())
    return found->second;
  AlgorithmSpec spec = ofAll;
  if (!spec.isAuto && !hasAlgorithm(function, spec.kind))
    spec = AlgorithmSpec();
  return spec;
}

bool NonlinearChoice::names(StringRef function, StringRef layer) const {
  return ofLayers.contains(layer) || ofFunctions.contains(function);
}

bool NonlinearChoice::hasAuto() const {
  auto isAuto = [](const auto &entry) { return entry.second.isAuto; };
  return ofAll.isAuto || any_of(ofFunctions, isAuto) || any_of(ofLayers, isAuto);
}

bool NonlinearChoice::hasLines() const {
  auto isLut = [](const auto &entry) { return entry.second.kind == vit::Algorithm::Lut; };
  return ofAll.kind == vit::Algorithm::Lut || any_of(ofFunctions, isLut) || any_of(ofLayers, isLut);
}
