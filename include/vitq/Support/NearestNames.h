//===- NearestNames.h - What a misspelt name may have meant -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SUPPORT_NEARESTNAMES_H
#define VITQ_SUPPORT_NEARESTNAMES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace vitq {

/// At most `most` of `names`, by edit distance to `name` in any case, the nearest first;
/// of equally near ones the earlier.
llvm::SmallVector<llvm::StringRef> nearestNames(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> names,
                                                size_t most);

} // namespace vitq

#endif // VITQ_SUPPORT_NEARESTNAMES_H
