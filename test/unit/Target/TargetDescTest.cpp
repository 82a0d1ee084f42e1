//===- TargetDescTest.cpp - Names of targets -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/TargetDesc.h"

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
  EXPECT_EQ(get("x86-64").dot, DotKind::MaddI16_128);
  EXPECT_FALSE(get("x86-64").variableShifts);
  EXPECT_EQ(get("x86-64-v3").dot, DotKind::MaddI16_256);
  EXPECT_EQ(get("znver3").dot, DotKind::MaddI16_256);
  EXPECT_EQ(get("x86-64-v4").dot, DotKind::MaddI16_512);
  EXPECT_EQ(get("x86-64-v4+avx512vnni").dot, DotKind::VnniU8S8_512);
  EXPECT_EQ(get("znver4").dot, DotKind::VnniU8S8_512);
  EXPECT_EQ(get("alderlake").dot, DotKind::VnniU8S8_256);
  EXPECT_EQ(get("x86-64-v3+avxvnni").dot, DotKind::VnniU8S8_256);
  EXPECT_EQ(get("aarch64+dotprod").dot, DotKind::Plain);
  EXPECT_EQ(get("aarch64").triple, "aarch64-unknown-linux-gnu");
  EXPECT_EQ(get("neoverse-n1").triple, "aarch64-unknown-linux-gnu");
  EXPECT_TRUE(get("native").runsOnHost());
}

TEST(TargetDesc, UnknownNamesListNeighbours) {
  EXPECT_NE(errorOf("skylak").find("skylake"), std::string::npos);
  EXPECT_NE(errorOf("x86-64-v4+avx512vni").find("avx512vnni"), std::string::npos);
  EXPECT_NE(errorOf("aarch64+dotprot").find("dotprod"), std::string::npos);
  EXPECT_NE(errorOf("").find("unknown target"), std::string::npos);
}

TEST(TargetDesc, EmulatedInstructions) {
  TargetDesc target = get("x86-64-v4+avx512vnni@x86-64-v3");
  EXPECT_EQ(target.dot, DotKind::VnniU8S8_512);
  EXPECT_EQ(target.cpu, "x86-64-v3");
  EXPECT_TRUE(target.emulateDot);
}
