//===- PreprocessTest.cpp -------------------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Preprocess.h"

#include "TestUtils.h"

using namespace llvm;
using namespace vitq::data;
using namespace vitq::data::test;

static std::string errorOf(StringRef text) { return textOf(parsePreprocess(text)); }

TEST(Preprocess, ParsesTheDocumentedForms) {
  auto p = valueOf(parsePreprocess("resize=248,crop=224,mean=0.5,std=0.5"));
  ASSERT_TRUE(p.resize && p.crop);
  EXPECT_EQ(p.resize->shortSide, 248);
  EXPECT_FALSE(p.resize->exact);
  EXPECT_EQ(*p.crop, (Size{224, 224}));
  EXPECT_EQ(p.interpolation, Interpolation::Bicubic);
  EXPECT_EQ(p.mean, std::vector<double>{0.5});

  p = valueOf(parsePreprocess(" resize = 224x192 , interpolation=bilinear,"
                              "mean=0.485:0.456:0.406,std=0.229:0.224:0.225"));
  ASSERT_TRUE(p.resize);
  EXPECT_EQ(p.resize->exact, (Size{224, 192}));
  EXPECT_EQ(p.interpolation, Interpolation::Bilinear);
  EXPECT_EQ(p.mean, (std::vector<double>{0.485, 0.456, 0.406}));
  EXPECT_EQ(p.stdDevOf(2), 0.225);
}

TEST(Preprocess, RoundTrips) {
  for (StringRef text : {"mean=0,std=1", "resize=248,crop=224,mean=0.5,std=0.5",
                         "resize=224x192,interpolation=bilinear,crop=100x96,"
                         "mean=0.485:0.456:0.406,std=0.229:0.224:0.225",
                         "crop=28,mean=0.1307,std=0.3081"}) {
    auto p = valueOf(parsePreprocess(text));
    EXPECT_EQ(toString(p), text);
    EXPECT_EQ(valueOf(preprocessFromJSON(toJSON(p))), p);
  }
}

TEST(Preprocess, NamesWhatIsWrong) {
  EXPECT_TRUE(contains(errorOf(""), "empty"));
  EXPECT_TRUE(contains(errorOf("size=3"), "unknown key 'size'"));
  EXPECT_TRUE(contains(errorOf("resize"), "'resize' is not of the form"));
  EXPECT_TRUE(contains(errorOf("crop=4,crop=5"), "'crop=' is given twice"));
  for (StringRef text : {"resize=0", "resize=-5", "resize=8193", "resize=2x", "resize=2x3x4", "resize=1e3",
                         "resize=", "resize=99999999999999999999"})
    EXPECT_TRUE(contains(errorOf(text), "'resize=' needs a number of pixels")) << text.str();
  for (StringRef text : {"std=0", "std=-1", "std=0.5:0:0.5"})
    EXPECT_TRUE(contains(errorOf(text), "is not positive")) << text.str();
  for (StringRef text : {"mean=nan", "mean=inf", "mean=", "mean=1:", "mean=x"})
    EXPECT_TRUE(contains(errorOf(text), "needs numbers")) << text.str();
  EXPECT_TRUE(contains(errorOf("mean=0.1:0.2"), "has 2 values"));
  EXPECT_TRUE(contains(errorOf("mean=123.675"), "divide"));
  EXPECT_TRUE(contains(errorOf("std=58.395"), "divide"));
  EXPECT_TRUE(contains(errorOf("interpolation=lanczos"), "'lanczos'"));
  EXPECT_TRUE(contains(errorOf("resize=100,crop=224"), "larger than"));
  EXPECT_TRUE(contains(errorOf("resize=300x200,crop=224"), "larger than"));
  EXPECT_TRUE(contains(errorOf("@/no/such/file.json"), "/no/such/file.json"));
}

TEST(Preprocess, ChecksChannels) {
  auto p = valueOf(parsePreprocess("mean=0.1:0.2:0.3"));
  EXPECT_EQ(textOf(p.checkChannels(3)), "");
  EXPECT_TRUE(contains(textOf(p.checkChannels(1)), "'mean' has 3 values"));
}

TEST(Preprocess, ShortSideRoundsTheLongSideDown) {
  Resize resize{248, std::nullopt};
  auto result = resize.resultFor({256, 341});
  EXPECT_EQ(result.height, 248);
  EXPECT_EQ(result.width, 330); // 330.34
  result = resize.resultFor({65500, 1});
  EXPECT_EQ(result.height, 16244000);
}

//===----------------------------------------------------------------------===//
// Configuration files
//===----------------------------------------------------------------------===//

static Expected<Preprocess> fromFile(StringRef json) {
  TemporaryFolder folder;
  return parsePreprocess("@" + folder.write("config.json", json));
}

TEST(PreprocessConfig, HuggingFaceViT) {
  auto p = valueOf(fromFile(R"({
    "do_normalize": true, "do_rescale": true, "do_resize": true,
    "image_mean": [0.5, 0.5, 0.5], "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5], "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224}})"));
  EXPECT_EQ(toString(p), "resize=224x224,interpolation=bilinear,"
                         "mean=0.5:0.5:0.5,std=0.5:0.5:0.5");
}

TEST(PreprocessConfig, HuggingFaceDeiT) {
  auto p = valueOf(fromFile(R"({
    "crop_size": 224, "do_center_crop": true, "do_normalize": true,
    "do_resize": true, "feature_extractor_type": "DeiTFeatureExtractor",
    "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    "resample": 3, "size": 256})"));
  EXPECT_EQ(toString(p), "resize=256x256,crop=224,mean=0.485:0.456:0.406,"
                         "std=0.229:0.224:0.225");
}

TEST(PreprocessConfig, HuggingFaceShortestEdge) {
  auto p = valueOf(fromFile(R"({
    "crop_size": {"height": 224, "width": 224}, "do_center_crop": true,
    "image_mean": [0.5], "image_std": [0.5], "resample": 3,
    "size": {"shortest_edge": 248}, "do_pad": false, "_auto_class": null})"));
  EXPECT_EQ(toString(p), "resize=248,crop=224,mean=0.5,std=0.5");
}

TEST(PreprocessConfig, Timm) {
  auto p = valueOf(fromFile(R"({
    "architecture": "vit_tiny_patch16_224", "num_classes": 1000,
    "pretrained_cfg": {"input_size": [3, 224, 224], "crop_pct": 0.9,
      "crop_mode": "center", "interpolation": "bicubic",
      "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}})"));
  EXPECT_EQ(toString(p), "resize=248,crop=224,mean=0.5:0.5:0.5,std=0.5:0.5:0.5");
}

TEST(PreprocessConfig, TimmsCropModes) {
  auto read = [](StringRef size, StringRef rest) {
    return fromFile(
        (R"({"input_size": )" + size + R"(, "crop_pct": 0.875, "mean": [0.5], "std": [0.5])" + rest + "}").str());
  };
  auto text = [&](StringRef size, StringRef rest) { return toString(valueOf(read(size, rest))); };
  EXPECT_EQ(text("[3, 16, 24]", ""), "resize=cover:18x27,crop=16x24,mean=0.5,std=0.5");
  EXPECT_EQ(text("[3, 16, 24]", R"(, "crop_mode": "center")"), "resize=cover:18x27,crop=16x24,mean=0.5,std=0.5");
  EXPECT_EQ(text("[3, 16, 24]", R"(, "crop_mode": "squash")"), "resize=18x27,crop=16x24,mean=0.5,std=0.5");
  EXPECT_EQ(text("[3, 16, 16]", R"(, "crop_mode": "squash")"), "resize=18x18,crop=16,mean=0.5,std=0.5");
  EXPECT_EQ(text("[3, 16, 16]", R"(, "crop_mode": null)"), "resize=18,crop=16,mean=0.5,std=0.5");
  EXPECT_TRUE(contains(textOf(read("[3, 16, 16]", R"(, "crop_mode": "border")")),
                       "'crop_mode' is \"border\", which shrinks a picture until all of it fits and pads"));
}

TEST(PreprocessConfig, ConvNextsCropPct) {
  auto text = [](StringRef json) { return toString(valueOf(fromFile(json))); };
  EXPECT_EQ(text(R"({"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224},
                     "crop_pct": 0.9, "resample": 3, "image_mean": [0.5], "image_std": [0.5]})"),
            "resize=248,crop=224,mean=0.5,std=0.5");
  EXPECT_EQ(text(R"({"feature_extractor_type": "ConvNextFeatureExtractor", "size": 224,
                     "image_mean": [0.5], "image_std": [0.5]})"),
            "resize=256,crop=224,mean=0.5,std=0.5");
  EXPECT_EQ(text(R"({"image_processor_type": "ConvNextImageProcessorFast", "size": {"shortest_edge": 384},
                     "crop_pct": 0.9, "image_mean": [0.5], "image_std": [0.5]})"),
            "resize=384x384,mean=0.5,std=0.5");
}

TEST(PreprocessConfig, OwnForm) {
  for (StringRef spec : {"resize=248,crop=224,mean=0.5,std=0.25", "resize=3x4,pillow=12,mean=0,std=1",
                         "resize=cover:18x27,crop=16x24,mean=0.5:0.4:0.3,std=1", "mean=0,std=1"}) {
    auto p = valueOf(parsePreprocess(spec));
    EXPECT_EQ(toString(p), spec);
    std::string text;
    raw_string_ostream(text) << toJSON(p);
    EXPECT_EQ(valueOf(fromFile(text)), p) << text;
  }
}

TEST(PreprocessConfig, ChecksTheCropAgainstWhatCovers) {
  EXPECT_EQ(textOf(parsePreprocess("resize=cover:18x27,crop=18x40")), "");
  EXPECT_TRUE(contains(textOf(parsePreprocess("resize=cover:18x27,crop=19x28")), "larger than what 'resize' leaves"));
  EXPECT_TRUE(contains(textOf(parsePreprocess("resize=cover:0x27")), "'resize='"));
  EXPECT_TRUE(contains(textOf(parsePreprocess("resize=4,pillow=11")), "pillow '11' is not supported; use 12"));
}

TEST(PreprocessConfig, NamesTheFileAndTheKey) {
  struct {
    const char *json, *part;
  } cases[] = {
      {"", "not valid JSON"},
      {"[1]", "expected a JSON object"},
      {R"({"size": 224})", "'resample'"},
      {R"({"size": 224, "resample": 0})", "'resample' should be 2"},
      {R"({"size": -1, "resample": 2})", "'size'"},
      {R"({"size": {"longest_edge": 5}, "resample": 2})", "'size'"},
      {R"({"do_resize": "yes"})", "'do_resize' should be true or false"},
      {R"({"do_resize": true})", "no 'size'"},
      {R"({"do_rescale": false})", "'do_rescale' is false"},
      {R"({"rescale_factor": 0.5})", "'rescale_factor'"},
      {R"({"do_normalize": true})", "no 'image_mean'"},
      {R"({"image_mean": [0.5], "image_std": [0]})", "not positive"},
      {R"({"image_mean": ["a"], "image_std": [1]})", "'image_mean'"},
      {R"({"do_flip_channel_order": true})", "'do_flip_channel_order'"},
      {R"({"crop_pct": 0.9})", "'crop_pct'"},
      {R"({"input_size": [3]})", "'input_size'"},
      {R"({"input_size": [3, 8, 8], "crop_mode": "top"})", "'crop_mode' should be"},
      {R"({"input_size": [3, 8, 8], "crop_pct": 0})", "'crop_pct'"},
      {R"({"mean": [0], "stddev": [1]})", "unknown key 'stddev'"},
      {R"({"mean": [0], "resize": {"height": 3}})", "'resize'"},
      {R"({"mean": [0], "resize": {"cover": 3}})", "'resize' should be 'cover' alone"},
      {R"({"mean": [0], "resize": {"cover": {"height": 3}}})", "'resize.cover'"},
      {R"({"mean": [0], "pillow": 11})", "'pillow' should be 12 or 13"},
      {R"({"crop_pct": 2, "size": 9, "image_processor_type": "ConvNextImageProcessor"})", "'crop_pct' should be"},
  };
  for (const auto &[json, part] : cases) {
    std::string text = textOf(fromFile(json));
    EXPECT_TRUE(contains(text, part)) << json;
    EXPECT_TRUE(contains(text, "config.json")) << json;
  }
}
