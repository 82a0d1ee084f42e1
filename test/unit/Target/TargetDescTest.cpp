//===- TargetDescTest.cpp - Names of targets -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Isa/TargetDesc.h"

#include "gtest/gtest.h"

using namespace vitq;

static TargetDesc get(llvm::StringRef text) {
  auto target = TargetDesc::parse(text);
  if (!target) {
    ADD_FAILURE() << llvm::toString(target.takeError());
    return {};
  }
  return *target;
}

static std::string errorOf(llvm::StringRef text) {
  auto target = TargetDesc::parse(text);
  return target ? std::string() : llvm::toString(target.takeError());
}

TEST(TargetDesc, Facts) {
  EXPECT_STREQ(get("x86-64").isa->name, "sse2");
  EXPECT_FALSE(get("x86-64").variableShifts);
  EXPECT_STREQ(get("x86-64-v3").isa->name, "avx2");
  EXPECT_STREQ(get("znver3").isa->name, "avx2");
  EXPECT_STREQ(get("x86-64-v4").isa->name, "avx512");
  EXPECT_STREQ(get("x86-64-v4+avx512vnni").isa->name, "avx512-vnni");
  EXPECT_STREQ(get("znver4").isa->name, "avx512-vnni-vbmi");
  EXPECT_STREQ(get("sapphirerapids").isa->name, "amx");
  EXPECT_STREQ(get("graniterapids").isa->name, "amx");
  EXPECT_STREQ(get("x86-64-v4+avx512vnni+avx512vbmi+amx-int8").isa->name, "amx");
  EXPECT_STREQ(get("x86-64-v3+amx-int8").isa->name, "avx2");
  EXPECT_STREQ(get("alderlake").isa->name, "avx-vnni");
  EXPECT_STREQ(get("lunarlake").isa->name, "avx-vnni");
  EXPECT_STREQ(get("sierraforest").isa->name, "avx-vnni");
  EXPECT_STREQ(get("x86-64-v3+avxvnni").isa->name, "avx-vnni");
  EXPECT_STREQ(get("aarch64+dotprod").isa->name, "aarch64-dotprod");
  EXPECT_STREQ(get("aarch64+i8mm+dotprod").isa->name, "aarch64-i8mm");
  EXPECT_STREQ(get("aarch64").isa->name, "aarch64");
  EXPECT_STREQ(get("aarch64+sve2,vector-bits=256").isa->name, "sve-256");
  EXPECT_STREQ(get("aarch64+sve2+i8mm,vector-bits=512").isa->name, "sve-i8mm-512");
  EXPECT_STREQ(get("neoverse-v1,vector-bits=256").isa->name, "sve-i8mm-256");
  EXPECT_EQ(get("aarch64").triple, "aarch64-unknown-linux-gnu");
  EXPECT_EQ(get("neoverse-n1").triple, "aarch64-unknown-linux-gnu");
  EXPECT_TRUE(get("native").runsOnHost());
}

/// Code for registers of one length is made only for who says it.
TEST(TargetDesc, VectorLength) {
  EXPECT_STREQ(get("neoverse-v1").isa->name, "aarch64-i8mm");
  EXPECT_EQ(get("neoverse-v1,vector-bits=256").vectorBits, 256u);
  EXPECT_TRUE(get("neoverse-v1,vector-bits=256").needsVectorLength());
  EXPECT_FALSE(get("neoverse-v1").needsVectorLength());
  EXPECT_FALSE(get("aarch64+sve2,vector-bits=256@x86-64").needsVectorLength());
  EXPECT_NE(errorOf("aarch64+sve2,vector-bits=1024").find("may be 512, 256"), std::string::npos);
  EXPECT_NE(errorOf("aarch64,vector-bits=256").find("no code for registers"), std::string::npos);
  EXPECT_NE(errorOf("aarch64+sve2,vector-bits=x").find("vector-bits=N"), std::string::npos);
}

TEST(TargetDesc, UnknownNamesListNeighbours) {
  EXPECT_NE(errorOf("skylak").find("skylake"), std::string::npos);
  EXPECT_NE(errorOf("x86-64-v4+avx512vni").find("avx512vnni"), std::string::npos);
  EXPECT_NE(errorOf("aarch64+dotprot").find("dotprod"), std::string::npos);
  EXPECT_NE(errorOf("").find("unknown target"), std::string::npos);
}

TEST(TargetDesc, EmulatedInstructions) {
  TargetDesc target = get("x86-64-v4+avx512vnni@x86-64-v3");
  EXPECT_STREQ(target.isa->name, "avx512-vnni");
  EXPECT_EQ(target.cpu, "x86-64-v3");
  EXPECT_TRUE(target.emulateDot);
}
