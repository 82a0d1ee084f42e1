//===- TargetBackend.cpp - Targets, registered by name -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Backend/TargetBackend.h"

#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

#include <map>
#include <mutex>

using namespace vitq;
using llvm::StringRef;

Target::~Target() = default;
TargetBackend::~TargetBackend() = default;

mlir::Attribute Target::capabilities(mlir::MLIRContext *) const { return {}; }
unsigned Target::operandBits() const { return 16; }
double Target::nonlinearCost(StringRef, const AlgorithmSpec &, unsigned) const { return 1; }
std::optional<double> Target::productCost(const ProductWork &, Effort, mlir::MLIRContext *) const { return {}; }
double Target::functionCost(StringRef, int64_t, Effort) const { return 0; }
llvm::Error Target::emitAlone(const EmitRequest &request) const {
  return llvm::createStringError("--emit=" + request.kind + " needs a model");
}
llvm::LogicalResult Target::describe(mlir::ModuleOp, const EmitRequest &, TargetFacts &) { return llvm::success(); }

llvm::ArrayRef<TargetFlag> TargetBackend::flags() const { return {}; }
StringRef TargetBackend::adviceWithout(StringRef) const { return {}; }

const EmitKind *TargetBackend::findEmitKind(StringRef kind) const {
  const EmitKind *found = llvm::find_if(emitKinds(), [&](const EmitKind &own) { return own.name == kind; });
  return found == emitKinds().end() ? nullptr : found;
}

bool TargetBackend::reads(StringRef flag) const {
  return llvm::any_of(flags(), [&](const TargetFlag &own) { return own.name == flag; });
}

bool vitq::isModuleKind(StringRef kind) { return kind == "mlir" || kind == "bytecode" || kind == kOnnxKind; }

namespace {

/// All backends. They are never removed: who holds one may keep it.
struct Registry {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<TargetBackend>> backends;
};

} // namespace

/// Made when it is first used: registrations are objects of static storage, too.
static Registry &registry() {
  static Registry all;
  return all;
}

/// What is wrong with a backend by itself.
static std::string checkBackend(const TargetBackend &backend) {
  const StringRef name = backend.name();
  if (name.empty() || !llvm::all_of(name, [](char c) { return llvm::isLower(c) || llvm::isDigit(c) || c == '-'; }))
    return "the target '" + name.str() + "' cannot be registered: a name is of lower-case letters, digits and '-'";
  if (backend.emitKinds().empty())
    return "the target '" + name.str() + "' cannot be registered: it has nothing to emit";
  llvm::SmallVector<StringRef> kinds;
  for (const EmitKind &kind : backend.emitKinds()) {
    if (isModuleKind(kind.name))
      return "the target '" + name.str() + "' cannot be registered: every target emits '" + kind.name.str() + "'";
    if (llvm::is_contained(kinds, kind.name))
      return "the target '" + name.str() + "' cannot be registered: it emits '" + kind.name.str() + "' twice";
    kinds.push_back(kind.name);
  }
  return {};
}

llvm::Error vitq::registerTarget(std::unique_ptr<TargetBackend> backend) {
  if (std::string problem = checkBackend(*backend); !problem.empty())
    return llvm::createStringError(problem);
  std::string name = backend->name().str();
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (!all.backends.try_emplace(name, std::move(backend)).second)
    return llvm::createStringError("the target '" + name + "' cannot be registered: there is one of that name already");
  return llvm::Error::success();
}

std::vector<const TargetBackend *> vitq::registeredTargets() {
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  std::vector<const TargetBackend *> backends;
  for (const auto &[name, backend] : all.backends)
    backends.push_back(backend.get());
  return backends;
}

llvm::Expected<TargetName> vitq::findTarget(StringRef text) {
  auto [name, config] = text.split(':');
  const bool isNamed = text.contains(':');
  const std::vector<const TargetBackend *> backends = registeredTargets();
  const TargetBackend *fallback = nullptr;
  llvm::SmallVector<StringRef> names, syntaxes;
  for (const TargetBackend *backend : backends) {
    if (backend->name() == name)
      return TargetName{backend, config.str()};
    if (backend->name() == kDefaultBackend)
      fallback = backend;
    names.push_back(backend->name());
    syntaxes.push_back(backend->syntax());
  }
  if (backends.empty())
    return llvm::createStringError("unknown target '" + text + "': no targets are registered (registerAllTargets)");
  if (!isNamed && fallback)
    return TargetName{fallback, text.str()};
  return llvm::createStringError("unknown target '" + text + "': there is no '" + name + "'; did you mean '" +
                                 nearestNames(name, names, 1).front() + "'? Targets are " + llvm::join(syntaxes, ", "));
}

llvm::Expected<std::unique_ptr<Target>> vitq::parseTarget(StringRef text, const TargetOptions &options) {
  llvm::Expected<TargetName> name = findTarget(text);
  if (!name)
    return name.takeError();
  return name->backend->parse(name->config, options);
}
