//===- Blob.h - The constants of one kernel call -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_BLOB_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_BLOB_H

#include "Emitter.h"

#include <cstring>
#include <vector>

namespace vitq::kernels {

/// A place in a blob: `count` integers of `width` bits.
struct Slot {
  int64_t offset = 0;
  unsigned width = 64;
  int64_t count = 1;
};

/// Everything about an op that is data rather than code, in one constant that is
/// the last argument of its kernel.
class Blob {
public:
  /// One 64-bit integer.
  Slot scalar(int64_t value) { return place(&value, 64, 1, 8); }
  template <typename T>
  Slot array(llvm::ArrayRef<T> values) {
    return place(values.data(), sizeof(T) * 8, values.size(), 64);
  }
  template <typename T>
  Slot array(const std::vector<T> &values) {
    return array(llvm::ArrayRef<T>(values));
  }

  /// The bytes, a multiple of 64 and at least that.
  llvm::ArrayRef<char> finish() {
    bytes.resize(std::max<size_t>(64, (bytes.size() + 63) / 64 * 64));
    return bytes;
  }

  static Value view(Emitter &e, Value blob, Slot slot) {
    auto type = mlir::MemRefType::get({slot.count}, e.intType(slot.width));
    return mlir::memref::ViewOp::create(e.b, e.loc, type, blob, e.index(slot.offset), ValueRange());
  }
  /// The scalar in `slot`, as `width` bits.
  static Value load(Emitter &e, Value blob, Slot slot, unsigned width) {
    return e.trunc(e.load(view(e, blob, slot), e.index(0)), width);
  }

private:
  Slot place(const void *data, unsigned width, int64_t count, size_t align) {
    bytes.resize((bytes.size() + align - 1) / align * align);
    Slot slot{static_cast<int64_t>(bytes.size()), width, count};
    const char *begin = static_cast<const char *>(data);
    bytes.insert(bytes.end(), begin, begin + count * (width / 8));
    return slot;
  }

  std::vector<char> bytes;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_BLOB_H
