//===- Exif.cpp - How a viewer turns a picture ---------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Only the orientation is read. Everything is found by offsets from the file, so
// every access is checked: `substr` cuts at the end, and what is too short is nothing.
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Image.h"

#include "llvm/Support/Endian.h"

#include <optional>

using namespace llvm;

template <typename T>
static std::optional<T> read(StringRef bytes, uint64_t offset, endianness order) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
    return std::nullopt;
  return support::endian::read<T>(bytes.data() + offset, order);
}

/// The orientation in the first directory of a TIFF structure; 1 if there is none.
static int orientationOfTIFF(StringRef tiff) {
  endianness order;
  if (tiff.starts_with(StringRef("II*\0", 4)))
    order = endianness::little;
  else if (tiff.starts_with(StringRef("MM\0*", 4)))
    order = endianness::big;
  else
    return 1;
  std::optional<uint32_t> directory = read<uint32_t>(tiff, 4, order);
  std::optional<uint16_t> entries = directory ? read<uint16_t>(tiff, *directory, order) : std::nullopt;
  for (uint64_t i = 0; entries && i < *entries; ++i) {
    uint64_t entry = *directory + 2 + 12 * i;
    std::optional<uint16_t> tag = read<uint16_t>(tiff, entry, order), type = read<uint16_t>(tiff, entry + 2, order);
    if (!tag || !type)
      return 1;
    if (*tag != 0x0112)
      continue;
    // SHORT, as the standard says, or LONG, as some write; one value, in place.
    std::optional<uint32_t> value;
    if (*type == 3)
      value = read<uint16_t>(tiff, entry + 8, order);
    else if (*type == 4)
      value = read<uint32_t>(tiff, entry + 8, order);
    return value && *value >= 2 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

static int orientationOfJPEG(StringRef bytes) {
  bytes = bytes.drop_front(2);
  while (true) {
    // Any number of 0xFF may fill the space before a marker.
    bytes = bytes.drop_until([](char c) { return static_cast<uint8_t>(c) == 0xFF; });
    bytes = bytes.drop_while([](char c) { return static_cast<uint8_t>(c) == 0xFF; });
    if (bytes.empty())
      return 1;
    auto marker = static_cast<uint8_t>(bytes.front());
    bytes = bytes.drop_front();
    // Markers without a segment.
    if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8))
      continue;
    // The picture begins, or ends.
    if (marker == 0xDA || marker == 0xD9)
      return 1;
    std::optional<uint16_t> length = read<uint16_t>(bytes, 0, endianness::big);
    if (!length || *length < 2)
      return 1;
    StringRef segment = bytes.substr(2, *length - 2);
    if (marker == 0xE1 && segment.consume_front(StringRef("Exif\0\0", 6)))
      return orientationOfTIFF(segment);
    bytes = bytes.substr(*length);
  }
}

static int orientationOfPNG(StringRef bytes) {
  bytes = bytes.drop_front(8);
  // A chunk is its length, its name, its data and a checksum.
  while (std::optional<uint32_t> length = read<uint32_t>(bytes, 0, endianness::big)) {
    StringRef name = bytes.substr(4, 4);
    if (name == "eXIf")
      return orientationOfTIFF(bytes.substr(8, *length));
    if (name == "IEND")
      return 1;
    bytes = bytes.substr(uint64_t(*length) + 12);
  }
  return 1;
}

int vitq::data::exifOrientation(StringRef bytes) {
  if (bytes.starts_with("\xFF\xD8"))
    return orientationOfJPEG(bytes);
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"))
    return orientationOfPNG(bytes);
  return 1;
}
