//===- AtomicFileTest.cpp -------------------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/AtomicFile.h"

#include "../Data/TestUtils.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace vitq;
using namespace vitq::data::test;

static std::string contentsOf(const std::string &path) {
  auto buffer = MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "(unreadable)";
}

TEST(AtomicFile, Replaces) {
  TemporaryFolder folder;
  std::string path = folder.write("a.txt", "old");
  EXPECT_EQ(textOf(writeFileAtomically(path, "new")), "");
  EXPECT_EQ(contentsOf(path), "new");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, LeavesNothingBehindAnError) {
  TemporaryFolder folder;
  std::string path = folder.write("a.txt", "old");
  EXPECT_EQ(textOf(writeFileAtomically(path,
                                       [](raw_ostream &os) -> Error {
                                         os << "half";
                                         return createStringError(inconvertibleErrorCode(), "no");
                                       })),
            "no");
  EXPECT_EQ(contentsOf(path), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, NamesPathAndCause) {
  TemporaryFolder folder;
  std::string path = folder.path("none/a.txt");
  EXPECT_EQ(textOf(writeFileAtomically(path, "x")), "cannot write '" + path + "': No such file or directory");
  EXPECT_EQ(textOf(writeFileAtomically(folder.path(), "x")), "cannot write '" + folder.path() + "': Is a directory");
  EXPECT_EQ(folder.count(), 0u);
}

TEST(AtomicFile, FollowsLinks) {
  TemporaryFolder folder;
  std::string path = folder.write("a.txt", "old"), link = folder.path("link");
  ASSERT_FALSE(sys::fs::create_link(path, link));
  EXPECT_EQ(textOf(writeFileAtomically(link, "new")), "");
  EXPECT_EQ(contentsOf(path), "new");
  EXPECT_EQ(folder.count(), 2u);
}

TEST(AtomicFile, WritesDevicesDirectly) {
  if (!sys::fs::exists("/dev/null") || !sys::fs::exists("/dev/full"))
    GTEST_SKIP();
  EXPECT_EQ(textOf(writeFileAtomically("/dev/null", "x")), "");
  EXPECT_EQ(textOf(writeFileAtomically("/dev/full", "x")), "cannot write '/dev/full': No space left on device");
}
