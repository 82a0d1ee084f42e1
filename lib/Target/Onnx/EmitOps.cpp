//===- EmitOps.cpp - Ops of the quantized phase as ONNX nodes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;
using namespace vitq::onnxwriter;

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emit(LinearOp op) {
  FailureOr<std::string> matrix = weight(op, op.getWeight(), {1, 0});
  if (failed(matrix))
    return failure();
  std::string result = node("MatMul", {real(op.getInput()), *matrix}, op, op.getBias() ? "_product" : "");
  if (op.getBias())
    result = node("Add", {result, real(op.getBias())}, op);
  setReal(op.getResult(), result);
  return success();
}

LogicalResult Emitter::emit(MatmulOp op) {
  std::string rhs;
  if (op.getTransposeRhs()) {
    std::vector<int64_t> swapped;
    for (int64_t i = 0, e = shapeOf(op.getRhs()).size(); i < e; ++i)
      swapped.push_back(i);
    std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
    const NodeAttribute permutation{"perm", swapped};
    // Of codes of one scale, as every move.
    DequantizeOp dequantize = values[op.getRhs()].dequantize;
    quant::QuantizedType type = dequantize ? getQuantizedType(dequantize.getInput()) : quant::QuantizedType();
    if (isa_and_nonnull<quant::UniformQuantizedType>(type)) {
      std::string codes = node("Transpose", {values[op.getRhs()].codes}, op, "_transposed", permutation);
      std::optional<Grid> grid = gridOf(type, hint(op, "_transposed"));
      rhs = node("DequantizeLinear", {codes, grid->scale, grid->zeroPoint}, op, "_rhs");
    } else {
      rhs = node("Transpose", {real(op.getRhs())}, op, "_transposed", permutation);
    }
  } else {
    rhs = real(op.getRhs());
  }
  const double scale = op.getScale().convertToDouble();
  std::string result = node("MatMul", {real(op.getLhs()), rhs}, op, scale != 1 ? "_product" : "");
  if (scale != 1)
    result = node("Mul", {result, scalar(hint(op, "_factor"), scale)}, op);
  setReal(op.getResult(), result);
  return success();
}

LogicalResult Emitter::emit(PatchEmbedOp op) {
  FailureOr<std::string> kernel = weight(op, op.getWeight(), {0, 1, 2, 3});
  if (failed(kernel))
    return failure();
  auto read = op.getInput().getDefiningOp<DequantizeOp>();
  std::string input = real(op.getInput());
  if (read && isa<BlockArgument>(read.getInput()) && op.getChannelsLast())
    input = planes;
  else if (op.getChannelsLast())
    input = node("Transpose", {input}, op, "_planes", NodeAttribute{"perm", std::vector<int64_t>{0, 3, 1, 2}});
  std::vector<std::string> inputs{input, *kernel};
  if (op.getBias())
    inputs.push_back(real(op.getBias()));
  ArrayRef<int64_t> patch = shapeOf(op.getWeight()).drop_front(2), shape = shapeOf(op.getResult());
  std::string map = node("Conv", inputs, op, "_map", NodeAttribute{"strides", std::vector<int64_t>(patch)});
  std::string flat = node("Reshape", {map, ints(hint(op, "_shape"), {shape[0], shape[2], shape[1]})}, op, "_flat");
  setReal(op.getResult(), node("Transpose", {flat}, op, "", NodeAttribute{"perm", std::vector<int64_t>{0, 2, 1}}));
  return success();
}

/// With its channels in front, between transposes. ONNX pads with 0: where something else stands around the map, what
/// it is taken off by before comes back as a convolution of a map of nothing else.
LogicalResult Emitter::emit(Conv2dOp op) {
  FailureOr<std::string> kernel = weight(op, op.getWeight(), {0, 1, 2, 3});
  if (failed(kernel))
    return failure();
  auto read = op.getInput().getDefiningOp<DequantizeOp>();
  std::string input = read && isa<BlockArgument>(read.getInput())
                          ? planes
                          : node("Transpose", {real(op.getInput())}, op, "_planes",
                                 NodeAttribute{"perm", std::vector<int64_t>{0, 3, 1, 2}});
  const Windows windows = op.getWindows();
  const int64_t channels = shapeOf(op.getInput())[3];
  auto list = [](ArrayRef<int64_t> values) { return std::vector<int64_t>(values.begin(), values.end()); };
  const NodeAttribute strides{"strides", list(windows.strides)}, dilations{"dilations", list(windows.dilations)},
      pads{"pads", list(windows.pads)}, groups{"group", static_cast<int64_t>(op.getGroups())};
  std::string around;
  if (auto padding = op.getPadding(); padding && windows.isPadded()) {
    const std::vector<float> values(padding->begin(), padding->end());
    input = node("Sub", {input, floats(hint(op, "_padding"), {1, channels, 1, 1}, values)}, op, "_less");
    std::vector<float> map;
    const int64_t area = windows.extent(0) * windows.extent(1);
    for (float value : values)
      map.insert(map.end(), area, value);
    std::string constant = floats(hint(op, "_around"), {1, channels, windows.extent(0), windows.extent(1)}, map);
    around = node("Conv", {constant, *kernel}, op, "_share", {dilations, groups});
  }
  std::vector<std::string> inputs{input, *kernel};
  if (op.getBias())
    inputs.push_back(real(op.getBias()));
  std::string map = node("Conv", inputs, op, "_map", {strides, pads, dilations, groups});
  if (!around.empty())
    map = node("Add", {map, around}, op, "_whole");
  setReal(op.getResult(), node("Transpose", {map}, op, "", NodeAttribute{"perm", std::vector<int64_t>{0, 2, 3, 1}}));
  return success();
}

//===----------------------------------------------------------------------===//
// Rows and elements
//===----------------------------------------------------------------------===//

/// Exponentials relative to the row's maximum, as codes where they have some, and their sum.
LogicalResult Emitter::emit(SoftmaxNumeratorOp op) {
  std::string last = ints(hint(op, "_axis"), {-1});
  std::string maximum = node("ReduceMax", {real(op.getInput()), last}, op, "_max");
  std::string distance = node("Sub", {real(op.getInput()), maximum}, op, "_distance");
  std::string exponential = node("Exp", {distance}, op, "_exp");
  Emitted numerator{"", exponential, {}};
  if (quant::QuantizedType type = getQuantizedType(op.getNumerator())) {
    std::optional<Grid> grid = gridOf(type, hint(op));
    numerator.codes = node("QuantizeLinear", {exponential, grid->scale, grid->zeroPoint}, op, "_codes");
    exponential = node("DequantizeLinear", {numerator.codes, grid->scale, grid->zeroPoint}, op, "_terms");
    numerator.real.clear();
  }
  values[op.getNumerator()] = numerator;
  setReal(op.getSum(), node("ReduceSum", {exponential, last}, op, "_sum", NodeAttribute{"keepdims", int64_t(0)}));
  return success();
}

LogicalResult Emitter::emit(DivideRowsOp op) {
  std::string divisor = node("Unsqueeze", {real(op.getDivisor()), ints(hint(op, "_axis"), {-1})}, op, "_divisor");
  if (const double eps = op.getEps().convertToDouble(); eps != 0)
    divisor = node("Add", {divisor, scalar(hint(op, "_eps"), eps)}, op, "_sum");
  setReal(op.getResult(), node("Div", {real(op.getInput()), divisor}, op));
  return success();
}

LogicalResult Emitter::emit(LayerNormOp op) {
  setReal(op.getResult(),
          node("LayerNormalization", {real(op.getInput()), real(op.getGamma()), real(op.getBeta())}, op, "",
               {NodeAttribute{"axis", int64_t(-1)},
                NodeAttribute{"epsilon", static_cast<float>(op.getEps().convertToDouble())}}));
  return success();
}

/// The [outputs, inputs] matrix of weighted sums along an axis, transposed or not.
static std::vector<float> sumsMatrix(ArrayRef<int64_t> first, ArrayRef<int64_t> weights, int64_t inputs, double divisor,
                                     bool transpose) {
  const auto outputs = static_cast<int64_t>(first.size()), taps = static_cast<int64_t>(weights.size()) / outputs;
  std::vector<float> matrix(outputs * inputs);
  for (int64_t i = 0; i < outputs; ++i)
    for (int64_t k = 0; k < taps; ++k) {
      const int64_t from = first[i] + k;
      matrix[transpose ? from * outputs + i : i * inputs + from] =
          static_cast<float>(static_cast<double>(weights[i * taps + k]) / divisor);
    }
  return matrix;
}

/// Products with matrices from the left and the right, of channels first.
LogicalResult Emitter::emit(ResampleOp op) {
  ArrayRef<int64_t> from = shapeOf(op.getInput()), to = shapeOf(op.getResult());
  const auto divisor = static_cast<double>(op.getDivisor());
  std::string x =
      node("Transpose", {real(op.getInput())}, op, "_image", NodeAttribute{"perm", std::vector<int64_t>{0, 3, 1, 2}});
  std::string rows = floats(hint(op, "_rows"), {to[1], from[1]},
                            sumsMatrix(op.getRows(), op.getRowWeights(), from[1], divisor, /*transpose=*/false));
  std::string columns = floats(hint(op, "_columns"), {from[2], to[2]},
                               sumsMatrix(op.getColumns(), op.getColumnWeights(), from[2], 1, /*transpose=*/true));
  x = node("MatMul", {node("MatMul", {rows, x}, op, "_down"), columns}, op, "_across");
  setReal(op.getResult(), node("Transpose", {x}, op, "", NodeAttribute{"perm", std::vector<int64_t>{0, 2, 3, 1}}));
  return success();
}

LogicalResult Emitter::emitFunction(Operation *op) {
  const std::string x = real(op->getOperand(0));
  auto timesSigmoid = [&](std::string argument) {
    return node("Mul", {x, node("Sigmoid", {std::move(argument)}, op, "_sigmoid")}, op);
  };
  std::string result =
      TypeSwitch<Operation *, std::string>(op)
          .Case([&](GeluOp gelu) {
            if (gelu.getKind() == GeluKind::Quick)
              return timesSigmoid(node("Mul", {x, scalar(hint(op, "_factor"), 1.702)}, op, "_scaled"));
            const bool tanh = gelu.getKind() == GeluKind::Tanh;
            return node("Gelu", {x}, op, "", NodeAttribute{"approximate", std::string(tanh ? "tanh" : "none")});
          })
          .Case([&](SiluOp) { return timesSigmoid(x); })
          .Case([&](ReluOp) { return node("Relu", {x}, op); })
          .Case([&](SigmoidOp) { return node("Sigmoid", {x}, op); })
          .Case([&](TanhOp) { return node("Tanh", {x}, op); })
          .Case([&](HardSwishOp) { return node("HardSwish", {x}, op); })
          .Case([&](MishOp) { return node("Mish", {x}, op); })
          .Case([&](SoftplusOp) { return node("Softplus", {x}, op); })
          .Case([&](AbsOp) { return node("Abs", {x}, op); })
          .Case([&](ClampOp clamp) {
            auto bound = [&](const std::optional<APFloat> &value, StringRef role) {
              return value ? scalar(hint(op, role), value->convertToDouble()) : std::string();
            };
            return node("Clip", {x, bound(clamp.getMin(), "_min"), bound(clamp.getMax(), "_max")}, op);
          })
          .Case([&](HardSigmoidOp hard) {
            return node("HardSigmoid", {x}, op, "",
                        {NodeAttribute{"alpha", static_cast<float>(hard.getAlpha().convertToDouble())},
                         NodeAttribute{"beta", static_cast<float>(hard.getBeta().convertToDouble())}});
          })
          .Case([&](LeakyReluOp leaky) {
            return node("LeakyRelu", {x}, op, "",
                        NodeAttribute{"alpha", static_cast<float>(leaky.getAlpha().convertToDouble())});
          })
          .Default([](Operation *) { return std::string(); });
  if (result.empty())
    return failure();
  setReal(op->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

/// Of codes of one scale where there are some, else of reals.
LogicalResult Emitter::emitMove(Operation *op) {
  Emitted source = values.lookup(op->getOperand(0));
  auto movesCodes = [&](Value operand) {
    Emitted part = values.lookup(operand);
    if (part.codes.empty())
      return false;
    quant::QuantizedType type = getQuantizedType(part.dequantize ? part.dequantize.getInput() : operand);
    quant::QuantizedType first = getQuantizedType(source.dequantize ? source.dequantize.getInput() : op->getOperand(0));
    return type == first && isa<quant::UniformQuantizedType>(type);
  };
  const bool codes = llvm::all_of(op->getOperands(), movesCodes);
  if (!codes && getQuantizedType(op->getResult(0)) && !source.codes.empty())
    return failure();
  auto read = [&](Value operand) { return codes ? values.lookup(operand).codes : real(operand); };
  const std::string x = read(op->getOperand(0));
  auto vec = [](ArrayRef<int64_t> list) { return std::vector<int64_t>(list.begin(), list.end()); };
  std::string result =
      TypeSwitch<Operation *, std::string>(op)
          .Case([&](ReshapeOp move) {
            return node("Reshape", {x, ints(hint(op, "_shape"), move.getShape())}, op, "", {});
          })
          .Case([&](TransposeOp move) {
            return node("Transpose", {x}, op, "", NodeAttribute{"perm", vec(move.getPermutation())});
          })
          .Case([&](BroadcastOp move) { return node("Expand", {x, ints(hint(op, "_shape"), move.getShape())}, op); })
          .Case([&](GatherOp move) {
            return node("Gather", {x, ints(hint(op, "_indices"), move.getIndices())}, op, "",
                        NodeAttribute{"axis", static_cast<int64_t>(move.getAxis())});
          })
          .Case([&](MaxPoolOp pool) {
            std::string image =
                node("Transpose", {x}, op, "_image", NodeAttribute{"perm", std::vector<int64_t>{0, 3, 1, 2}});
            image = node("MaxPool", {image}, op, "_pool",
                         {NodeAttribute{"kernel_shape", vec(pool.getKernel())},
                          NodeAttribute{"strides", vec(pool.getStrides())}, NodeAttribute{"pads", vec(pool.getPads())},
                          NodeAttribute{"dilations", vec(pool.getDilations())}});
            return node("Transpose", {image}, op, "", NodeAttribute{"perm", std::vector<int64_t>{0, 2, 3, 1}});
          })
          .Case([&](SliceOp move) {
            SmallVector<int64_t> ends, axes;
            for (auto [i, start] : llvm::enumerate(move.getOffsets())) {
              ends.push_back(start + (move.getSizes()[i] - 1) * move.getStrides()[i] + 1);
              axes.push_back(i);
            }
            return node("Slice",
                        {x, ints(hint(op, "_starts"), move.getOffsets()), ints(hint(op, "_ends"), ends),
                         ints(hint(op, "_axes"), axes), ints(hint(op, "_steps"), move.getStrides())},
                        op);
          })
          .Case([&](ConcatOp move) {
            std::vector<std::string> parts;
            for (Value part : move.getInputs())
              parts.push_back(read(part));
            return node("Concat", parts, op, "", NodeAttribute{"axis", static_cast<int64_t>(move.getAxis())});
          })
          .Default([](Operation *) { return std::string(); });
  if (result.empty())
    return failure();
  values[op->getResult(0)] = codes ? Emitted{result, "", source.dequantize} : Emitted{"", result, {}};
  return success();
}
