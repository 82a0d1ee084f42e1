//===- Wishes.h - Where the user wants ops to run -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_SYSTOLIC_WISHES_H
#define VITQ_TARGET_SYSTOLIC_WISHES_H

#include "dialects/systolic/Systolic.h"

#include "llvm/ADT/StringMap.h"

#include <string>

namespace vitq::systolic {

/// Where the user wants ops to run: `softmax=host,layer_norm=array,blocks.0.mlp=host`, by op or by
/// node name.
class PlacementWishes {
public:
  enum class Place { Any, Array, Host };

  static llvm::Expected<PlacementWishes> parse(llvm::StringRef text);
  /// Those of a module (`systolic.wishes`), none if it has none.
  static llvm::Expected<PlacementWishes> of(mlir::ModuleOp module);

  Place placeOf(mlir::Operation *op) const;
  /// A name that no op of `module` has, empty if all have one.
  std::string unusedName(mlir::ModuleOp module) const;

private:
  llvm::StringMap<Place> places;
};

} // namespace vitq::systolic

#endif // VITQ_TARGET_SYSTOLIC_WISHES_H
