//===- EmitOnnx.cpp - The quantized phase as an ONNX model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Each op becomes the operators that it means. Codes of 4 to 16 bits are tensors of their
// own; those of 32 bits (sums, results) exist as the reals that they stand for: ONNX
// quantizes to 16 bits at most.

#include "vitq/Target/Onnx.h"

#include "IntegerEmitter.h"

#include "vitq/Data/Preprocess.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Tensor/Moves.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;
using namespace vitq::onnxwriter;

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

std::string onnxwriter::nameAt(Location loc, StringRef otherwise) {
  auto name = dyn_cast<NameLoc>(loc);
  return name ? name.getName().str() : otherwise.str();
}

FailureOr<std::string> onnxwriter::addPixels(Writer &writer, func::FuncOp function, const std::string &image,
                                             int64_t channels) {
  auto module = function->getParentOfType<ModuleOp>();
  data::Preprocess preprocess;
  if (auto text = module->getAttrOfType<StringAttr>(kPreprocessAttr)) {
    llvm::Expected<data::Preprocess> parsed = data::parsePreprocess(text.getValue());
    if (!parsed)
      return module.emitError(llvm::toString(parsed.takeError()));
    preprocess = *parsed;
    writer.addMetadata("vitq.preprocess", text.getValue());
  }
  if (llvm::Error error = preprocess.checkChannels(static_cast<int>(channels)))
    return module.emitError(llvm::toString(std::move(error)));
  std::vector<float> mean, deviation;
  for (int64_t c = 0; c < channels; ++c) {
    mean.push_back(static_cast<float>(preprocess.meanOf(c)));
    deviation.push_back(static_cast<float>(preprocess.stdDevOf(c)));
  }
  auto plane = [&](StringRef name, ArrayRef<float> values) {
    return writer.constant(name, Tensor::of<float>({1, channels, 1, 1}, values));
  };
  std::string scaled = writer.node("Mul", {image, plane("pixels/std", deviation)}, "pixels/scaled");
  return writer.node("Add", {scaled, plane("pixels/mean", mean)}, "pixels/real");
}

/// The model reads what the float model does. Its pixels are the bytes again, as the
/// inverse of the normalization has them.
LogicalResult Emitter::addInput() {
  if (function.getNumArguments() != 1)
    return function.emitError("--emit=onnx: @main must take one image");
  BlockArgument argument = function.getArgument(0);
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type || type.getRank() != 4)
    return function.emitError("--emit=onnx: @main must take an image of four axes");
  SmallVector<int64_t> shape(type.getShape());
  image = nameAt(argument.getLoc(), "input");
  if (!getQuantizedType(argument)) {
    writer.addInput(image, shape);
    setReal(argument, image);
    return success();
  }
  shape = {shape[0], shape[3], shape[1], shape[2]};
  writer.addInput(image, shape);
  if (llvm::all_of(argument.getUsers(), llvm::IsaPred<NormalizePixelsOp>))
    return success(); // the image is what is computed of the bytes
  FailureOr<std::string> pixels = addPixels(writer, function, image, shape[1]);
  if (failed(pixels))
    return failure();
  std::optional<Grid> grid = gridOf(getQuantizedType(argument), "pixels");
  std::string codes = writer.node("QuantizeLinear", {*pixels, grid->scale, grid->zeroPoint}, "pixels/codes");
  planes = writer.node("DequantizeLinear", {codes, grid->scale, grid->zeroPoint}, "pixels/planes");
  const bool whole = llvm::any_of(argument.getUsers(), [](Operation *user) {
    return !isa<NormalizePixelsOp>(user) && !llvm::all_of(user->getUsers(), llvm::IsaPred<PatchEmbedOp, Conv2dOp>);
  });
  if (whole)
    values[argument].real =
        writer.node("Transpose", {planes}, "pixels/rows", NodeAttribute{"perm", std::vector<int64_t>{0, 2, 3, 1}});
  return success();
}

LogicalResult Emitter::addOutputs(func::ReturnOp op) {
  SmallVector<Location> locations(op.getNumOperands(), op.getLoc());
  if (auto fused = dyn_cast<FusedLoc>(op.getLoc()); fused && fused.getLocations().size() == op.getNumOperands())
    locations.assign(fused.getLocations().begin(), fused.getLocations().end());
  for (auto [i, result] : llvm::enumerate(op.getOperands())) {
    std::string name = nameAt(locations[i], "output" + std::to_string(i));
    std::string value = real(result);
    if (value.empty())
      return op.emitError("--emit=onnx: result ") << i
                                                  << " is codes of 16 bits or less; give the quantized phase as "
                                                     "vitq-opt writes it";
    writer.addOutput(writer.fresh(name), value, shapeOf(result));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

/// What linear layers read is written as uint8: onnxruntime 1.32 cannot load models of opset 21 whose linear layers
/// read int8 (findings/onnxruntime-1.32-int8-qdq-opset-21.sh). Codes that differ by 128, as their zero points do, are
/// the same reals.
void Emitter::findShifted() {
  auto isNarrow = [](Type type) {
    std::optional<UniformParameters> codes = getUniformParameters(type);
    return codes && codes->isSigned && codes->width == 8;
  };
  function.walk([&](Operation *op) {
    if (!isa<LinearOp, PatchEmbedOp>(op))
      return;
    Value source = op->getOperand(0);
    for (Operation *move = source.getDefiningOp(); isMove(move); move = source.getDefiningOp())
      source = move->getOperand(0);
    if (auto read = source.getDefiningOp<DequantizeOp>(); read && isNarrow(getQuantizedType(read.getInput())))
      shifted.insert(getQuantizedType(read.getInput()));
  });
  // Codes that are read as those of another type.
  for (size_t before = SIZE_MAX; before != shifted.size();) {
    before = shifted.size();
    for (auto cast : function.getOps<quant::StorageCastOp>()) {
      auto inner = cast.getInput().getDefiningOp<quant::StorageCastOp>();
      if (!inner || isConstant(inner.getInput()))
        continue;
      Type from = getQuantizedType(inner.getInput()), to = getQuantizedType(cast.getResult());
      if (from && to && isNarrow(from) && isNarrow(to) && (shifted.contains(from) || shifted.contains(to)))
        for (Type type : {from, to})
          shifted.insert(type);
    }
  }
}

/// Scale and zero point of a type as constants, along `axis` where it has several. None of
/// types with scales in blocks, which `run` has refused.
std::optional<Emitter::Grid> Emitter::gridOf(Type element, const std::string &name, std::optional<int64_t> axis,
                                             bool isWeight) {
  std::optional<UniformParameters> type = getUniformParameters(element);
  if (!type)
    return std::nullopt;
  const bool isShifted = !isWeight && shifted.contains(element);
  const int64_t offset = isShifted ? 128 : 0;
  std::vector<float> scales;
  SmallVector<int64_t> shape;
  if (type->axis >= 0)
    shape.push_back(static_cast<int64_t>(type->scales.size()));
  Tensor zeros = Tensor::allocate(ElementKind::I32, shape);
  for (auto [i, scale] : llvm::enumerate(type->scales)) {
    scales.push_back(static_cast<float>(scale));
    zeros.setInt(static_cast<int64_t>(i), type->zeroPoint(i) + offset);
  }
  Grid grid;
  grid.scale = floats(name + "_scale", shape, scales);
  grid.zeroPoint = writer.codes(name + "_zero_point", zeros, type->width, type->isSigned && !isShifted);
  if (type->axis >= 0)
    grid.axis = {NodeAttribute{"axis", axis.value_or(type->axis)}};
  return grid;
}

LogicalResult Emitter::emit(QuantizeOp op) {
  std::string input = real(op.getInput());
  quant::QuantizedType type = getQuantizedType(op.getResult());
  std::optional<UniformParameters> parameters = getUniformParameters(type);
  if (parameters && parameters->width > 16) {
    setReal(op.getResult(), input);
    return success();
  }
  std::optional<Grid> grid = gridOf(type, hint(op));
  const numerics::Interval full = numerics::codeRange(static_cast<int>(parameters->width), parameters->isSigned);
  if (full.min != parameters->min || full.max != parameters->max) {
    if (parameters->axis >= 0)
      return op.emitError("--emit=onnx: '")
             << nodeName(op.getLoc()) << "' has codes of several scales that do not fill their type";
    auto bound = [&](int64_t code) {
      return parameters->scale() * static_cast<double>(code - parameters->zeroPoint());
    };
    input = node(
        "Clip",
        {input, scalar(hint(op, "_min"), bound(parameters->min)), scalar(hint(op, "_max"), bound(parameters->max))}, op,
        "_clipped");
  }
  values[op.getResult()].codes =
      node("QuantizeLinear", {input, grid->scale, grid->zeroPoint}, op, "_codes", grid->axis);
  return success();
}

/// A dequantization stands where the reals are read first: moves before it move codes.
LogicalResult Emitter::emit(DequantizeOp op) {
  const Emitted source = values.lookup(op.getInput());
  if (source.codes.empty())
    setReal(op.getResult(), source.real);
  else
    values[op.getResult()] = {source.codes, "", op};
  return success();
}

std::string Emitter::real(Value value) {
  Emitted &emitted = values[value];
  if (!emitted.real.empty() || !emitted.dequantize)
    return emitted.real;
  DequantizeOp op = emitted.dequantize;
  std::optional<Grid> grid = gridOf(getQuantizedType(op.getInput()), hint(op));
  emitted.real = node("DequantizeLinear", {emitted.codes, grid->scale, grid->zeroPoint}, op, "_real", grid->axis);
  return emitted.real;
}

/// The same integers. Those of constants are made where they are read.
LogicalResult Emitter::emit(quant::StorageCastOp op) {
  if (isConstant(op.getInput())) {
    auto parameters = getUniformParameters(getQuantizedType(op.getResult()));
    FailureOr<Tensor> codes = getIntTensor(op.getInput());
    if (!parameters || failed(codes) || llvm::all_of(op->getUsers(), [](Operation *user) {
          return isa<DequantizeOp>(user) && llvm::all_of(user->getUsers(), llvm::IsaPred<WeightedOp>);
        }))
      return success(); // weights, which `weight` writes
    const bool isShifted = shifted.contains(getQuantizedType(op.getResult()));
    Tensor stored = codes->converted(ElementKind::I32);
    if (isShifted)
      for (int32_t &code : MutableArrayRef(stored.mutableData<int32_t>(), stored.numElements()))
        code += 128;
    values[op.getResult()].codes =
        writer.codes(getBlobName(op.getInput()).str(), stored, parameters->width, parameters->isSigned && !isShifted);
    return success();
  }
  quant::QuantizedType from = getQuantizedType(op.getInput()), to = getQuantizedType(op.getResult());
  // Signless integers between: who made them, and who reads them, agree on the sign.
  if (!from && to) {
    auto inner = op.getInput().getDefiningOp<quant::StorageCastOp>();
    quant::QuantizedType source = inner ? getQuantizedType(inner.getInput()) : quant::QuantizedType();
    if (!source || source.isSigned() != to.isSigned() || source.getStorageType() != to.getStorageType())
      return op.emitError("--emit=onnx: '") << nodeName(op.getLoc()) << "' reads codes as those of another type";
  }
  values[op.getResult()] = values.lookup(op.getInput());
  return success();
}

/// A constant weight with permuted axes: integers and their dequantization, or floats.
FailureOr<std::string> Emitter::weight(Operation *op, Value value, ArrayRef<int64_t> permutation) {
  auto read = value.getDefiningOp<DequantizeOp>();
  auto cast = read ? read.getInput().getDefiningOp<quant::StorageCastOp>() : quant::StorageCastOp();
  if (!cast)
    return op->emitError("--emit=onnx: the weight of '")
           << nodeName(op->getLoc()) << "' is no quantized constant; give the quantized phase as vitq-opt writes it";
  FailureOr<Tensor> codes = getIntTensor(cast.getInput());
  std::optional<UniformParameters> type = getUniformParameters(getQuantizedType(cast.getResult()));
  if (failed(codes) || !type)
    return op->emitError("--emit=onnx: the weight of '")
           << nodeName(op->getLoc()) << "' is no quantized constant; give the quantized phase as vitq-opt writes it";
  std::optional<int64_t> axis;
  if (type->axis >= 0)
    axis = std::distance(permutation.begin(), llvm::find(permutation, type->axis));
  std::optional<Grid> grid = gridOf(getQuantizedType(cast.getResult()), hint(op, "_weight"), axis, /*isWeight=*/true);
  std::string stored =
      writer.codes(getBlobName(cast.getInput()).str(), transposed(*codes, permutation), type->width, type->isSigned);
  return node("DequantizeLinear", {stored, grid->scale, grid->zeroPoint}, op, "_weight", grid->axis);
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

static InFlightDiagnostic noOperator(Operation *op) {
  return op->emitError("--emit=onnx: '") << op->getName() << "' of '" << nodeName(op->getLoc())
                                         << "' has no ONNX operator";
}

LogicalResult Emitter::emitConstant(arith::ConstantOp op) {
  if (op->use_empty() || llvm::all_of(op->getUsers(), llvm::IsaPred<quant::StorageCastOp>))
    return success();
  FailureOr<std::vector<float>> elements = getFloatConstantF32(op.getResult());
  if (failed(elements))
    return noOperator(op);
  StringRef name = getBlobName(op.getResult());
  setReal(op.getResult(), floats(name.empty() ? hint(op) : name.str(), shapeOf(op.getResult()), *elements));
  return success();
}

LogicalResult Emitter::emitOp(Operation *op) {
  auto binary = [&](StringRef type) {
    setReal(op->getResult(0), node(type, {real(op->getOperand(0)), real(op->getOperand(1))}, op));
    return success();
  };
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<QuantizeOp, DequantizeOp, quant::StorageCastOp, LinearOp, MatmulOp, PatchEmbedOp, Conv2dOp, ResampleOp,
            SoftmaxNumeratorOp, DivideRowsOp, LayerNormOp>([&](auto typed) { return emit(typed); })
      .Case([&](arith::ConstantOp constant) { return emitConstant(constant); })
      .Case([&](func::ReturnOp ret) { return addOutputs(ret); })
      .Case([&](NormalizePixelsOp pixels) {
        setReal(pixels.getResult(), image);
        return success();
      })
      .Case([&](SoftmaxOp softmax) {
        setReal(softmax.getResult(),
                node("Softmax", {real(softmax.getInput())}, op, "", NodeAttribute{"axis", int64_t(-1)}));
        return success();
      })
      .Case([&](MeanOp mean) {
        setReal(mean.getResult(), node("ReduceMean", {real(mean.getInput()), ints(hint(op, "_axes"), mean.getAxes())},
                                       op, "", NodeAttribute{"keepdims", int64_t(mean.getKeepDims())}));
        return success();
      })
      .Case<AddOp>([&](auto) { return binary("Add"); })
      .Case<MulOp>([&](auto) { return binary("Mul"); })
      .Default([&](Operation *) -> LogicalResult {
        if (isMove(op) && succeeded(emitMove(op)))
          return success();
        if (isa<UnaryFunction>(op) && succeeded(emitFunction(op)))
          return success();
        return noOperator(op);
      });
}

LogicalResult Emitter::run() {
  for (Operation &op : function.front())
    for (Value result : op.getResults())
      if (quant::QuantizedType type = getQuantizedType(result); type && !getUniformParameters(type))
        return op.emitError("--emit=onnx: '") << nodeName(op.getLoc()) << "' has a type with scales in blocks";
  findShifted();
  if (failed(addInput()))
    return failure();
  for (Operation &op : function.front())
    if (failed(emitOp(&op)))
      return failure();
  return success();
}

static LogicalResult emitModel(ModuleOp module, Writer &writer) {
  FailureOr<func::FuncOp> function = findMain(module);
  if (failed(function))
    return failure();
  const bool isInteger = llvm::any_of(
      function->front(), [](Operation &op) { return isa_and_nonnull<integer::VitqDialect>(op.getDialect()); });
  return isInteger ? IntegerEmitter(*function, writer).run() : Emitter(*function, writer).run();
}

LogicalResult vitq::printOnnx(ModuleOp module, llvm::raw_ostream &os) {
  Writer writer;
  if (failed(emitModel(module, writer)))
    return failure();
  if (llvm::Error error = writer.write(os, kOnnxOpset))
    return emitError(UnknownLoc::get(module.getContext()), llvm::toString(std::move(error)));
  return success();
}

LogicalResult vitq::writeOnnx(ModuleOp module, StringRef path, bool externalData) {
  Writer writer;
  if (failed(emitModel(module, writer)))
    return failure();
  // The weights first: a model that is there has them.
  const std::string weights = path.str() + kOnnxWeightsSuffix.str();
  const bool isSplit = externalData || (!writer.fitsOneFile() && path != "-");
  if (llvm::Error error = writeFileAtomically(path, [&](llvm::raw_ostream &os) -> llvm::Error {
        if (isSplit)
          if (llvm::Error error = writeFileAtomically(weights, [&](llvm::raw_ostream &data) {
                writer.writeWeights(data, llvm::sys::path::filename(weights));
                return llvm::Error::success();
              }))
            return error;
        return writer.write(os, kOnnxOpset);
      }))
    return emitError(UnknownLoc::get(module.getContext()), llvm::toString(std::move(error)));
  return success();
}
