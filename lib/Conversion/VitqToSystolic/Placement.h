//===- Placement.h - What runs on the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLACEMENT_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLACEMENT_H

#include "dialects/systolic/Systolic.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

#include <string>

namespace vitq::systolic {

/// Where the user wants ops to run: `softmax=host,layer_norm=array,blocks.0.mlp=host`, by op or by
/// node name.
class PlacementWishes {
public:
  static llvm::Expected<PlacementWishes> parse(llvm::StringRef text);
  enum class Place { Any, Array, Host };
  Place of(mlir::Operation *op) const;
  /// A name that no op of `module` has, empty if all have one.
  std::string unusedName(mlir::ModuleOp module) const;

private:
  llvm::StringMap<Place> places;
};

/// Ops that one launch computes.
struct Fragment {
  /// The product, if there is one, and then the stages of units, in order.
  integer::MatmulOp product;
  llvm::SmallVector<mlir::Operation *> stages;
  /// A requantization by 2^-shift instead, which the store of the sums does.
  integer::RequantOp scale;
  unsigned shift = 0;
  bool wholeRows = false;

  /// Tensors that the stages read besides their rows, as they are now: other fragments
  /// replace values.
  llvm::SmallVector<mlir::Value> extras() const;

  mlir::Operation *last() const {
    integer::MatmulOp only = product;
    integer::RequantOp scaled = scale;
    return scaled ? scaled.getOperation() : stages.empty() ? only.getOperation() : stages.back();
  }
};

/// Decides for every op of a function where it runs.
class Placement {
public:
  Placement(const simulator::Config &config, const PlacementWishes &wishes) : config(config), wishes(wishes) {}

  /// Errors are diagnostics: an op that is wanted where it cannot run, accumulators that
  /// are too narrow.
  mlir::LogicalResult run(mlir::func::FuncOp function);

  llvm::ArrayRef<Fragment> getFragments() const { return fragments; }
  /// Of all ops, for the report.
  mlir::ArrayAttr record(mlir::MLIRContext *context) const;
  /// An op that stood between others and moved into them.
  void noteStride(mlir::Operation *op) { note(op, "array", "a stride of the product's operand"); }
  /// An op of the host that was added.
  void noteAdded(mlir::Location loc, llvm::StringRef op, llvm::StringRef reason);

private:
  mlir::LogicalResult place(integer::MatmulOp op);
  mlir::LogicalResult addStages(Fragment &fragment, mlir::Value rows);
  bool addScale(Fragment &fragment);
  mlir::LogicalResult placeAlone(mlir::Operation *op);
  bool mayHaveUnit(mlir::Operation *op, mlir::Value rows, std::string &reason, mlir::Value &extra);
  mlir::LogicalResult refuseWish(mlir::Operation *op, llvm::StringRef reason);
  void note(mlir::Operation *op, llvm::StringRef where, const llvm::Twine &reason);

  const simulator::Config &config;
  const PlacementWishes &wishes;
  llvm::SmallVector<Fragment> fragments;
  struct Where {
    std::string node, op, place, reason;
  };
  /// In the order of the function; ops may be gone.
  llvm::MapVector<mlir::Operation *, Where> places;
  llvm::SmallVector<Where> addedPlaces;
  /// Why ops could not follow the product before them.
  llvm::DenseMap<mlir::Operation *, std::string> hints;
};

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLACEMENT_H
