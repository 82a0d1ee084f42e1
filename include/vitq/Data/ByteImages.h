//===- ByteImages.h - Models that take an image's bytes -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DATA_BYTEIMAGES_H
#define VITQ_DATA_BYTEIMAGES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace vitq::data {

/// Unit attribute of a module whose model takes bytes and normalizes them itself.
inline constexpr llvm::StringLiteral kReadsBytesAttr = "vit.reads_bytes";

/// Refuses a `preprocess`, text as for `parsePreprocess`, with which the images of such a model would be normalized
/// twice: one with a mean other than 0 or a std other than 1.
llvm::Error checkByteImages(llvm::StringRef preprocess);

} // namespace vitq::data

#endif // VITQ_DATA_BYTEIMAGES_H
