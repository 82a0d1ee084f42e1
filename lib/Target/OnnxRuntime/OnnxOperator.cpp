//===- OnnxOperator.cpp - Programs as operators of ONNX Runtime -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/OnnxOperator.h"

#include "../Onnx/OnnxWriter.h"
#include "Operator.h"

#include "vitq/Support/AtomicFile.h"
#include "vitq/Target/Isa/TargetDesc.h"
#include "vitq/Target/NativeCompiler.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <array>

using namespace llvm;
using namespace vitq;

//===----------------------------------------------------------------------===//
// What the program needs
//===----------------------------------------------------------------------===//

namespace {

/// An LLVM feature that is one bit of a processor's words.
struct FeatureBit {
  const char *feature;
  unsigned word, bit;
};

} // namespace

/// Intel SDM, volume 2, CPUID; the states of registers that the system keeps are those of XCR0.
static constexpr FeatureBit kX86Bits[] = {{"sse3", VITQ_CPU_1_ECX, 0},
                                          {"ssse3", VITQ_CPU_1_ECX, 9},
                                          {"fma", VITQ_CPU_1_ECX, 12},
                                          {"cx16", VITQ_CPU_1_ECX, 13},
                                          {"sse4.1", VITQ_CPU_1_ECX, 19},
                                          {"sse4.2", VITQ_CPU_1_ECX, 20},
                                          {"movbe", VITQ_CPU_1_ECX, 22},
                                          {"popcnt", VITQ_CPU_1_ECX, 23},
                                          {"avx", VITQ_CPU_1_ECX, 28},
                                          {"avx", VITQ_CPU_XCR0, 1},
                                          {"avx", VITQ_CPU_XCR0, 2},
                                          {"f16c", VITQ_CPU_1_ECX, 29},
                                          {"bmi", VITQ_CPU_7_EBX, 3},
                                          {"avx2", VITQ_CPU_7_EBX, 5},
                                          {"bmi2", VITQ_CPU_7_EBX, 8},
                                          {"avx512f", VITQ_CPU_7_EBX, 16},
                                          {"avx512f", VITQ_CPU_XCR0, 5},
                                          {"avx512f", VITQ_CPU_XCR0, 6},
                                          {"avx512f", VITQ_CPU_XCR0, 7},
                                          {"avx512dq", VITQ_CPU_7_EBX, 17},
                                          {"avx512ifma", VITQ_CPU_7_EBX, 21},
                                          {"avx512cd", VITQ_CPU_7_EBX, 28},
                                          {"avx512bw", VITQ_CPU_7_EBX, 30},
                                          {"avx512vl", VITQ_CPU_7_EBX, 31},
                                          {"avx512vbmi", VITQ_CPU_7_ECX, 1},
                                          {"avx512vbmi2", VITQ_CPU_7_ECX, 6},
                                          {"gfni", VITQ_CPU_7_ECX, 8},
                                          {"avx512vnni", VITQ_CPU_7_ECX, 11},
                                          {"avx512bitalg", VITQ_CPU_7_ECX, 12},
                                          {"avx512vpopcntdq", VITQ_CPU_7_ECX, 14},
                                          {"amx-tile", VITQ_CPU_7_EDX, 24},
                                          {"amx-tile", VITQ_CPU_XCR0, 17},
                                          {"amx-tile", VITQ_CPU_XCR0, 18},
                                          {"amx-int8", VITQ_CPU_7_EDX, 25},
                                          {"avxvnni", VITQ_CPU_7_1_EAX, 4},
                                          {"lzcnt", VITQ_CPU_EXTENDED_ECX, 5}};

/// Linux, arch/arm64/include/uapi/asm/hwcap.h.
static constexpr FeatureBit kAArch64Bits[] = {{"dotprod", VITQ_CPU_HWCAP, 20},
                                              {"sve", VITQ_CPU_HWCAP, 22},
                                              {"sve2", VITQ_CPU_HWCAP2, 1},
                                              {"i8mm", VITQ_CPU_HWCAP2, 13}};

/// The bits that a processor must have to run what `machine` compiles.
static std::array<uint64_t, VITQ_CPU_X86_WORDS> processorBits(const TargetMachine &machine) {
  std::array<uint64_t, VITQ_CPU_X86_WORDS> words = {};
  const MCSubtargetInfo &subtarget = *machine.getMCSubtargetInfo();
  for (const FeatureBit &entry :
       machine.getTargetTriple().isX86() ? ArrayRef<FeatureBit>(kX86Bits) : ArrayRef<FeatureBit>(kAArch64Bits))
    if (subtarget.checkFeatures(std::string("+") + entry.feature))
      words[entry.word] |= uint64_t(1) << entry.bit;
  return words;
}

static Error checkTypes(const Manifest &manifest) {
  auto check = [&](const Manifest::Array &array, StringRef what, StringRef dtype) -> Error {
    const bool hasBatch = !array.shape.empty() && array.shape.front() == static_cast<int64_t>(manifest.batch);
    if (hasBatch && array.dtype == dtype && array.shape.size() <= 8)
      return Error::success();
    return createStringError("the program's " + what + " is no " + dtype +
                             " with a batch in front, which an operator of " +
                             "ONNX Runtime has; compile to a shared library (--emit=so)");
  };
  if (manifest.batch == 0)
    return createStringError("the program has no batch");
  if (Error error = check(manifest.input, "input", "uint8"))
    return error;
  for (const Manifest::Output &output : manifest.outputs)
    if (Error error = check(output, "output '" + output.name + "'", "int32"))
      return error;
  return Error::success();
}

/// The numbers of Operator.h.
static SmallVector<uint64_t> factsOf(const Manifest &manifest, uint64_t hash, const TargetMachine &machine) {
  SmallVector<uint64_t> facts;
  append_range(facts, processorBits(machine));
  facts.append({hash, manifest.batch, manifest.arenaBytes, manifest.outputBytes(), manifest.outputs.size()});
  auto add = [&](const Manifest::Array &array, uint64_t offset) {
    facts.append({offset, array.bytes(), array.shape.size()});
    append_range(facts, array.shape);
  };
  add(manifest.input, 0);
  for (const Manifest::Output &output : manifest.outputs)
    add(output, output.offset);
  return facts;
}

/// An object with those numbers alone.
static Expected<SmallString<0>> objectOf(ArrayRef<uint64_t> facts, TargetMachine &machine) {
  LLVMContext context;
  Module module("facts", context);
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  Constant *numbers = ConstantDataArray::get(context, facts);
  auto *global = new GlobalVariable(module, numbers->getType(), /*isConstant=*/true, GlobalValue::ExternalLinkage,
                                    numbers, VITQ_OPERATOR_FACTS);
  global->setVisibility(GlobalValue::HiddenVisibility);
  SmallString<0> object;
  raw_svector_ostream os(object);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, os, nullptr, CodeGenFileType::ObjectFile))
    return createStringError("no objects can be written for '" + machine.getTargetTriple().str() + "'");
  passes.run(module);
  return object;
}

//===----------------------------------------------------------------------===//
// The operator's own code
//===----------------------------------------------------------------------===//

/// Operator.c, compiled for each processor that there are programs for.
static constexpr unsigned char kX86Operator[] = {
#include "Operator-x86_64.inc"
};
static constexpr unsigned char kAArch64Operator[] = {
#include "Operator-aarch64.inc"
};

static ArrayRef<char> operatorFor(const Triple &triple) {
  auto bytes = [](ArrayRef<unsigned char> object) {
    return ArrayRef(reinterpret_cast<const char *>(object.data()), object.size());
  };
  return triple.isAArch64() ? bytes(kAArch64Operator) : bytes(kX86Operator);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// A name that no output has.
static std::string inputName(const Manifest &manifest) {
  std::string name = "pixels";
  while (any_of(manifest.outputs, [&](const Manifest::Output &output) { return output.name == name; }))
    name += "_";
  return name;
}

static std::string modelOf(const Manifest &manifest, uint64_t hash) {
  onnxwriter::OperatorModel model;
  model.name = manifest.name;
  model.domain = VITQ_OPERATOR_DOMAIN + manifest.name;
  model.opType = formatv("{0}{1:x-16}", VITQ_OPERATOR_NAME, hash).str();
  auto sizes = [](const Manifest::Array &array) {
    return std::vector<int64_t>(array.shape.begin() + 1, array.shape.end());
  };
  model.input = {inputName(manifest), sizes(manifest.input)};
  // By the name of the program: models that are merged keep what they have.
  model.metadata = {{model.domain + ".target", manifest.target}, {model.domain + ".preprocess", manifest.preprocess}};
  for (const Manifest::Output &output : manifest.outputs) {
    model.outputs.push_back({output.name.empty() ? "output" : output.name, sizes(output)});
    if (output.scale > 0)
      model.metadata.emplace_back(model.domain + ".scale:" + model.outputs.back().name,
                                  formatv("{0:e16}", output.scale).str());
  }
  return model.write();
}

Error vitq::writeOnnxOperator(ArrayRef<char> object, const Manifest &manifest, StringRef path) {
  if (Error error = checkTypes(manifest))
    return error;
  Expected<TargetDesc> target = TargetDesc::parse(manifest.target);
  if (!target)
    return target.takeError();
  Expected<std::unique_ptr<TargetMachine>> machine = target->createTargetMachine();
  if (!machine)
    return machine.takeError();
  const uint64_t hash = xxh3_64bits(StringRef(object.data(), object.size()));
  Expected<SmallString<0>> facts = objectOf(factsOf(manifest, hash, **machine), **machine);
  if (!facts)
    return facts.takeError();
  SmallString<128> library(path);
  sys::path::replace_extension(library, kOnnxOperatorSuffix);
  const ArrayRef<char> others[] = {operatorFor((*machine)->getTargetTriple()), ArrayRef(facts->data(), facts->size())};
  if (Error error = linkSharedObject(object, library, others))
    return error;
  FileRemover remove(library);
  if (Error error = writeFileAtomically(path, modelOf(manifest, hash)))
    return error;
  remove.releaseFile();
  return Error::success();
}
