//===- Report.cpp - Collecting what a compilation did -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Report/Report.h"
#include "Data.h"

#include "dialects/vitq/VitqKernel.h"
#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/AtomicFile.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::reporting;

Report::Report() : data(std::make_unique<Data>()) {}
Report::~Report() = default;

void Report::setInput(llvm::StringRef model, llvm::StringRef nonlinear) {
  data->model = model.str();
  data->nonlinear = nonlinear.str();
}

void Report::setOptions(std::vector<std::pair<std::string, std::string>> options) {
  data->options = std::move(options);
}
void Report::setCalibrationImages(int64_t images) { data->calibrationImages = images; }
void Report::setComparison(comparison::Comparison comparison) { data->comparison = std::move(comparison); }
void AccuracyFacts::setOutputs(std::vector<comparison::OutputFigures> figures) {
  outputs = std::move(figures);
  auto classes = llvm::find_if(outputs, [](const auto &output) { return output.agreement.has_value(); });
  if (classes == outputs.end())
    return;
  agreement = 100 * *classes->agreement;
  logitsSqnrDb = classes->sqnrDb;
}

void Report::setAccuracy(AccuracyFacts facts) { data->accuracy = std::move(facts); }
void Report::setNative(NativeFacts facts) { data->native = std::move(facts); }
void Report::setArray(ArrayFacts facts) { data->array = std::move(facts); }
void Report::setStages(std::vector<StageCost> stages) { data->stages = std::move(stages); }
std::vector<Finding> Report::findings() const { return data->findings(); }
llvm::json::Value Report::toJSON() const { return reporting::toJSON(*data); }
void Report::print(llvm::raw_ostream &os) const { printText(*data, os); }
void Report::printHtml(llvm::raw_ostream &os) const { reporting::printHtml(*data, os); }

llvm::Error Report::write(llvm::StringRef path) const {
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) -> llvm::Error {
    if (path.ends_with_insensitive(".json"))
      os << llvm::formatv("{0:2}\n", toJSON());
    else if (path.ends_with_insensitive(".html"))
      printHtml(os);
    else
      print(os);
    return llvm::Error::success();
  });
}

//===----------------------------------------------------------------------===//
// The float module
//===----------------------------------------------------------------------===//

/// The linear layers that read `value` as their input, through moves.
static void findConsumers(Value value, std::vector<std::string> &consumers) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (vit::isMove(user))
      findConsumers(user->getResult(0), consumers);
    else if (auto reader = dyn_cast<vit::QuantizableOp>(user);
             reader && reader.getOperandCode(use.getOperandNumber()).tensor == vit::TensorKind::Linear)
      consumers.push_back(nodeName(user->getLoc()));
  }
}

void Report::recordRanges(ModuleOp module) {
  module.walk([&](Operation *op) {
    if (op->getNumResults() == 0)
      return;
    std::string node = nodeName(op->getLoc());
    if (op->hasAttr(kRangeAttr))
      if (auto range = getCalibratedRange(op->getResult(0)))
        data->ranges.emplace(node, *range);
    std::optional<ChannelRanges> channels = getChannelRanges(op);
    std::optional<Histogram> histogram = getHistogram(op);
    if (!channels && !histogram)
      return;
    TensorStatistics statistics;
    statistics.node = node;
    statistics.op = op->getName().getStringRef().str();
    statistics.block = comparison::blockOf(node);
    if (channels)
      for (auto [min, max] : llvm::zip_equal(channels->min, channels->max))
        statistics.channelMax.push_back(
            std::max(std::abs(static_cast<double>(min)), std::abs(static_cast<double>(max))));
    statistics.histogram = std::move(histogram);
    findConsumers(op->getResult(0), statistics.consumers);
    std::reverse(statistics.consumers.begin(), statistics.consumers.end());
    data->tensors.push_back(std::move(statistics));
  });
  if (auto text = module->getAttrOfType<StringAttr>(kPreprocessAttr))
    data->preprocess = text.str();
}

//===----------------------------------------------------------------------===//
// The integer module
//===----------------------------------------------------------------------===//

static int64_t bytesOf(Value value) {
  auto type = cast<ShapedType>(value.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

static std::string algorithmOf(Operation *op) {
  auto integer = dyn_cast<integer::IntegerOp>(op);
  return integer ? integer.getAlgorithmName() : std::string();
}

static void readScale(OpEntry &entry, DictionaryAttr recorded) {
  if (!recorded)
    return;
  if (auto values = recorded.getAs<DenseF64ArrayAttr>("scale"))
    entry.scales.append(values.asArrayRef().begin(), values.asArrayRef().end());
  if (auto values = recorded.getAs<DenseI64ArrayAttr>("zero_point"))
    entry.zeroPoints.append(values.asArrayRef().begin(), values.asArrayRef().end());
  // The accumulators of a layer are followed by ops that may stand for another
  // node: the recorded one is the value's.
  if (auto node = recorded.getAs<StringAttr>("node"))
    entry.node = node.str();
  entry.isUnsigned = recorded.contains("unsigned");
}

static void readDecisions(ModuleOp module, std::vector<Decision> &decisions) {
  auto list = module->getAttrOfType<ArrayAttr>(kDecisionsAttr);
  for (Attribute entry : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto recorded = dyn_cast<DictionaryAttr>(entry);
    if (!recorded)
      continue;
    auto text = [&](llvm::StringRef key) {
      auto value = recorded.getAs<StringAttr>(key);
      return value ? value.str() : std::string();
    };
    decisions.push_back({text("pass"), text("node"), text("text")});
  }
}

void Report::recordIntegerModule(ModuleOp module) {
  readDecisions(module, data->decisions);
  data->bitFront = getBitFront(module);
  auto scales = module->getAttrOfType<DictionaryAttr>(integer::kScalesAttr);
  llvm::SmallPtrSet<Operation *, 32> counted;
  module.walk([&](Operation *op) {
    // What a kernel computes is said of its ops.
    if (op->getName().getDialectNamespace() != "vitq" || isa<integer::KernelOp, integer::YieldOp>(op))
      return;
    OpEntry entry;
    entry.op = op->getName().getStringRef().str();
    entry.node = nodeName(op->getLoc());
    entry.algorithm = algorithmOf(op);
    auto kernel = op->getParentOfType<integer::KernelOp>();
    for (Value operand : op->getOperands()) {
      if (auto argument = dyn_cast<BlockArgument>(operand); argument && kernel)
        operand = kernel.getInputs()[argument.getArgNumber()];
      entry.operandBits.push_back(cast<ShapedType>(operand.getType()).getElementTypeBitWidth());
      Operation *constant = operand.getDefiningOp<arith::ConstantOp>();
      if (constant && counted.insert(constant).second)
        entry.constantBytes += bytesOf(operand);
    }
    for (Value result : op->getResults()) {
      entry.resultBits.push_back(cast<ShapedType>(result.getType()).getElementTypeBitWidth());
      entry.resultBytes += bytesOf(result);
    }
    if (auto id = op->getAttrOfType<IntegerAttr>(integer::kIdAttr)) {
      entry.id = id.getInt();
      readScale(entry, scales ? scales.getAs<DictionaryAttr>(std::to_string(entry.id)) : DictionaryAttr());
    }
    if (auto proved = op->getAttrOfType<DenseI64ArrayAttr>("vitq.accumulator_range"))
      entry.accumulator.append(proved.asArrayRef().begin(), proved.asArrayRef().end());
    if (auto range = data->ranges.find(entry.node); range != data->ranges.end())
      entry.range = range->second;
    if (auto product = dyn_cast<integer::ProductOp>(op))
      entry.macs = product.getMacs();
    data->macs += entry.macs;
    data->weightBytes += entry.constantBytes;
    data->ops.push_back(std::move(entry));
  });
}
