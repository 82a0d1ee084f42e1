//===- SystolicRaiseToVitq.cpp - Tile programs to products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recover.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Analysis/CodeSigns.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Target/Systolic/Systolic.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "systolic-raise-to-vitq"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

namespace vitq {
#define GEN_PASS_DEF_SYSTOLICRAISETOVITQPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

static RankedTensorType tensorType(ArrayRef<int64_t> shape, Value like) {
  return RankedTensorType::get(shape, getElementTypeOrSelf(like.getType()));
}

namespace {

/// Writes vitq ops in the place of one launch.
class Raiser {
public:
  Raiser(LaunchOp launch, func::FuncOp routine, const Recovered &product)
      : b(launch), launch(launch), routine(routine), product(product) {}
  LogicalResult run();

private:
  Value reshape(Value value, ArrayRef<int64_t> shape);
  Value operand(unsigned number);
  Value patches(unsigned number);
  Value trim(Value value, int64_t cols);
  bool readsUnsigned(Value lhs);
  Value makeProduct();
  void replaceBySums(Value sums);
  void replaceByUnits(Value rows);

  OpBuilder b;
  LaunchOp launch;
  func::FuncOp routine;
  const Recovered &product;
};

} // namespace

Value Raiser::reshape(Value value, ArrayRef<int64_t> shape) {
  if (cast<RankedTensorType>(value.getType()).getShape() == shape)
    return value;
  return integer::ReshapeOp::create(b, launch.getLoc(), tensorType(shape, value), value, shape);
}

/// An operand in the shape that the routine sees: strides become a transposition.
Value Raiser::operand(unsigned number) {
  auto type = cast<MemRefType>(routine.getArgumentTypes()[number]);
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)type.getStridesAndOffset(strides, offset);
  // The order of dimensions in memory; those of one element go where they stand.
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  llvm::sort(order, [&](int64_t a, int64_t c) { return std::pair(-strides[a], a) < std::pair(-strides[c], c); });
  SmallVector<int64_t> stored, permutation(order.size());
  for (auto [position, dim] : llvm::enumerate(order)) {
    stored.push_back(type.getShape()[dim]);
    permutation[dim] = static_cast<int64_t>(position);
  }
  Value value = reshape(launch.getInputs()[number], stored);
  if (llvm::is_sorted(permutation))
    return value;
  return integer::TransposeOp::create(b, launch.getLoc(), tensorType(type.getShape(), value), value, permutation);
}

/// Strides over a map whose elements patches share; null after an error.
Value Raiser::patches(unsigned number) {
  Value map = launch.getInputs()[number];
  auto view = cast<MemRefType>(routine.getArgumentTypes()[number]);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(map.getType()).getShape();
  std::optional<vit::Windows> windows = windowsOfView(view, shape);
  if (!windows) {
    launch.emitOpError() << "reads " << map.getType() << " as " << view << ", which are no patches of a map";
    return {};
  }
  auto type = tensorType({view.getShape()[0], view.getShape()[1] * view.getShape()[2], product.k}, map);
  Value rows = integer::ExtractPatchesOp::create(
      b, launch.getLoc(), type, map, b.getDenseI64ArrayAttr(windows->size), b.getDenseI64ArrayAttr(windows->strides),
      DenseI64ArrayAttr(), b.getDenseI64ArrayAttr(windows->dilations), DenseI64ArrayAttr(), /*as_map=*/false);
  return reshape(rows, {product.m, product.k});
}

/// The first columns of a tensor whose rows are longer.
Value Raiser::trim(Value value, int64_t cols) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(value.getType()).getShape());
  if (shape.back() == cols)
    return value;
  shape.back() = cols;
  SmallVector<int64_t> zeros(shape.size(), 0), ones(shape.size(), 1);
  return integer::SliceOp::create(b, launch.getLoc(), tensorType(shape, value), value, zeros, shape, ones);
}

/// The array reads bytes; narrow codes in them are what they were written as.
bool Raiser::readsUnsigned(Value lhs) {
  if (getElementTypeOrSelf(lhs).getIntOrFloatBitWidth() >= 8)
    return product.lhsUnsigned;
  FailureOr<CodeSigns> signs = CodeSigns::of(launch->getParentOfType<func::FuncOp>());
  return succeeded(signs) && signs->isUnsigned(lhs);
}

Value Raiser::makeProduct() {
  Location loc = launch.getLoc();
  Value lhs = product.patches ? patches(product.lhs) : operand(product.lhs);
  if (!lhs)
    return {};
  Value rhs = operand(product.rhs), bias;
  if (!product.transposeRhs)
    rhs = trim(rhs, product.n);
  SmallVector<int64_t> shape(product.batch);
  shape.append({product.m, product.n});
  auto i32 = b.getI32Type();
  const bool own = product.bias && cast<MemRefType>(routine.getArgumentTypes()[*product.bias]).getRank() > 2;
  if (product.bias && !own)
    bias = reshape(trim(operand(*product.bias), product.n), {product.n});
  Value sums = integer::MatmulOp::create(b, loc, RankedTensorType::get(shape, i32), lhs, rhs, bias,
                                         integer::CodeAttr::get(b.getContext(), readsUnsigned(lhs), /*zero=*/0),
                                         product.transposeRhs);
  if (!own)
    return sums;
  // A bias for each matrix: vitq.add by one, exactly. Its result fits, as the sums do.
  auto one = integer::DyadicAttr::get(b.getContext(), {2}, {1});
  Value wide = integer::BroadcastOp::create(b, loc, sums.getType(), operand(*product.bias), shape);
  return integer::AddOp::create(b, loc, sums.getType(), sums, wide, one, one, integer::Rounding::HalfUp,
                                integer::CodeAttr(), integer::CodeAttr(), integer::CodeAttr());
}

void Raiser::replaceBySums(Value sums) {
  Location loc = launch.getLoc();
  if (product.shift) {
    // 2^-shift as M / 2^c with c >= 1.
    const int32_t multiplier = *product.shift == 0 ? 2 : 1, shift = std::max<int32_t>(1, *product.shift);
    auto type = RankedTensorType::get(cast<RankedTensorType>(sums.getType()).getShape(), b.getI8Type());
    sums =
        integer::RequantOp::create(b, loc, type, sums, integer::DyadicAttr::get(b.getContext(), {multiplier}, {shift}),
                                   integer::Rounding::HalfEven, /*axis=*/-1, integer::CodeAttr(), integer::CodeAttr(),
                                   product.relu ? b.getI64IntegerAttr(0) : IntegerAttr(), IntegerAttr());
  }
  auto type = cast<RankedTensorType>(launch.getOutputs().front().getType());
  // Rows may be longer; nobody may read what is beyond.
  SmallVector<int64_t> shape(cast<RankedTensorType>(sums.getType()).getShape());
  const int64_t cols = type.getShape().back();
  if (shape.back() != cols) {
    SmallVector<int64_t> low(shape.size(), 0), high(shape.size(), 0);
    high.back() = cols - shape.back();
    shape.back() = cols;
    sums = integer::PadOp::create(b, loc, tensorType(shape, sums), sums, low, high, 0);
  }
  launch.getOutputs().front().replaceAllUsesWith(reshape(sums, type.getShape()));
}

/// The units' ops, on the rows.
void Raiser::replaceByUnits(Value rows) {
  Block &body = launch.getUnits().front();
  IRMapping map;
  const size_t own = launch.getOperandsForUnits(), fromSums = body.getNumArguments() - own;
  if (fromSums)
    map.map(body.getArgument(0), reshape(rows, cast<RankedTensorType>(body.getArgument(0).getType()).getShape()));
  for (auto [argument, input] : llvm::zip(body.getArguments().drop_front(fromSums), launch.getInputs().take_back(own)))
    map.map(argument, input);
  for (Operation &op : body.without_terminator())
    b.clone(op, map);
  for (auto [output, value] : llvm::zip(launch.getOutputs(), cast<YieldOp>(body.getTerminator()).getValues()))
    output.replaceAllUsesWith(map.lookup(value));
}

LogicalResult Raiser::run() {
  const size_t inputs = launch.getInputs().size();
  auto isInput = [&](unsigned number) { return number < inputs; };
  if (!product.unitsOnly && (!isInput(product.lhs) || !isInput(product.rhs) ||
                             (product.bias && !isInput(*product.bias)) || (product.out && isInput(*product.out))))
    return launch.emitOpError("reads a result or writes an operand");
  if (!product.units && launch.getOutputs().size() != 1)
    return launch.emitOpError("has more results than the sums");
  Value rows = product.unitsOnly ? Value() : makeProduct();
  if (!rows && !product.unitsOnly)
    return failure();
  if (product.units)
    replaceByUnits(rows);
  else
    replaceBySums(rows);
  launch.erase();
  return success();
}

namespace {
struct SystolicRaiseToVitq : vitq::impl::SystolicRaiseToVitqPassBase<SystolicRaiseToVitq> {
  using SystolicRaiseToVitqPassBase::SystolicRaiseToVitqPassBase;

  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

private:
  LogicalResult run() {
    ModuleOp module = getOperation();
    std::optional<simulator::Config> config = configOf(module);
    FailureOr<func::FuncOp> found = findMain(module);
    if (failed(found))
      return failure();
    func::FuncOp main = *found;
    if (!config)
      return module.emitError() << "needs '" << kConfigAttr << "': run convert-vitq-to-systolic first";
    DenseMap<StringAttr, std::vector<simulator::Instruction>> codes;
    for (LaunchOp launch : llvm::to_vector(main.getOps<LaunchOp>())) {
      auto routine = module.lookupSymbol<func::FuncOp>(launch.getRoutine());
      auto [code, isNew] = codes.try_emplace(launch.getRoutineAttr().getAttr());
      if (isNew) {
        FailureOr<std::vector<simulator::Instruction>> encoded = encodeRoutine(routine);
        if (failed(encoded))
          return failure();
        code->second = std::move(*encoded);
      }
      ArrayRef<int64_t> unitShape;
      if (!launch.getUnits().empty())
        unitShape = cast<RankedTensorType>(launch.getUnits().front().getArgument(0).getType()).getShape();
      const auto bits = llvm::map_to_vector(launch.getInputs(), [](Value input) {
        return int64_t{getElementTypeOrSelf(input.getType()).getIntOrFloatBitWidth()};
      });
      FailureOr<Recovered> product = recoverProduct(routine, code->second, *config, unitShape, bits);
      if (failed(product))
        return failure();
      LDBG() << launch.getRoutine() << ": " << product->m << " x " << product->k << " x " << product->n
             << (product->units ? ", through units" : "");
      if (failed(Raiser(launch, routine, *product).run()))
        return failure();
    }
    for (auto routine : llvm::to_vector(module.getOps<func::FuncOp>()))
      if (routine->hasAttr(kRoutineAttr))
        routine.erase();
    module->removeAttr(kConfigAttr);
    module->removeAttr(kPlacementsAttr);
    return success();
  }
};
} // namespace
