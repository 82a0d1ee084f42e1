//===- FileInput.cpp - Opening files that may be anything -----------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileInput.h"

#include "llvm/Support/FileSystem.h"

using namespace llvm;

Error vitq::data::makeFileError(StringRef name, const Twine &text) {
  return createStringError(inconvertibleErrorCode(), "'" + name + "': " + text);
}

Error vitq::data::addFileName(StringRef name, Error error) {
  return makeFileError(name, llvm::toString(std::move(error)));
}

Expected<std::unique_ptr<MemoryBuffer>> vitq::data::readRegularFile(StringRef path, uint64_t maxBytes) {
  sys::fs::file_status status;
  if (std::error_code ec = sys::fs::status(path, status))
    return makeFileError(path, "cannot read: " + ec.message());
  if (sys::fs::is_directory(status))
    return makeFileError(path, "is a folder; give a file");
  if (!sys::fs::is_regular_file(status))
    return makeFileError(path, "is not a regular file; copy the data to one");
  if (status.getSize() > maxBytes)
    return makeFileError(path,
                         "is " + Twine(status.getSize()) + " bytes long; at most " + Twine(maxBytes) + " are read");
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeFileError(path, "cannot read: " + buffer.getError().message());
  return std::move(*buffer);
}
