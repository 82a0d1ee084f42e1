//===- PackedImage.cpp - Codes of less than 8 bits in a file -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedImage.h"

#include "vitq/Numerics/Code.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace vitq;
using namespace vitq::simulator;

template <typename... Ts>
static llvm::Error refuse(size_t number, const char *format, Ts &&...values) {
  return llvm::createStringError(
      llvm::formatv("packed codes {0}: {1}", number, llvm::formatv(format, std::forward<Ts>(values)...)).str());
}

/// Bytes that the codes of a range take in a file; no product of theirs overflows.
static uint64_t packedBytes(const PackedRange &range) {
  return range.count / 8 * range.bits + llvm::divideCeil(range.count % 8 * range.bits, 8);
}

static llvm::Error checkPlaces(llvm::ArrayRef<PackedRange> ranges, uint64_t size) {
  uint64_t end = 0;
  for (auto [i, range] : llvm::enumerate(ranges)) {
    if (range.bits < 2 || range.bits > 7)
      return refuse(i, "they have {0} bits, must be 2 to 7", range.bits);
    if (range.offset < end)
      return refuse(i, "begin at byte {0}, but those before end at {1}", range.offset, end);
    if (range.offset > size || range.count > size - range.offset)
      return refuse(i, "{0} from byte {1} on reach beyond the image's {2}", range.count, range.offset, size);
    end = range.offset + range.count;
  }
  return llvm::Error::success();
}

std::vector<char> simulator::packImage(llvm::ArrayRef<char> image, llvm::ArrayRef<PackedRange> ranges) {
  std::vector<char> stored;
  uint64_t at = 0;
  for (const PackedRange &range : ranges) {
    llvm::append_range(stored, image.slice(at, range.offset - at));
    uint64_t bits = 0;
    unsigned pending = 0;
    for (const char byte : image.slice(range.offset, range.count)) {
      bits |= (static_cast<uint8_t>(byte) & ((uint64_t(1) << range.bits) - 1)) << pending;
      for (pending += range.bits; pending >= 8; pending -= 8, bits >>= 8)
        stored.push_back(static_cast<char>(bits));
    }
    if (pending)
      stored.push_back(static_cast<char>(bits));
    at = range.offset + range.count;
  }
  llvm::append_range(stored, image.drop_front(at));
  return stored;
}

llvm::Expected<std::vector<char>> simulator::unpackImage(llvm::ArrayRef<char> stored,
                                                         llvm::ArrayRef<PackedRange> ranges, uint64_t size) {
  if (llvm::Error error = checkPlaces(ranges, size))
    return error;
  uint64_t needed = size;
  for (const PackedRange &range : ranges)
    needed = needed - range.count + packedBytes(range);
  if (needed != stored.size())
    return llvm::createStringError(
        llvm::formatv("an image of {0} bytes is stored in {1} with its codes packed, not in {2}", size, needed,
                      stored.size())
            .str());
  std::vector<char> image;
  image.reserve(size);
  auto copy = [&](uint64_t count) {
    llvm::append_range(image, stored.take_front(count));
    stored = stored.drop_front(count);
  };
  for (auto [i, range] : llvm::enumerate(ranges)) {
    copy(range.offset - image.size());
    uint64_t bits = 0;
    unsigned pending = 0;
    for (uint64_t n = 0; n < range.count; ++n) {
      if (pending < range.bits) {
        bits |= uint64_t(static_cast<uint8_t>(stored.front())) << pending;
        pending += 8;
        stored = stored.drop_front();
      }
      image.push_back(static_cast<char>(numerics::readCode(static_cast<int64_t>(bits), range.bits, range.isUnsigned)));
      bits >>= range.bits;
      pending -= range.bits;
    }
    if (bits)
      return refuse(i, "the bits behind the last one are not 0");
  }
  copy(stored.size());
  return image;
}

llvm::Error simulator::checkPackedRanges(llvm::ArrayRef<char> image, llvm::ArrayRef<PackedRange> ranges) {
  if (llvm::Error error = checkPlaces(ranges, image.size()))
    return error;
  for (auto [i, range] : llvm::enumerate(ranges)) {
    const numerics::Code code{range.bits, range.isUnsigned};
    for (const char byte : image.slice(range.offset, range.count))
      if (const int64_t value = numerics::readCode(byte, 8, range.isUnsigned); !code.contains(value))
        return refuse(i, "{0} is no {1} code of {2} bits", value, range.isUnsigned ? "unsigned" : "signed", range.bits);
  }
  return llvm::Error::success();
}
