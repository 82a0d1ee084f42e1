//===- Harness.cpp - Compiling and running programs in tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "CompileC.h"
#include "Emulator.h"
#include "RandomModule.h"
#include "TileEmulator.h"

#include "dialects/vitq/Vitq.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/Program.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/AlignOf.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemAlloc.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace vitq;

std::unique_ptr<MLIRContext> vitq::test::makeContext() {
  auto context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
  DialectRegistry registry;
  registerCpuKernelTarget(registry);
  context->appendDialectRegistry(registry);
  context->loadDialect<arith::ArithDialect, func::FuncDialect, integer::VitqDialect>();
  return context;
}

std::vector<char> vitq::test::compile(ModuleOp module, const NativeOptions &options) {
  OwningOpRef<ModuleOp> copy = module.clone();
  if (!hasMachine(options.target))
    return compileC(*copy, options);
  SmallVector<char, 0> object;
  llvm::raw_svector_ostream os(object);
  if (failed(lowerToLLVM(*copy, options)) || failed(emitObject(*copy, options, os)))
    return {};
  return std::vector<char>(object.begin(), object.end());
}

static size_t alignUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

namespace {

/// Bytes at a multiple of 64, filled with a pattern that is nobody's result.
struct AlignedBytes {
  explicit AlignedBytes(size_t size)
      : data(static_cast<char *>(llvm::allocate_buffer(alignUp(size + 1), 64))), size(size) {
    std::memset(data, 0xa5, alignUp(size + 1));
  }
  ~AlignedBytes() { llvm::deallocate_buffer(data, alignUp(size + 1), 64); }
  AlignedBytes(const AlignedBytes &) = delete;
  char *data;
  size_t size;
};

} // namespace

/// Runs it in this process.
static std::optional<std::vector<char>> runHere(const std::vector<char> &object, const std::string &name,
                                                ArrayRef<char> in, size_t outputBytes) {
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) {
    llvm::errs() << toString(jit.takeError()) << "\n";
    return std::nullopt;
  }
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), name);
  if (llvm::Error error = (*jit)->addObjectFile(std::move(buffer))) {
    llvm::errs() << toString(std::move(error)) << "\n";
    return std::nullopt;
  }
  auto symbol = (*jit)->lookup(VITQ_PROGRAM_SYMBOL);
  if (!symbol) {
    llvm::errs() << toString(symbol.takeError()) << "\n";
    return std::nullopt;
  }
  const auto *program = symbol->toPtr<const vitq_program *>();
  auto manifest = llvm::json::parse(program->manifest);
  if (!manifest) {
    llvm::errs() << toString(manifest.takeError()) << "\n";
    return std::nullopt;
  }
  AlignedBytes aligned(in.size()), out(outputBytes),
      arena(manifest->getAsObject()->getInteger("arena_bytes").value_or(0));
  std::memcpy(aligned.data, in.data(), in.size());
  if (program->run(aligned.data, out.data, arena.data) != 0)
    return std::nullopt;
  return std::vector<char>(out.data, out.data + outputBytes);
}

static constexpr StringRef kBesideTiles = "x86-64-v4+avx512vnni+avx512vbmi", kTiles = "+amx-int8";

/// Whether the machine has tiles and gives them to this process.
static bool hasTiles() {
  static const bool result = cantFail(TargetDesc::parse((kBesideTiles + kTiles).str())).runsOnHost();
  return result;
}

std::optional<std::vector<char>> vitq::test::runObject(const std::vector<char> &object, const std::string &name,
                                                       const std::vector<Tensor> &inputs, size_t outputBytes) {
  std::vector<char> in;
  for (const Tensor &input : inputs) {
    in.resize(alignUp(in.size()));
    in.insert(in.end(), input.bytes(), input.bytes() + input.numBytes());
  }
  const bool isAArch64 = object.size() > 18 && static_cast<uint8_t>(object[18]) == llvm::ELF::EM_AARCH64;
  if (isAArch64)
    return runEmulated(object, in, outputBytes);
  return runHere(hasTiles() ? object : withEmulatedTiles(object), name, in, outputBytes);
}

std::vector<Tensor> vitq::test::randomInputs(ModuleOp module, uint64_t seed) {
  Random random(seed);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  std::vector<Tensor> inputs;
  for (Type type : main.getArgumentTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    const unsigned width = tensor.getElementTypeBitWidth();
    const ElementKind kind = width == 8 ? ElementKind::I8 : width == 16 ? ElementKind::I16 : ElementKind::I32;
    std::vector<char> bytes = randomBytes(random, tensor.getNumElements(), width);
    Tensor input = Tensor::allocate(kind, tensor.getShape());
    std::memcpy(input.mutableBytes(), bytes.data(), bytes.size());
    inputs.push_back(input);
  }
  return inputs;
}

std::optional<std::vector<char>> vitq::test::interpret(ModuleOp module, const std::vector<Tensor> &inputs) {
  auto interpreter = Interpreter::create(module);
  if (failed(interpreter))
    return std::nullopt;
  SmallVector<Tensor> results;
  if (failed((*interpreter)->run(inputs, results)))
    return std::nullopt;
  std::vector<char> bytes;
  for (const Tensor &result : results) {
    bytes.resize(alignUp(bytes.size()), static_cast<char>(0xa5));
    bytes.insert(bytes.end(), result.bytes(), result.bytes() + result.numBytes());
  }
  return bytes;
}

std::vector<TargetDesc> vitq::test::runnableTargets() {
  std::vector<TargetDesc> targets;
  for (StringRef text : {"x86-64", "x86-64-v3", "x86-64-v4", "x86-64-v4+avx512vnni", "native",
                         "x86-64-v4+avx512vnni@native", "alderlake@native", "x86-64-v4@x86-64", "aarch64@native",
                         "x86-64-v4+avx512vnni+avx512vbmi", "aarch64+dotprod@native", "aarch64+dotprod+i8mm@native"})
    if (auto target = TargetDesc::parse(text); target && target->runsOnHost())
      targets.push_back(*target);
    else if (!target)
      llvm::consumeError(target.takeError());
  if (canCompileC())
    targets.push_back(cantFail(TargetDesc::parse(kPortable)));
  if (canEmulateAArch64())
    for (StringRef text : {"aarch64", "aarch64+dotprod", "aarch64+dotprod+i8mm", "aarch64+sve2+i8mm,vector-bits=256"})
      targets.push_back(cantFail(TargetDesc::parse(text)));
  return targets;
}

std::vector<TargetDesc> vitq::test::tileTargets() {
  std::vector<TargetDesc> targets;
  if (canEmulateTiles() && cantFail(TargetDesc::parse(kBesideTiles)).runsOnHost())
    targets.push_back(cantFail(TargetDesc::parse((kBesideTiles + kTiles).str())));
  targets.push_back(cantFail(TargetDesc::parse((kBesideTiles + kTiles + "@native").str())));
  return targets;
}
