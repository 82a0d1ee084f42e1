//===- ExternalData.cpp - Weights beside the model's file -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExternalData.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <sys/mman.h>

using namespace llvm;
using namespace vitq::frontend;

namespace sys = llvm::sys;

static Error fail(const Twine &why) { return createStringError(inconvertibleErrorCode(), why); }

/// Whether the path `file` is in `folder`; both are real paths.
static bool isInside(StringRef file, StringRef folder) {
  return file.consume_front(folder) && (folder.ends_with("/") || file.starts_with("/"));
}

/// Of a folder `.../models--NAME/snapshots/REVISION/...`, as the cache of a model hub has
/// them: `.../models--NAME/blobs`, where the snapshot's links point. Empty for others.
static std::string blobsOf(StringRef folder) {
  SmallVector<StringRef> parts(sys::path::begin(folder), sys::path::end(folder));
  for (size_t i = parts.size(); i-- > 2;)
    if (parts[i - 1] == "snapshots" && parts[i - 2].starts_with("models--"))
      return (folder.take_front(parts[i - 2].end() - folder.begin()) + "/blobs").str();
  return {};
}

Expected<std::string> ExternalFiles::resolve(StringRef location) const {
  constexpr StringLiteral outside = "lies outside the model's folder; save the model with its data beside it";
  if (location.empty())
    return fail("has no location");
  if (sys::path::is_absolute(location) || location.contains('\0') ||
      llvm::is_contained(llvm::make_range(sys::path::begin(location), sys::path::end(location)), ".."))
    return fail(outside);
  if (!modelPath)
    return fail("cannot be found for a model in memory: load the model from its file, or save it with its weights "
                "inside");
  SmallString<256> folder(*modelPath), file, realFolder, realFile;
  sys::path::remove_filename(folder);
  if (folder.empty())
    folder = ".";
  file = folder;
  sys::path::append(file, location);
  if (std::error_code error = sys::fs::real_path(file, realFile))
    return fail("cannot be read: " + error.message());
  if (std::error_code error = sys::fs::real_path(folder, realFolder))
    return fail("cannot be read: " + error.message());
  // A symbolic link could lead out of the folder.
  const std::string blobs = blobsOf(realFolder);
  if (!isInside(realFile, realFolder) && (blobs.empty() || !isInside(realFile, blobs)))
    return fail(outside);
  if (!sys::fs::is_regular_file(realFile))
    return fail("is no regular file");
  return realFile.str().str();
}

std::shared_ptr<const void> ExternalFiles::keep(std::shared_ptr<MemoryBuffer> file, StringRef part) {
  const void *data = part.data();
  return {data, [file = std::move(file), part](const void *) {
            // Pages that are not mapped from a file would be lost.
            if (file->getBufferKind() != MemoryBuffer::MemoryBuffer_MMap)
              return;
            const uint64_t page = sys::Process::getPageSizeEstimate();
            const auto address = reinterpret_cast<uintptr_t>(part.data());
            const uint64_t begin = alignTo(address, page), end = alignDown(address + part.size(), page);
            if (begin < end)
              (void)madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
          }};
}

Expected<std::shared_ptr<MemoryBuffer>> ExternalFiles::open(StringRef location) {
  auto known = files.find(location);
  if (known != files.end())
    return known->second;
  Expected<std::string> path = resolve(location);
  if (!path)
    return path.takeError();
  auto buffer = MemoryBuffer::getFile(*path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail("cannot be read: " + buffer.getError().message());
  return files[location] = std::shared_ptr<MemoryBuffer>(std::move(*buffer));
}
