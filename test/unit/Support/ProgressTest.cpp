//===- ProgressTest.cpp ---------------------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/Progress.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <thread>

using namespace vitq;

TEST(Progress, DrawsAndRemovesItsLine) {
  std::string text;
  llvm::raw_string_ostream os(text);
  {
    Progress progress("images", 10, os, 80);
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    progress.advance(5);
    EXPECT_TRUE(llvm::StringRef(text).starts_with("\rimages  5/10  0:0")) << text;
    EXPECT_TRUE(llvm::StringRef(text).ends_with(" left\033[K")) << text;
    text.clear();
  }
  EXPECT_EQ(text, "\r\033[K");
}

TEST(Progress, DoesNotWrap) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Progress progress("a long label", 10, os, 8);
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  progress.advance();
  EXPECT_EQ(text, "\ra long \033[K");
}
