//===- Link.cpp - Shared libraries from objects -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/NativeCompiler.h"

#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace vitq;
using llvm::StringRef;

static llvm::Error failure(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

llvm::Expected<uint64_t> vitq::codeBytesOf(llvm::ArrayRef<char> bytes) {
  auto object = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object"));
  if (!object)
    return object.takeError();
  uint64_t size = 0;
  for (const llvm::object::SectionRef &section : (*object)->sections())
    if (section.isText())
      size += section.getSize();
  return size;
}

/// ld.lld of this LLVM, or the one in the path.
static llvm::ErrorOr<std::string> findLinker() {
  for (StringRef name : {"ld.lld-22", "ld.lld"}) {
    if (auto found = llvm::sys::findProgramByName(name))
      return found;
    if (auto found = llvm::sys::findProgramByName(name, {VITQ_LLVM_TOOLS_DIR}))
      return found;
  }
  return std::make_error_code(std::errc::no_such_file_or_directory);
}

llvm::Error vitq::linkSharedObject(llvm::ArrayRef<char> object, StringRef outPath) {
  llvm::ErrorOr<std::string> linker = findLinker();
  if (!linker)
    return failure("cannot find ld.lld to link '" + outPath + "'; install the package lld-22");
  llvm::SmallString<128> objectPath, errorPath;
  if (auto error = llvm::sys::fs::createTemporaryFile("vitq", "o", objectPath))
    return failure("cannot create a temporary file: " + error.message());
  llvm::FileRemover removeObject(objectPath);
  if (auto error = llvm::sys::fs::createTemporaryFile("vitq", "txt", errorPath))
    return failure("cannot create a temporary file: " + error.message());
  llvm::FileRemover removeErrors(errorPath);
  {
    std::error_code error;
    llvm::raw_fd_ostream os(objectPath, error);
    os.write(object.data(), object.size());
    os.close();
    if (error || os.has_error())
      return failure("cannot write '" + objectPath + "'");
  }
  // Linked beside its destination and renamed: no half-written library is seen.
  const std::string partial = (outPath + ".partial").str();
  llvm::FileRemover removePartial(partial);
  const std::string soname = llvm::sys::path::filename(outPath).str();
  const StringRef args[] = {*linker, "-shared", "-o",          partial,           objectPath,        "-soname",
                            soname,  "-z",      "noexecstack", "--build-id=none", "--hash-style=gnu"};
  const std::optional<StringRef> redirects[] = {std::nullopt, std::nullopt, StringRef(errorPath)};
  std::string message;
  if (llvm::sys::ExecuteAndWait(*linker, args, std::nullopt, redirects, 0, 0, &message) != 0) {
    if (auto text = llvm::MemoryBuffer::getFile(errorPath))
      message += (*text)->getBuffer();
    return failure("linking '" + outPath + "' failed: " + message);
  }
  if (auto error = llvm::sys::fs::rename(partial, outPath))
    return failure("cannot write '" + outPath + "': " + error.message());
  removePartial.releaseFile();
  return llvm::Error::success();
}
