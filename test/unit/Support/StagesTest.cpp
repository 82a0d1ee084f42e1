//===- StagesTest.cpp -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/Stages.h"
#include "gtest/gtest.h"

#include <thread>

using namespace vitq;

// Stages of one name are one entry, in the order of their first ends.
TEST(Stages, AreCollected) {
  StageRecorder recorder;
  {
    Stage outer("outer");
    Stage inner("inner");
  }
  {
    Stage again("inner");
  }
  ASSERT_EQ(recorder.stages().size(), 2u);
  EXPECT_EQ(recorder.stages()[0].name, "inner");
  EXPECT_EQ(recorder.stages()[1].name, "outer");
  for (const StageCost &cost : recorder.stages()) {
    EXPECT_GE(cost.seconds, 0);
    EXPECT_GT(cost.residentBytes, 0);
    EXPECT_GE(cost.peakGrowthBytes, 0);
  }
}

TEST(Stages, AddUp) {
  StageRecorder recorder;
  recorder.add({"a", 1.5, 10, 3});
  recorder.add({"b", 1, 5, 0});
  recorder.add({"a", 0.5, 8, 4});
  ASSERT_EQ(recorder.stages().size(), 2u);
  EXPECT_EQ(recorder.stages()[0].seconds, 2);
  EXPECT_EQ(recorder.stages()[0].residentBytes, 10);
  EXPECT_EQ(recorder.stages()[0].peakGrowthBytes, 7);
}

// What is allocated and touched is seen.
TEST(Stages, SeeMemory) {
  constexpr int64_t size = 64 << 20;
  StageRecorder recorder;
  {
    Stage stage("memory");
    std::vector<char> memory(size, 1);
    // Else the compiler leaves the memory out.
    asm volatile("" : : "r"(memory.data()) : "memory");
  }
  EXPECT_GE(recorder.stages().front().peakGrowthBytes, size / 2);
}

TEST(Stages, BelongToTheirThread) {
  EXPECT_EQ(StageRecorder::current(), nullptr);
  {
    Stage unrecorded("none");
  }
  StageRecorder recorder;
  EXPECT_EQ(StageRecorder::current(), &recorder);
  std::thread([] {
    EXPECT_EQ(StageRecorder::current(), nullptr);
    Stage unrecorded("other");
  }).join();
  {
    StageRecorder inner;
    EXPECT_EQ(StageRecorder::current(), &inner);
  }
  EXPECT_EQ(StageRecorder::current(), &recorder);
  EXPECT_TRUE(recorder.stages().empty());
}
