//===- ClassMaps.cpp - A class for each pixel of pictures -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/ClassMaps.h"

#include "FileInput.h"
#include "vitq/Data/Npy.h"
#include "vitq/Support/AtomicFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <array>

#include <png.h>

using namespace llvm;
using namespace vitq;
using namespace vitq::data;

/// The index that stands for no class.
static constexpr int32_t kVoidIndex = 255;
/// Red, green and blue of each index.
static constexpr size_t kPaletteBytes = 768;

static std::string describe(Size size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

static int32_t classOf(int64_t number) {
  return number < 0 || number == kVoidIndex || number > INT32_MAX ? kNoClass : static_cast<int32_t>(number);
}

/// Whether a map of `size` can be compared with what a program gives.
static Error checkSize(StringRef name, Size size, ArrayRef<Size> allowed) {
  if (is_contained(allowed, size))
    return Error::success();
  std::string sizes;
  for (Size other : allowed)
    sizes += (sizes.empty() ? "" : " or ") + describe(other);
  return makeFileError(name, "is a map of " + describe(size) + " pixels, and must have " + sizes +
                                 " (height, width): resize and crop maps as the pictures are");
}

static Expected<std::vector<ClassMap>> readArray(StringRef path, size_t pictures, size_t count,
                                                 ArrayRef<Size> allowed) {
  Expected<NpyArray> array = readNpy(path);
  if (!array)
    return array.takeError();
  if (array->shape.size() != 3 || array->dtype == DType::Float32 || array->dtype == DType::Float64)
    return makeFileError(path, "maps of classes are integers [N, H, W], not " + toString(array->dtype) + " " +
                                   shapeToString(array->shape));
  if (static_cast<size_t>(array->shape[0]) != pictures)
    return makeFileError(path, "holds " + Twine(array->shape[0]) + " maps for " + Twine(pictures) + " pictures");
  constexpr int64_t limit = INT32_MAX;
  const Size size{static_cast<int>(std::min(array->shape[1], limit)),
                  static_cast<int>(std::min(array->shape[2], limit))};
  if (Error error = checkSize(path, size, allowed))
    return error;
  const size_t area = static_cast<size_t>(size.height) * size.width;
  std::vector<ClassMap> maps(count, {size, std::vector<int32_t>(area)});
  auto fill = [&](auto values) {
    for (size_t i = 0; i < count; ++i)
      transform(values.slice(i * area, area), maps[i].classes.begin(),
                [](auto value) { return classOf(static_cast<int64_t>(value)); });
  };
  switch (array->dtype) {
  case DType::UInt8:
    fill(array->values<uint8_t>());
    break;
  case DType::Int8:
    fill(array->values<int8_t>());
    break;
  case DType::Int16:
    fill(array->values<int16_t>());
    break;
  case DType::Int32:
    fill(array->values<int32_t>());
    break;
  case DType::Int64:
    fill(array->values<int64_t>());
    break;
  case DType::Float32:
  case DType::Float64:
    llvm_unreachable("refused above");
  }
  return maps;
}

static Expected<ClassMap> readPicture(StringRef path, ArrayRef<Size> allowed) {
  Expected<Image> image = readIndices(path);
  if (!image)
    return image.takeError();
  if (Error error = checkSize(path, image->size(), allowed))
    return error;
  ClassMap map{image->size(), {}};
  for (uint8_t index : image->pixels)
    map.classes.push_back(classOf(index));
  return map;
}

Expected<std::vector<ClassMap>> data::readClassMaps(StringRef path, const ImageSource &source, size_t count,
                                                    ArrayRef<Size> allowed) {
  if (isNpyPath(path))
    return readArray(path, source.size(), count, allowed);
  if (!sys::fs::is_directory(path))
    return makeFileError(path, "is neither a folder of PNG nor a .npy: an output of maps needs a class for each pixel");
  std::vector<ClassMap> maps;
  for (size_t i = 0; i < count; ++i) {
    SmallString<128> file(path);
    sys::path::append(file, sys::path::stem(source.name(i)) + ".png");
    if (!sys::fs::exists(file))
      return makeFileError(path, "has no map '" + sys::path::filename(file) + "' for '" + source.name(i) + "'");
    Expected<ClassMap> map = readPicture(file, allowed);
    if (!map)
      return map.takeError();
    maps.push_back(std::move(*map));
  }
  return maps;
}

/// Bits 0, 3, 6 of an index are the highest bits of red, 1, 4, 7 of green, 2, 5 of blue,
/// and so on downwards: neighbours differ much.
static std::array<uint8_t, kPaletteBytes> makePalette() {
  std::array<uint8_t, kPaletteBytes> palette{};
  for (size_t index = 0; index < 256; ++index)
    for (size_t bit = 0; bit < 8; ++bit)
      if (index >> bit & 1)
        palette[3 * index + bit % 3] |= 0x80u >> bit / 3;
  return palette;
}

Error data::writeClassMap(StringRef path, const ClassMap &map) {
  std::vector<uint8_t> indices;
  for (int32_t number : map.classes)
    indices.push_back(static_cast<uint8_t>(number < 0 ? kVoidIndex : std::min(number, kVoidIndex)));
  const auto palette = makePalette();
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(map.size.width);
  image.height = static_cast<png_uint_32>(map.size.height);
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = 256;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<char> file(bytes);
  if (!png_image_write_to_memory(&image, file.data(), &bytes, /*convert_to_8_bit=*/0, indices.data(), /*row_stride=*/0,
                                 palette.data()))
    return makeFileError(path, StringRef("cannot be written: ") + image.message);
  return writeFileAtomically(path, StringRef(file.data(), bytes));
}
