//===- EmitIntegerWindows.cpp - Windows of maps as integers in ONNX -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IntegerEmitter.h"

#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::onnxwriter;
using numerics::Code;

static std::vector<int64_t> list(ArrayRef<int64_t> values) { return {values.begin(), values.end()}; }

/// [B, H, W, C] -> [B, C, H, W], and back.
std::string IntegerEmitter::channelsFirst(const std::string &map) {
  return math.node("Transpose", {map}, Attribute{"perm", std::vector<int64_t>{0, 3, 1, 2}});
}
std::string IntegerEmitter::channelsLast(const std::string &planes) {
  return math.node("Transpose", {planes}, Attribute{"perm", std::vector<int64_t>{0, 2, 3, 1}});
}

/// The map with its border, a code for each channel.
std::string IntegerEmitter::surround(integer::ExtractPatchesOp op, std::string map, const Code &code) {
  const vit::Windows windows = op.getWindows();
  if (!windows.isPadded())
    return map;
  std::vector<float> border;
  for (int64_t c = 0, e = vit::shapeOf(op.getInput())[3]; c < e; ++c)
    border.push_back(static_cast<float>(numerics::readCode(op.paddingOf(c), code.bits, code.isUnsigned)));
  const std::string codes = math.floats({static_cast<int64_t>(border.size())}, border);
  ArrayRef<int64_t> pads = windows.pads;
  map = math.node("Sub", {map, codes});
  map = math.node("Pad", {map, math.ints({0, pads[0], pads[1], 0, 0, pads[2], pads[3], 0})});
  return math.node("Add", {map, codes});
}

/// Side by side they are reshapes and a transpose, otherwise a slice for each place in the window.
LogicalResult IntegerEmitter::emit(integer::ExtractPatchesOp op) {
  const vit::Windows windows = op.getWindows();
  ArrayRef<int64_t> map = vit::shapeOf(op.getInput()), result = vit::shapeOf(op.getResult());
  Code code = integer::codeOf(op.getInput());
  code.isUnsigned = isWrittenUnsigned(op.getInput());
  std::string x = math.single(read(op.getInput(), code)).name, y;
  if (windows.tile(map[1], map[2])) {
    const int64_t height = map[1] / windows.size[0], width = map[2] / windows.size[1];
    y = math.node("Reshape", {x, math.ints({map[0], height, windows.size[0], width, windows.size[1], map[3]})});
    y = math.node("Transpose", {y}, Attribute{"perm", std::vector<int64_t>{0, 1, 3, 2, 4, 5}});
  } else {
    x = surround(op, x, code);
    FailureOr<vit::Shape> places = vit::inferWindows(op.getLoc(), map[1], map[2], windows);
    if (failed(places))
      return failure();
    std::vector<std::string> taps;
    for (int64_t i = 0; i < windows.size[0]; ++i)
      for (int64_t j = 0; j < windows.size[1]; ++j) {
        const int64_t row = i * windows.dilations[0], column = j * windows.dilations[1];
        taps.push_back(math.node("Slice", {x, math.ints({row, column}),
                                           math.ints({row + ((*places)[0] - 1) * windows.strides[0] + 1,
                                                      column + ((*places)[1] - 1) * windows.strides[1] + 1}),
                                           math.ints({1, 2}), math.ints(windows.strides)}));
      }
    y = math.node("Concat", taps, Attribute{"axis", int64_t(3)});
  }
  write(op.getResult(), {{math.node("Reshape", {y, math.ints(result)}), code.min(), code.max()}}, code.isUnsigned);
  return success();
}

LogicalResult IntegerEmitter::emit(integer::MaxPoolOp op) {
  Code code = integer::codeOf(op.getInput(), op.getInputCode());
  code.zero = 0;
  const Digit x = math.single(read(op.getInput(), code));
  const std::string largest =
      math.node("MaxPool", {channelsFirst(x.name)},
                {Attribute{"kernel_shape", list(op.getKernel())}, Attribute{"strides", list(op.getStrides())},
                 Attribute{"pads", list(op.getPads())}, Attribute{"dilations", list(op.getDilations())}});
  write(op.getResult(), {{channelsLast(largest), x.lo, x.hi}}, code.isUnsigned);
  return success();
}

LogicalResult IntegerEmitter::emit(integer::DepthwiseConv2dOp op) {
  const vit::Windows windows = op.getWindows();
  const Digit x = math.single(read(op.getInput(), integer::codeOf(op.getInput(), op.getInputCode())));
  FailureOr<Tensor> taps = getIntTensor(op.getWeight());
  if (failed(taps))
    return refuse(op, "has a weight that is no constant");
  ArrayRef<int64_t> shape = taps->shape();
  const int64_t area = shape[0] * shape[1], channels = shape[2];
  int64_t largest = 0;
  for (int64_t c = 0; c < channels; ++c) {
    int64_t sum = 0;
    for (int64_t i = 0; i < area; ++i)
      sum += std::abs(taps->intAt(i * channels + c));
    largest = std::max(largest, sum);
  }
  const Tensor kernels = transposed(*taps, {2, 0, 1}).reshaped({channels, 1, shape[0], shape[1]});
  std::string weight = math.node("Cast", {writer.codes(math.name() + "_weight", kernels, 8, /*isSigned=*/true)},
                                 Attribute{"to", int64_t(1)});
  std::string map = math.node("Conv", {channelsFirst(x.name), weight},
                              {Attribute{"strides", list(windows.strides)}, Attribute{"pads", list(windows.pads)},
                               Attribute{"dilations", list(windows.dilations)}, Attribute{"group", channels}});
  const int64_t bound = largest * std::max(x.hi, -x.lo);
  Columns sum{{math.make(channelsLast(map), -bound, bound)}};
  if (op.getBias())
    math.addTo(sum, read(op.getBias(), integer::codeOf(op.getBias())));
  write(op.getResult(), sum.size() == 1 ? Integers{math.sum(sum[0])} : math.normalized(sum));
  return success();
}

/// The [outputs, inputs] matrix of weighted sums along an axis, transposed or not, and the largest sum of magnitudes.
static std::pair<std::vector<float>, int64_t> sumsMatrix(ArrayRef<int64_t> first, ArrayRef<int64_t> weights,
                                                         int64_t inputs, bool transpose) {
  const auto outputs = static_cast<int64_t>(first.size()), taps = static_cast<int64_t>(weights.size()) / outputs;
  std::vector<float> matrix(outputs * inputs);
  int64_t largest = 0;
  for (int64_t i = 0; i < outputs; ++i) {
    int64_t sum = 0;
    for (int64_t k = 0; k < taps; ++k) {
      const int64_t from = first[i] + k, weight = weights[i * taps + k];
      if (from < 0 || from >= inputs)
        continue;
      matrix[transpose ? from * outputs + i : i * inputs + from] = static_cast<float>(weight);
      sum += std::abs(weight);
    }
    largest = std::max(largest, sum);
  }
  return {matrix, largest};
}

/// Products with matrices from the left and the right, of channels first.
LogicalResult IntegerEmitter::emit(integer::ResampleOp op) {
  const std::optional<bool> toEven = tiesToEven(op.getRounding());
  if (!toEven)
    return refuse(op, "rounds half away or down");
  ArrayRef<int64_t> from = vit::shapeOf(op.getInput()), to = vit::shapeOf(op.getResult());
  const Code code = integer::codeOf(op.getResult(), op.getResultCode());
  const Digit x = math.single(read(op.getInput(), integer::codeOf(op.getInput(), op.getInputCode())));
  auto [down, downSum] = sumsMatrix(op.getRows(), op.getRowWeights(), from[1], /*transpose=*/false);
  auto [across, acrossSum] = sumsMatrix(op.getColumns(), op.getColumnWeights(), from[2], /*transpose=*/true);
  const std::string rows = math.floats({to[1], from[1]}, down), columns = math.floats({from[2], to[2]}, across);
  const int64_t bound = downSum * std::max(x.hi, -x.lo);
  Columns sum;
  for (const Digit &digit : math.split(math.make(math.node("MatMul", {rows, channelsFirst(x.name)}), -bound, bound))) {
    const int64_t most = acrossSum * std::max(digit.hi, -digit.lo);
    sum.push_back({math.make(channelsLast(math.node("MatMul", {digit.name, columns})), -most, most)});
  }
  const Digit result = math.rescale(math.normalized(sum), factorsOf(op.getBy(), op.getResult(), -1), *toEven);
  writeCodes(op.getResult(), result, code, code.min(), code.max());
  return success();
}
