//===- RegistryTest.cpp - Targets by name -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Backend/TargetBackend.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/InitAll.h"

#include "gtest/gtest.h"

#include <atomic>
#include <thread>

using namespace vitq;
using llvm::StringRef;

namespace {

class FakeTarget : public Target {
public:
  llvm::LogicalResult addPasses(mlir::ModuleOp, mlir::OpPassManager &) override { return llvm::success(); }
  llvm::LogicalResult emit(mlir::ModuleOp, const EmitRequest &, TargetFacts &) override { return llvm::success(); }
};

class FakeBackend : public TargetBackend {
public:
  explicit FakeBackend(std::string name, std::vector<StringRef> kinds = {"fake"}) : ownName(std::move(name)) {
    for (StringRef kind : kinds)
      ownKinds.push_back({kind, "nothing", ".txt", "", false, {}});
  }
  StringRef name() const override { return ownName; }
  StringRef subject() const override { return "tests"; }
  StringRef syntax() const override { return ownName; }
  StringRef example() const override { return ownName; }
  llvm::ArrayRef<EmitKind> emitKinds() const override { return ownKinds; }
  llvm::Expected<std::unique_ptr<Target>> parse(StringRef config, const TargetOptions &) const override {
    if (config != "good")
      return llvm::createStringError("'" + config + "' is not good");
    return std::make_unique<FakeTarget>();
  }

private:
  std::string ownName;
  std::vector<EmitKind> ownKinds;
};

class Registry : public testing::Test {
public:
  void SetUp() override { registerAllTargets(); }
};

} // namespace

static std::string registerError(std::string name, std::vector<StringRef> kinds = {"fake"}) {
  return llvm::toString(registerTarget(std::make_unique<FakeBackend>(std::move(name), std::move(kinds))));
}

static std::string parseError(StringRef text, const TargetOptions &options = {}) {
  llvm::Expected<std::unique_ptr<Target>> target = parseTarget(text, options);
  return target ? "" : llvm::toString(target.takeError());
}

TEST_F(Registry, KnowsOwnTargetsInOrder) {
  registerAllTargets(); // Again: no duplicates.
  std::vector<std::string> names;
  for (const TargetBackend *backend : registeredTargets())
    names.push_back(backend->name().str());
  EXPECT_TRUE(llvm::is_sorted(names));
  EXPECT_EQ(std::count(names.begin(), names.end(), "cpu"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "systolic"), 1);
}

TEST_F(Registry, FindsByNameOrAsCpu) {
  for (StringRef text : {"native", "x86-64-v3", "x86-64-v4+avx512vnni", "x86-64-v3@x86-64"}) {
    llvm::Expected<TargetName> found = findTarget(text);
    ASSERT_TRUE(static_cast<bool>(found)) << text.str();
    EXPECT_EQ(found->backend->name(), kDefaultBackend);
    EXPECT_EQ(found->config, text);
  }
  EXPECT_EQ(cantFail(findTarget("cpu:x86-64-v3")).config, "x86-64-v3");
  EXPECT_EQ(cantFail(findTarget("systolic:rows=8,cols=8")).backend->name(), "systolic");
  EXPECT_EQ(cantFail(findTarget("systolic:rows=8,cols=8")).config, "rows=8,cols=8");
  EXPECT_EQ(cantFail(findTarget("systolic")).config, "");
}

TEST_F(Registry, SaysWhatIsWrong) {
  EXPECT_EQ(parseError("systolic"), "--target=systolic needs a configuration, e.g. --target=systolic:gemmini-16x16");
  EXPECT_NE(parseError("sistolic:gemmini-16x16").find("did you mean 'systolic'?"), std::string::npos);
  EXPECT_NE(parseError("systolic:gemini-16x16").find("did you mean 'gemmini-16x16'?"), std::string::npos);
  EXPECT_NE(parseError("z80").find("unknown target 'z80'"), std::string::npos);
  TargetOptions options;
  options.hostTarget = "z80";
  EXPECT_NE(parseError("systolic:gemmini-16x16", options).find("unknown target 'z80'"), std::string::npos);
  EXPECT_EQ(parseError("native", options), "") << "a CPU has no host";
}

TEST_F(Registry, RefusesBackends) {
  EXPECT_EQ(registerError("fake"), "");
  EXPECT_EQ(registerError("fake"), "the target 'fake' cannot be registered: there is one of that name already");
  EXPECT_EQ(registerError("cpu"), "the target 'cpu' cannot be registered: there is one of that name already");
  for (const char *name : {"", "Fake", "fake:1", "a b"})
    EXPECT_EQ(registerError(name), "the target '" + std::string(name) +
                                       "' cannot be registered: a name is of lower-case letters, digits and '-'");
  EXPECT_EQ(registerError("empty", {}), "the target 'empty' cannot be registered: it has nothing to emit");
  EXPECT_EQ(registerError("common", {"bytecode"}),
            "the target 'common' cannot be registered: every target emits 'bytecode'");
  EXPECT_EQ(registerError("twice", {"a", "a"}), "the target 'twice' cannot be registered: it emits 'a' twice");
  EXPECT_EQ(parseError("fake:good"), "");
  EXPECT_EQ(parseError("fake:bad"), "'bad' is not good");
}

TEST_F(Registry, DefaultsOfTargets) {
  std::unique_ptr<Target> target = cantFail(FakeBackend("defaults").parse("good", {}));
  mlir::MLIRContext context;
  EXPECT_FALSE(target->capabilities(&context));
  EXPECT_EQ(target->nonlinearCost("gelu", {vit::Algorithm::Table}, 8),
            target->nonlinearCost("gelu", {vit::Algorithm::Poly}, 8));
  EXPECT_TRUE(isModuleKind("mlir") && isModuleKind("bytecode") && !isModuleKind("so"));
}

TEST_F(Registry, CapabilitiesAreAttributes) {
  mlir::DialectRegistry dialects;
  registerAllDialects(dialects);
  mlir::MLIRContext context(dialects);
  std::string text;
  llvm::raw_string_ostream os(text);
  mlir::Attribute cpu = cantFail(parseTarget("cpu:x86-64-v3"))->capabilities(&context);
  EXPECT_TRUE(mlir::isa<integer::KernelTargetAttrInterface>(cpu));
  os << cpu << " " << cantFail(parseTarget("systolic:rows=8,cols=8"))->capabilities(&context);
  EXPECT_EQ(text, "#vitq.cpu<\"x86-64-v3\"> #systolic.config<\"gemmini-16x16,rows=8,cols=8\">");
}

TEST_F(Registry, CostsAreThoseOfTheCpuBesideAnArray) {
  TargetOptions options;
  options.hostTarget = "x86-64";
  std::unique_ptr<Target> cpu = cantFail(parseTarget("x86-64")), wide = cantFail(parseTarget("x86-64-v4")),
                          array = cantFail(parseTarget("systolic:gemmini-16x16", options));
  const AlgorithmSpec table{vit::Algorithm::Table};
  EXPECT_EQ(array->nonlinearCost("gelu", table, 8), cpu->nonlinearCost("gelu", table, 8));
  EXPECT_NE(array->nonlinearCost("gelu", table, 8), wide->nonlinearCost("gelu", table, 8));
}

// One of each name wins, and who looks meanwhile sees whole backends.
TEST_F(Registry, TakesRegistrationsFromThreads) {
  std::atomic<int> registered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int name = 0; name < 16; ++name) {
        registered += registerError("thread-" + std::to_string(name)).empty();
        for (const TargetBackend *backend : registeredTargets())
          EXPECT_FALSE(backend->emitKinds().empty());
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(registered, 16);
}
