//===- Report.cpp - What a compilation did -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Report/Report.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/AtomicFile.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using vitq::vit::shapeOf;

namespace vitq {

void Report::setInput(llvm::StringRef modelPath, llvm::StringRef nonlinearText) {
  model = modelPath.str();
  nonlinear = nonlinearText.str();
}

void Report::recordRanges(ModuleOp module) {
  module.walk([&](Operation *op) {
    if (op->getNumResults() > 0 && op->hasAttr(kRangeAttr))
      if (auto range = getCalibratedRange(op->getResult(0)))
        ranges.emplace(nodeName(op->getLoc()), *range);
  });
  if (auto text = module->getAttrOfType<StringAttr>(kPreprocessAttr))
    preprocess = text.str();
}

static int64_t bytesOf(Value value) {
  auto type = cast<ShapedType>(value.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

static std::string algorithmOf(Operation *op) {
  return TypeSwitch<Operation *, std::string>(op)
      .Case<integer::SoftmaxOp>(
          [](auto softmax) { return integer::stringifySoftmaxAlgorithm(softmax.getAlgorithm()).str(); })
      .Case<integer::LayerNormOp>([](auto norm) { return integer::stringifyNormAlgorithm(norm.getAlgorithm()).str(); })
      .Case<integer::GeluOp>([](auto) { return std::string("shift"); })
      .Case<integer::TableOp>([](auto) { return std::string("table"); })
      .Default([](Operation *) { return std::string(); });
}

void Report::recordIntegerModule(ModuleOp module) {
  auto scales = module->getAttrOfType<DictionaryAttr>(integer::kScalesAttr);
  llvm::SmallPtrSet<Operation *, 32> counted;
  module.walk([&](Operation *op) {
    if (op->getName().getDialectNamespace() != "vitq")
      return;
    OpEntry entry;
    entry.op = op->getName().getStringRef().str();
    entry.node = nodeName(op->getLoc());
    entry.algorithm = algorithmOf(op);
    for (Value operand : op->getOperands()) {
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
      auto recorded = scales ? scales.getAs<DictionaryAttr>(std::to_string(entry.id)) : DictionaryAttr();
      if (auto values = recorded ? recorded.getAs<DenseF64ArrayAttr>("scale") : DenseF64ArrayAttr())
        entry.scales.append(values.asArrayRef().begin(), values.asArrayRef().end());
      if (auto values = recorded ? recorded.getAs<DenseI64ArrayAttr>("zero_point") : DenseI64ArrayAttr())
        entry.zeroPoints.append(values.asArrayRef().begin(), values.asArrayRef().end());
    }
    if (auto proved = op->getAttrOfType<DenseI64ArrayAttr>("vitq.accumulator_range"))
      entry.accumulator.append(proved.asArrayRef().begin(), proved.asArrayRef().end());
    if (auto range = ranges.find(entry.node); range != ranges.end())
      entry.range = range->second;
    if (auto matmul = dyn_cast<integer::MatmulOp>(op))
      entry.macs = ShapedType::getNumElements(shapeOf(matmul.getResult())) * shapeOf(matmul.getLhs()).back();
    macs += entry.macs;
    weightBytes += entry.constantBytes;
    ops.push_back(std::move(entry));
  });
}

template <typename Range>
static llvm::json::Array toArray(const Range &values) {
  llvm::json::Array array;
  for (auto value : values)
    array.push_back(value);
  return array;
}

static llvm::json::Value orNull(std::optional<int64_t> value) {
  return value ? llvm::json::Value(*value) : llvm::json::Value(nullptr);
}

llvm::json::Value Report::toJSON() const {
  llvm::json::Array entries;
  for (const OpEntry &op : ops) {
    llvm::json::Object entry{{"id", op.id},
                             {"node", op.node},
                             {"op", op.op},
                             {"operand_bits", toArray(op.operandBits)},
                             {"result_bits", toArray(op.resultBits)},
                             {"scale", toArray(op.scales)},
                             {"zero_point", toArray(op.zeroPoints)},
                             {"macs", op.macs},
                             {"constant_bytes", op.constantBytes},
                             {"result_bytes", op.resultBytes}};
    entry["algorithm"] = op.algorithm.empty() ? llvm::json::Value(nullptr) : llvm::json::Value(op.algorithm);
    entry["calibrated_range"] =
        op.range ? llvm::json::Value(llvm::json::Array{op.range->first, op.range->second}) : llvm::json::Value(nullptr);
    entry["accumulator_range"] =
        op.accumulator.empty() ? llvm::json::Value(nullptr) : llvm::json::Value(toArray(op.accumulator));
    entries.push_back(std::move(entry));
  }
  return llvm::json::Object{
      {"version", 1},
      {"model", model},
      {"preprocess", preprocess},
      {"nonlinear", nonlinear},
      {"target", native.target.empty() ? llvm::json::Value(nullptr) : llvm::json::Value(native.target)},
      {"macs", macs},
      {"weight_bytes", native.weightBytes.value_or(weightBytes)},
      {"constant_bytes", weightBytes},
      {"arena_bytes", orNull(native.arenaBytes)},
      {"arena_lower_bound_bytes", orNull(native.arenaLowerBound)},
      {"code_bytes", orNull(native.codeBytes)},
      {"float_instructions", orNull(native.floatInstructions)},
      {"ops", std::move(entries)}};
}

void Report::print(llvm::raw_ostream &os) const {
  auto number = [&](llvm::StringRef name, std::optional<int64_t> value) {
    os << llvm::left_justify(name, 22) << (value ? std::to_string(*value) : "not measured") << "\n";
  };
  os << llvm::left_justify("model", 22) << model << "\n";
  os << llvm::left_justify("preprocessing", 22) << (preprocess.empty() ? "none" : preprocess) << "\n";
  os << llvm::left_justify("nonlinear functions", 22) << nonlinear << "\n";
  os << llvm::left_justify("target", 22) << (native.target.empty() ? "none" : native.target) << "\n";
  number("multiply-accumulates", macs);
  number("constant bytes", weightBytes);
  number("weight bytes", native.weightBytes);
  number("arena bytes", native.arenaBytes);
  number("arena lower bound", native.arenaLowerBound);
  number("code bytes", native.codeBytes);
  number("float instructions", native.floatInstructions);
  os << "\n"
     << llvm::left_justify("node", 44) << llvm::left_justify("op", 22) << llvm::left_justify("bits", 14)
     << llvm::left_justify("algorithm", 11) << llvm::right_justify("scale", 12) << llvm::right_justify("zero", 6)
     << llvm::right_justify("min", 10) << llvm::right_justify("max", 10) << llvm::right_justify("MMAC", 9)
     << llvm::right_justify("bytes", 10) << "\n";
  for (const OpEntry &op : ops) {
    std::string bits;
    for (unsigned width : op.operandBits)
      bits += (bits.empty() ? "" : ",") + std::to_string(width);
    bits += "->";
    for (auto [i, width] : llvm::enumerate(op.resultBits))
      bits += (i ? "," : "") + std::to_string(width);
    llvm::StringRef node = op.node;
    os << llvm::left_justify(node.size() > 43 ? (".." + node.take_back(41)).str() : node.str(), 44)
       << llvm::left_justify(op.op, 22) << llvm::left_justify(bits, 14)
       << llvm::left_justify(op.algorithm.empty() ? "-" : op.algorithm, 11);
    if (op.scales.empty())
      os << llvm::right_justify("-", 12);
    else if (op.scales.size() == 1)
      os << llvm::format("%12.4g", op.scales[0]);
    else
      os << llvm::right_justify(std::to_string(op.scales.size()) + " scales", 12);
    os << llvm::right_justify(op.zeroPoints.empty() ? "-" : std::to_string(op.zeroPoints[0]), 6);
    if (op.range)
      os << llvm::format("%10.3g%10.3g", op.range->first, op.range->second);
    else
      os << llvm::right_justify("-", 10) << llvm::right_justify("-", 10);
    os << llvm::format("%9.2f", op.macs / 1e6)
       << llvm::right_justify(std::to_string(op.constantBytes + op.resultBytes), 10) << "\n";
  }
}

llvm::Error Report::write(llvm::StringRef path) const {
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) -> llvm::Error {
    if (path.ends_with(".json"))
      os << llvm::formatv("{0:2}\n", toJSON());
    else
      print(os);
    return llvm::Error::success();
  });
}

} // namespace vitq
