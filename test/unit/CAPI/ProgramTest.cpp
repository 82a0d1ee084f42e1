//===- ProgramTest.cpp - Models compiled and run through the C API -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <cstring>
#include <thread>

using namespace vitq::test;

namespace {

struct Program {
  explicit Program(Digits &digits) : handle(digits.compile()) {}
  explicit Program(VitqProgram handle) : handle(handle) {}
  ~Program() { vitqProgramDestroy(handle); }
  Program(const Program &) = delete;
  VitqProgram handle;
};

} // namespace

/// The digits model with default options, compiled once for all tests.
static VitqProgram sharedProgram() {
  static Digits digits;
  static Program program(digits);
  EXPECT_FALSE(vitqProgramIsNull(program.handle)) << digits.errors();
  return program.handle;
}

static std::string objectOf(VitqProgram program) {
  size_t size = 0;
  const void *object = vitqProgramGetObject(program, &size);
  return {static_cast<const char *>(object), size};
}

/// The logits of all test images.
static std::vector<int32_t> runAll(VitqProgram program) {
  const std::vector<uint8_t> pixels = readPixels("images.npy");
  std::vector<int32_t> logits(pixels.size() / 64 * 10);
  void *arena = vitqArenaCreate(program);
  for (size_t i = 0; i < pixels.size() / 64; ++i)
    EXPECT_EQ(vitqProgramRun(program, &pixels[i * 64], &logits[i * 10], arena), VITQ_SUCCESS);
  vitqArenaDestroy(arena);
  return logits;
}

TEST(CApiProgram, SaysWhatItIs) {
  VitqProgram program = sharedProgram();
  VitqArray in = vitqProgramGetInput(program), out = vitqProgramGetOutput(program);
  EXPECT_EQ(std::vector<int64_t>(in.shape, in.shape + in.rank), (std::vector<int64_t>{1, 8, 8, 1}));
  EXPECT_STREQ(in.dtype, "uint8");
  EXPECT_STREQ(in.layout, "nhwc");
  EXPECT_EQ(in.bytes, 64u);
  EXPECT_EQ(std::vector<int64_t>(out.shape, out.shape + out.rank), (std::vector<int64_t>{1, 10}));
  EXPECT_STREQ(out.dtype, "int32");
  EXPECT_EQ(out.bytes, 40u);
  EXPECT_GT(vitqProgramGetOutputScale(program), 0);
  EXPECT_STREQ(vitqProgramGetName(program), "digits");
  EXPECT_EQ(vitqProgramGetArenaAlignment(program), 64u);
  EXPECT_GT(vitqProgramGetArenaBytes(program), 0u);
  EXPECT_GT(vitqProgramGetMacs(program), 1000000u);
  const std::string manifest = vitqProgramGetManifest(program);
  EXPECT_NE(manifest.find("\"preprocess\":\"mean=0.5,std=0.5\""), std::string::npos) << manifest;
  EXPECT_NE(std::string(vitqProgramGetHeader(program)).find("int digits_run("), std::string::npos);
  EXPECT_EQ(objectOf(program).substr(1, 3), "ELF");
  EXPECT_STREQ(vitqGetVersion(), "0.1.0");
  EXPECT_EQ(vitqGetApiVersion(), VITQ_C_API_VERSION);
}

TEST(CApiProgram, Runs) {
  VitqProgram program = sharedProgram();
  ASSERT_TRUE(vitqProgramIsRunnable(program));
  const std::vector<int32_t> logits = runAll(program);
  const std::vector<uint8_t> pixels = readPixels("images.npy");
  std::vector<int32_t> once(10);
  EXPECT_EQ(vitqProgramRunChecked(program, pixels.data(), 64, once.data(), 40, {nullptr}), VITQ_SUCCESS);
  EXPECT_TRUE(std::equal(once.begin(), once.end(), logits.begin()));
  // The float model is right for 530 of the 540 images.
  const std::vector<uint8_t> labels = readPixels("labels.npy");
  int right = 0;
  for (size_t i = 0; i < logits.size() / 10; ++i)
    right += std::max_element(&logits[i * 10], &logits[i * 10] + 10) - &logits[i * 10] == labels[i * 8];
  EXPECT_GE(right, 525);
}

/// The classes are those of the program that has them alone: a sum of the residual stream
/// has its codes in any case.
TEST(CApiProgram, SeveralOutputs) {
  Digits digits;
  ASSERT_EQ(digits.set("output", "/blocks.1/Add_1,logits"), VITQ_SUCCESS);
  VitqProgram program = digits.compile();
  ASSERT_FALSE(vitqProgramIsNull(program)) << digits.errors();
  ASSERT_EQ(vitqProgramGetNumOutputs(program), 2u);
  const VitqOutput features = vitqProgramGetOutputAt(program, 0), logits = vitqProgramGetOutputAt(program, 1);
  EXPECT_STREQ(features.name, "/blocks.1/Add_1_output_0");
  EXPECT_EQ(std::vector<int64_t>(features.array.shape, features.array.shape + features.array.rank),
            (std::vector<int64_t>{1, 17, 64}));
  EXPECT_EQ(features.offset, 0u);
  EXPECT_EQ(features.array.bytes, 4352u);
  EXPECT_GT(features.scale, 0);
  EXPECT_EQ(vitqProgramGetOutput(program).bytes, features.array.bytes);
  EXPECT_EQ(vitqProgramGetOutputScale(program), features.scale);
  EXPECT_STREQ(logits.name, "logits");
  EXPECT_EQ(logits.offset, 4352u);
  EXPECT_EQ(vitqProgramGetOutputBytes(program), 4392u);
  EXPECT_EQ(vitqProgramGetOutputAt(program, 2).array.rank, 0u);
  EXPECT_EQ(vitqProgramGetOutputBytes({nullptr}), 0u);

  const std::vector<uint8_t> pixels = readPixels("images.npy");
  std::vector<char> out(4392);
  auto run = [&](const uint8_t *image, size_t outBytes) {
    return vitqProgramRunChecked(program, image, 64, out.data(), outBytes, digits.diagnostics);
  };
  const std::vector<int32_t> expected = runAll(sharedProgram());
  for (size_t image = 0; image < 20; ++image) {
    ASSERT_EQ(run(&pixels[image * 64], out.size()), VITQ_SUCCESS) << digits.errors();
    EXPECT_EQ(std::memcmp(out.data() + logits.offset, &expected[image * 10], 40), 0);
  }
  EXPECT_EQ(run(pixels.data(), 4352), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(digits.errors(),
            "the output has 4352 bytes, program 'digits' needs 4392: 1x17x64 int32, at 4352 1x10 int32\n");
  vitqProgramDestroy(program);

  ASSERT_EQ(digits.set("output", "logit"), VITQ_SUCCESS);
  EXPECT_TRUE(vitqProgramIsNull(digits.compile()));
  EXPECT_NE(digits.errors().find("the model has no output, value or node 'logit'; the nearest are 'logits', '"),
            std::string::npos);
}

TEST(CApiProgram, ChecksWhatItIsGiven) {
  Digits digits;
  VitqProgram program = sharedProgram();
  std::vector<uint8_t> in(64);
  std::vector<int32_t> out(10);
  char *arena = static_cast<char *>(vitqArenaCreate(program));
  EXPECT_EQ(vitqProgramRun(program, in.data(), out.data(), arena), VITQ_SUCCESS);
  EXPECT_EQ(vitqProgramRun(program, in.data(), out.data(), arena + 8), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(vitqProgramRun(program, nullptr, out.data(), arena), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(vitqProgramRun(program, in.data(), nullptr, arena), VITQ_INVALID_ARGUMENT);
  EXPECT_EQ(vitqProgramRun(program, in.data(), out.data(), nullptr), VITQ_INVALID_ARGUMENT);
  vitqArenaDestroy(arena);
  auto run = [&](size_t inBytes, size_t outBytes) {
    EXPECT_EQ(vitqProgramRunChecked(program, in.data(), inBytes, out.data(), outBytes, digits.diagnostics),
              VITQ_INVALID_ARGUMENT);
    return digits.errors();
  };
  EXPECT_EQ(run(63, 40), "the input has 63 bytes, program 'digits' needs 64: 1x8x8x1 uint8\n");
  EXPECT_EQ(run(64, 44), "the output has 44 bytes, program 'digits' needs 40: 1x10 int32\n");
}

TEST(CApiProgram, IsForItsTarget) {
  Digits digits;
#if defined(__x86_64__)
  ASSERT_EQ(digits.set("target", "aarch64"), VITQ_SUCCESS);
#else
  ASSERT_EQ(digits.set("target", "x86-64"), VITQ_SUCCESS);
#endif
  Program program(digits);
  ASSERT_FALSE(vitqProgramIsNull(program.handle)) << digits.errors();
  EXPECT_FALSE(vitqProgramIsRunnable(program.handle));
  EXPECT_FALSE(objectOf(program.handle).empty());
  std::vector<uint8_t> in(64);
  std::vector<int32_t> out(10);
  EXPECT_EQ(vitqProgramRun(program.handle, in.data(), out.data(), in.data()), VITQ_FAILURE);
  EXPECT_EQ(vitqProgramRunChecked(program.handle, in.data(), 64, out.data(), 40, digits.diagnostics), VITQ_FAILURE);
  EXPECT_NE(digits.errors().find(", not for this processor\n"), std::string::npos);
}

static std::string lower(Digits &digits, const VitqModel &model, const VitqImages *images, VitqPhase phase,
                         bool bytecode = true) {
  std::string bytes;
  EXPECT_EQ(vitqModelLower(&model, images, digits.options, phase, bytecode, appendBytes, &bytes, digits.diagnostics),
            VITQ_SUCCESS)
      << digits.errors();
  return bytes;
}

// Images in memory and in a file, MLIR of every phase in between: one program.
TEST(CApiProgram, IsTheSameOnEveryWay) {
  Digits digits;
  VitqModel model = digits.model();
  VitqImages images = digits.images();
  const std::string integer = lower(digits, model, &images, VITQ_PHASE_INTEGER);
  for (VitqPhase phase : {VITQ_PHASE_FLOAT, VITQ_PHASE_QUANTIZED, VITQ_PHASE_DEFERRED}) {
    const std::string bytes = lower(digits, model, &images, phase, /*bytecode=*/phase != VITQ_PHASE_QUANTIZED);
    VitqModel module = {bytes.data(), bytes.size(), VITQ_MODEL_MLIR, nullptr};
    EXPECT_TRUE(lower(digits, module, phase == VITQ_PHASE_FLOAT ? &images : nullptr, VITQ_PHASE_INTEGER) == integer)
        << phase;
  }
  VitqModel module = {integer.data(), integer.size(), VITQ_MODEL_MLIR, nullptr};
  Program program(digits.compile(module, nullptr));
  EXPECT_TRUE(objectOf(program.handle) == objectOf(sharedProgram())) << digits.errors();

  const char *folder = std::getenv("VITQ_DIGITS");
  ASSERT_EQ(digits.set("data", (std::string(folder ? folder : "models/digits") + "/calibration.npy").c_str()),
            VITQ_SUCCESS);
  EXPECT_TRUE(lower(digits, model, nullptr, VITQ_PHASE_INTEGER) == integer);
}

TEST(CApiProgram, OptionsMatter) {
  Digits digits;
  ASSERT_EQ(digits.set("nonlinear", "shift"), VITQ_SUCCESS);
  Program shift(digits);
  ASSERT_FALSE(vitqProgramIsNull(shift.handle)) << digits.errors();
  EXPECT_NE(runAll(sharedProgram()), runAll(shift.handle));
  // The last value counts.
  ASSERT_EQ(digits.set("nonlinear", "table"), VITQ_SUCCESS);
  VitqImages images = digits.images();
  Digits untouched;
  EXPECT_TRUE(lower(digits, digits.model(), &images, VITQ_PHASE_INTEGER) ==
              lower(untouched, digits.model(), &images, VITQ_PHASE_INTEGER));
}

TEST(CApiProgram, Threads) {
  VitqProgram program = sharedProgram();
  const std::vector<int32_t> expected = runAll(program);
  std::vector<std::thread> threads;
  std::vector<std::vector<int32_t>> results(4);
  std::vector<std::string> objects(2);
  for (std::vector<int32_t> &result : results)
    threads.emplace_back([&] { result = runAll(program); });
  for (std::string &object : objects)
    threads.emplace_back([&] {
      Digits mine;
      object = objectOf(Program(mine).handle);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::vector<int32_t> &result : results)
    EXPECT_EQ(result, expected);
  for (const std::string &object : objects)
    EXPECT_TRUE(object == objectOf(program));
}

TEST(CApiDiagnostics, GoToTheCallback) {
  struct Seen {
    std::vector<VitqSeverity> severities;
    std::string text;
  } seen;
  VitqDiagnostics diagnostics = vitqDiagnosticsCreate(
      [](VitqSeverity severity, const char *location, const char *message, void *userData) {
        auto *seen = static_cast<Seen *>(userData);
        seen->severities.push_back(severity);
        seen->text += std::string(location) + "|" + message;
      },
      &seen);
  Digits digits;
  VitqModel model = {"no module", 9, VITQ_MODEL_MLIR, "text.mlir"};
  EXPECT_TRUE(vitqProgramIsNull(vitqProgramCompile(&model, nullptr, digits.options, diagnostics)));
  EXPECT_EQ(seen.severities, std::vector<VitqSeverity>{VITQ_ERROR});
  EXPECT_EQ(seen.text.find("text.mlir:1:1|"), 0u) << seen.text;
  EXPECT_EQ(vitqDiagnosticsGetCount(diagnostics), 0u);
  vitqDiagnosticsDestroy(diagnostics);
}
