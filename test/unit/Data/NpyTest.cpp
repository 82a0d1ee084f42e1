//===- NpyTest.cpp --------------------------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Npy.h"

#include "TestUtils.h"

#include "llvm/Support/MemoryBuffer.h"

#include <fstream>
#include <iterator>

#include <zip.h>

using namespace llvm;
using namespace vitq::data;
using namespace vitq::data::test;

/// A .npy file of version 1 with the given header, padded to `length` bytes.
static std::string npy(StringRef header, StringRef data, size_t length = 118) {
  std::string text = header.str();
  text.resize(std::max(length - 1, text.size()), ' ');
  text += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(text.size() & 0xff);
  bytes += static_cast<char>(text.size() >> 8);
  return bytes + text + data.str();
}

static std::string npy(StringRef descr, StringRef order, StringRef shape, StringRef data) {
  return npy(("{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }").str(), data);
}

TEST(Npy, WritesAndReads) {
  TemporaryFolder folder;
  auto check = [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> values = {T(0), T(1), T(100), T(3), T(4), T(127)};
    std::string path = folder.path("a.npy");
    for (std::vector<int64_t> shape : {std::vector<int64_t>{6}, {2, 3}, {1, 1, 1, 6, 1, 1, 1, 1, 1, 1}}) {
      ASSERT_EQ(textOf(writeNpy<T>(path, shape, values)), "");
      NpyArray array = valueOf(readNpy(path));
      EXPECT_EQ(array.shape, shape);
      ASSERT_EQ(array.dtype, dtypeOf<T>());
      EXPECT_EQ(array.values<T>(), ArrayRef<T>(values));
    }
  };
  check(uint8_t());
  check(int8_t());
  check(int16_t());
  check(int32_t());
  check(int64_t());
  check(float());
  check(double());

  ASSERT_EQ(textOf(writeNpy<float>(folder.path("s.npy"), {}, {2.5f})), "");
  NpyArray scalar = valueOf(readNpy(folder.path("s.npy")));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(scalar.values<float>()[0], 2.5f);

  ASSERT_EQ(textOf(writeNpy<float>(folder.path("e.npy"), {0, 4}, {})), "");
  EXPECT_EQ(valueOf(readNpy(folder.path("e.npy"))).numElements(), 0);
  EXPECT_EQ(folder.count(), 3u);
}

TEST(Npy, WritesNothingThatDoesNotFit) {
  TemporaryFolder folder;
  EXPECT_TRUE(contains(textOf(writeNpy<float>(folder.path("a.npy"), {2, 2}, {1.0f})),
                       "4 bytes are not an array of 2x2 float32"));
  EXPECT_EQ(folder.count(), 0u);
}

TEST(Npy, WritesSeveralArrays) {
  TemporaryFolder folder;
  const std::vector<float> floats = {1, 2, 3, 4, 5, 6};
  const std::vector<int32_t> codes = {7, 8};
  auto bytes = [](const auto &values) {
    return ArrayRef<char>(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(values[0]));
  };
  const std::vector<NamedArray> arrays = {{"/norm/out put", {1, 2, 3}, DType::Float32, bytes(floats)},
                                          {"logits", {2}, DType::Int32, bytes(codes)}};
  const std::string path = folder.path("a.npz");
  ASSERT_EQ(textOf(writeNpz(path, arrays)), "");
  NpyArray first = valueOf(readNpy(path + ":/norm/out put")), second = valueOf(readNpy(path + ":logits"));
  EXPECT_EQ(first.shape, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(first.values<float>(), ArrayRef<float>(floats));
  EXPECT_EQ(second.shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(second.values<int32_t>(), ArrayRef<int32_t>(codes));

  auto contents = [](const std::string &file) {
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  };
  ASSERT_EQ(textOf(writeNpz(folder.path("b.npz"), arrays)), "");
  EXPECT_EQ(contents(path), contents(folder.path("b.npz")));
  // Two arrays of one name.
  EXPECT_TRUE(contains(textOf(writeNpz(folder.path("c.npz"), {arrays[1], arrays[1]})),
                       "c.npz': not written: array 'logits': "));
  EXPECT_EQ(folder.count(), 2u);
}

TEST(Npy, ReadsHeadersOfEveryForm) {
  for (StringRef header : {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }",
                           "{'shape': (2,3), 'fortran_order': False, 'descr': '|u1'}",
                           "{\"descr\":\"u1\",\"shape\":(2L, 3L,),\"fortran_order\":False,}"})
    // 246 bytes is what NumPy writes for long shapes.
    for (size_t length : {118, 246, 1000}) {
      NpyArray array = valueOf(parseNpy(npy(header, "abcdef", length), "a"));
      EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
      EXPECT_EQ(array.values<uint8_t>()[5], 'f');
    }
}

TEST(Npy, TurnsFortranOrder) {
  // [[1, 2, 3], [4, 5, 6]] by columns.
  NpyArray array = valueOf(parseNpy(npy("|u1", "True", "(2, 3)", "\1\4\2\5\3\6"), "a"));
  std::vector<uint8_t> expected = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(array.values<uint8_t>(), ArrayRef<uint8_t>(expected));
}

TEST(Npy, RefusesDamage) {
  auto errorOf = [](StringRef bytes) { return textOf(parseNpy(bytes, "a")); };
  EXPECT_TRUE(contains(errorOf(""), "'a': is not a .npy file"));
  EXPECT_TRUE(contains(errorOf("PNG"), "is not a .npy file"));
  EXPECT_TRUE(contains(errorOf(StringRef("\x93NUMPY\x09\x00......", 14)), "version 9"));
  for (StringRef header :
       {"", "{", "{}", "()", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", "{'descr': '<f4', 'fortran_order': False, 'shape': }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}",
        "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': "
        "(99999999999999999999,)}"})
    EXPECT_TRUE(contains(errorOf(npy(header, "abcd")), "header is damaged")) << header.str();
  for (StringRef descr : {">f4", "<f2", "<c8", "|O", "<U5", ""})
    EXPECT_TRUE(contains(errorOf(npy(descr, "False", "(1,)", "abcd")), "element type '" + descr.str() + "'"));
  // Shapes larger than the file, up to products beyond 64 bits.
  for (StringRef shape :
       {"(2,)", "(4294967296, 4294967296, 4294967296)", "(9223372036854775807,)", "(9223372036854775807, 2, 2)"})
    for (StringRef order : {"False", "True"})
      EXPECT_TRUE(contains(errorOf(npy("<f4", order, shape, "abcd")), "cut off")) << shape.str();
  EXPECT_EQ(errorOf(npy("<f4", "False", "(9223372036854775807, 4, 0)", "")), "");

  std::string whole = npy("<f4", "False", "(3,)", "abcdefghijkl");
  for (size_t size = 0; size < whole.size(); ++size) {
    std::vector<char> part(whole.begin(), whole.begin() + size);
    EXPECT_NE(errorOf(StringRef(part.data(), size)), "") << size;
  }
}

/// Writes a .npz with the given entries, compressed if `deflate`.
static std::string writeNpz(const TemporaryFolder &folder, ArrayRef<std::pair<const char *, std::string>> all,
                            bool deflate) {
  std::string path = folder.path("a.npz");
  int code = 0;
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  EXPECT_TRUE(archive);
  for (const auto &[name, data] : all) {
    zip_int64_t index = zip_file_add(archive, name, zip_source_buffer(archive, data.data(), data.size(), 0), 0);
    zip_set_file_compression(archive, index, deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  return path;
}

TEST(Npz, ReadsTheFirstOrTheNamedArray) {
  TemporaryFolder folder;
  // Longer than one read.
  std::string large(3'000'000, '\7');
  for (bool deflate : {false, true}) {
    std::string path = writeNpz(folder,
                                {{"readme.txt", "hello"},
                                 {"x.npy", npy("|u1", "False", "(2,)", "ab")},
                                 {"large.npy", npy("|u1", "False", "(3000, 1000)", large)}},
                                deflate);
    EXPECT_EQ(valueOf(readNpy(path)).values<uint8_t>()[1], 'b');
    EXPECT_EQ(valueOf(readNpy(path + ":x")).values<uint8_t>()[0], 'a');
    NpyArray array = valueOf(readNpy(path + ":large"));
    EXPECT_EQ(array.shape, (std::vector<int64_t>{3000, 1000}));
    EXPECT_EQ(array.bytes, std::vector<char>(large.begin(), large.end()));
    std::string text = textOf(readNpy(path + ":y"));
    EXPECT_TRUE(contains(text, "holds no array 'y'; it has: x, large"));
    EXPECT_TRUE(contains(text, path));
  }
}

TEST(Npz, RefusesDamage) {
  TemporaryFolder folder;
  EXPECT_TRUE(contains(textOf(readNpy(folder.write("e.npz", ""))), "e.npz"));
  EXPECT_TRUE(contains(textOf(readNpy(folder.write("e.npz", "PK\3\4junk"))), "cannot read the .npz file"));
  EXPECT_TRUE(contains(textOf(readNpy(folder.path("none.npz:k"))), "none.npz"));
  EXPECT_TRUE(contains(textOf(readNpy(writeNpz(folder, {{"a", "b"}}, false))), "holds no array"));
  // A megabyte of zeros behind a header that announces four bytes.
  std::string bomb = npy("<f4", "False", "(1,)", "abcd") + std::string(1 << 22, '\0');
  NpyArray array = valueOf(readNpy(writeNpz(folder, {{"a.npy", bomb}}, true)));
  EXPECT_EQ(array.numElements(), 1);
  // One flipped bit of stored data is a wrong checksum.
  std::string path = writeNpz(folder, {{"a.npy", npy("|u1", "False", "(4,)", "WXYZ")}}, false);
  auto buffer = MemoryBuffer::getFile(path);
  ASSERT_TRUE(buffer);
  std::string bytes = (*buffer)->getBuffer().str();
  bytes[bytes.find("WXYZ")] ^= 1;
  EXPECT_TRUE(contains(textOf(readNpy(folder.write("b.npz", bytes))), "b.npz"));
}

TEST(Npy, KnowsItsExtensions) {
  EXPECT_TRUE(isNpyPath("a.npy"));
  EXPECT_TRUE(isNpyPath("a.NPZ"));
  EXPECT_TRUE(isNpyPath("a.npz:key"));
  EXPECT_FALSE(isNpyPath("a.npy:key"));
  EXPECT_FALSE(isNpyPath("npy"));
}
