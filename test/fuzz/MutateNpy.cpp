//===- MutateNpy.cpp - Damaged NumPy arrays -----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "llvm/ADT/SmallVector.h"

#include <array>
#include <cstring>

using namespace vitq::fuzz;

static constexpr size_t kPreamble = 10;

/// The size that the preamble gives the header.
static size_t headerLength(const std::string &bytes) {
  return static_cast<uint8_t>(bytes[8]) | static_cast<size_t>(static_cast<uint8_t>(bytes[9])) << 8;
}

static std::string assemble(char version, std::string header, llvm::StringRef data, std::optional<size_t> length) {
  header.push_back('\n');
  size_t size = length.value_or(header.size());
  std::string bytes = "\x93NUMPY";
  bytes += {version, '\0', static_cast<char>(size & 0xff), static_cast<char>(size >> 8 & 0xff)};
  if (version > 1)
    bytes += {static_cast<char>(size >> 16 & 0xff), static_cast<char>(size >> 24 & 0xff)};
  return bytes + header + data.str();
}

static std::string somePixels(llvm::StringRef pixels, Random &random) {
  std::string bytes;
  for (char pixel : pixels) {
    float value = random.oneIn(500) ? static_cast<float>(oddNumber(random)) : static_cast<uint8_t>(pixel) / 16.0f - 1;
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(raw, sizeof raw);
  }
  return bytes;
}

/// A preamble in which values, keys or their order are wrong.
std::string NpyMutator::mutateHeader(Random &random) const {
  llvm::StringRef data = llvm::StringRef(good).drop_front(kPreamble + headerLength(good));
  size_t pictures = data.size() / 64;
  std::string floats;
  std::string descr = "'|u1'", order = "False", shape = "(" + std::to_string(pictures) + ", 8, 8)";
  if (random.oneIn(2)) {
    floats = somePixels(data, random);
    data = floats;
    descr = "'<f4'";
    shape = "(" + std::to_string(pictures) + ", 1, 8, 8)";
  }
  for (size_t times = random.below(3); times; --times)
    switch (random.below(3)) {
    case 0:
      descr = random.pick<const char *>({"'<i2'", "'>f4'", "'<f8'", "'|O'", "''", "'|u1", "[('a', '<f4')]", "'|b1'",
                                         "'<U9'", "7", "'=u1'", "'<f4'", "'|u1'"});
      break;
    case 1:
      order = random.pick<const char *>({"True", "true", "0", "'False'", "None", "", "False"});
      break;
    default: {
      std::string extents;
      for (size_t rank = random.below(6); rank; --rank)
        extents += (random.oneIn(3) ? std::to_string(oddInteger(random)) : random.oneIn(2) ? "8" : "1") + ", ";
      shape = "(" + extents + (random.oneIn(8) ? "" : ")");
      break;
    }
    }
  llvm::SmallVector<std::string> parts = {"'descr': " + descr, "'fortran_order': " + order, "'shape': " + shape};
  std::swap(parts[random.below(3)], parts[random.below(3)]);
  if (random.oneIn(20))
    parts[random.below(3)] = random.pick<const char *>({"", "'x': 1", "'shape': (1, 8, 8)", "'descr'", "\x80\xff"});
  std::string header = "{" + parts[0] + ", " + parts[1] + ", " + parts[2] + ", }";
  char version = random.oneIn(12) ? static_cast<char>(random.below(5)) : '\1';
  std::optional<size_t> length;
  if (random.oneIn(20))
    length = static_cast<size_t>(oddInteger(random));
  return assemble(version, header, data, length);
}

std::string NpyMutator::mutate(uint64_t seed) const {
  Random random(seed);
  if (!random.oneIn(3))
    return mutateHeader(random);
  Span places[] = {{0, kPreamble}, {0, kPreamble + headerLength(good)}, {0, good.size()}};
  return mutateBytes(good, places, random);
}
