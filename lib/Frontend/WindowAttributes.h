//===- WindowAttributes.h - Sizes that windows are given -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The attributes that convolutions and pooling share, of constants and of the image.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_WINDOWATTRIBUTES_H
#define VITQ_LIB_FRONTEND_WINDOWATTRIBUTES_H

#include "Importer.h"

namespace vitq::frontend {

/// "[1, 2]", as messages have lists.
std::string text(llvm::ArrayRef<int64_t> values);

/// Whether all are at least `least`, and not larger than any image could need (2^24).
bool isSane(llvm::ArrayRef<int64_t> values, int64_t least);

/// An error unless the values of the attribute `name` are `count` sane ones.
llvm::LogicalResult checkSizes(NodeImporter &n, llvm::StringRef name, llvm::ArrayRef<int64_t> values, size_t count,
                               int64_t least);

/// The attribute `name`, or `count` times `fill` where there is none.
llvm::FailureOr<Shape> readSizes(NodeImporter &n, const std::string &name, size_t count, int64_t least, int64_t fill);

/// An error where a convolution has pads beside an `auto_pad` that says what they are.
llvm::LogicalResult checkAutoPad(NodeImporter &n, llvm::StringRef autoPad, llvm::ArrayRef<int64_t> pads);

/// An error where a transposed convolution adds rows or columns that no image could have lost: `beyond`, of each axis,
/// must be less than its stride or dilation.
llvm::LogicalResult checkOutputPadding(NodeImporter &n, llvm::ArrayRef<int64_t> beyond, llvm::ArrayRef<int64_t> strides,
                                       llvm::ArrayRef<int64_t> dilations);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_WINDOWATTRIBUTES_H
