//===- ImageTest.cpp ------------------------------------------------------===//

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
      {3, {4, 23}, Interpolation::Bicubic, resizeRGB4x23Bicubic},
      {3, {13, 7}, Interpolation::Bilinear, resizeRGB13x7Bilinear},
  };
  for (const auto &c : cases) {
    Image image = valueOf(resizeImage(pattern(13, 17, c.channels), c.size, c.interpolation));
    EXPECT_EQ(image.size(), c.size);
    EXPECT_EQ(image.pixels, pixelsOf(c.expected));
  }
}

TEST(Resize, KeepsAPictureOfTheRightSize) {
  Image image = pattern(13, 17, 3);
  EXPECT_EQ(valueOf(resizeImage(image, {13, 17}, Interpolation::Bicubic)).pixels, image.pixels);
}

TEST(Resize, RefusesExtremes) {
  Image tall{65500, 1, 1, std::vector<uint8_t>(65500)};
  EXPECT_TRUE(contains(textOf(applyGeometry(tall, valueOf(parsePreprocess("resize=248")))), "16244000x248"));
  EXPECT_TRUE(contains(textOf(applyGeometry(tall, valueOf(parsePreprocess("resize=2x8192")))), "65500x8192"));
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
