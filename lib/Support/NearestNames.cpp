//===- NearestNames.cpp - What a misspelt name may have meant -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/STLExtras.h"

llvm::SmallVector<llvm::StringRef> vitq::nearestNames(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> names,
                                                      size_t most) {
  llvm::SmallVector<std::pair<unsigned, size_t>> ranked;
  for (auto [i, candidate] : llvm::enumerate(names))
    ranked.emplace_back(name.edit_distance_insensitive(candidate), i);
  llvm::sort(ranked);
  llvm::SmallVector<llvm::StringRef> nearest;
  for (auto [distance, i] : llvm::ArrayRef(ranked).take_front(most))
    nearest.push_back(names[i]);
  return nearest;
}
