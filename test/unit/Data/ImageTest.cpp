//===- ImageTest.cpp ------------------------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Image.h"

#include "PillowVectors.inc"
#include "TestUtils.h"

using namespace llvm;
using namespace vitq::data;
using namespace vitq::data::test;

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

TEST(Decode, EqualsPillow) {
  struct {
    const char *name, *file, *rgb, *gray;
    Size size;
  } cases[] = {
      {"jpeg420", jpeg420, jpeg420RGB, jpeg420Gray, {11, 13}},
      {"jpegGray", jpegGray, jpegGrayRGB, jpegGrayGray, {5, 6}},
      {"jpegCMYK", jpegCMYK, jpegCMYKRGB, jpegCMYKGray, {5, 6}},
      {"jpegProgressive", jpegProgressive, jpegProgressiveRGB, jpegProgressiveGray, {9, 10}},
      {"pngRGBA", pngRGBA, pngRGBARGB, pngRGBAGray, {4, 5}},
      {"pngPalette", pngPalette, pngPaletteRGB, pngPaletteGray, {4, 5}},
      {"pngBits", pngBits, pngBitsRGB, pngBitsGray, {4, 5}},
  };
  for (const auto &c : cases) {
    Image rgb = valueOf(decodeImage(bytesOf(c.file), c.name, 3));
    EXPECT_EQ(rgb.size(), c.size) << c.name;
    EXPECT_EQ(rgb.channels, 3) << c.name;
    EXPECT_EQ(rgb.pixels, pixelsOf(c.rgb)) << c.name;
    Image gray = valueOf(decodeImage(bytesOf(c.file), c.name, 1));
    EXPECT_EQ(gray.channels, 1) << c.name;
    EXPECT_EQ(gray.pixels, pixelsOf(c.gray)) << c.name;
  }
}

TEST(Decode, Keeps16BitSamplesHighBytes) {
  Image image = valueOf(decodeImage(bytesOf(png16), "png16", 1));
  EXPECT_EQ(image.pixels, pattern(2, 3, 1).pixels);
}

TEST(Decode, RefusesOtherData) {
  EXPECT_TRUE(contains(textOf(decodeImage("", "a.jpg", 3)), "'a.jpg': the file is empty"));
  EXPECT_TRUE(contains(textOf(decodeImage("GIF89a", "a.jpg", 3)), "'a.jpg': is neither a JPEG nor a PNG"));
  EXPECT_TRUE(
      contains(textOf(decodeImage(bytesOf(pngHuge), "a.png", 3)), "'a.png': the picture has 60000x60000 pixels"));
}

TEST(Decode, RefusesEveryCutOffFile) {
  for (const char *hex : {jpeg420, jpegGray, jpegCMYK, jpegProgressive, pngRGBA, pngPalette, pngBits, png16}) {
    std::string bytes = bytesOf(hex);
    for (size_t size = 0; size < bytes.size(); ++size) {
      // A copy of exactly this size, so that a sanitizer sees reads past it.
      std::vector<char> part(bytes.begin(), bytes.begin() + size);
      std::string text = textOf(decodeImage(StringRef(part.data(), size), "cut", 3));
      EXPECT_TRUE(contains(text, "'cut': ")) << size;
    }
  }
}

TEST(Decode, SurvivesDamage) {
  for (const char *hex : {jpeg420, jpegCMYK, jpegProgressive, pngRGBA, pngPalette}) {
    std::string bytes = bytesOf(hex);
    for (size_t at = 0; at < bytes.size(); ++at)
      for (int value : {0x00, 0x01, 0x7f, 0xff}) {
        std::string copy = bytes;
        copy[at] = static_cast<char>(value);
        auto image = decodeImage(copy, "damaged", 3);
        if (!image)
          EXPECT_TRUE(contains(toString(image.takeError()), "damaged"));
        else
          EXPECT_EQ(image->pixels.size(), size_t(image->height) * image->width * 3);
      }
  }
}

TEST(Decode, ReadsOnlyRegularFiles) {
  TemporaryFolder folder;
  EXPECT_TRUE(contains(textOf(readImage(folder.path(), 3)), "is a folder"));
  EXPECT_TRUE(contains(textOf(readImage(folder.path("none.jpg"), 3)), "none.jpg"));
  EXPECT_TRUE(contains(textOf(readImage("/dev/zero", 3)), "not a regular"));
}

//===----------------------------------------------------------------------===//
// EXIF
//===----------------------------------------------------------------------===//

static std::string number(uint32_t value, int bytes, bool big) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> 8 * (big ? bytes - 1 - i : i));
  return text;
}

/// A TIFF directory with some other tag before the orientation.
static std::string tiff(bool big, uint32_t value, uint32_t type = 3, uint32_t offset = 8, uint32_t entries = 2) {
  auto n = [&](uint32_t v, int bytes) { return number(v, bytes, big); };
  std::string own = type == 3 ? n(value, 2) + n(0, 2) : n(value, 4);
  return (big ? "MM" : "II") + n(42, 2) + n(offset, 4) + n(entries, 2) + n(0x010F, 2) + n(2, 2) + n(1, 4) + n(0, 4) +
         n(0x0112, 2) + n(type, 2) + n(1, 4) + own + n(0, 4);
}

static std::string jpegWith(const std::string &exif, const std::string &before = "") {
  return "\xFF\xD8" + before + "\xFF\xE1" + number(static_cast<uint32_t>(exif.size()) + 8, 2, true) +
         std::string("Exif\0\0", 6) + exif + "\xFF\xDA";
}

static std::string pngWith(const std::string &exif) {
  auto chunk = [](const char *name, const std::string &data) {
    return number(static_cast<uint32_t>(data.size()), 4, true) + name + data + "CRC.";
  };
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", "") + chunk("IDAT", "pixels") + chunk("eXIf", exif) + chunk("IEND", "");
}

TEST(Exif, ReadsTheOrientation) {
  for (bool big : {false, true})
    for (uint32_t value = 0; value < 12; ++value) {
      int expected = value >= 2 && value <= 8 ? static_cast<int>(value) : 1;
      EXPECT_EQ(exifOrientation(jpegWith(tiff(big, value))), expected);
      EXPECT_EQ(exifOrientation(jpegWith(tiff(big, value, /*type=*/4))), expected);
      EXPECT_EQ(exifOrientation(pngWith(tiff(big, value))), expected);
    }
  // Behind other segments, fill bytes, and an APP1 of another kind.
  std::string other = std::string("\xFF\xE0\x00\x04JF\xFF\xFF\xE1\x00\x06http", 15);
  EXPECT_EQ(exifOrientation(jpegWith(tiff(false, 6), other)), 6);
}

TEST(Exif, IsThatOfPillow) {
  for (auto [file, upright] : {std::pair(pngTurned, pngBits), {jpegTurned, jpegGray}}) {
    Image image = valueOf(decodeImage(bytesOf(file), "turned", 3));
    EXPECT_EQ(image.orientation, 6);
    Image other = valueOf(decodeImage(bytesOf(upright), "upright", 3));
    EXPECT_EQ(other.orientation, 1);
    EXPECT_EQ(image.pixels, other.pixels);
  }
}

TEST(Exif, SurvivesWhatIsNone) {
  std::string files[] = {jpegWith(tiff(false, 6)), jpegWith(tiff(true, 6)), pngWith(tiff(true, 6)),
                         // Offsets and counts that lead out of the file.
                         jpegWith(tiff(false, 6, 3, 0xFFFFFFFF)), pngWith(tiff(true, 6, 3, 0xFFFFFFF0)),
                         jpegWith(tiff(false, 0, 3, 8, 0xFFFF)), jpegWith(tiff(true, 6, /*type=*/7))};
  for (const std::string &file : files) {
    // Copies of exactly their size, so that a sanitizer sees reads past it.
    for (size_t size = 0; size <= file.size(); ++size) {
      std::vector<char> part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      (void)exifOrientation(StringRef(part.data(), size));
    }
    for (size_t at = 0; at < file.size(); ++at)
      for (int value : {0x00, 0x01, 0x7f, 0xff}) {
        std::vector<char> copy(file.begin(), file.end());
        copy[at] = static_cast<char>(value);
        int orientation = exifOrientation(StringRef(copy.data(), copy.size()));
        EXPECT_TRUE(orientation >= 1 && orientation <= 8);
      }
  }
  EXPECT_EQ(exifOrientation(files[3]), 1);
  EXPECT_EQ(exifOrientation(files[4]), 1);
  EXPECT_EQ(exifOrientation(files[5]), 1);
  EXPECT_EQ(exifOrientation(files[6]), 1);
  EXPECT_EQ(exifOrientation(""), 1);
}

//===----------------------------------------------------------------------===//
// Geometry
//===----------------------------------------------------------------------===//

TEST(Resize, EqualsPillow) {
  struct {
    int channels;
    Size size;
    Interpolation interpolation;
    const char *expected;
  } cases[] = {
      {1, {5, 6}, Interpolation::Bicubic, resizeGray5x6Bicubic},
      {1, {5, 6}, Interpolation::Bilinear, resizeGray5x6Bilinear},
      {1, {19, 11}, Interpolation::Bicubic, resizeGray19x11Bicubic},
      {3, {4, 23}, Interpolation::Bicubic, resizeRGB4x23Bicubic13},
      {3, {13, 7}, Interpolation::Bilinear, resizeRGB13x7Bilinear},
  };
  for (const auto &c : cases) {
    Image image = valueOf(resizeImage(pattern(13, 17, c.channels), c.size, c.interpolation));
    EXPECT_EQ(image.size(), c.size);
    EXPECT_EQ(image.pixels, pixelsOf(c.expected));
  }
}

TEST(Resize, FollowsTheReleaseOfPillow) {
  struct {
    Size from, to;
    Interpolation interpolation;
    const char *pillow12, *pillow13;
    bool differ;
  } cases[] = {
      {{13, 17}, {4, 23}, Interpolation::Bicubic, resizeRGB4x23Bicubic, resizeRGB4x23Bicubic13, true},
      {{41, 11}, {8, 9}, Interpolation::Bilinear, resizeTall8x9Bilinear12, resizeTall8x9Bilinear13, true},
      // The height loses twice as much as the width, no more; and one less.
      {{41, 11}, {37, 9}, Interpolation::Bilinear, resizeTall37x9Bilinear12, resizeTall37x9Bilinear13, false},
      {{41, 11}, {36, 9}, Interpolation::Bilinear, resizeTall36x9Bilinear12, resizeTall36x9Bilinear13, true},
      {{41, 11}, {8, 11}, Interpolation::Bilinear, resizeTall8x11Bilinear12, resizeTall8x11Bilinear13, false},
  };
  for (const auto &c : cases) {
    Image image = pattern(c.from.height, c.from.width, 3);
    Image older = valueOf(resizeImage(image, c.to, c.interpolation, PillowRelease::V12));
    Image newer = valueOf(resizeImage(image, c.to, c.interpolation, PillowRelease::V13));
    EXPECT_EQ(older.pixels, pixelsOf(c.pillow12));
    EXPECT_EQ(newer.pixels, pixelsOf(c.pillow13));
    EXPECT_EQ(older.pixels != newer.pixels, c.differ) << c.to.height;
    std::string spec = "resize=" + std::to_string(c.to.height) + "x" + std::to_string(c.to.width) +
                       (c.interpolation == Interpolation::Bilinear ? ",interpolation=bilinear" : "");
    EXPECT_EQ(valueOf(applyGeometry(image, valueOf(parsePreprocess(spec)))).pixels, newer.pixels);
    EXPECT_EQ(valueOf(applyGeometry(image, valueOf(parsePreprocess(spec + ",pillow=12")))).pixels, older.pixels);
  }
}

TEST(Resize, KeepsTheShapeAsTimm) {
  // Sizes that timm.data.transforms.ResizeKeepRatio (1.0.31) gives for (18, 27).
  struct {
    Size from, to;
  } cases[] = {{{100, 100}, {27, 27}}, {{64, 96}, {18, 27}}, {{61, 96}, {18, 28}},   {{67, 96}, {19, 27}},
               {{7, 5}, {38, 27}},     {{4, 90}, {18, 405}}, {{333, 500}, {18, 27}}, {{45, 54}, {22, 27}}};
  Resize cover;
  cover.cover = Size{18, 27};
  for (const auto &c : cases) {
    Resize::Result result = cover.resultFor(c.from);
    EXPECT_EQ(result.height, c.to.height) << c.from.height << 'x' << c.from.width;
    EXPECT_EQ(result.width, c.to.width) << c.from.height << 'x' << c.from.width;
  }
}

TEST(Resize, KeepsAPictureOfTheRightSize) {
  Image image = pattern(13, 17, 3);
  EXPECT_EQ(valueOf(resizeImage(image, {13, 17}, Interpolation::Bicubic)).pixels, image.pixels);
}

TEST(Resize, RefusesExtremes) {
  Image tall{65500, 1, 1, std::vector<uint8_t>(65500)};
  EXPECT_TRUE(contains(textOf(applyGeometry(tall, valueOf(parsePreprocess("resize=248")))), "16244000x248"));
  EXPECT_TRUE(contains(textOf(applyGeometry(tall, valueOf(parsePreprocess("resize=2x8192,pillow=12")))), "65500x8192"));
  EXPECT_TRUE(contains(textOf(resizeImage(tall, {0, 5}, Interpolation::Bicubic)), "no pixels"));
}

TEST(Crop, RoundsOffsetsAsTorchvision) {
  // Differences 1, 3, 5, 7 give the offsets 0, 2, 2, 4.
  for (auto [difference, offset] : {std::pair(0, 0), {1, 0}, {2, 1}, {3, 2}, {5, 2}, {7, 4}}) {
    Image image{1, 2 + difference, 1, {}};
    for (int i = 0; i < image.width; ++i)
      image.pixels.push_back(static_cast<uint8_t>(i));
    Image crop = valueOf(centerCrop(image, {1, 2}));
    EXPECT_EQ(crop.pixels[0], offset) << difference;
    EXPECT_EQ(crop.pixels[1], offset + 1) << difference;
  }
  EXPECT_TRUE(contains(textOf(centerCrop(pattern(4, 4, 1), {5, 2})), "before the crop of 5x2"));
}

TEST(Normalize, GivesPlanes) {
  Image image{1, 2, 3, {0, 51, 255, 102, 153, 204}};
  auto p = valueOf(parsePreprocess("mean=0:0.5:0.5,std=1:0.5:0.25"));
  std::vector<float> expected = {0.0f, 0.4f, -0.6f, 0.2f, 2.0f, 1.2f};
  std::vector<float> values = normalize(image, p);
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], 1e-6);
}
