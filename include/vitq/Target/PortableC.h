//===- PortableC.h - Integer programs as C -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_PORTABLEC_H
#define VITQ_TARGET_PORTABLEC_H

#include "vitq/Target/NativeCompiler.h"

namespace vitq {

/// From the integer phase to kernels of single numbers (`portable`) whose buffers have places.
void buildVitqToPortableCPipeline(mlir::OpPassManager &manager, bool fuse = true);

/// The constants of a program in a file of their own: `kHead` bytes that name the program's weights (the text
/// "vitqwgt1", then size of the file and CRC-32 of what follows the head, 32 bits each, little endian, then zeros), and
/// the constants.
struct WeightBlob {
  static constexpr uint64_t kHead = 64, kAlign = 64;
  std::string bytes;
  uint32_t checksum = 0;
};

/// Writes the program as one C99 file for any freestanding implementation (docs/PortableC.md). With `weights` the
/// constants go there, and the program asks for them as `NAME_weights`. An operation that has no C is an error that
/// names its node.
mlir::LogicalResult emitPortableC(mlir::ModuleOp module, const NativeOptions &options, llvm::raw_ostream &os,
                                  WeightBlob *weights = nullptr);

/// The header of that file: what headerOf says, and of weights of their own where they are to be.
std::string portableHeaderOf(mlir::ModuleOp module, const NativeOptions &options, const WeightBlob *weights = nullptr);

} // namespace vitq

#endif // VITQ_TARGET_PORTABLEC_H
