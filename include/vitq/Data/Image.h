//===- Image.h - Decoding, geometry and normalisation -----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pictures as 8-bit pixels. Decoding and resizing agree bit for bit with
// Pillow built on the same libjpeg-turbo: models were trained and are evaluated
// on Pillow's pixels.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DATA_IMAGE_H
#define VITQ_DATA_IMAGE_H

#include "vitq/Data/Preprocess.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <vector>

namespace vitq::data {

/// Pictures with more pixels than this, decoded or resized, are refused.
inline constexpr int64_t kMaxPixels = int64_t(1) << 26;

/// A picture: `pixels[(y * width + x) * channels + c]`, 0..255. Channels are 1
/// (gray) or 3 (red, green, blue).
struct Image {
  int height = 0;
  int width = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;
  /// How a viewer turns or mirrors the picture, 1 to 8 as in EXIF (1: not at all),
  /// as far as a decoded file says so. Pixels are as stored, not turned.
  int orientation = 1;

  Size size() const { return {height, width}; }
};

/// Decodes a JPEG or PNG held in memory, told apart by its first bytes, into
/// `channels` (1 or 3) channels. `name` is what errors call the data.
///
/// Gray becomes RGB by repetition, RGB becomes gray as in Pillow (ITU-R 601-2
/// luma); CMYK JPEGs become RGB as in Pillow; palettes are looked up; 16-bit
/// PNG samples keep their high byte; transparency is dropped. Colour profiles and
/// gamma are ignored. Pixels are not turned as EXIF data says, as Pillow's `open`
/// (and with it torchvision and timm) does not; `orientation` tells.
/// Fails on other formats, cut off or damaged data, and over `kMaxPixels`.
llvm::Expected<Image> decodeImage(llvm::StringRef bytes, llvm::StringRef name, int channels);

/// Reads and decodes the file at `path`; see above.
llvm::Expected<Image> readImage(llvm::StringRef path, int channels);

/// The numbers of a PNG's pixels, not their colours: gray of up to 8 bits, or indices of a
/// palette. One channel. Other files are errors that name `path`.
llvm::Expected<Image> readIndices(llvm::StringRef path);

/// `image` with 1 or 3 channels, by the rules of `decodeImage`.
Image convertChannels(Image image, int channels);

/// The orientation that EXIF data in a JPEG (its first APP1 segment of that kind) or
/// a PNG (chunk eXIf) gives, 2 to 8; 1 where there is none, or none that makes sense.
/// `bytes` may be anything.
int exifOrientation(llvm::StringRef bytes);

/// Resamples `image` to `size` with 8-bit intermediate values, one direction after
/// the other; equal to `Image.resize` of that release of Pillow. Fails if
/// the result or what lies between has more than `kMaxPixels` pixels, or a side
/// is not positive.
llvm::Expected<Image> resizeImage(const Image &image, Size size, Interpolation interpolation,
                                  PillowRelease pillow = PillowRelease::V13);

/// Cuts the centre of size `size` out of `image`; fails if that is smaller.
llvm::Expected<Image> centerCrop(const Image &image, Size size);

/// Resizes and crops as `preprocess` says. Errors do not name the image.
llvm::Expected<Image> applyGeometry(const Image &image, const Preprocess &preprocess);

/// (pixel / 255 - mean) / stdDev in single precision, operation by operation
/// as torchvision does it, in the order channel, row, column (CHW).
/// `preprocess` must fit `image.channels` (`Preprocess::checkChannels`).
std::vector<float> normalize(const Image &image, const Preprocess &preprocess);

} // namespace vitq::data

#endif // VITQ_DATA_IMAGE_H
