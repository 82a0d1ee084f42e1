//===- ChooseBits.h - The parts of vit-choose-bits --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_CHOOSEBITS_H
#define LIB_TRANSFORMS_CHOOSEBITS_H

#include "CalibrationImages.h"
#include "QuantizeDetail.h"

#include "vitq/Analysis/BitChoice.h"
#include "vitq/Analysis/Knapsack.h"
#include "vitq/Target/Backend/TargetBackend.h"

namespace vitq::quantize {

//===----------------------------------------------------------------------===//
// Tensors whose bits are chosen
//===----------------------------------------------------------------------===//

/// How a value is rounded to few codes, about as the passes behind do it: less the mean of each channel, or spread over
/// blocks of channels, each head with a scale of its own.
class ValueRounding {
public:
  /// What is known of the value: heads that share its channels, whether codes have a sign, what is done before.
  struct Kind {
    int64_t heads = 1;
    bool isSigned = false, isCentered = false, isSpread = false;
  };

  /// One for each of `widths`, with the ranges of least squared error on `samples`, float tensors of one shape whose
  /// last axis are the channels.
  static std::vector<ValueRounding> fit(llvm::ArrayRef<Tensor> samples, llvm::ArrayRef<unsigned> widths,
                                        const Kind &kind);

  /// The value in codes, and back.
  Tensor apply(const Tensor &value) const;

private:
  void toCoded(llvm::MutableArrayRef<double> row) const;
  void fromCoded(llvm::MutableArrayRef<double> row) const;
  void round(llvm::MutableArrayRef<double> row) const;

  Kind kind;
  int64_t block = 0;
  std::vector<double> means;
  numerics::Interval codes;
  std::vector<numerics::ScaleZeroPoint> heads;
};

/// A tensor whose bits are chosen.
struct BitSite {
  TensorRole role = TensorRole::Weights;
  /// The layer's node, or that of the op which gives the value.
  std::string node;
  /// Of weights.
  vit::WeightedOp layer;
  /// The weights, or the value that has codes.
  mlir::Value value;
  ValueRounding::Kind kind;
  llvm::ArrayRef<unsigned> widths;

  /// For each width: the rounded weights and a bias that takes up their mean error (empty: that of the layer), or how
  /// values are rounded; and what rounding this tensor alone loses (KL divergence of the classes, nats).
  std::vector<Tensor> weights, biases;
  std::vector<ValueRounding> values;
  std::vector<double> loss;

  bool isWeights() const { return role == TensorRole::Weights; }
  /// The layer, or the op that gives the value.
  mlir::Operation *op() const {
    vit::WeightedOp own = layer;
    return own ? own.getOperation() : value.getDefiningOp();
  }
  int64_t elements() const { return mlir::cast<mlir::ShapedType>(value.getType()).getNumElements(); }
};

/// A product, and which sites its operands are; none for those of which nothing is chosen.
struct BitProduct {
  mlir::Operation *op;
  ProductWork work;
  std::optional<size_t> lhs, rhs;
};

/// What is to be chosen in a function.
struct BitProblem {
  std::vector<BitSite> sites;
  std::vector<BitProduct> products;
  /// Bytes of the weights that are not chosen.
  double fixedBytes = 0;
};

/// Weights of layers but the first and the last, and those that `choice` names; with `opensActivations` what products
/// read, too, if all who read it leave its bits open. Errors are diagnostics.
mlir::FailureOr<BitProblem> findSites(mlir::func::FuncOp function, const BitChoice &choice, bool opensActivations);

/// An index into the widths of each site.
using BitSelection = std::vector<size_t>;

//===----------------------------------------------------------------------===//
// What they cost
//===----------------------------------------------------------------------===//

/// What a choice costs: a sum over sites and over products.
class BitCosts {
public:
  /// Bytes of weights.
  static BitCosts ofSize(const BitProblem &problem);
  /// Modelled effort on `target`; none where that has no model of it.
  static std::optional<BitCosts> ofEffort(const BitProblem &problem, mlir::func::FuncOp function, const Target &target,
                                          Effort effort);

  double total(const BitSelection &selection) const;
  /// With 8 bits everywhere, also where fewer are given.
  double ofEight() const { return eight; }
  /// What the cheapest choice costs.
  double least() const;
  /// What is the same for every choice.
  double fixedPart() const { return fixed; }

  /// The cheapest choice, of several such that of the least losses of `sites`.
  BitSelection cheapest(llvm::ArrayRef<BitSite> sites) const;

  /// The choice of least added up losses of `sites` that costs at most `budget`; none if there is none. `steps` as of
  /// `solveKnapsack`.
  std::optional<BitSelection> choose(llvm::ArrayRef<BitSite> sites, double budget, size_t steps = 1 << 14) const;

private:
  struct Pair {
    std::optional<size_t> lhs, rhs;
    /// By the widths of both, one row where `lhs` is none, one column where `rhs` is none.
    std::vector<std::vector<double>> cost;
  };
  /// One way to choose for sites that depend on each other.
  struct Option {
    double loss = 0, cost = 0;
    llvm::SmallVector<std::pair<size_t, size_t>> chosen;
  };

  std::vector<std::vector<size_t>> components() const;
  std::vector<Option> optionsOf(llvm::ArrayRef<size_t> component, llvm::ArrayRef<BitSite> sites) const;
  void addWeights(std::vector<Option> &options, size_t site, llvm::ArrayRef<BitSite> sites) const;
  static void keepBest(std::vector<Option> &options);

  double fixed = 0, eight = 0;
  /// By site and width.
  std::vector<std::vector<double>> alone;
  std::vector<bool> isWeights;
  std::vector<Pair> pairs;
};

//===----------------------------------------------------------------------===//
// What they lose
//===----------------------------------------------------------------------===//

/// What a choice loses on images that nothing was fitted to.
struct MeasuredLoss {
  /// KL divergence of each run of the function, nats.
  std::vector<double> divergence;
  double mean = 0;
  /// In percent: rows whose class is another, and what these changes cost by the float model's own probabilities.
  double changed = 0, points = 0;
};

/// Runs the float function with tensors rounded.
class BitMeter {
public:
  /// Sites are rounded for the first `fitted` runs of `images`; whole choices are measured on `aside` runs behind them,
  /// and sites on the first `single` of these: what was fitted to an image loses less on it than on others, the more so
  /// the more inputs a layer has. With no run to spare sites are measured on the fitted ones.
  struct Split {
    size_t fitted = 1, single = 1, aside = 0;
    size_t firstSingle() const { return aside == 0 ? 0 : fitted; }
  };
  static mlir::FailureOr<BitMeter> create(mlir::func::FuncOp function, CalibrationImages images, const Split &split);

  size_t asideRuns() const { return aside.size(); }

  /// Rounds the tensors of all sites, weights by the errors of products.
  mlir::LogicalResult prepare(llvm::MutableArrayRef<BitSite> sites) const;
  /// Measures the loss of each site, everything else as it is.
  mlir::LogicalResult measure(llvm::MutableArrayRef<BitSite> sites) const;
  /// The loss of a choice as a whole.
  mlir::FailureOr<MeasuredLoss> measure(llvm::ArrayRef<BitSite> sites, const BitSelection &selection) const;

private:
  std::unique_ptr<Interpreter> interpreter;
  std::optional<CalibrationImages> images;
  Split split;
  /// What the float function gives for the runs kept aside.
  std::vector<Tensor> aside;
};

/// What a repair did.
struct BitRepair {
  MeasuredLoss before, after;
  size_t tried = 0, taken = 0;
};

/// Improves `selection` by exchanges that are measured as a whole: of `count` tensors that more bits help most, and as
/// many that fewer bits hurt least, by the losses of `sites`, it measures each change by itself, then combinations that
/// stay within `budget`, and takes those that lose less by more than the standard error of the difference.
mlir::FailureOr<BitRepair> repair(const BitMeter &meter, const BitCosts &costs, llvm::ArrayRef<BitSite> sites,
                                  double budget, size_t count, BitSelection &selection);

} // namespace vitq::quantize

#endif // LIB_TRANSFORMS_CHOOSEBITS_H
