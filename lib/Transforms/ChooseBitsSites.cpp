//===- ChooseBitsSites.cpp - Tensors whose bits may be chosen ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChooseBits.h"
#include "Heads.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Support/Constants.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

static constexpr unsigned kWeightWidths[] = {2, 3, 4, 5, 6, 8};
static constexpr unsigned kValueWidths[] = {4, 6, 8};

namespace {

class SiteFinder {
public:
  SiteFinder(func::FuncOp function, const BitChoice &choice, bool opensActivations)
      : function(function), choice(choice), opensActivations(opensActivations) {}

  FailureOr<BitProblem> run() {
    for (Operation &op : function.front()) {
      if (auto weighted = dyn_cast<WeightedOp>(op))
        addWeights(weighted);
      auto quantizable = dyn_cast<QuantizableOp>(op);
      if (quantizable && opensActivations)
        for (OpOperand &use : op.getOpOperands())
          addValue(quantizable, use);
    }
    for (Operation &op : function.front())
      if (auto quantizable = dyn_cast<QuantizableOp>(op))
        addProduct(quantizable);
    return std::move(problem);
  }

private:
  void addWeights(WeightedOp op) {
    Value weight = op->getOperand(1);
    if (!isConstant(weight))
      return;
    BitSite site;
    site.node = nodeName(op->getLoc());
    site.layer = op;
    site.value = weight;
    site.widths = kWeightWidths;
    if (op->hasAttr(kWideAttr) || isFirstOrLast(op) || choice.ofLayer(TensorRole::Weights, site.node) ||
        !weight.hasOneUse()) {
      problem.fixedBytes += static_cast<double>(site.elements() * getWeightBits(op)) / 8;
      return;
    }
    numbers[weight] = problem.sites.size();
    problem.sites.push_back(std::move(site));
  }

  /// The role of a use whose bits nobody has said anything about.
  std::optional<TensorRole> openRole(OpOperand &use) const {
    auto op = dyn_cast<QuantizableOp>(use.getOwner());
    if (!op || op->hasAttr(kWideAttr) || isFirstOrLast(op))
      return std::nullopt;
    std::optional<TensorRole> role = roleOf(op, use);
    if (!role || *role == TensorRole::Probabilities || choice.ofAll(*role) ||
        choice.ofLayer(*role, nodeName(op->getLoc())))
      return std::nullopt;
    return role;
  }

  /// Whether all that read `value`, maybe moved, leave its bits open.
  bool isOpen(Value value) const {
    return llvm::all_of(value.getUses(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return isMove(user) && user->getNumOperands() == 1 ? isOpen(user->getResult(0)) : openRole(use).has_value();
    });
  }

  void addValue(QuantizableOp op, OpOperand &use) {
    std::optional<TensorRole> role = openRole(use);
    Value value = root(use.get());
    Operation *source = value.getDefiningOp();
    if (!role || !source || isMove(source) || isResidual(source) || source->getNumResults() != 1 ||
        source->hasAttr(kWideAttr) || isCoded(value) || isConstant(value) || numbers.contains(value) || !isOpen(value))
      return;
    BitSite site;
    site.role = *role;
    site.node = nodeName(source->getLoc());
    site.value = value;
    site.widths = kValueWidths;
    site.kind.isSigned = op.getOperandCode(use.getOperandNumber()).isSigned;
    if (Heads heads = headsOf(use.get()); heads.layer && heads.layer.getResult() == value)
      site.kind.heads = heads.count;
    site.kind.isSpread = *role == TensorRole::Hidden;
    site.kind.isCentered = *role == TensorRole::Norm || *role == TensorRole::Key || *role == TensorRole::Value;
    numbers[value] = problem.sites.size();
    problem.sites.push_back(std::move(site));
  }

  std::optional<size_t> siteOf(Value value) const {
    auto found = numbers.find(value);
    return found == numbers.end() ? std::nullopt : std::optional(found->second);
  }

  void addProduct(QuantizableOp op) {
    if (op->getNumOperands() < 2 || op->getNumResults() != 1)
      return;
    const TensorKind tensor = op.getOperandCode(0).tensor;
    auto weighted = dyn_cast<WeightedOp>(op.getOperation());
    if (!weighted && tensor != TensorKind::Attention)
      return;
    ArrayRef<int64_t> lhs = shapeOf(op->getOperand(0)), result = shapeOf(op->getResult(0));
    if (lhs.empty() || result.size() < 2)
      return;
    BitProduct product;
    product.op = op;
    const int64_t results = cast<ShapedType>(op->getResult(0).getType()).getNumElements();
    if (weighted) {
      ArrayRef<int64_t> weight = shapeOf(op->getOperand(1));
      product.work.n = weight.front();
      product.work.k = cast<ShapedType>(op->getOperand(1).getType()).getNumElements() / weight.front();
      product.work.m = results / weight.front();
      product.work.hasWeights = true;
      product.work.rhsBits = getWeightBits(op);
      product.rhs = siteOf(op->getOperand(1));
    } else {
      product.work.n = result.back();
      product.work.k = lhs.back();
      product.work.m = result[result.size() - 2];
      product.work.batch = results / (product.work.m * product.work.n);
      product.work.rhsBits = getCodeBits(root(op->getOperand(1)));
      product.rhs = siteOf(root(op->getOperand(1)));
    }
    product.lhs = siteOf(root(op->getOperand(0)));
    product.work.lhsBits = op->hasAttr(kWideAttr) ? 16 : getCodeBits(root(op->getOperand(0)));
    problem.products.push_back(product);
  }

  func::FuncOp function;
  const BitChoice &choice;
  bool opensActivations;
  BitProblem problem;
  llvm::DenseMap<Value, size_t> numbers;
};

} // namespace

FailureOr<BitProblem> quantize::findSites(func::FuncOp function, const BitChoice &choice, bool opensActivations) {
  return SiteFinder(function, choice, opensActivations).run();
}
