//===- Npy.cpp - NumPy's array files --------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Npy.h"

#include "FileInput.h"
#include "NpyXtensor.h"
#include "vitq/Support/AtomicFile.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstring>

#include <zip.h>

using namespace llvm;
using namespace vitq::data;

/// Longest array, in bytes, that is read into memory.
static constexpr uint64_t kMaxArrayBytes = uint64_t(1) << 34;

/// The same for arrays in .npz files, which may be far longer than their file.
static constexpr uint64_t kMaxUnpackedBytes = uint64_t(1) << 32;

/// Splits `file.npz:key`; the key is empty if there is none. A file whose name
/// holds a colon goes first.
static std::pair<StringRef, StringRef> splitKey(StringRef path) {
  size_t colon = path.rfind(':');
  if (colon == StringRef::npos || !path.take_front(colon).ends_with_insensitive(".npz") || sys::fs::exists(path))
    return {path, StringRef()};
  return {path.take_front(colon), path.drop_front(colon + 1)};
}

bool vitq::data::isNpyPath(StringRef path) {
  StringRef file = splitKey(path).first;
  return file.ends_with_insensitive(".npy") || file.ends_with_insensitive(".npz");
}

Expected<NpyArray> vitq::data::parseNpy(StringRef bytes, StringRef name) {
  auto header = parseNpyHeader(bytes, bytes.size(), name);
  if (!header)
    return header.takeError();
  StringRef data = bytes.substr(header->dataOffset, header->dataSize);
  NpyArray array{std::move(header->shape), header->dtype, {}};
  if (!header->fortranOrder || array.shape.size() < 2)
    array.bytes.assign(data.begin(), data.end());
  else if (!toRowMajor(array.shape, array.dtype, ArrayRef<char>(data.data(), data.size()), array.bytes))
    return makeFileError(name, "cannot be turned from Fortran to C order; save "
                               "numpy.ascontiguousarray of it");
  return array;
}

static Expected<NpyArray> readNpz(StringRef path, StringRef key) {
  // Also settles whether the file can be read at all.
  auto buffer = readRegularFile(path, kMaxArrayBytes);
  if (!buffer)
    return buffer.takeError();

  zip_error_t zipError;
  zip_error_init(&zipError);
  llvm::scope_exit finishError([&] { zip_error_fini(&zipError); });
  auto cannotRead = [&](zip_error_t *cause) {
    return makeFileError(path, "cannot read the .npz file: " + StringRef(zip_error_strerror(cause)) +
                                   "; write it again with numpy.savez");
  };
  zip_source_t *source = zip_source_buffer_create((*buffer)->getBufferStart(), (*buffer)->getBufferSize(),
                                                  /*freep=*/0, &zipError);
  if (!source)
    return cannotRead(&zipError);
  zip_t *archive = zip_open_from_source(source, ZIP_RDONLY, &zipError);
  if (!archive) {
    zip_source_free(source);
    return cannotRead(&zipError);
  }
  llvm::scope_exit close([&] { zip_discard(archive); });

  // NumPy stores array "key" as "key.npy".
  zip_int64_t index = -1, count = zip_get_num_entries(archive, 0);
  std::string keys;
  for (zip_int64_t i = 0; i < count && index < 0; ++i) {
    const char *text = zip_get_name(archive, i, 0);
    StringRef entry = text ? text : "";
    if (!entry.consume_back(".npy"))
      continue;
    if (key.empty() || entry == key)
      index = i;
    else if (keys.size() < 200)
      keys += (keys.empty() ? "" : ", ") + entry.str();
  }
  if (index < 0)
    return makeFileError(path, key.empty() ? Twine("holds no array") : "holds no array '" + key + "'; it has: " + keys);

  // Grow with what really comes out: the size in the directory may lie.
  zip_file_t *file = zip_fopen_index(archive, index, 0);
  if (!file)
    return cannotRead(zip_get_error(archive));
  llvm::scope_exit closeFile([&] { zip_fclose(file); });
  std::string bytes;
  std::optional<uint64_t> expected;
  for (;;) {
    constexpr size_t step = 1 << 20;
    size_t have = bytes.size();
    bytes.resize(have + step);
    zip_int64_t got = zip_fread(file, bytes.data() + have, step);
    if (got < 0)
      return cannotRead(zip_file_get_error(file));
    bytes.resize(have + got);
    if (got == 0)
      break;
    // With the header known, stop as soon as more comes than it announces;
    // at the entry's end libzip compares the checksum.
    if (!expected && bytes.size() >= kMaxNpyHeader) {
      auto header = parseNpyHeader(bytes, kMaxUnpackedBytes, path);
      if (!header)
        return header.takeError();
      expected = header->dataOffset + header->dataSize;
    }
    if (expected && bytes.size() > *expected)
      break;
  }
  return parseNpy(bytes, path);
}

Expected<NpyArray> vitq::data::readNpy(StringRef path) {
  auto [file, key] = splitKey(path);
  if (file.ends_with_insensitive(".npz"))
    return readNpz(file, key);
  auto buffer = readRegularFile(path, kMaxArrayBytes);
  if (!buffer)
    return buffer.takeError();
  return parseNpy((*buffer)->getBuffer(), path);
}

Error vitq::data::writeNpy(StringRef path, ArrayRef<int64_t> shape, DType dtype, ArrayRef<char> data) {
  uint64_t size = sizeOf(dtype);
  for (int64_t extent : shape)
    size *= static_cast<uint64_t>(extent);
  if (size != data.size())
    return makeFileError(path, "not written: " + Twine(data.size()) + " bytes are not an array of " +
                                   shapeToString(shape) + " " + toString(dtype));
  auto bytes = encodeNpy(shape, dtype, data);
  if (!bytes)
    return makeFileError(path, "not written: out of memory");
  return writeFileAtomically(path, *bytes);
}
