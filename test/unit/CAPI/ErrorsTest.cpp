//===- ErrorsTest.cpp - What the C API says when it is misused -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <limits>

using namespace vitq::test;

static VitqModel modelOf(const std::string &bytes, VitqModelFormat format) {
  return {bytes.data(), bytes.size(), format, format == VITQ_MODEL_ONNX ? "bad.onnx" : "bad.mlir"};
}

TEST(CApiErrors, Models) {
  Digits digits;
  VitqImages images = digits.images();
  auto errorsOf = [&](const std::string &bytes, VitqModelFormat format) {
    EXPECT_TRUE(vitqProgramIsNull(digits.compile(modelOf(bytes, format), &images)));
    return digits.errors();
  };
  EXPECT_EQ(errorsOf("", VITQ_MODEL_ONNX), "bad.onnx: the data is empty; export the model again\n");
  EXPECT_EQ(errorsOf("no model", VITQ_MODEL_ONNX),
            "bad.onnx: the data is no ONNX model, or is damaged; export it again\n");
  EXPECT_EQ(errorsOf("", VITQ_MODEL_MLIR), "'bad.mlir': the data is empty\n");
  EXPECT_EQ(errorsOf("\n  no module", VITQ_MODEL_MLIR).find("bad.mlir:2:3: "), 0u);
  EXPECT_NE(errorsOf("ML\xEFR damaged", VITQ_MODEL_MLIR), "");
  const std::string truncated = digits.bytes.substr(0, digits.bytes.size() / 2);
  EXPECT_EQ(errorsOf(truncated, VITQ_MODEL_ONNX),
            "bad.onnx: the data is no ONNX model, or is damaged; export it again\n");
}

TEST(CApiErrors, Images) {
  Digits digits;
  auto errorsOf = [&](VitqImages images) {
    EXPECT_TRUE(vitqProgramIsNull(digits.compile(digits.model(), &images)));
    return digits.errors();
  };
  VitqImages images = digits.images();
  images.height = 4;
  images.count *= 2;
  EXPECT_EQ(errorsOf(images), "the calibration images are 4x8x1 (height, width, channels), the model takes 8x8x1\n");
  images = digits.images();
  images.count = 0;
  EXPECT_EQ(errorsOf(images), "vitqProgramCompile: the calibration images are null, or there are none\n");
  images = digits.images();
  images.pixels = nullptr;
  EXPECT_EQ(errorsOf(images), "vitqProgramCompile: the calibration images are null, or there are none\n");
  images = digits.images();
  images.count = std::numeric_limits<size_t>::max();
  EXPECT_EQ(errorsOf(images), "vitqProgramCompile: there are more calibration images than memory can hold\n");
  EXPECT_TRUE(vitqProgramIsNull(digits.compile(digits.model(), nullptr)));
  EXPECT_EQ(digits.errors(), "quantizing needs calibration images in memory, or the option 'data' or 'load-ranges'\n");
  EXPECT_EQ(digits.set("data", "somewhere"), VITQ_SUCCESS);
  EXPECT_EQ(errorsOf(digits.images()), "calibration images were given in memory and by the option 'data' or "
                                       "'load-ranges'; give one of them\n");
}

TEST(CApiErrors, Options) {
  Digits digits;
  EXPECT_EQ(digits.set("nonlinaer", "table"), VITQ_INVALID_ARGUMENT);
  std::string errors = digits.errors();
  EXPECT_EQ(errors.find("unknown option 'nonlinaer'; known are "), 0u) << errors;
  for (const char *key :
       {"batch", "data", "limit", "name", "nonlinear", "nonlinear-budget", "output", "preprocess", "shape", "target"})
    EXPECT_NE(errors.find(key), std::string::npos) << errors;
  EXPECT_EQ(digits.set("nonlinear", "cubic"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors().find("option 'nonlinear' cannot be 'cubic': "), 0u);
  EXPECT_EQ(digits.set("limit", "many"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors().find("option 'limit' cannot be 'many': "), 0u);
  EXPECT_EQ(digits.set("target", "z80"), VITQ_INVALID_ARGUMENT);
  EXPECT_NE(digits.errors().find("z80"), std::string::npos);
  EXPECT_EQ(digits.set("target", "systolic:gemmini-16x16"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "option 'target' cannot be 'systolic:gemmini-16x16': programs of the C API are for CPUs, "
                             "not for systolic arrays\n");
  EXPECT_EQ(digits.set("target", "cpu:x86-64-v3"), VITQ_SUCCESS);
  EXPECT_EQ(digits.set("target", "native"), VITQ_SUCCESS);
  EXPECT_EQ(digits.set("name", "two words"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "option 'name' cannot be 'two words': it must be a C identifier\n");
  EXPECT_EQ(digits.set("batch", "0"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "option 'batch' cannot be '0': it must be a positive number\n");
  EXPECT_EQ(digits.set("shape", "input:1xnx8x8"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "option 'shape' cannot be 'input:1xnx8x8': 'input:1xnx8x8' is no shape of an input, as in "
                             "pixel_values:1x3x224x224\n");
  // What only the compiler can judge.
  EXPECT_EQ(digits.set("preprocess", "mean=0.5,turn=1"), VITQ_SUCCESS);
  EXPECT_TRUE(vitqProgramIsNull(digits.compile()));
  EXPECT_NE(digits.errors().find("turn"), std::string::npos);
}

TEST(CApiErrors, Shapes) {
  Digits digits;
  EXPECT_EQ(digits.set("shape", "picture:1x1x8x8"), VITQ_SUCCESS);
  EXPECT_TRUE(vitqProgramIsNull(digits.compile()));
  EXPECT_NE(digits.errors().find("--shape names 'picture', which is no input; the model's input is 'input'"),
            std::string::npos);
  EXPECT_EQ(digits.set("shape", "input:1x1x9x8"), VITQ_SUCCESS);
  EXPECT_TRUE(vitqProgramIsNull(digits.compile()));
  EXPECT_NE(digits.errors().find("the size 9, but the model fixes it to 8"), std::string::npos);
}

TEST(CApiErrors, OptionsThatOthersMakeMeaningless) {
  Digits digits;
  EXPECT_EQ(digits.set("recipe", "ivit"), VITQ_SUCCESS);
  EXPECT_EQ(digits.set("nonlinear", "table"), VITQ_SUCCESS);
  EXPECT_TRUE(vitqProgramIsNull(digits.compile()));
  EXPECT_EQ(digits.errors(),
            "option 'nonlinear=table' has no effect with option 'recipe=ivit', which has algorithms of "
            "its own for nonlinear functions: leave one of them out\n");
}

TEST(CApiErrors, NullArguments) {
  Digits digits;
  VitqModel model = digits.model();
  VitqImages images = digits.images();
  VitqDiagnostics diagnostics = digits.diagnostics;
  EXPECT_TRUE(vitqProgramIsNull(vitqProgramCompile(nullptr, &images, digits.options, diagnostics)));
  EXPECT_EQ(digits.errors(), "vitqProgramCompile: the model is null\n");
  EXPECT_TRUE(vitqProgramIsNull(vitqProgramCompile(&model, &images, {nullptr}, diagnostics)));
  EXPECT_EQ(digits.errors(), "vitqProgramCompile: the options are null\n");
  model.data = nullptr;
  EXPECT_TRUE(vitqProgramIsNull(vitqProgramCompile(&model, &images, digits.options, diagnostics)));
  EXPECT_EQ(digits.errors(), "vitqProgramCompile: the model is null\n");
  model = digits.model();
  EXPECT_EQ(vitqModelLower(&model, &images, digits.options, VITQ_PHASE_INTEGER, true, nullptr, nullptr, diagnostics),
            VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "vitqModelLower: the callback is null\n");
  EXPECT_EQ(digits.set(nullptr, "1"), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.set("limit", nullptr), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(vitqOptionsSet({nullptr}, "limit", "1", {nullptr}), VITQ_INVALID_ARGUMENT);
  // Without diagnostics nothing is said, and nothing happens.
  EXPECT_TRUE(vitqProgramIsNull(vitqProgramCompile(nullptr, nullptr, {nullptr}, {nullptr})));

  VitqProgram none = {nullptr};
  EXPECT_EQ(vitqProgramRun(none, &model, &model, &model), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(vitqProgramRunChecked(none, &model, 1, &model, 1, {nullptr}), VITQ_INVALID_ARGUMENT);
  EXPECT_FALSE(vitqProgramIsRunnable(none));
  EXPECT_EQ(vitqProgramGetInput(none).rank, 0u);
  EXPECT_EQ(vitqProgramGetArenaBytes(none), 0u);
  EXPECT_STREQ(vitqProgramGetManifest(none), "");
  EXPECT_EQ(vitqArenaCreate(none), nullptr);
  EXPECT_EQ(vitqDiagnosticsGetCount({nullptr}), 0u);
  EXPECT_STREQ(vitqDiagnosticsGetErrors({nullptr}), "");
  EXPECT_STREQ(vitqDiagnosticsGetMessage(diagnostics, 99), "");
  vitqProgramDestroy(none);
  vitqOptionsDestroy({nullptr});
  vitqDiagnosticsDestroy({nullptr});
  vitqDiagnosticsClear({nullptr});
  vitqArenaDestroy(nullptr);
}

TEST(CApiErrors, Phases) {
  Digits digits;
  VitqModel model = digits.model();
  VitqImages images = digits.images();
  std::string integer, text;
  ASSERT_EQ(vitqModelLower(&model, &images, digits.options, VITQ_PHASE_INTEGER, true, appendBytes, &integer,
                           digits.diagnostics),
            VITQ_SUCCESS)
      << digits.errors();
  VitqModel module = modelOf(integer, VITQ_MODEL_MLIR);
  EXPECT_EQ(vitqModelLower(&module, nullptr, digits.options, VITQ_PHASE_QUANTIZED, false, appendBytes, &text,
                           digits.diagnostics),
            VITQ_FAILURE);
  EXPECT_EQ(digits.errors(), "the model is in a later phase than the one that is wanted\n");
  EXPECT_TRUE(vitqProgramIsNull(digits.compile(module, &images)));
  EXPECT_EQ(digits.errors(), "calibration images were given, but the model is quantized already\n");
  EXPECT_EQ(vitqModelLower(&module, nullptr, digits.options, static_cast<VitqPhase>(17), false, appendBytes, &text,
                           digits.diagnostics),
            VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(), "vitqModelLower: the phase is none of VitqPhase\n");
  EXPECT_EQ(text, "");
}
