//===- ConfigTest.cpp - Configurations of systolic arrays -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Config.h"

#include "llvm/Support/FormatVariadic.h"

#include "gtest/gtest.h"

using namespace vitq::simulator;

static Config parsed(llvm::StringRef text) {
  llvm::Expected<Config> config = Config::parse(text);
  if (config)
    return *config;
  ADD_FAILURE() << text.str() << ": " << llvm::toString(config.takeError());
  return {};
}

static std::string errorOf(llvm::StringRef text) {
  llvm::Expected<Config> config = Config::parse(text);
  return config ? "" : llvm::toString(config.takeError());
}

TEST(Config, Presets) {
  const Config gemmini = parsed("gemmini-16x16");
  EXPECT_EQ(gemmini.rows, 16);
  EXPECT_EQ(gemmini.units, UnitShift);
  const Config edge = parsed("edge-8x8-int4");
  EXPECT_EQ(edge.bits, 4);
  EXPECT_EQ(edge.planesOf(8), 2);
  EXPECT_TRUE(edge.has(UnitNorm));
  for (llvm::StringRef preset : Config::presets())
    EXPECT_EQ(parsed(preset).str(), preset);
}

TEST(Config, WhatFollowsTheSize) {
  EXPECT_EQ(parsed("rows=32").streamRows, 32);
  EXPECT_EQ(parsed("cols=32,rows=8").unitLanes, 32);
  EXPECT_EQ(parsed("rows=32,stream-rows=16").streamRows, 16);
  EXPECT_EQ(parsed("edge-8x8-int4,rows=16").streamRows, 256);
  EXPECT_EQ(parsed("edge-8x8-int4,cols=16").unitLanes, 16);
  EXPECT_EQ(parsed("dataflow=os,rows=32").tileRows(), 32);
}

TEST(Config, TextIsReadAsTheSame) {
  for (llvm::StringRef text :
       {"gemmini-16x16,rows=32", "gemmini-16x16,rows=32,cols=8,dataflow=os,bits=4",
        "gemmini-16x16,rows=32,stream-rows=16", "edge-8x8-int4,units=shift+norm",
        "gemmini-16x16,units=none,unit-lanes=3,mac-pj=0.1,dram-pj=1e-09", "gemmini-16x16,units=all,unit-lanes=4"}) {
    const std::string units = parsed(text).str();
    EXPECT_EQ(parsed(units).str(), units) << text.str();
    EXPECT_EQ(parsed(parsed(text).str(/*all=*/true)).str(), units) << text.str();
  }
  EXPECT_EQ(parsed("gemmini-16x16, rows = 32 ,cols=16").str(), "gemmini-16x16,rows=32");
  EXPECT_EQ(parsed("rows=32,stream-rows=16").str(), "gemmini-16x16,rows=32,stream-rows=16");
}

TEST(Config, NearestNames) {
  EXPECT_NE(errorOf("gemini-16x16").find("no preset 'gemini-16x16'"), std::string::npos);
  EXPECT_NE(errorOf("gemini-16x16").find("did you mean 'gemmini-16x16'?"), std::string::npos);
  EXPECT_NE(errorOf("row=16").find("did you mean 'rows'?"), std::string::npos);
  EXPECT_NE(errorOf("dma-byte=16").find("did you mean 'dma-bytes'?"), std::string::npos);
  EXPECT_NE(errorOf("units=norms").find("did you mean 'norm'?"), std::string::npos);
  EXPECT_NE(errorOf("units=all+shift").find("'all' stands alone"), std::string::npos);
  EXPECT_NE(errorOf("units=shfit").find("did you mean 'shift'?"), std::string::npos);
}

TEST(Config, Refused) {
  const std::pair<llvm::StringRef, llvm::StringRef> cases[] = {
      {"", "no preset ''"},
      {"rows=0", "rows=0: must be 1 to 1024"},
      {"rows=-1", "rows=-1: must be 1 to 1024"},
      {"rows=1025", "rows=1025: must be"},
      {"rows=99999999999999999999", "write a number"},
      {"rows=", "write a number"},
      {"rows=16,rows=16", "given twice"},
      {"rows=16,gemmini-16x16", "KEY=VALUE"},
      {"bits=5", "2, 3, 4 or 8 bits"},
      {"accumulator-bits=7", "must be 8 to 32"},
      {"dataflow=is", "write ws"},
      {"dma-bytes=12", "power of two"},
      {"dma-bytes=128", "must fill the DMA's 128 bytes"},
      {"dma-request-bytes=48", "power of two"},
      {"block-tiles=256,rows=1024", "more than the 65535"},
      {"scratchpad-banks=1,scratchpad-rows=31", "must hold one tile of each operand, 16 + 16 rows"},
      {"accumulator-banks=1,accumulator-rows=15", "must hold the 16 rows"},
      {"scratchpad-rows=16777216,scratchpad-banks=64", "more than the"},
      {"units=", "no unit ''"},
      {"units=lut+", "no unit ''"},
      {"mac-pj=-1", "picojoules must be"},
      {"mac-pj=nan", "picojoules"},
      {"mac-pj=cheap", "write picojoules"},
  };
  for (auto [text, reason] : cases)
    EXPECT_NE(errorOf(text).find(reason), std::string::npos) << text.str() << ": " << errorOf(text);
}
