//===- EmitSystolic.cpp - From the integer phase to a systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmitSystolic.h"
#include "EmitNative.h"
#include "PassStages.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Runner/Simulation.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Target/Systolic/Gemmini.h"
#include "vitq/Target/Systolic/Systolic.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace vitq {

/// What follows `systolic:`.
static llvm::StringRef configText(llvm::StringRef target) { return target.split(':').second; }

llvm::Error checkSystolicTarget(llvm::StringRef target) {
  llvm::Expected<simulator::Config> config = simulator::Config::parse(configText(target));
  return config ? llvm::Error::success()
                : llvm::createStringError("--target=" + target + ": " + llvm::toString(config.takeError()));
}

namespace {

/// One program, on its way to files.
class SystolicEmitter {
public:
  SystolicEmitter(ModuleOp module, const SystolicRequest &request) : module(module), request(request) {}
  FailureOr<SystolicFacts> run();

private:
  LogicalResult lowerToArray();
  LogicalResult lowerHost();
  LogicalResult writeC() const;
  LogicalResult write() const;
  void describe();

  ModuleOp module;
  const SystolicRequest &request;
  NativeOptions host;
  simulator::Program program;
  SystolicFacts facts;
};

} // namespace

/// vitq ops to launches with placed tiles. A module that was written after this step is
/// taken as it is.
LogicalResult SystolicEmitter::lowerToArray() {
  llvm::Expected<simulator::Config> wanted = simulator::Config::parse(configText(request.target));
  if (!wanted)
    return reportError(module, wanted.takeError());
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  if (std::optional<simulator::Config> own = systolic::configOf(module)) {
    if (own->str() != wanted->str())
      return reportError(module, llvm::createStringError("the module is for systolic:" + own->str() +
                                                         ", not for --target=" + request.target));
  } else {
    SystolicOptions options;
    options.config = wanted->str();
    options.place = request.place;
    addSystolicPasses(pm, options);
  }
  pm.addPass(createSystolicAllocatePass());
  pm.addInstrumentation(std::make_unique<PassStages>());
  return pm.run(module);
}

/// Everything but the launches, by the way of CPUs.
LogicalResult SystolicEmitter::lowerHost() {
  if (failed(lowerNative(module, host, facts.host)))
    return failure();
  // The weights in the image are the program's, too.
  facts.host.weightBytes = facts.host.weightBytes.value_or(0) + static_cast<int64_t>(program.image.size());
  module->setAttr("vitq.weight_bytes", Builder(module.getContext()).getI64IntegerAttr(*facts.host.weightBytes));
  FailureOr<llvm::SmallString<0>> object = compileObject(module, host, facts.host);
  if (failed(object))
    return failure();
  program.hostObject.assign(object->begin(), object->end());
  const Manifest manifest = describeProgram(module, host, static_cast<uint64_t>(*facts.host.codeBytes));
  program.hostTarget = manifest.target;
  program.manifest = manifest.toJSON();
  return success();
}

void SystolicEmitter::describe() {
  ArrayFacts &array = facts.array;
  array.config = program.config.str();
  for (const simulator::Placement &placement : program.placements)
    array.placements.push_back({placement.node, placement.op, placement.place, placement.reason});
  if (!request.timing)
    return;
  Stage stage("simulate the timing");
  const runner::Simulation simulation(program);
  const simulator::Counters &total = simulation.timing().total;
  array.cycles = static_cast<int64_t>(total.cycles);
  array.dramBytes = static_cast<int64_t>(simulation.dramBytes());
  array.energyPicojoules = total.energyPicojoules;
  array.linearUtilization = simulation.linearUtilization();
  array.attentionUtilization = simulation.attentionUtilization();
  array.cyclesOverRoofline = simulation.cyclesOverRoofline();
  for (const runner::LaunchFigures &kind : simulation.kinds())
    array.kinds.push_back({kind.op, static_cast<int64_t>(kind.launches), static_cast<int64_t>(kind.counters.cycles),
                           static_cast<int64_t>(kind.roofline), 100 * kind.counters.utilization(program.config)});
}

/// NAME.c, NAME_host.o and NAME.h: all of them or none.
LogicalResult SystolicEmitter::writeC() const {
  llvm::StringRef stem = llvm::StringRef(request.output).drop_back(2);
  const std::string object = (stem + "_host.o").str(), header = (stem + ".h").str();
  std::string code;
  llvm::raw_string_ostream os(code);
  if (failed(reportError(module, gemmini::emitC(program, request.name, os))))
    return failure();
  llvm::StringRef bytes(program.hostObject.data(), program.hostObject.size());
  if (failed(reportError(module, writeFileAtomically(object, bytes))))
    return failure();
  llvm::FileRemover removeObject(object);
  if (failed(reportError(module, writeFileAtomically(header, llvm::StringRef(headerOf(module, host))))))
    return failure();
  llvm::FileRemover removeHeader(header);
  if (failed(reportError(module, writeFileAtomically(request.output, llvm::StringRef(code)))))
    return failure();
  removeObject.releaseFile();
  removeHeader.releaseFile();
  return success();
}

LogicalResult SystolicEmitter::write() const {
  Stage stage("link or write");
  switch (request.emit) {
  case OutputKind::C:
    return writeC();
  case OutputKind::SystolicAssembly:
    return reportError(module, writeFileAtomically(request.output, llvm::StringRef(simulator::disassemble(program))));
  default:
    const std::vector<char> bytes = simulator::serialize(program);
    return reportError(module, writeFileAtomically(request.output, llvm::StringRef(bytes.data(), bytes.size())));
  }
}

FailureOr<SystolicFacts> SystolicEmitter::run() {
  llvm::Expected<TargetDesc> target = TargetDesc::parse(request.hostTarget);
  if (!target) {
    (void)reportError(module, target.takeError());
    return failure();
  }
  host.target = *target;
  host.name = request.name;
  facts.host.target = request.target;
  if (failed(lowerToArray()))
    return failure();
  const bool isIR = request.emit == OutputKind::MLIR || request.emit == OutputKind::Bytecode;
  if (isIR && failed(writeModule(module, request.output, request.emit == OutputKind::Bytecode)))
    return failure();
  if (isIR && !request.timing)
    return facts;
  FailureOr<simulator::Program> encoded = [&] {
    Stage stage("encode the routines");
    return systolic::encodeProgram(module);
  }();
  if (failed(encoded))
    return failure();
  program = std::move(*encoded);
  if (!isIR && (failed(lowerHost()) || failed(write())))
    return failure();
  describe();
  return facts;
}

FailureOr<SystolicFacts> emitSystolic(ModuleOp module, const SystolicRequest &request) {
  return SystolicEmitter(module, request).run();
}

} // namespace vitq
