//===- Npz.cpp - Writing several arrays into one file -*- C++ -*-===//
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

#include <zip.h>

using namespace llvm;
using namespace vitq::data;

namespace {

/// A .npz file in memory.
class Archive {
public:
  Archive() {
    zip_error_init(&error);
    source = zip_source_buffer_create(nullptr, 0, /*freep=*/0, &error);
    if (!source)
      return;
    // The archive takes its source along when it is closed; it is read after that.
    zip_source_keep(source);
    archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
    if (!archive)
      zip_source_free(source);
  }
  ~Archive() {
    if (archive)
      zip_discard(archive);
    if (source)
      zip_source_free(source);
    zip_error_fini(&error);
  }
  Archive(const Archive &) = delete;
  Archive &operator=(const Archive &) = delete;

  /// `bytes` are read by `close`.
  bool add(const std::string &name, StringRef bytes) {
    zip_source_t *entry = archive ? zip_source_buffer(archive, bytes.data(), bytes.size(), /*freep=*/0) : nullptr;
    if (!entry)
      return false;
    const zip_int64_t index = zip_file_add(archive, (name + ".npy").c_str(), entry, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(entry);
      return false;
    }
    // 1980: two files of the same arrays have the same bytes.
    return zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(archive, index, /*dostime=*/0, /*dosdate=*/(1 << 5) + 1, 0) == 0;
  }

  std::optional<std::string> close() {
    if (!archive || zip_close(archive) != 0)
      return std::nullopt;
    archive = nullptr;
    if (zip_source_open(source) != 0)
      return std::nullopt;
    scope_exit done([&] { zip_source_close(source); });
    zip_stat_t stat;
    if (zip_source_stat(source, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE))
      return std::nullopt;
    std::string bytes(stat.size, '\0');
    if (zip_source_read(source, bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()))
      return std::nullopt;
    return bytes;
  }

  std::string problem() { return zip_error_strerror(archive ? zip_get_error(archive) : &error); }

private:
  zip_error_t error;
  zip_source_t *source = nullptr;
  zip_t *archive = nullptr;
};

} // namespace

Error vitq::data::writeNpz(StringRef path, ArrayRef<NamedArray> arrays) {
  std::vector<std::string> encoded;
  for (const NamedArray &array : arrays) {
    auto bytes = encodeNpy(array.shape, array.dtype, array.data);
    if (!bytes)
      return makeFileError(path, "not written: out of memory");
    encoded.push_back(std::move(*bytes));
  }
  Archive archive;
  for (size_t i = 0; i < arrays.size(); ++i)
    if (!archive.add(arrays[i].name, encoded[i]))
      return makeFileError(path, "not written: array '" + arrays[i].name + "': " + archive.problem());
  std::optional<std::string> bytes = archive.close();
  if (!bytes)
    return makeFileError(path, "not written: " + archive.problem());
  return writeFileAtomically(path, *bytes);
}
