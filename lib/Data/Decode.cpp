//===- Decode.cpp - JPEG and PNG to pixels --------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileInput.h"
#include "vitq/Data/Image.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"

#include <csetjmp>
#include <cstring>

#include <png.h>
#include <turbojpeg.h>

using namespace llvm;
using namespace vitq::data;

/// Longest picture file that is read.
static constexpr uint64_t kMaxFileBytes = uint64_t(1) << 30;

static constexpr StringLiteral kPngSignature = "\x89PNG\r\n\x1A\n";

static Error checkDimensions(StringRef name, int64_t height, int64_t width) {
  if (height < 1 || width < 1)
    return makeFileError(name, "the picture is empty (" + Twine(height) + "x" + Twine(width) + ")");
  if (height > kMaxPixels / width)
    return makeFileError(name, "the picture has " + Twine(height) + "x" + Twine(width) + " pixels; at most " +
                                   Twine(kMaxPixels) + " are supported, so make it smaller");
  return Error::success();
}

static Error damaged(StringRef name, StringRef format, const Twine &cause) {
  return makeFileError(name, "damaged or cut off " + format + ": " + cause + "; replace the file or remove it");
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

/// Pillow's MULDIV255: a * b / 255, rounded.
static uint8_t mulDiv255(unsigned a, unsigned b) {
  unsigned t = a * b + 128;
  return static_cast<uint8_t>(((t >> 8) + t) >> 8);
}

/// Pillow's conversion of JPEG's inverted CMYK to RGB.
static void rgbFromInvertedCMYK(ArrayRef<uint8_t> cmyk, std::vector<uint8_t> &rgb) {
  for (size_t i = 0, e = cmyk.size() / 4; i < e; ++i) {
    int white = cmyk[4 * i + 3];
    for (size_t c = 0; c < 3; ++c) {
      int value = white - mulDiv255(255 - cmyk[4 * i + c], white);
      rgb[3 * i + c] = static_cast<uint8_t>(std::max(value, 0));
    }
  }
}

Image vitq::data::convertChannels(Image image, int channels) {
  assert((channels == 1 || channels == 3) && "only gray and RGB are supported");
  if (image.channels == channels)
    return image;
  size_t count = static_cast<size_t>(image.height) * image.width;
  Image out{image.height, image.width, channels, std::vector<uint8_t>(count * channels)};
  for (size_t i = 0; i < count; ++i) {
    if (channels == 3) {
      std::memset(&out.pixels[3 * i], image.pixels[i], 3);
    } else {
      // Pillow's L: 0.299 R + 0.587 G + 0.114 B in 16 fraction bits, rounded.
      const uint8_t *p = &image.pixels[3 * i];
      out.pixels[i] = static_cast<uint8_t>((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
    }
  }
  return out;
}

//===----------------------------------------------------------------------===//
// JPEG
//===----------------------------------------------------------------------===//

static Expected<Image> decodeJPEG(StringRef bytes, StringRef name) {
  tjhandle handle = tjInitDecompress();
  if (!handle)
    return makeFileError(name, "cannot start libjpeg-turbo: " + StringRef(tjGetErrorStr2(nullptr)));
  llvm::scope_exit destroy([&] { tjDestroy(handle); });
  const auto *data = reinterpret_cast<const unsigned char *>(bytes.data());
  const unsigned long size = bytes.size();

  // Fails also on chroma layouts that TurboJPEG has no name for but decodes
  // all the same; the size and colour space are set then.
  int width = 0, height = 0, subsampling = -1, colorspace = -1;
  if (tjDecompressHeader3(handle, data, size, &width, &height, &subsampling, &colorspace) &&
      (width < 1 || height < 1 || colorspace < 0))
    return damaged(name, "JPEG", tjGetErrorStr2(handle));
  if (Error e = checkDimensions(name, height, width))
    return std::move(e);

  bool isCMYK = colorspace == TJCS_CMYK || colorspace == TJCS_YCCK;
  bool isGray = colorspace == TJCS_GRAY;
  size_t count = static_cast<size_t>(height) * width;
  int decoded = isCMYK ? 4 : isGray ? 1 : 3;
  std::vector<uint8_t> pixels(count * decoded);
  // As Pillow: the accurate transform, and interpolated chroma (the default).
  // The limit on scans stops files made to take hours.
  int flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;
  if (tjDecompress2(handle, data, size, pixels.data(), width, /*pitch=*/0, height,
                    isCMYK   ? TJPF_CMYK
                    : isGray ? TJPF_GRAY
                             : TJPF_RGB,
                    flags)) {
    // Stray bytes between segments are common in pictures from the web and do
    // no harm; every other warning means lost pixels.
    StringRef cause = tjGetErrorStr2(handle);
    if (tjGetErrorCode(handle) != TJERR_WARNING || !cause.contains("extraneous bytes before marker"))
      return damaged(name, "JPEG", cause);
  }

  if (!isCMYK)
    return Image{height, width, decoded, std::move(pixels)};
  Image image{height, width, 3, std::vector<uint8_t>(count * 3)};
  rgbFromInvertedCMYK(pixels, image.pixels);
  return image;
}

//===----------------------------------------------------------------------===//
// PNG
//===----------------------------------------------------------------------===//

namespace {
/// A PNG being read: libpng reports errors by longjmp, so everything that
/// outlives one lives here, outside of the functions that call setjmp.
struct PNGReader {
  /// With `indices` numbers of pixels as they are stored, otherwise colours.
  explicit PNGReader(StringRef bytes, bool indices = false) : bytes(bytes), indices(indices) {}
  ~PNGReader() { png_destroy_read_struct(&png, &info, nullptr); }

  /// Both are false after an error, with its cause in `message`.
  bool readHeader();
  bool readPixels();

  static void onError(png_structp png, png_const_charp text) {
    auto *reader = static_cast<PNGReader *>(png_get_error_ptr(png));
    // A plain array: longjmp must not skip the end of a std::string.
    std::strncpy(reader->message, text, sizeof(reader->message) - 1);
    png_longjmp(png, 1);
  }
  static void onWarning(png_structp, png_const_charp) {}
  static void onRead(png_structp png, png_bytep out, size_t size) {
    auto *reader = static_cast<PNGReader *>(png_get_io_ptr(png));
    if (size > reader->bytes.size() - reader->offset)
      png_error(png, "the file ends too early");
    std::memcpy(out, reader->bytes.data() + reader->offset, size);
    reader->offset += size;
  }

  StringRef bytes;
  bool indices;
  /// Whether the header says that there are some.
  bool hasIndices = false;
  size_t offset = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_uint_32 width = 0, height = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;
  std::vector<png_bytep> rows;
  char message[128] = "out of memory";
};
} // namespace

bool PNGReader::readHeader() {
  png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, onError, onWarning);
  if (!png)
    return false;
  info = png_create_info_struct(png);
  if (!info)
    return false;
  if (setjmp(png_jmpbuf(png)))
    return false;
  // The size is checked against `kMaxPixels` by the caller.
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_read_fn(png, this, onRead);
  png_read_info(png, info);
  width = png_get_image_width(png, info);
  height = png_get_image_height(png, info);
  int colorType = png_get_color_type(png, info);

  png_set_interlace_handling(png);
  if (indices) {
    hasIndices =
        (colorType == PNG_COLOR_TYPE_PALETTE || colorType == PNG_COLOR_TYPE_GRAY) && png_get_bit_depth(png, info) <= 8;
    png_set_packing(png);
    channels = 1;
    return true;
  }
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  channels = colorType & PNG_COLOR_MASK_COLOR ? 3 : 1;
  return true;
}

bool PNGReader::readPixels() {
  if (setjmp(png_jmpbuf(png)))
    return false;
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != static_cast<size_t>(width) * channels)
    png_error(png, "unexpected pixel format");
  png_read_image(png, rows.data());
  // To the end: the checksum of the pixels comes last.
  png_read_end(png, nullptr);
  return true;
}

static Expected<Image> decodePNG(StringRef bytes, StringRef name, bool indices = false) {
  PNGReader reader(bytes, indices);
  if (!reader.readHeader())
    return damaged(name, "PNG", reader.message);
  if (indices && !reader.hasIndices)
    return makeFileError(name, "holds colours; classes of pixels are gray of up to 8 bits, or indices of a palette");
  if (Error e = checkDimensions(name, reader.height, reader.width))
    return std::move(e);
  size_t rowBytes = static_cast<size_t>(reader.width) * reader.channels;
  reader.pixels.resize(rowBytes * reader.height);
  reader.rows.resize(reader.height);
  for (size_t y = 0; y < reader.height; ++y)
    reader.rows[y] = reader.pixels.data() + y * rowBytes;
  if (!reader.readPixels())
    return damaged(name, "PNG", reader.message);
  return Image{static_cast<int>(reader.height), static_cast<int>(reader.width), reader.channels,
               std::move(reader.pixels)};
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

Expected<Image> vitq::data::decodeImage(StringRef bytes, StringRef name, int channels) {
  auto image = [&]() -> Expected<Image> {
    if (bytes.starts_with("\xFF\xD8"))
      return decodeJPEG(bytes, name);
    if (bytes.starts_with(kPngSignature))
      return decodePNG(bytes, name);
    return makeFileError(name, bytes.empty() ? "the file is empty"
                                             : "is neither a JPEG nor a PNG picture; "
                                               "convert it to one of them");
  }();
  if (!image)
    return image;
  Image converted = convertChannels(std::move(*image), channels);
  converted.orientation = exifOrientation(bytes);
  return converted;
}

Expected<Image> vitq::data::readImage(StringRef path, int channels) {
  auto buffer = readRegularFile(path, kMaxFileBytes);
  if (!buffer)
    return buffer.takeError();
  return decodeImage((*buffer)->getBuffer(), path, channels);
}

Expected<Image> vitq::data::readIndices(StringRef path) {
  auto buffer = readRegularFile(path, kMaxFileBytes);
  if (!buffer)
    return buffer.takeError();
  if (!(*buffer)->getBuffer().starts_with(kPngSignature))
    return makeFileError(path, "is no PNG; classes of pixels are a PNG of gray or of indices");
  return decodePNG((*buffer)->getBuffer(), path, /*indices=*/true);
}
