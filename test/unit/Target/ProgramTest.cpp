//===- ProgramTest.cpp - Objects, libraries and what they say -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "mlir/Parser/Parser.h"
#include "vitq/Target/FloatScan.h"
#include "vitq/Target/Program.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "gtest/gtest.h"

#include <dlfcn.h>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static constexpr const char *kProgram = R"(
  module attributes {vitq.output_scale = 0.5 : f64, vit.preprocess = "crop=2"} {
    func.func @main(%pixels: tensor<1x2x2x3xi8>) -> tensor<1x4xi32> {
      %w = arith.constant dense<[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
                                 [-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127]]>
                                 : tensor<4x12xi8>
      %b = arith.constant dense<[0, 10, 0, 0]> : tensor<4xi32>
      %r = vitq.reshape %pixels to [1, 12] : tensor<1x2x2x3xi8> -> tensor<1x12xi8>
      %a = vitq.matmul %r, %w, %b transpose_rhs lhs <unsigned>
        : (tensor<1x12xi8>, tensor<4x12xi8>, tensor<4xi32>) -> tensor<1x4xi32>
      return %a : tensor<1x4xi32>
    }
  })";

namespace {
struct Program : testing::Test {
  void SetUp() override {
    module = parseSourceString<ModuleOp>(kProgram, context.get());
    ASSERT_TRUE(module);
    auto target = TargetDesc::parse("native");
    ASSERT_TRUE(static_cast<bool>(target)) << llvm::toString(target.takeError());
    options.target = *target;
    options.name = "tiny";
  }
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module;
  NativeOptions options;
};
} // namespace

TEST_F(Program, ObjectsAreDeterministic) {
  std::vector<char> first = compile(*module, options);
  ASSERT_FALSE(first.empty());
  EXPECT_EQ(first, compile(*module, options));
}

TEST_F(Program, SharedLibrary) {
  std::vector<char> object = compile(*module, options);
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("tiny", "so", path));
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  llvm::Error error = linkSharedObject(object, path);
  ASSERT_FALSE(static_cast<bool>(error)) << llvm::toString(std::move(error));

  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  llvm::scope_exit close([&] { dlclose(library); });
  const auto *program = static_cast<const vitq_program *>(dlsym(library, VITQ_PROGRAM_SYMBOL));
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(program->abi_version, VITQ_PROGRAM_ABI_VERSION_ONE_OUTPUT);
  EXPECT_STREQ(program->name, "tiny");
  EXPECT_EQ(dlsym(library, "tiny_run"), reinterpret_cast<void *>(program->run));
  EXPECT_EQ(dlsym(library, "main"), nullptr);

  auto parsed = llvm::json::parse(program->manifest);
  ASSERT_TRUE(static_cast<bool>(parsed)) << llvm::toString(parsed.takeError());
  const llvm::json::Object &manifest = *parsed->getAsObject(), &input = *manifest.getObject("input"),
                           &output = *manifest.getObject("output");
  EXPECT_EQ(*input.getArray("shape"), (llvm::json::Array{1, 2, 2, 3}));
  EXPECT_EQ(input.getString("dtype"), "uint8");
  EXPECT_EQ(input.getString("layout"), "nhwc");
  EXPECT_EQ(output.getString("dtype"), "int32");
  EXPECT_EQ(output.getNumber("scale"), 0.5);
  EXPECT_EQ(manifest.getString("preprocess"), "crop=2");
  EXPECT_EQ(manifest.getInteger("macs"), 48);
  EXPECT_GT(manifest.getInteger("code_bytes").value_or(0), 0);

  alignas(64) char arena[65536];
  ASSERT_LE(manifest.getInteger("arena_bytes").value_or(65536), static_cast<int64_t>(sizeof(arena)) - 64);
  const uint8_t pixels[12] = {255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200};
  int32_t scores[4] = {};
  EXPECT_EQ(program->run(pixels, scores, arena + 1), 1);
  EXPECT_EQ(program->run(nullptr, scores, arena), 1);
  EXPECT_EQ(program->run(pixels, nullptr, arena), 1);
  EXPECT_EQ(program->run(pixels, scores, nullptr), 1);
  ASSERT_EQ(program->run(pixels, scores, arena), 0);
  EXPECT_EQ(scores[0], 255 + 12 * 200);
  EXPECT_EQ(scores[1], 455 + 10);
  EXPECT_EQ(scores[2], -255);
  EXPECT_EQ(scores[3], 127 * 200);
}

TEST_F(Program, RefusesNamesAndModules) {
  std::string errors;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; });
  llvm::SmallString<0> object;
  llvm::raw_svector_ostream os(object);
  ASSERT_TRUE(succeeded(lowerToLLVM(*module, options)));
  options.name = "not-c";
  EXPECT_TRUE(failed(emitObject(*module, options, os)));
  EXPECT_EQ(errors, "program name 'not-c' is not a C identifier\n");
  errors.clear();
  options.name = "tiny";
  module->lookupSymbol("main")->erase();
  EXPECT_TRUE(failed(emitObject(*module, options, os)));
  EXPECT_EQ(errors, "has no @main in the LLVM dialect\n");
  EXPECT_TRUE(object.empty());
}

TEST_F(Program, HeaderNamesTheEntryPoint) {
  ASSERT_TRUE(succeeded(lowerToLLVM(*module, options)));
  const std::string header = headerOf(*module, options);
  EXPECT_NE(header.find("int tiny_run(const void *in, void *out, void *arena);"), std::string::npos);
  EXPECT_NE(header.find("#define TINY_INPUT_BYTES 12"), std::string::npos);
  EXPECT_NE(header.find("#define TINY_OUTPUT_BYTES 16"), std::string::npos);
}

/// Two results of different widths, with names that a C comment must not hold as they are.
static constexpr const char *kTwoOutputs = R"(
  module attributes {vitq.output_scale = array<f64: 0.5, 0.25>} {
    func.func @main(%pixels: tensor<1x2x2x3xi8>) -> (tensor<1x4x3xi8>, tensor<1x12xi32>) {
      %w = arith.constant dense<1> : tensor<12x12xi8>
      %r = vitq.reshape %pixels to [1, 12] : tensor<1x2x2x3xi8> -> tensor<1x12xi8>
      %f = vitq.reshape %pixels to [1, 4, 3] : tensor<1x2x2x3xi8> -> tensor<1x4x3xi8>
      %a = vitq.matmul %r, %w transpose_rhs lhs <unsigned>
        : (tensor<1x12xi8>, tensor<12x12xi8>) -> tensor<1x12xi32>
      return %f, %a : tensor<1x4x3xi8>, tensor<1x12xi32> loc(fused["/features*/ int x;", "sum"])
    }
  })";

TEST_F(Program, SeveralOutputsLieBehindEachOther) {
  module = parseSourceString<ModuleOp>(kTwoOutputs, context.get());
  ASSERT_TRUE(module);
  ASSERT_TRUE(succeeded(lowerToLLVM(*module, options)));
  const Manifest manifest = describeProgram(*module, options, 0);
  EXPECT_EQ(manifest.abi, VITQ_PROGRAM_ABI_VERSION);
  ASSERT_EQ(manifest.outputs.size(), 2u);
  const Manifest::Output &features = manifest.outputs[0], &sum = manifest.outputs[1];
  EXPECT_EQ(features.name, "/features*/ int x;");
  EXPECT_EQ(features.shape, (std::vector<int64_t>{1, 4, 3}));
  EXPECT_EQ(features.dtype, "int8");
  EXPECT_EQ(features.scale, 0.5);
  EXPECT_EQ(features.offset, 0u);
  EXPECT_EQ(sum.name, "sum");
  EXPECT_EQ(sum.scale, 0.25);
  EXPECT_EQ(sum.offset, 64u);
  EXPECT_EQ(manifest.outputBytes(), 64u + 48u);

  const std::string header = headerOf(*module, options);
  EXPECT_NE(header.find("#define TINY_OUTPUT_BYTES 112\n#define TINY_OUTPUT_COUNT 2\n"
                        "/* '/features_/ int x;': int8[1][4][3] */\n"
                        "#define TINY_OUTPUT0_OFFSET 0\n#define TINY_OUTPUT0_BYTES 12\n"
                        "/* 'sum': int32[1][12] */\n"
                        "#define TINY_OUTPUT1_OFFSET 64\n#define TINY_OUTPUT1_BYTES 48\n"),
            std::string::npos)
      << header;

  options.turns = 2;
  const Manifest twice = describeProgram(*module, options, 0);
  EXPECT_EQ(twice.outputs[0].shape, (std::vector<int64_t>{2, 4, 3}));
  EXPECT_EQ(twice.outputs[1].shape, (std::vector<int64_t>{2, 12}));
  EXPECT_EQ(twice.outputs[1].offset, 64u);
  EXPECT_EQ(twice.outputBytes(), 64u + 96u);
}

TEST_F(Program, NameMustBeAnIdentifier) {
  ASSERT_TRUE(succeeded(lowerToLLVM(*module, options)));
  options.name = "1-model";
  ScopedDiagnosticHandler ignore(context.get(), [](Diagnostic &) { return success(); });
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream os(bytes);
  EXPECT_TRUE(failed(emitObject(*module, options, os)));
}

TEST(FloatScan, Mnemonics) {
  for (llvm::StringRef name : {"addss",   "vaddps",   "vmulpd", "divsd",       "sqrtss",      "vcvtdq2ps", "cvtsi2sdq",
                               "ucomiss", "vcmpltps", "maxps",  "vfmadd231ps", "fldl",        "fadd",      "vrcp14ps",
                               "roundss", "dpps",     "vaddph", "vmaxsd",      "vrndscaleps", "tdpbf16ps"})
    EXPECT_TRUE(isFloatMnemonic(name, true)) << name.str();
  for (llvm::StringRef name :
       {"addl",        "vpaddd",  "vpmulld",    "vpmaxsd",   "pminsd",    "movss",        "vmovups",
        "vxorps",      "andps",   "vshufps",    "vblendvps", "vunpcklpd", "mulq",         "subq",
        "cmpl",        "cmpsl",   "divl",       "vpmaddwd",  "vpdpbusd",  "vbroadcastss", "vextractf128",
        "vinsertf128", "vpermps", "vmaskmovps", "tdpbusd",   "tileloadd"})
    EXPECT_FALSE(isFloatMnemonic(name, true)) << name.str();
  for (llvm::StringRef name : {"fadd", "fmla", "scvtf", "ucvtf", "fcvtzs", "fcmp", "bfdot"})
    EXPECT_TRUE(isFloatMnemonic(name, false)) << name.str();
  for (llvm::StringRef name : {"add", "smlal", "fmov", "bfi", "bfxil", "ldr", "sdot", "fneg"})
    EXPECT_FALSE(isFloatMnemonic(name, false)) << name.str();
}

/// x = y * z on floats, to show that the scan sees something.
TEST(FloatScan, FindsAMultiplication) {
  const uint8_t code[] = {0x0f, 0x59, 0xc1, 0xc3}; // mulps %xmm1, %xmm0; ret
  // The smallest ELF64 object: a header, ".text" and a string table.
  std::vector<uint8_t> elf(64 + 4 + 17 + 3 + 3 * 64);
  auto put = [&](size_t at, uint64_t value, unsigned bytes) { std::memcpy(&elf[at], &value, bytes); };
  const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::copy(std::begin(ident), std::end(ident), elf.begin());
  put(16, 1, 2), put(18, 62, 2), put(20, 1, 4), put(40, 88, 8), put(52, 64, 2), put(58, 64, 2), put(60, 3, 2),
      put(62, 2, 2);
  std::copy(std::begin(code), std::end(code), elf.begin() + 64);
  std::memcpy(&elf[68], "\0.text\0.shstrtab", 17);
  put(152, 1, 4), put(156, 1, 4), put(160, 6, 8), put(176, 64, 8), put(184, 4, 8);
  put(216, 7, 4), put(220, 3, 4), put(240, 68, 8), put(248, 17, 8);
  auto found = scanForFloat(llvm::ArrayRef<uint8_t>(elf));
  ASSERT_TRUE(static_cast<bool>(found)) << llvm::toString(found.takeError());
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().mnemonic, "mulps");
}
