//===- RandomProgramsTest.cpp - Compiled code against the interpreter -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// VITQ_RANDOM_MODULES is how many modules to try (100), VITQ_RANDOM_CONVOLUTIONS how many
// of ten convolutions each (20), VITQ_RANDOM_TILES how many for registers of tiles (20), VITQ_RANDOM_SEED the first
// seed (1).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"
#include "RandomModule.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Target/FloatScan.h"
#include "vitq/Target/Isa/Portable.h"
#include "gtest/gtest.h"

#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static uint64_t fromEnvironment(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  uint64_t value = otherwise;
  if (text)
    (void)StringRef(text).getAsInteger(10, value);
  return value;
}

/// What the interpreter gives once kernels are formed; none after an error.
static std::optional<std::vector<char>> interpretFormed(ModuleOp module, const TargetDesc &target,
                                                        const std::vector<Tensor> &inputs) {
  OwningOpRef<ModuleOp> formed = module.clone();
  PassManager manager(module.getContext());
  VitqFormKernelsPassOptions options;
  options.target = target.text;
  manager.addPass(createVitqFormKernelsPass(options));
  if (failed(manager.run(*formed)))
    return std::nullopt;
  return interpret(*formed, inputs);
}

using MakeModule = OwningOpRef<ModuleOp> (*)(MLIRContext &, uint64_t);

/// Empty if the module computes the same everywhere.
static std::string tryModule(MLIRContext &context, MakeModule make, uint64_t seed, ArrayRef<TargetDesc> targets) {
  OwningOpRef<ModuleOp> module = make(context, seed);
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "seed " << seed << "\n";
  module->print(os, OpPrintingFlags().elideLargeElementsAttrs(16));
  // For a module whose compilation crashes.
  if (std::getenv("VITQ_RANDOM_PRINT"))
    llvm::errs() << text;
  if (failed(verify(*module)))
    return text + "invalid module\n";
  const std::vector<Tensor> inputs = randomInputs(*module, seed);
  auto expected = interpret(*module, inputs);
  if (!expected)
    return text + "the interpreter failed\n";
  if (interpretFormed(*module, targets.front(), inputs) != expected)
    return text + targets.front().text + ": results differ with kernels\n";
  for (const TargetDesc &target : targets) {
    NativeOptions options;
    options.target = target;
    options.name = "random";
    options.fuse = seed % 3 != 0;
    const std::vector<char> object = compile(*module, options);
    if (object.empty())
      return text + target.text + ": compilation failed\n";
    // What traps in C is no instruction that could be decoded.
    if (hasMachine(target)) {
      auto floats = scanForFloat(ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(object.data()), object.size()));
      if (!floats)
        return text + target.text + ": " + llvm::toString(floats.takeError()) + "\n";
      if (!floats->empty())
        return text + target.text + ": " + floats->front().mnemonic + " in " + floats->front().function + "\n";
    }
    auto actual = runObject(object, options.name, inputs, expected->size());
    if (!actual)
      return text + target.text + ": did not run\n";
    if (*actual != *expected) {
      const size_t at = std::mismatch(actual->begin(), actual->end(), expected->begin()).first - actual->begin();
      return text + target.text + ": results differ at byte " + std::to_string(at) + " of " +
             std::to_string(expected->size()) + "\n";
    }
  }
  return {};
}

static void tryModules(MakeModule make, uint64_t count, ArrayRef<TargetDesc> targets = runnableTargets()) {
  const uint64_t first = fromEnvironment("VITQ_RANDOM_SEED", 1);
  ASSERT_FALSE(targets.empty());
  std::atomic<uint64_t> next = first;
  std::atomic<int> failures = 0;
  std::mutex mutex;
  auto work = [&] {
    std::unique_ptr<MLIRContext> context = makeContext();
    for (uint64_t seed = next++; seed < first + count && failures < 3; seed = next++) {
      // Resources of a context are never freed.
      if (seed % 64 == 0)
        context = makeContext();
      // Compiling takes the time: each module is tried on two targets, in turn.
      const size_t index = seed % targets.size(),
                   step = targets.size() > 1 ? 1 + seed / targets.size() % (targets.size() - 1) : 0;
      SmallVector<TargetDesc> tried{targets[index]};
      if (step)
        tried.push_back(targets[(index + step) % targets.size()]);
      std::string problem = tryModule(*context, make, seed, tried);
      if (problem.empty())
        continue;
      ++failures;
      std::lock_guard<std::mutex> lock(mutex);
      ADD_FAILURE() << problem;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
    threads.emplace_back(work);
  for (std::thread &thread : threads)
    thread.join();
}

TEST(RandomPrograms, EqualTheInterpreter) { tryModules(randomModule, fromEnvironment("VITQ_RANDOM_MODULES", 100)); }

TEST(RandomPrograms, OnTileRegisters) {
  tryModules(randomModule, fromEnvironment("VITQ_RANDOM_TILES", 20), tileTargets());
}

TEST(RandomPrograms, ConvolutionsEqualTheInterpreter) {
  tryModules(randomConvolutions, fromEnvironment("VITQ_RANDOM_CONVOLUTIONS", 20));
}
