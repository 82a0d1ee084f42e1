//===- BitFront.h - What bits cost and lose, for reports --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_BITFRONT_H
#define VITQ_ANALYSIS_BITFRONT_H

#include "vitq/Analysis/BitChoice.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace vitq {

/// The choices of bits that `vit-choose-bits` saw, without the layers: what a report shows of them.
struct BitFront {
  /// What a choice costs (bytes of weights, or effort over that of 8 bits), and what its tensors lose one by one, added
  /// up (KL divergence, nats).
  struct Point {
    double cost = 0, loss = 0;
  };
  /// Of the choice as a whole, on images kept aside: KL divergence as chosen by single losses and as repaired, nats;
  /// classes that are others, and what these cost by the float model's probabilities, both in percent.
  struct Measured {
    int64_t images = 0;
    double before = 0, after = 0, changed = 0, points = 0;
  };

  BitBudget::Kind kind = BitBudget::Kind::Size;
  /// The best choice for each of some budgets, the cheapest first.
  std::vector<Point> points;
  Point chosen, eight;
  /// 4 bits for everything that is chosen.
  Point four;
  std::optional<Measured> measured;

  /// "bytes of weights", "time over that of 8 bits".
  llvm::StringRef costName() const;
  /// A cost as text: "3.40 MB", "0.612".
  std::string costText(double cost) const;
};

/// On the module, written by `vit-choose-bits` and read by reports: a dictionary of numbers.
inline constexpr llvm::StringLiteral kBitFrontAttr = "vitq.bit_front";

void setBitFront(mlir::ModuleOp module, const BitFront &front);
/// None where there is none, or what there is was not written by `setBitFront`.
std::optional<BitFront> getBitFront(mlir::ModuleOp module);

} // namespace vitq

#endif // VITQ_ANALYSIS_BITFRONT_H
