//===- ClassMaps.h - A class for each pixel of pictures -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DATA_CLASSMAPS_H
#define VITQ_DATA_CLASSMAPS_H

#include "vitq/Data/ImageSource.h"

namespace vitq::data {

/// A pixel that belongs to no class, and does not count.
inline constexpr int32_t kNoClass = -1;

/// The class of each pixel, row by row.
struct ClassMap {
  Size size;
  std::vector<int32_t> classes;
};

/// The maps of the first `count` pictures of `source`:
///  - a folder with a PNG for each, named as the picture is (`street.jpg` has
///    `street.png`): gray of up to 8 bits, or indices of a palette, whose colours do
///    not matter;
///  - a .npy of integers [N, H, W].
/// 255 and negative numbers are `kNoClass`, as usual for such data. Maps are not resized:
/// each must have one of the sizes `allowed`. Errors name the file.
llvm::Expected<std::vector<ClassMap>> readClassMaps(llvm::StringRef path, const ImageSource &source, size_t count,
                                                    llvm::ArrayRef<Size> allowed);

/// Writes a PNG of indices, with colours that tell neighbouring numbers apart; wholly or
/// not at all. `kNoClass` and classes from 255 on are index 255.
llvm::Error writeClassMap(llvm::StringRef path, const ClassMap &map);

} // namespace vitq::data

#endif // VITQ_DATA_CLASSMAPS_H
