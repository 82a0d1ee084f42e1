//===- listing.cpp - A target of one's own -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// vitq-opt with one more target: `listing` writes the steps of the integer program as a
// table, in text or comma-separated, with the bytes of results that live at each step.
//
//   listing-opt model.onnx --compile ... --target=listing:least=1000,nodes=yes --emit=table
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Driver/CommandLine.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/NearestNames.h"
#include "vitq/Target/Backend/TargetBackend.h"

#include "mlir/Analysis/Liveness.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/Format.h"

namespace {

/// What follows `listing:`.
struct Config {
  /// Steps below this many multiply-accumulates are left out.
  int64_t least = 0;
  /// Whether a column says from which node of the model a step comes.
  bool nodes = false;

  static llvm::Expected<Config> parse(llvm::StringRef text);
};

/// One step of the program.
struct Step {
  std::string op, node;
  int64_t macs, liveBytes;
};

class ListingTarget : public vitq::Target {
public:
  explicit ListingTarget(Config config) : config(config) {}

  llvm::LogicalResult addPasses(mlir::ModuleOp module, mlir::OpPassManager &pm) override;
  llvm::LogicalResult emit(mlir::ModuleOp module, const vitq::EmitRequest &request, vitq::TargetFacts &facts) override;

private:
  std::vector<Step> stepsOf(mlir::func::FuncOp main) const;
  void printTable(const std::vector<Step> &steps, llvm::raw_ostream &os) const;
  void printCsv(const std::vector<Step> &steps, llvm::raw_ostream &os) const;

  Config config;
};

class ListingBackend : public vitq::TargetBackend {
public:
  llvm::StringRef name() const override { return "listing"; }
  llvm::StringRef subject() const override { return "listings"; }
  llvm::StringRef syntax() const override { return "listing:KEY=VALUE,..."; }
  llvm::StringRef example() const override { return "listing:least=1000,nodes=yes"; }
  llvm::ArrayRef<vitq::EmitKind> emitKinds() const override {
    static const vitq::EmitKind kinds[] = {{"table", "steps of the program as text", ".txt", "", false, {}},
                                           {"csv", "the same for a spreadsheet", ".csv", "", false, {}}};
    return kinds;
  }
  llvm::Expected<std::unique_ptr<vitq::Target>> parse(llvm::StringRef config,
                                                      const vitq::TargetOptions &) const override {
    llvm::Expected<Config> parsed = Config::parse(config);
    if (!parsed)
      return parsed.takeError();
    return std::make_unique<ListingTarget>(*parsed);
  }
};

} // namespace

llvm::Expected<Config> Config::parse(llvm::StringRef text) {
  Config config;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    auto [key, value] = part.split('=');
    if (key == "least") {
      if (value.getAsInteger(10, config.least) || config.least < 0)
        return llvm::createStringError("--target=listing: least=" + value + " is no number of multiply-accumulates");
    } else if (key == "nodes") {
      if (value != "yes" && value != "no")
        return llvm::createStringError("--target=listing: write nodes=yes or nodes=no");
      config.nodes = value == "yes";
    } else {
      return llvm::createStringError("--target=listing has no '" + key + "'; did you mean '" +
                                     vitq::nearestNames(key, {"least", "nodes"}, 1).front() + "'?");
    }
  }
  return config;
}

/// A listing reads `vitq` ops as they are; it only wants each computed once.
llvm::LogicalResult ListingTarget::addPasses(mlir::ModuleOp, mlir::OpPassManager &pm) {
  pm.addPass(mlir::createCSEPass());
  return llvm::success();
}

static int64_t bytesOf(mlir::Value value) {
  auto type = llvm::dyn_cast<mlir::RankedTensorType>(value.getType());
  // Codes below 8 bits take a byte each.
  return type ? type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8) : 0;
}

std::vector<Step> ListingTarget::stepsOf(mlir::func::FuncOp main) const {
  std::vector<Step> steps;
  const mlir::Liveness liveness(main);
  for (mlir::Operation &op : main.getBody().front()) {
    if (!llvm::isa<vitq::integer::VitqDialect>(op.getDialect()))
      continue;
    Step step{op.getName().getStringRef().str(), "", 0, 0};
    if (auto matmul = llvm::dyn_cast<vitq::integer::MatmulOp>(op))
      step.macs = matmul.getType().getNumElements() * matmul.getLhs().getType().getShape().back();
    if (step.macs < config.least)
      continue;
    step.node = vitq::nodeName(op.getLoc());
    for (mlir::Value value : liveness.getLiveness(&main.getBody().front())->currentlyLiveValues(&op))
      if (!value.getDefiningOp() || !value.getDefiningOp()->hasTrait<mlir::OpTrait::ConstantLike>())
        step.liveBytes += bytesOf(value);
    steps.push_back(std::move(step));
  }
  return steps;
}

void ListingTarget::printTable(const std::vector<Step> &steps, llvm::raw_ostream &os) const {
  os << llvm::left_justify("op", 24) << llvm::right_justify("macs", 12) << llvm::right_justify("live bytes", 12)
     << "\n";
  for (const Step &step : steps) {
    os << llvm::left_justify(step.op, 24)
       << llvm::format("%12lld%12lld", static_cast<long long>(step.macs), static_cast<long long>(step.liveBytes));
    os << (config.nodes ? "  " + step.node : "") << "\n";
  }
}

void ListingTarget::printCsv(const std::vector<Step> &steps, llvm::raw_ostream &os) const {
  os << "op,macs,live_bytes\n";
  for (const Step &step : steps)
    os << step.op << "," << step.macs << "," << step.liveBytes << "\n";
}

llvm::LogicalResult ListingTarget::emit(mlir::ModuleOp module, const vitq::EmitRequest &request, vitq::TargetFacts &) {
  mlir::FailureOr<mlir::func::FuncOp> main = vitq::findMain(module);
  if (failed(main))
    return llvm::failure();
  std::string text;
  llvm::raw_string_ostream os(text);
  if (request.kind == "csv")
    printCsv(stepsOf(*main), os);
  else
    printTable(stepsOf(*main), os);
  if (llvm::Error error = vitq::writeFileAtomically(request.output, llvm::StringRef(text)))
    return module.emitError(llvm::toString(std::move(error)));
  return llvm::success();
}

int main(int argc, char **argv) {
  const vitq::TargetRegistration<ListingBackend> registration;
  return vitq::runVitqOpt(argc, argv);
}
