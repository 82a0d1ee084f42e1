//===- LoadTest.cpp - Programs kept and loaded again through the C API -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <filesystem>

using namespace vitq::test;

namespace {

class CApiLoad : public testing::Test {
public:
  CApiLoad() : program(digits.compile()) {}
  ~CApiLoad() override { vitqProgramDestroy(program); }

  std::string object() const {
    size_t size = 0;
    const void *data = vitqProgramGetObject(program, &size);
    return {static_cast<const char *>(data), size};
  }
  VitqProgram load(const std::string &bytes) { return vitqProgramLoad(bytes.data(), bytes.size(), digits.diagnostics); }

  /// The program is the one that was compiled, but for what only the compiler knows; and it goes.
  void expectSame(VitqProgram loaded) {
    ASSERT_FALSE(vitqProgramIsNull(loaded)) << digits.errors();
    EXPECT_STREQ(vitqProgramGetName(loaded), "digits");
    // But for blanks, where the object's had to wait for the size of its code.
    std::string manifest = vitqProgramGetManifest(loaded);
    std::erase(manifest, ' ');
    EXPECT_TRUE(manifest == vitqProgramGetManifest(program));
    EXPECT_EQ(vitqProgramGetInput(loaded).bytes, 64u);
    EXPECT_STREQ(vitqProgramGetInput(loaded).layout, "nhwc");
    EXPECT_STREQ(vitqProgramGetOutputAt(loaded, 0).name, "logits");
    EXPECT_EQ(vitqProgramGetOutputBytes(loaded), 40u);
    EXPECT_EQ(vitqProgramGetOutputScale(loaded), vitqProgramGetOutputScale(program));
    EXPECT_EQ(vitqProgramGetArenaBytes(loaded), vitqProgramGetArenaBytes(program));
    EXPECT_EQ(vitqProgramGetArenaAlignment(loaded), 64u);
    EXPECT_EQ(vitqProgramGetMacs(loaded), vitqProgramGetMacs(program));
    EXPECT_STREQ(vitqProgramGetReport(loaded), "");
    EXPECT_STREQ(vitqProgramGetHeader(loaded), "");
    const std::vector<uint8_t> pixels = readPixels("images.npy");
    for (size_t i = 0; i < 20; ++i) {
      std::vector<int32_t> expected(10), logits(10);
      EXPECT_EQ(vitqProgramRunChecked(program, &pixels[i * 64], 64, expected.data(), 40, {nullptr}), VITQ_SUCCESS);
      EXPECT_EQ(vitqProgramRunChecked(loaded, &pixels[i * 64], 64, logits.data(), 40, {nullptr}), VITQ_SUCCESS);
      EXPECT_EQ(logits, expected);
    }
    vitqProgramDestroy(loaded);
  }

  Digits digits;
  VitqProgram program;
};

} // namespace

TEST_F(CApiLoad, Objects) {
  expectSame(load(object()));
  EXPECT_TRUE(vitqProgramIsNull(load("")));
  EXPECT_EQ(digits.errors(), "vitqProgramLoad: the object is null, or empty\n");
  EXPECT_TRUE(vitqProgramIsNull(load("no object")));
  EXPECT_EQ(digits.errors().find("the object cannot be loaded: "), 0u);
  EXPECT_TRUE(vitqProgramIsNull(load(object().substr(0, 4000))));
  EXPECT_EQ(digits.errors().find("the object cannot be loaded: "), 0u);
}

TEST_F(CApiLoad, ObjectsOfOtherProcessors) {
#if defined(__x86_64__)
  ASSERT_EQ(digits.set("target", "aarch64"), VITQ_SUCCESS);
#else
  ASSERT_EQ(digits.set("target", "x86-64"), VITQ_SUCCESS);
#endif
  vitqProgramDestroy(program);
  program = digits.compile();
  ASSERT_FALSE(vitqProgramIsNull(program)) << digits.errors();
  EXPECT_TRUE(vitqProgramIsNull(load(object())));
  EXPECT_EQ(digits.errors().find("the object "), 0u);
}

TEST_F(CApiLoad, Libraries) {
  const std::string path = testing::TempDir() + "vitq-load-test.so";
  ASSERT_EQ(vitqProgramWriteLibrary(program, path.c_str(), digits.diagnostics), VITQ_SUCCESS) << digits.errors();
  expectSame(vitqProgramOpen(path.c_str(), digits.diagnostics));
  VitqProgram opened = vitqProgramOpen(path.c_str(), digits.diagnostics);
  EXPECT_EQ(vitqProgramWriteLibrary(opened, path.c_str(), digits.diagnostics), VITQ_FAILURE);
  EXPECT_EQ(digits.errors(), "the program was opened from a library and has no object; copy the library\n");
  vitqProgramDestroy(opened);
  std::filesystem::remove(path);

  EXPECT_TRUE(vitqProgramIsNull(vitqProgramOpen("nowhere.so", digits.diagnostics)));
  EXPECT_EQ(digits.errors().find("nowhere.so: "), 0u);
  const std::string model = digitsPath("digits.onnx");
  EXPECT_TRUE(vitqProgramIsNull(vitqProgramOpen(model.c_str(), digits.diagnostics)));
  EXPECT_EQ(digits.errors(), model + ": is no shared library made by vitq\n");
  EXPECT_TRUE(vitqProgramIsNull(vitqProgramOpen(nullptr, digits.diagnostics)));
  EXPECT_EQ(digits.errors(), "vitqProgramOpen: the path is null\n");
  EXPECT_EQ(vitqProgramWriteLibrary(program, nullptr, digits.diagnostics), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "vitqProgramWriteLibrary: the program or the path is null\n");
  EXPECT_EQ(vitqProgramWriteLibrary(program, "nowhere/digits.so", digits.diagnostics), VITQ_FAILURE);
  EXPECT_NE(digits.errors().find("nowhere/digits.so"), std::string::npos);
}

TEST_F(CApiLoad, Reports) {
  const std::string facts = vitqProgramGetReport(program);
  EXPECT_NE(facts.find("\"float_instructions\": 0"), std::string::npos);
  EXPECT_NE(facts.find("\"logits_sqnr_db\": null"), std::string::npos);
  EXPECT_EQ(digits.set("report", "all"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "option 'report' cannot be 'all': it must be facts or measured\n");
  ASSERT_EQ(digits.set("report", "measured"), VITQ_SUCCESS);
  EXPECT_TRUE(vitqProgramIsNull(digits.compile()));
  EXPECT_EQ(digits.errors(), "option 'report=measured' needs a float model, and images in the option 'data'\n");
  ASSERT_EQ(digits.set("data", digitsPath("calibration.npy").c_str()), VITQ_SUCCESS);
  VitqProgram measured = digits.compile(digits.model(), nullptr);
  ASSERT_FALSE(vitqProgramIsNull(measured)) << digits.errors();
  EXPECT_EQ(std::string(vitqProgramGetReport(measured)).find("\"logits_sqnr_db\": null"), std::string::npos);
  vitqProgramDestroy(measured);
}

TEST_F(CApiLoad, QuantizedModels) {
  const VitqModel model = digits.model();
  const VitqImages images = digits.images();
  std::string onnx;
  ASSERT_EQ(vitqModelQuantize(&model, &images, digits.options, appendBytes, &onnx, digits.diagnostics), VITQ_SUCCESS)
      << digits.errors();
  EXPECT_NE(onnx.find("DequantizeLinear"), std::string::npos);
  // The quantized model is a model: with the scales that it has it is compiled without images.
  const VitqModel again = {onnx.data(), onnx.size(), VITQ_MODEL_ONNX, "quantized.onnx"};
  VitqProgram compiled = digits.compile(again, &images);
  EXPECT_FALSE(vitqProgramIsNull(compiled)) << digits.errors();
  vitqProgramDestroy(compiled);
  EXPECT_EQ(vitqModelQuantize(&model, &images, digits.options, nullptr, nullptr, digits.diagnostics),
            VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "vitqModelQuantize: the callback is null\n");
  EXPECT_EQ(vitqModelQuantize(nullptr, &images, digits.options, appendBytes, &onnx, digits.diagnostics),
            VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "vitqModelQuantize: the model is null\n");
}
