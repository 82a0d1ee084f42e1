//===- SystolicBackend.cpp - Programs for systolic arrays -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NativeProgram.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Backends/Backends.h"
#include "vitq/Conversion/ArrayCost.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Runner/Simulation.h"
#include "vitq/Simulator/HardwareCosts.h"
#include "vitq/Simulator/Rtl.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/PassStages.h"
#include "vitq/Target/Isa/NonlinearCost.h"
#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/Systolic/Gemmini.h"
#include "vitq/Target/Systolic/Systolic.h"
#include "vitq/Transforms/Passes.h"

using namespace mlir;
using namespace vitq;

namespace {

class SystolicTarget : public Target {
public:
  /// An array, and the CPU beside it.
  SystolicTarget(std::string text, simulator::Config config, TargetDesc cpu, std::string place)
      : text(std::move(text)), config(std::move(config)), place(std::move(place)), costs(this->config) {
    host.target = std::move(cpu);
  }

  Attribute capabilities(MLIRContext *context) const override {
    context->getOrLoadDialect<systolic::SystolicDialect>();
    return systolic::ConfigAttr::get(context, config.str());
  }
  unsigned operandBits() const override { return 8; }
  /// Nonlinear functions are compared as they run on the host.
  double nonlinearCost(StringRef function, const AlgorithmSpec &spec, unsigned inputBits) const override {
    return ::vitq::nonlinearCost(function, spec, inputBits, host.target);
  }
  /// Cycles of the array, or the energy of its proxy; the host's work is in neither.
  std::optional<double> productCost(const ProductWork &work, Effort effort, MLIRContext *context) const override {
    const std::optional<systolic::ArrayCosts::Cost> cost = costs.of(work, context);
    if (!cost)
      return 0;
    return effort == Effort::Latency ? cost->cycles : cost->picojoules;
  }
  LogicalResult addPasses(ModuleOp module, OpPassManager &pm) override;
  LogicalResult emit(ModuleOp module, const EmitRequest &request, TargetFacts &facts) override;
  llvm::Error emitAlone(const EmitRequest &request) const override;
  LogicalResult describe(ModuleOp module, const EmitRequest &request, TargetFacts &facts) override;

private:
  LogicalResult encode(ModuleOp module);
  LogicalResult lowerHost(ModuleOp module, NativeFacts &facts);
  LogicalResult write(ModuleOp module, const EmitRequest &request) const;
  ArrayFacts factsOf(const EmitRequest &request) const;

  /// As the user wrote it.
  std::string text;
  simulator::Config config;
  std::string place;
  mutable systolic::ArrayCosts costs;
  NativeOptions host;
  simulator::Program program;
};

class SystolicBackend : public TargetBackend {
public:
  StringRef name() const override { return "systolic"; }
  StringRef subject() const override { return "systolic arrays"; }
  StringRef syntax() const override { return "systolic:CONFIG"; }
  StringRef example() const override { return "systolic:gemmini-16x16"; }

  ArrayRef<EmitKind> emitKinds() const override {
    static constexpr EmitKind::Sibling besides[] = {{"_host.o", "the object of the host"},
                                                    {".h", "the header of the C"}};
    static const EmitKind kinds[] = {{"systolic",
                                      "program for a systolic array",
                                      ".vsys",
                                      "a program for a systolic array cannot be written to standard output",
                                      false,
                                      {}},
                                     {"systolic-asm", "the same program as text", ".s", "", false, {}},
                                     {"c", "C for Gemmini, host object and header", ".c",
                                      "C is written with its host object and header", true, besides},
                                     {"rtl-parameters",
                                      "parameters of the array's RTL, a package of SystemVerilog; takes no model",
                                      ".sv",
                                      "",
                                      false,
                                      {},
                                      /*needsNoModel=*/true}};
    return kinds;
  }

  ArrayRef<TargetFlag> flags() const override {
    static constexpr TargetFlag all[] = {{"host-target", "the CPU beside a systolic array"},
                                         {"place", "systolic arrays"}};
    return all;
  }
  StringRef adviceWithout(StringRef flag) const override {
    if (flag == "openmp")
      return "a program for a systolic array has no variant for threads";
    return flag.starts_with("batch") ? "a program for a systolic array takes one image a run" : "";
  }

  llvm::Expected<std::unique_ptr<Target>> parse(StringRef config, const TargetOptions &options) const override;
};

} // namespace

llvm::Expected<std::unique_ptr<Target>> SystolicBackend::parse(StringRef config, const TargetOptions &options) const {
  const std::string text = (name() + ":" + config).str();
  if (config.empty())
    return llvm::createStringError("--target=" + name() + " needs a configuration, e.g. --target=" + example());
  llvm::Expected<simulator::Config> array = simulator::Config::parse(config);
  if (!array)
    return llvm::createStringError("--target=" + text + ": " + llvm::toString(array.takeError()));
  llvm::Expected<TargetDesc> cpu = parseMachine(options.hostTarget);
  if (!cpu)
    return cpu.takeError();
  return std::make_unique<SystolicTarget>(text, std::move(*array), std::move(*cpu), options.place);
}

/// vitq ops to launches with placed tiles. A module that was written after this step is
/// taken as it is.
LogicalResult SystolicTarget::addPasses(ModuleOp module, OpPassManager &pm) {
  if (std::optional<simulator::Config> own = systolic::configOf(module)) {
    if (own->str() != config.str())
      return reportError(
          module, llvm::createStringError("the module is for systolic:" + own->str() + ", not for --target=" + text));
  } else {
    SystolicOptions options;
    options.config = config.str();
    options.place = place;
    addSystolicPasses(pm, options);
  }
  pm.addPass(createSystolicAllocatePass());
  return success();
}

LogicalResult SystolicTarget::encode(ModuleOp module) {
  Stage stage("encode the routines");
  FailureOr<simulator::Program> encoded = systolic::encodeProgram(module);
  if (failed(encoded))
    return failure();
  program = std::move(*encoded);
  return success();
}

/// Everything but the launches, by the way of CPUs.
LogicalResult SystolicTarget::lowerHost(ModuleOp module, NativeFacts &facts) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  buildVitqToLLVMPipeline(pm, host.target.text, host.fuse, host.openmp);
  pm.addInstrumentation(std::make_unique<PassStages>());
  if (failed(pm.run(module)))
    return failure();
  readSizes(module, facts);
  // The weights in the image are the program's, too.
  facts.weightBytes = facts.weightBytes.value_or(0) + static_cast<int64_t>(program.image.size());
  module->setAttr("vitq.weight_bytes", Builder(module.getContext()).getI64IntegerAttr(*facts.weightBytes));
  FailureOr<llvm::SmallString<0>> object = compileObject(module, host, facts);
  if (failed(object))
    return failure();
  program.hostObject.assign(object->begin(), object->end());
  const Manifest manifest = describeProgram(module, host, static_cast<uint64_t>(*facts.codeBytes));
  program.hostTarget = manifest.target;
  program.manifest = manifest.toJSON();
  return success();
}

ArrayFacts SystolicTarget::factsOf(const EmitRequest &request) const {
  ArrayFacts array;
  array.config = program.config.str();
  for (const simulator::Placement &placement : program.placements)
    array.placements.push_back({placement.node, placement.op, placement.place, placement.reason});
  const simulator::ArrayArea area = simulator::areaOf(program.config);
  array.elementArea = area.elements;
  array.unitArea = area.units;
  for (uint32_t rest = area.unmeasured; rest != 0; rest &= rest - 1)
    array.unmeasuredUnits.push_back(nameOf(static_cast<simulator::Unit>(rest & -rest)).str());
  if (!request.wantsTiming)
    return array;
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
  return array;
}

LogicalResult SystolicTarget::write(ModuleOp module, const EmitRequest &request) const {
  Stage stage("link or write");
  if (request.kind == "systolic-asm")
    return reportError(module, writeFileAtomically(request.output, StringRef(simulator::disassemble(program))));
  if (request.kind == "systolic") {
    const std::vector<char> bytes = simulator::serialize(program);
    return reportError(module, writeFileAtomically(request.output, StringRef(bytes.data(), bytes.size())));
  }
  std::string code;
  llvm::raw_string_ostream os(code);
  if (failed(reportError(module, gemmini::emitC(program, request.name, os))))
    return failure();
  const std::string header = headerOf(module, host);
  return writeTogether(
      module, {{siblingOf(request.output, "_host.o"), StringRef(program.hostObject.data(), program.hostObject.size())},
               {siblingOf(request.output, ".h"), header},
               {request.output, code}});
}

LogicalResult SystolicTarget::describe(ModuleOp module, const EmitRequest &request, TargetFacts &facts) {
  // Without the timing nothing of it is worth encoding the program.
  if (!request.wantsTiming)
    return success();
  if (failed(encode(module)))
    return failure();
  facts.array = factsOf(request);
  return success();
}

LogicalResult SystolicTarget::emit(ModuleOp module, const EmitRequest &request, TargetFacts &facts) {
  host.name = request.name;
  if (failed(encode(module)) || failed(lowerHost(module, facts.native)) || failed(write(module, request)))
    return failure();
  facts.array = factsOf(request);
  return success();
}

llvm::Error SystolicTarget::emitAlone(const EmitRequest &request) const {
  llvm::Expected<std::string> parameters = simulator::rtlParameters(config);
  if (!parameters)
    return llvm::createStringError("--target=" + text + ": " + llvm::toString(parameters.takeError()));
  return writeFileAtomically(request.output, StringRef(*parameters));
}

std::unique_ptr<TargetBackend> vitq::createSystolicBackend() { return std::make_unique<SystolicBackend>(); }
