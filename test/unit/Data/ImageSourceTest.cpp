//===- ImageSourceTest.cpp ------------------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/ImageSource.h"

#include "PillowVectors.inc"
#include "TestUtils.h"
#include "vitq/Data/Npy.h"

#include <limits>
#include <thread>

using namespace llvm;
using namespace vitq::data;
using namespace vitq::data::test;

static Expected<std::unique_ptr<ImageSource>> open(StringRef path, StringRef spec = "mean=0,std=1", int channels = 3) {
  auto preprocess = parsePreprocess(spec);
  if (!preprocess)
    return preprocess.takeError();
  return ImageSource::open(path, *preprocess, channels);
}

TEST(ImageSource, ReadsAFolderInOrder) {
  TemporaryFolder folder;
  folder.write("b.JPG", bytesOf(jpeg420));
  folder.write("c.jpeg", bytesOf(jpegGray));
  folder.write("a.Png", bytesOf(pngRGBA));
  folder.write("labels.csv", "file,class_index\n");
  folder.write("._b.jpg", "junk");
  auto source = valueOf(open(folder.path(), "resize=4x4,mean=0.5,std=0.5"));
  ASSERT_TRUE(source);
  ASSERT_EQ(source->size(), 3u);
  EXPECT_EQ(source->name(0), "a.Png");
  EXPECT_EQ(source->name(1), "b.JPG");
  EXPECT_EQ(source->name(2), "c.jpeg");
  EXPECT_EQ(source->height(), 4);
  EXPECT_EQ(source->width(), 4);
  EXPECT_FALSE(source->isNormalizedFloat());
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(valueOf(source->pixels(i)).pixels.size(), 48u);
    EXPECT_EQ(valueOf(source->normalized(i)).size(), 48u);
  }
}

TEST(ImageSource, NamesTheFileThatDiffers) {
  TemporaryFolder folder;
  folder.write("a.jpg", bytesOf(jpeg420));
  folder.write("b.jpg", bytesOf(jpegGray));
  folder.write("c.jpg", bytesOf(jpeg420).substr(0, 300));
  auto source = valueOf(open(folder.path()));
  ASSERT_TRUE(source);
  EXPECT_EQ(valueOf(source->pixels(0)).height, 11);
  std::string text = textOf(source->pixels(1));
  for (StringRef part : {"b.jpg", "5x6", "'a.jpg', as 11x13", "resize"})
    EXPECT_TRUE(contains(text, part.str()));
  EXPECT_TRUE(contains(textOf(source->normalized(2)), "c.jpg': damaged"));
}

TEST(ImageSource, ReadsOnePicture) {
  TemporaryFolder folder;
  auto source = valueOf(open(folder.write("a.png", bytesOf(pngBits)), "mean=0,std=1", 1));
  ASSERT_TRUE(source);
  EXPECT_EQ(source->size(), 1u);
  EXPECT_EQ(source->name(0), "a.png");
  EXPECT_EQ(valueOf(source->pixels(0)).pixels, pixelsOf(pngBitsGray));
}

TEST(ImageSource, SaysWhyItCannotOpen) {
  TemporaryFolder folder;
  EXPECT_TRUE(contains(textOf(open(folder.path())), "holds no *.jpg"));
  EXPECT_TRUE(contains(textOf(open(folder.path("none"))), "none"));
  EXPECT_TRUE(contains(textOf(open(folder.write("x.txt", "hello"))), "neither a JPEG nor a PNG"));
  std::string path = folder.write("a.png", bytesOf(pngBits));
  EXPECT_TRUE(contains(textOf(open(path, "crop=100")), "a.png"));
  EXPECT_TRUE(contains(textOf(open(path, "mean=0:0:0", 1)), "'mean'"));
  EXPECT_TRUE(contains(textOf(open(path, "mean=0", 4)), "takes 4"));
}

TEST(ImageSource, ReadsPixelArrays) {
  TemporaryFolder folder;
  std::string path = folder.path("a.npy");
  Image image = pattern(2 * 4, 5, 3);
  ASSERT_EQ(textOf(writeNpy<uint8_t>(path, {2, 4, 5, 3}, image.pixels)), "");
  auto source = valueOf(open(path));
  ASSERT_TRUE(source);
  ASSERT_EQ(source->size(), 2u);
  EXPECT_EQ(source->name(1), "#1");
  EXPECT_EQ(valueOf(source->pixels(1)).pixels, std::vector<uint8_t>(image.pixels.begin() + 60, image.pixels.end()));
  EXPECT_EQ(valueOf(open(path, "resize=7,crop=6"))->width(), 6);
  EXPECT_EQ(valueOf(valueOf(open(path, "mean=0", 1))->pixels(0)).channels, 1);

  // Gray pictures without an extent for channels.
  image = pattern(2 * 4, 5, 1);
  ASSERT_EQ(textOf(writeNpy<uint8_t>(path, {2, 4, 5}, image.pixels)), "");
  EXPECT_EQ(valueOf(valueOf(open(path, "mean=0", 1))->pixels(1)).pixels,
            std::vector<uint8_t>(image.pixels.begin() + 20, image.pixels.end()));
  EXPECT_EQ(valueOf(valueOf(open(path))->pixels(1)).pixels.size(), 60u);
}

TEST(ImageSource, ReadsFloatArrays) {
  TemporaryFolder folder;
  std::string path = folder.path("a.npy");
  std::vector<float> values;
  for (int i = 0; i < 2 * 3 * 2 * 2; ++i)
    values.push_back(0.5f * static_cast<float>(i));
  ASSERT_EQ(textOf(writeNpy<float>(path, {2, 3, 2, 2}, values)), "");
  auto source = valueOf(open(path, "resize=248,crop=224,mean=0.5,std=0.5"));
  ASSERT_TRUE(source);
  EXPECT_TRUE(source->isNormalizedFloat());
  EXPECT_EQ(source->height(), 2);
  EXPECT_EQ(valueOf(source->normalized(1)), std::vector<float>(values.begin() + 12, values.end()));
  EXPECT_TRUE(contains(textOf(source->pixels(0)), "pixels are needed"));
  EXPECT_TRUE(contains(textOf(open(path, "mean=0", 1)), "takes 1 channel"));

  values[13] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_EQ(textOf(writeNpy<float>(path, {2, 3, 2, 2}, values)), "");
  EXPECT_TRUE(contains(textOf(valueOf(open(path))->normalized(1)), "#1"));
}

TEST(ImageSource, RefusesOtherArrays) {
  TemporaryFolder folder;
  std::string path = folder.path("a.npy");
  auto errorOf = [&](std::vector<int64_t> shape, DType dtype) {
    size_t size = sizeOf(dtype);
    for (int64_t extent : shape)
      size *= extent;
    EXPECT_EQ(textOf(writeNpy(path, shape, dtype, std::vector<char>(size))), "");
    return textOf(open(path));
  };
  EXPECT_TRUE(contains(errorOf({2, 3, 8, 8}, DType::UInt8), "channels last"));
  EXPECT_TRUE(contains(errorOf({8, 8, 3}, DType::UInt8), "leading extent"));
  EXPECT_TRUE(contains(errorOf({8, 8}, DType::UInt8), "8x8 uint8; use uint8"));
  EXPECT_TRUE(contains(errorOf({1, 3, 8, 8}, DType::Float64), "float64"));
  EXPECT_TRUE(contains(errorOf({0, 8, 8, 3}, DType::UInt8), "no picture"));
  EXPECT_TRUE(contains(errorOf({1, 0, 8, 3}, DType::UInt8), "0x8"));
}

TEST(ImageSource, ServesSeveralThreads) {
  TemporaryFolder folder;
  for (int i = 0; i < 8; ++i)
    folder.write("p" + std::to_string(i) + ".jpg", bytesOf(jpeg420));
  auto source = valueOf(open(folder.path(), "resize=9,crop=8"));
  ASSERT_TRUE(source);
  std::vector<uint8_t> expected = valueOf(source->pixels(0)).pixels;
  std::vector<std::vector<uint8_t>> results(8);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        if (auto image = source->pixels(i))
          results[i] = std::move(image->pixels);
        else
          consumeError(image.takeError());
      });
  }
  for (const auto &result : results)
    EXPECT_EQ(result, expected);
}

//===----------------------------------------------------------------------===//
// Labels
//===----------------------------------------------------------------------===//

TEST(Labels, JoinsByFileName) {
  TemporaryFolder folder;
  folder.write("a.png", bytesOf(pngBits));
  folder.write("b,1.png", bytesOf(pngBits));
  auto source = valueOf(open(folder.path()));
  ASSERT_TRUE(source);
  auto read = [&](StringRef text) { return readLabels(folder.write("l.csv", text), *source); };
  std::vector<int64_t> expected = {7, 3};
  EXPECT_EQ(valueOf(read("file,class_index\nb,1.png,3\na.png,7\n")), expected);
  EXPECT_EQ(valueOf(read("\xEF\xBB\xBF"
                         "sub/a.png, 7\r\n\r\n\"b,1.png\",3\r\nz.png,9")),
            expected);
  EXPECT_TRUE(contains(textOf(read("a.png,7\n")), "no label for 'b,1.png'"));
  EXPECT_TRUE(contains(textOf(read("")), "no label for 'a.png'"));
  EXPECT_TRUE(contains(textOf(read("a.png,7\na.png,8\n")), "line 2"));
  EXPECT_TRUE(contains(textOf(read("a.png,7\nb,1.png,x\n")), "line 2"));
  EXPECT_TRUE(contains(textOf(read("a.png,-7\n")), "negative"));
  EXPECT_TRUE(contains(textOf(read("a.png\n")), "line 1"));
  EXPECT_TRUE(contains(textOf(readLabels(folder.path("no.csv"), *source)), "no.csv"));
}

TEST(Labels, NamesTheFirstBadLine) {
  TemporaryFolder folder;
  folder.write("a.png", bytesOf(pngBits));
  auto source = valueOf(open(folder.path()));
  ASSERT_TRUE(source);
  auto errorOf = [&](StringRef text) { return textOf(readLabels(folder.write("l.csv", text), *source)); };
  // A first line that names a picture, of this folder or not, or begins with a number
  // where the class belongs is no heading.
  EXPECT_TRUE(contains(errorOf("a.png,cat\n"), "l.csv': line 1: expected file,class_index, not 'a.png,cat'"));
  EXPECT_TRUE(contains(errorOf("\"x/a.png\",\nb.png,3\n"), "line 1: expected file,class_index, not '\"x/a.png\",'"));
  EXPECT_TRUE(contains(errorOf("b.jpg,7.0\na.png,3\n"), "line 1: expected file,class_index, not 'b.jpg,7.0'"));
  EXPECT_TRUE(contains(errorOf("a,7x\na.png,3\n"), "line 1: expected file,class_index, not 'a,7x'"));
  EXPECT_TRUE(contains(errorOf("a.png;3\n"), "line 1: expected file,class_index, not 'a.png;3'"));
  EXPECT_EQ(errorOf("image,label\na.png,3\n"), "");
  // What was passed over as a heading is said where a label is missing.
  EXPECT_TRUE(contains(errorOf("a,cat\nb.png,3\n"),
                       "no label for 'a.png'; add a line 'a.png,CLASS' or remove the picture (line 1, 'a,cat', was "
                       "taken for a heading)"));
}

TEST(ImageSource, CountsPicturesThatAViewerTurns) {
  TemporaryFolder folder;
  folder.write("a.png", bytesOf(pngBits));
  auto open1 = [&] { return valueOf(open(folder.path(), "resize=4x4", 1)); };
  EXPECT_EQ(open1()->orientationRemark(), "");
  folder.write("b.jpg", bytesOf(jpegTurned));
  auto source = open1();
  for (int round = 0; round < 2; ++round)
    for (size_t i = 0; i < 2; ++i)
      EXPECT_EQ(textOf(source->normalized(i)), "");
  EXPECT_EQ(source->turnedPictures(), 1u);
  EXPECT_TRUE(contains(source->orientationRemark(), "': 1 picture carries an EXIF orientation, which is ignored"));
  folder.write("c.png", bytesOf(pngTurned));
  source = open1();
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(textOf(source->pixels(i)), "");
  EXPECT_TRUE(contains(source->orientationRemark(), "': 2 pictures carry an EXIF orientation"));
}

TEST(Labels, ReadsArrays) {
  TemporaryFolder folder;
  std::string pictures = folder.path("p.npy"), labels = folder.path("l.npy");
  ASSERT_EQ(textOf(writeNpy<uint8_t>(pictures, {2, 1, 1}, {1, 2})), "");
  auto source = valueOf(open(pictures, "mean=0", 1));
  ASSERT_TRUE(source);
  std::vector<int64_t> expected = {5, 9};
  ASSERT_EQ(textOf(writeNpy<uint8_t>(labels, {2}, {5, 9})), "");
  EXPECT_EQ(valueOf(readLabels(labels, *source)), expected);
  ASSERT_EQ(textOf(writeNpy<int64_t>(labels, {2}, {5, 9})), "");
  EXPECT_EQ(valueOf(readLabels(labels, *source)), expected);
  EXPECT_EQ(valueOf(readLabels(folder.write("l.csv", "#1,9\n#0,5\n"), *source)), expected);
  ASSERT_EQ(textOf(writeNpy<int32_t>(labels, {3}, {1, 2, 3})), "");
  EXPECT_TRUE(contains(textOf(readLabels(labels, *source)), "3 labels for 2 pictures"));
  ASSERT_EQ(textOf(writeNpy<int32_t>(labels, {2}, {1, -2})), "");
  EXPECT_TRUE(contains(textOf(readLabels(labels, *source)), "negative"));
  ASSERT_EQ(textOf(writeNpy<float>(labels, {2}, {1, 2})), "");
  EXPECT_TRUE(contains(textOf(readLabels(labels, *source)), "float32"));
  ASSERT_EQ(textOf(writeNpy<int32_t>(labels, {2, 1}, {1, 2})), "");
  EXPECT_TRUE(contains(textOf(readLabels(labels, *source)), "2x1"));
}

//===----------------------------------------------------------------------===//
// Real models' inputs
//===----------------------------------------------------------------------===//

TEST(SharedData, ImageNetInputsEqualTheReference) {
  std::string images = shared("images/imagenet/calibration");
  std::string inputs = shared("models/vit_tiny_in1k/reference_inputs.npy");
  if (images.empty() || inputs.empty())
    GTEST_SKIP() << "set VITQ_SHARED to the folder of models and images";
  auto source = valueOf(open(images, "resize=248,crop=224,mean=0.5,std=0.5"));
  NpyArray reference = valueOf(readNpy(inputs));
  ASSERT_TRUE(source);
  ASSERT_EQ(reference.shape, (std::vector<int64_t>{6, 3, 224, 224}));
  size_t size = 3 * 224 * 224;
  for (size_t i = 0; i < 6; ++i)
    EXPECT_EQ(ArrayRef<float>(valueOf(source->normalized(i))), reference.values<float>().slice(i * size, size))
        << source->name(i).str();
  EXPECT_EQ(valueOf(readLabels(images + "/labels.csv", *source))[2], 32);
}

TEST(SharedData, ArrayInputsEqualTheReference) {
  struct {
    const char *images, *inputs, *spec;
    int channels;
  } cases[] = {{"images/mnist/calibration.npy", "models/mnist_vit/reference_inputs.npy", "mean=0.5,std=0.5", 1},
               {"images/cifar10/calibration.npy", "models/cifar10_vit/reference_inputs.npy",
                "mean=0.4914:0.4822:0.4465,std=0.2023:0.1994:0.2010", 3}};
  for (const auto &c : cases) {
    if (shared(c.images).empty() || shared(c.inputs).empty())
      GTEST_SKIP() << "set VITQ_SHARED to the folder of models and images";
    auto source = valueOf(open(shared(c.images), c.spec, c.channels));
    auto given = valueOf(open(shared(c.inputs), c.spec, c.channels));
    ASSERT_TRUE(source && given);
    ASSERT_EQ(source->size(), given->size());
    EXPECT_TRUE(given->isNormalizedFloat());
    for (size_t i = 0; i < source->size(); ++i) {
      auto values = valueOf(source->normalized(i));
      auto expected = valueOf(given->normalized(i));
      ASSERT_EQ(values.size(), expected.size());
      for (size_t j = 0; j < values.size(); ++j)
        ASSERT_NEAR(values[j], expected[j], 1e-6) << c.images << ' ' << i;
    }
  }
}
