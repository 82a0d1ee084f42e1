//===- PackedImage.h - Codes of less than 8 bits in a file -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a program that runs, a code takes a byte; in a file, codes of a packed range take their bits, one behind
// the other from the lowest bit of a byte on, and what follows them begins at a byte.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_PACKEDIMAGE_H
#define VITQ_LIB_SIMULATOR_PACKEDIMAGE_H

#include "vitq/Simulator/Program.h"

namespace vitq::simulator {

/// The image as a file has it. The ranges obey checkPackedRanges.
std::vector<char> packImage(llvm::ArrayRef<char> image, llvm::ArrayRef<PackedRange> ranges);

/// The image of `size` bytes that packImage made `stored` of. Errors: ranges that are none, more or fewer
/// bytes than they need, bits behind a range's last code. No more memory is taken than four times `stored`.
llvm::Expected<std::vector<char>> unpackImage(llvm::ArrayRef<char> stored, llvm::ArrayRef<PackedRange> ranges,
                                              uint64_t size);

/// Checks that ranges lie in the image one behind the other, and that their bytes are codes of so many bits.
llvm::Error checkPackedRanges(llvm::ArrayRef<char> image, llvm::ArrayRef<PackedRange> ranges);

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_PACKEDIMAGE_H
