//===- Program.cpp - From launches to a program of the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Systolic.h"

#include "vitq/Analysis/CodeSigns.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Target/Systolic/Units.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Endian.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

/// Operands begin at multiples of this, as those of the host do.
static constexpr size_t kAlignment = 64;
/// Elements of one constant. A splat costs nobody anything to write, but the image.
static constexpr int64_t kMaxElements = int64_t(1) << 28;

namespace {

/// Fills a program launch by launch.
class ProgramBuilder {
public:
  ProgramBuilder(ModuleOp module, const simulator::Config &config) : module(module) { program.config = config; }
  LogicalResult run(func::FuncOp main);
  simulator::Program program;

private:
  LogicalResult add(LaunchOp launch);
  FailureOr<uint32_t> routineOf(LaunchOp launch);
  uint64_t passesOf(LaunchOp launch) const;
  FailureOr<uint64_t> imageOf(Value operand, MemRefType argument);
  void addPlacements();

  ModuleOp module;
  CodeSigns signs;
  DenseMap<StringAttr, uint32_t> routines;
  /// Signed ones, those whose bytes are extended by zeros, and packed ones.
  DenseMap<Attribute, uint64_t> constants[3];
};

} // namespace

static uint64_t bytesOf(Value value, MemRefType argument) {
  auto type = cast<RankedTensorType>(value.getType());
  const unsigned bits = argument.getElementTypeBitWidth();
  if (bits < 8)
    return static_cast<uint64_t>(type.getNumElements()) * bits / 8;
  return static_cast<uint64_t>(type.getNumElements()) * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

FailureOr<uint32_t> ProgramBuilder::routineOf(LaunchOp launch) {
  auto function = module.lookupSymbol<func::FuncOp>(launch.getRoutine());
  auto [entry, isNew] = routines.try_emplace(launch.getRoutineAttr().getAttr(), program.routines.size());
  if (!isNew)
    return entry->second;
  FailureOr<std::vector<simulator::Instruction>> code = encodeRoutine(function);
  if (failed(code))
    return failure();
  program.routines.push_back({launch.getRoutine().str(), std::move(*code)});
  return entry->second;
}

/// Codes of `bits` bits one behind the other, each row of them in whole bytes.
static std::vector<char> packedBytes(const Tensor &codes, unsigned bits) {
  std::vector<char> bytes(llvm::divideCeil(codes.numElements() * bits, 8));
  for (int64_t i = 0; i < codes.numElements(); ++i)
    for (unsigned bit = 0; bit < bits; ++bit)
      if (codes.intAt(i) >> bit & 1)
        bytes[(i * bits + bit) / 8] |= static_cast<char>(1 << (i * bits + bit) % 8);
  return bytes;
}

/// How often a product runs over its operands' planes; those of a launch without one count as bytes.
uint64_t ProgramBuilder::passesOf(LaunchOp launch) const {
  uint64_t passes = 1;
  for (Value operand : launch.getInputs().take_front(launch.getMacs() > 0 ? 2 : 0))
    passes *= program.config.planesOf(std::min(8u, getElementTypeOrSelf(operand.getType()).getIntOrFloatBitWidth()));
  return passes;
}

/// Where the bytes of a constant are in the image, little endian, as the routine's argument wants them.
FailureOr<uint64_t> ProgramBuilder::imageOf(Value operand, MemRefType argument) {
  auto constant = operand.getDefiningOp<arith::ConstantOp>();
  const bool isUnsigned = signs.isUnsigned(operand), packed = argument.getElementTypeBitWidth() < 8;
  auto [entry, isNew] = constants[packed ? 2 : isUnsigned].try_emplace(constant.getValue(), 0);
  if (!isNew)
    return entry->second;
  auto type = cast<RankedTensorType>(operand.getType());
  const int64_t elements = type.getNumElements();
  if (elements > kMaxElements)
    return constant.emitOpError() << "has " << elements << " elements, more than the " << kMaxElements
                                  << " of a program's data";
  FailureOr<Tensor> values = getIntTensor(operand, [&] { return constant.emitOpError(); });
  if (failed(values))
    return failure();
  std::vector<char> &image = program.image;
  image.resize(llvm::alignTo(image.size(), kAlignment));
  entry->second = image.size();
  if (packed) {
    llvm::append_range(image, packedBytes(*values, argument.getElementTypeBitWidth()));
    return entry->second;
  }
  llvm::append_range(image, signs.inMemory(*values, operand).raw());
  if (const unsigned bits = type.getElementTypeBitWidth(); bits < 8)
    program.packed.push_back({entry->second, values->numBytes(), static_cast<uint8_t>(bits), isUnsigned});
  return entry->second;
}

static std::string opsOf(LaunchOp launch) {
  std::string text = launch.getMacs() > 0 ? "vitq.matmul" : "";
  if (!launch.getUnits().empty())
    for (Operation &op : launch.getUnits().front().without_terminator())
      if (!isa<arith::ConstantOp>(op))
        text += (text.empty() ? "" : "+") + op.getName().getStringRef().str();
  return text;
}

LogicalResult ProgramBuilder::add(LaunchOp launch) {
  simulator::Launch result;
  result.node = nodeName(launch.getLoc());
  result.op = opsOf(launch);
  result.macs = launch.getMacs();
  result.passes = passesOf(launch);
  result.kind = result.macs == 0        ? simulator::LaunchKind::UnitsOnly
                : launch.getAttention() ? simulator::LaunchKind::Attention
                                        : simulator::LaunchKind::Linear;
  FailureOr<uint32_t> routine = routineOf(launch);
  if (failed(routine))
    return failure();
  result.routine = *routine;
  int32_t host = 0;
  auto function = module.lookupSymbol<func::FuncOp>(launch.getRoutine());
  auto argument = [&, number = 0]() mutable { return cast<MemRefType>(function.getArgumentTypes()[number++]); };
  for (Value input : launch.getInputs()) {
    simulator::Operand operand;
    const MemRefType type = argument();
    operand.bytes = bytesOf(input, type);
    if (isConstant(input)) {
      FailureOr<uint64_t> offset = imageOf(input, type);
      if (failed(offset))
        return failure();
      operand.offset = *offset;
    } else {
      operand.host = host++;
    }
    result.operands.push_back(operand);
  }
  for (Value output : launch.getOutputs()) {
    simulator::Operand operand;
    operand.bytes = bytesOf(output, argument());
    operand.host = host++;
    operand.isOutput = true;
    result.operands.push_back(operand);
  }
  if (!launch.getUnits().empty()) {
    FailureOr<simulator::UnitProgram> units = encodeUnits(launch, signs);
    if (failed(units))
      return failure();
    result.units.push_back(static_cast<uint32_t>(program.unitPrograms.size()));
    program.unitPrograms.push_back(std::move(*units));
  }
  program.launches.push_back(std::move(result));
  return success();
}

void ProgramBuilder::addPlacements() {
  auto placements = module->getAttrOfType<ArrayAttr>(kPlacementsAttr);
  if (!placements)
    return;
  for (Attribute attribute : placements) {
    auto entry = dyn_cast<DictionaryAttr>(attribute);
    auto text = [&](StringRef key) -> std::string {
      auto value = entry ? entry.getAs<StringAttr>(key) : StringAttr();
      return value ? value.str() : "";
    };
    program.placements.push_back({text("node"), text("op"), text("place"), text("reason")});
  }
}

LogicalResult ProgramBuilder::run(func::FuncOp main) {
  FailureOr<CodeSigns> found = CodeSigns::of(main);
  if (failed(found))
    return failure();
  signs = std::move(*found);
  for (auto launch : main.getOps<LaunchOp>())
    if (failed(add(launch)))
      return failure();
  addPlacements();
  if (llvm::Error error = simulator::checkProgram(program))
    return module.emitError("the program of the array breaks its own rules: ") << llvm::toString(std::move(error));
  return success();
}

FailureOr<simulator::Program> systolic::encodeProgram(ModuleOp module) {
  std::optional<simulator::Config> config = configOf(module);
  FailureOr<func::FuncOp> main = findMain(module);
  if (failed(main))
    return failure();
  if (!config)
    return module.emitError() << "needs '" << kConfigAttr << "': run convert-vitq-to-systolic first";
  ProgramBuilder builder(module, *config);
  if (failed(builder.run(*main)))
    return failure();
  return std::move(builder.program);
}
