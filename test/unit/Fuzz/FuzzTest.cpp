//===- FuzzTest.cpp - A few damaged files -------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The first cases of test/fuzz, which runs many more under sanitizers.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Cases.h"

#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <set>

using namespace vitq::fuzz;

namespace {

class Fuzz : public ::testing::Test {
protected:
  Fuzz() {
    const char *digits = std::getenv("VITQ_DIGITS");
    EXPECT_TRUE(digits) << "VITQ_DIGITS is not set; run lit";
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("vitq-fuzz", folder));
    llvm::Expected<std::unique_ptr<Cases>> made = Cases::create(digits ? digits : "", folder);
    if (made)
      cases = std::move(*made);
    else
      ADD_FAILURE() << llvm::toString(made.takeError());
  }
  ~Fuzz() override { llvm::sys::fs::remove_directories(folder); }

  void run(Kind kind) {
    ASSERT_TRUE(cases);
    std::set<std::string> texts;
    int ok = 0;
    for (uint64_t seed = 0; seed < 50; ++seed) {
      Outcome outcome = cases->run({kind, seed});
      EXPECT_NE(outcome.result, Outcome::Wrong) << Case{kind, seed}.name() << ": " << outcome.text;
      ok += outcome.result == Outcome::Ok;
      texts.insert(outcome.text);
    }
    // Damage that is always found by the same check, or never, tests nothing.
    EXPECT_GT(ok, 1);
    EXPECT_GT(texts.size(), 8u);
  }

  llvm::SmallString<128> folder;
  std::unique_ptr<Cases> cases;
};

TEST_F(Fuzz, Models) { run(Kind::Model); }
TEST_F(Fuzz, Constants) { run(Kind::Constants); }
TEST_F(Fuzz, Quantized) { run(Kind::Quantized); }
TEST_F(Fuzz, Composites) { run(Kind::Composite); }
TEST_F(Fuzz, Ranges) { run(Kind::Ranges); }
TEST_F(Fuzz, Arrays) { run(Kind::Npy); }

/// A case can be run again anywhere: its bytes depend on its number only.
TEST(FuzzMutators, AreReproducible) {
  RangesMutator tables(R"({"a": [1, 2], "b": {"c": null}})");
  NpyMutator arrays(std::string("\x93NUMPY\1\0\x10\0{ not a header }\0\1\2\3", 30));
  for (uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_EQ(tables.mutate(seed), tables.mutate(seed));
    EXPECT_EQ(arrays.mutate(seed), arrays.mutate(seed));
  }
  EXPECT_NE(tables.mutate(0), tables.mutate(1));
}

} // namespace
