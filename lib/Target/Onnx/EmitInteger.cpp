//===- EmitInteger.cpp - The integer phase as an ONNX model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The program's integers, computed by the operators of floats that compute them exactly
// (ExactIntegers.h): products of codes, tables as Gather, requantizations, roots and quotients digit by
// digit.
//
//===----------------------------------------------------------------------===//

#include "IntegerEmitter.h"

#include "vitq/Analysis/ProgramResults.h"
#include "vitq/Support/Constants.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::onnxwriter;
using numerics::Code;

/// onnx.TensorProto.DataType of the indices of Gather.
static constexpr int64_t kInt32 = 6;

static std::vector<int64_t> list(ArrayRef<int64_t> values) { return {values.begin(), values.end()}; }

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

bool onnxwriter::isReadUnsigned(Value value) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (vit::isMove(user)) {
      if (isReadUnsigned(user->getResult(0)))
        return true;
    } else if (auto reader = dyn_cast<integer::IntegerOp>(user)) {
      if (integer::CodeAttr code = reader.getOperandCode(use.getOperandNumber()))
        return code.isUnsigned();
    }
  }
  return false;
}

FailureOr<KnownIntegers> onnxwriter::readConstant(Value value, const Code &code) {
  FailureOr<std::vector<int64_t>> elements = getIntConstant(value);
  if (failed(elements))
    return failure();
  KnownIntegers result;
  result.shape.assign(vit::shapeOf(value).begin(), vit::shapeOf(value).end());
  for (int64_t element : *elements)
    result.values.push_back(
        KnownIntegers::of(code.bits < 32 ? numerics::readCode(element, code.bits, code.isUnsigned) : element));
  return result;
}

/// Elements of `value`, less the code that stands for 0.
Integers IntegerEmitter::read(Value value, const Code &code) {
  auto found = values.find(value);
  if (found == values.end()) {
    FailureOr<KnownIntegers> constant = readConstant(value, code);
    assert(succeeded(constant) && "what is computed was written before");
    for (llvm::APInt &element : constant->values)
      element -= static_cast<uint64_t>(code.zero);
    return math.known(*constant);
  }
  const Stored &stored = found->second;
  if (code.bits > 16)
    return stored.integers;
  Digit codes = math.single(stored.integers);
  if (stored.isUnsigned != code.isUnsigned) {
    // The same bits: what has the highest one changes by all codes.
    const int64_t half = code.count() / 2;
    const Digit wraps = math.clamped(code.isUnsigned ? math.scaled(codes, -1) : math.shifted(codes, 1 - half), 0, 1);
    codes = math.add(codes, math.scaled(wraps, code.isUnsigned ? code.count() : -code.count()));
    codes.lo = code.min();
    codes.hi = code.max();
  }
  return {math.shifted(codes, -code.zero)};
}

bool IntegerEmitter::isWrittenUnsigned(Value value) const {
  auto found = values.find(value);
  return found == values.end() ? isReadUnsigned(value) : found->second.isUnsigned;
}

void IntegerEmitter::write(Value value, Integers integers, bool isUnsigned) {
  values[value] = {std::move(integers), isUnsigned};
}

/// Codes of a result from what they are relative to the zero point.
void IntegerEmitter::writeCodes(Value value, const Digit &relative, const Code &code, int64_t min, int64_t max) {
  write(value, {math.clamped(math.shifted(relative, code.zero), min, max)}, code.isUnsigned);
}

Factors IntegerEmitter::factorsOf(integer::DyadicAttr by, Value value, int64_t axis) {
  Factors factors;
  for (size_t i = 0; i < by.size(); ++i)
    factors.all.push_back(by.entry(i));
  if (by.size() == 1)
    return factors;
  const auto rank = static_cast<int64_t>(vit::shapeOf(value).size());
  factors.shape.assign(axis < 0 ? -axis : rank - axis, 1);
  factors.shape[0] = static_cast<int64_t>(by.size());
  return factors;
}

std::string IntegerEmitter::lookUp(ArrayRef<float> table, const Digit &index) {
  std::string entries = math.floats({static_cast<int64_t>(table.size())}, table);
  std::string place = math.node("Cast", {index.name}, Attribute{"to", kInt32});
  return math.node("Gather", {entries, place});
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

/// The operator that moves one digit of every operand; empty where there is none.
std::string IntegerEmitter::move(Operation *op, ArrayRef<std::string> inputs, int64_t padding) {
  const std::string &x = inputs[0];
  return TypeSwitch<Operation *, std::string>(op)
      .Case([&](integer::ReshapeOp move) { return math.node("Reshape", {x, math.ints(move.getShape())}); })
      .Case([&](integer::TransposeOp move) {
        return math.node("Transpose", {x}, Attribute{"perm", list(move.getPermutation())});
      })
      .Case([&](integer::BroadcastOp move) { return math.node("Expand", {x, math.ints(move.getShape())}); })
      .Case([&](integer::GatherOp move) {
        return math.node("Gather", {x, math.ints(move.getIndices())}, Attribute{"axis", int64_t(move.getAxis())});
      })
      .Case([&](integer::SliceOp move) {
        SmallVector<int64_t> ends, axes;
        for (auto [i, start] : llvm::enumerate(move.getOffsets())) {
          ends.push_back(start + (move.getSizes()[i] - 1) * move.getStrides()[i] + 1);
          axes.push_back(static_cast<int64_t>(i));
        }
        return math.node(
            "Slice", {x, math.ints(move.getOffsets()), math.ints(ends), math.ints(axes), math.ints(move.getStrides())});
      })
      .Case([&](integer::PadOp move) {
        SmallVector<int64_t> counts(move.getLow());
        counts.append(move.getHigh().begin(), move.getHigh().end());
        return math.node("Pad", {x, math.ints(counts), math.scalar(static_cast<double>(padding))});
      })
      .Case([&](integer::ConcatOp move) {
        return math.node("Concat", inputs, Attribute{"axis", int64_t(move.getAxis())});
      })
      .Default([](Operation *) { return std::string(); });
}

LogicalResult IntegerEmitter::emitMove(Operation *op) {
  Value result = op->getResult(0);
  // As the first operand that was computed was written, else as the result is read.
  bool isUnsigned = isReadUnsigned(result);
  for (Value operand : op->getOperands())
    if (auto found = values.find(operand); found != values.end()) {
      isUnsigned = found->second.isUnsigned;
      break;
    }
  Code code = integer::codeOf(result);
  code.isUnsigned = isUnsigned && code.bits <= 16;
  SmallVector<Integers> operands;
  for (Value operand : op->getOperands())
    operands.push_back(read(operand, code));
  size_t count = 1;
  for (const Integers &operand : operands)
    count = std::max(count, operand.size());
  Integers moved;
  for (size_t i = 0; i < count; ++i) {
    std::vector<std::string> parts;
    Digit digit{"", INT64_MAX, INT64_MIN};
    for (auto [value, operand] : llvm::zip(op->getOperands(), operands)) {
      // Of constants there may be one number for all.
      Digit part = i < operand.size() ? operand[i] : Digit{math.scalar(0), 0, 0};
      if (part.lo == part.hi && operands.size() > 1)
        part.name = math.node("Expand", {part.name, math.ints(vit::shapeOf(value))});
      digit.lo = std::min(digit.lo, part.lo);
      digit.hi = std::max(digit.hi, part.hi);
      parts.push_back(part.name);
    }
    int64_t padding = 0;
    if (auto pad = dyn_cast<integer::PadOp>(op)) {
      if (count > 1)
        return failure();
      padding = numerics::readCode(static_cast<int64_t>(pad.getValue()), code.bits, code.isUnsigned);
      digit.lo = std::min(digit.lo, padding);
      digit.hi = std::max(digit.hi, padding);
    }
    digit.name = move(op, parts, padding);
    if (digit.name.empty())
      return failure();
    moved.push_back(digit);
  }
  write(result, moved, code.isUnsigned);
  return success();
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

LogicalResult IntegerEmitter::refuse(Operation *op, const llvm::Twine &why) {
  return op->emitError("--emit=onnx: '") << nodeName(op->getLoc()) << "' " << why
                                         << ", which has no exact form in ONNX; choose algorithms that have one "
                                            "(--nonlinear=table), or write the quantized phase";
}

LogicalResult IntegerEmitter::addInput() {
  if (function.getNumArguments() != 1)
    return function.emitError("--emit=onnx: @main must take one image");
  BlockArgument argument = function.getArgument(0);
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type || type.getRank() != 4 || !type.getElementType().isInteger(8))
    return function.emitError("--emit=onnx: @main must take an image of four axes");
  ArrayRef<int64_t> shape = type.getShape();
  const std::string image = nameAt(argument.getLoc(), "input");
  writer.addInput(image, {shape[0], shape[3], shape[1], shape[2]});
  FailureOr<std::string> pixels = addPixels(writer, function, image, shape[3]);
  if (failed(pixels))
    return failure();
  math.setName("pixels");
  // Bytes but for the rounding of floats.
  const std::string bytes = math.node("Round", {math.node("Mul", {*pixels, math.scalar(255)})});
  const std::string codes = math.node("Clip", {bytes, math.scalar(0), math.scalar(255)});
  const std::string rows = math.node("Transpose", {codes}, Attribute{"perm", std::vector<int64_t>{0, 2, 3, 1}});
  write(argument, {{rows, 0, 255}}, /*isUnsigned=*/true);
  return success();
}

LogicalResult IntegerEmitter::addOutputs(func::ReturnOp op) {
  const SmallVector<std::string> names = resultNames(function);
  const SmallVector<double> scales = getOutputScales(function->getParentOfType<ModuleOp>(), op.getNumOperands());
  for (auto [name, value, scale] : llvm::zip(names, op.getOperands(), scales)) {
    math.setName(name);
    const Integers integers = read(value, integer::codeOf(value));
    std::string real = integers.size() == 1 ? integers[0].name : math.near(integers);
    // Without a scale the result is integers.
    if (scale > 0)
      real = math.node("Mul", {real, math.scalar(scale)});
    writer.addOutput(writer.fresh(name), real, vit::shapeOf(value));
  }
  return success();
}

LogicalResult IntegerEmitter::emitOp(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<integer::MatmulOp, integer::RequantOp, integer::AddOp, integer::MulOp, integer::SumOp, integer::TableOp,
            integer::InterpolateOp, integer::SoftmaxOp, integer::DivideRowsOp, integer::LayerNormOp,
            integer::ExtractPatchesOp, integer::MaxPoolOp, integer::DepthwiseConv2dOp, integer::ResampleOp>(
          [&](auto typed) { return emit(typed); })
      .Case([&](arith::ConstantOp) { return success(); }) // written where it is read
      .Case([&](func::ReturnOp ret) { return addOutputs(ret); })
      .Default([&](Operation *other) -> LogicalResult {
        if (vit::isMove(other) && succeeded(emitMove(other)))
          return success();
        return refuse(other, ("is '" + other->getName().getStringRef() + "'").str());
      });
}

LogicalResult IntegerEmitter::run() {
  if (failed(addInput()))
    return failure();
  for (Operation &op : function.front()) {
    std::string name = nodeName(op.getLoc());
    math.setName(name == "?" ? op.getName().stripDialect().str() : name);
    if (failed(emitOp(&op)))
      return failure();
    if (!math.takeFits())
      return refuse(&op, "has numbers beyond 24 bits");
  }
  return success();
}
