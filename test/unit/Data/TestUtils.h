//===- TestUtils.h - Helpers for the tests of lib/Data ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_DATA_TESTUTILS_H
#define VITQ_TEST_UNIT_DATA_TESTUTILS_H

#include "vitq/Data/Image.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <string>

namespace vitq::data::test {

/// The text of `error`, empty for success.
inline std::string textOf(llvm::Error error) { return llvm::toString(std::move(error)); }
template <typename T>
std::string textOf(llvm::Expected<T> value) {
  return value ? std::string() : llvm::toString(value.takeError());
}

/// A value, or a failed test and a default value.
template <typename T>
T valueOf(llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  ADD_FAILURE() << llvm::toString(value.takeError());
  return T();
}

inline ::testing::AssertionResult contains(const std::string &text, const std::string &part) {
  if (text.find(part) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << text << "' lacks '" << part << "'";
}

/// Bytes as read from files, from hexadecimal text.
inline std::string bytesOf(const char *hex) { return llvm::fromHex(hex); }

inline std::vector<uint8_t> pixelsOf(const char *hex) {
  std::string bytes = bytesOf(hex);
  return {bytes.begin(), bytes.end()};
}

/// A picture of noise, the same as pillow_vectors.py's.
inline Image pattern(int height, int width, int channels) {
  Image image{height, width, channels, {}};
  uint32_t state = 1;
  for (int i = 0; i < height * width * channels; ++i) {
    state = (state * 1103515245u + 12345u) & 0x7FFFFFFFu;
    image.pixels.push_back(static_cast<uint8_t>(state >> 16));
  }
  return image;
}

/// A folder that exists as long as the object.
class TemporaryFolder {
public:
  TemporaryFolder() {
    if (llvm::sys::fs::createUniqueDirectory("vitq-test", folder))
      ADD_FAILURE() << "cannot make a temporary folder";
  }
  ~TemporaryFolder() { llvm::sys::fs::remove_directories(folder); }

  std::string path() const { return std::string(folder); }
  std::string path(llvm::StringRef name) const {
    llvm::SmallString<128> result(folder);
    llvm::sys::path::append(result, name);
    return std::string(result);
  }
  /// Writes a file and gives its path.
  std::string write(llvm::StringRef name, llvm::StringRef contents) const {
    std::error_code ec;
    llvm::raw_fd_ostream os(path(name), ec);
    EXPECT_FALSE(ec) << ec.message();
    os << contents;
    return path(name);
  }
  /// The number of entries.
  size_t count() const {
    size_t n = 0;
    std::error_code ec;
    for (llvm::sys::fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
      ++n;
    return n;
  }

private:
  llvm::SmallString<128> folder;
};

/// A path in the folder of models and pictures that VITQ_SHARED names; empty
/// if there is no such file.
inline std::string shared(llvm::StringRef name) {
  const char *root = std::getenv("VITQ_SHARED");
  if (!root)
    return {};
  llvm::SmallString<128> path(root);
  llvm::sys::path::append(path, name);
  return llvm::sys::fs::exists(path) ? std::string(path) : std::string();
}

} // namespace vitq::data::test

#endif // VITQ_TEST_UNIT_DATA_TESTUTILS_H
