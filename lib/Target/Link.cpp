//===- Link.cpp - Shared libraries from objects -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/NativeCompiler.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Triple.h"

#include <deque>

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

/// Whether the object calls the OpenMP runtime. Other than that it may need the memory
/// functions only, which every process has.
static llvm::Expected<bool> needsOpenMP(const llvm::object::ObjectFile &object) {
  bool openmp = false;
  for (const llvm::object::SymbolRef &symbol : object.symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    llvm::Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined) || name->empty())
      continue;
    if (name->starts_with("__kmpc_") || name->starts_with("omp_"))
      openmp = true;
    else if (*name != "memcpy" && *name != "memmove" && *name != "memset")
      return failure("the object needs '" + *name + "', which no program may");
  }
  return openmp;
}

/// The OpenMP runtime of this LLVM, which must be for the architecture of `object`.
static llvm::Expected<std::string> findOpenMP(const llvm::object::ObjectFile &object) {
  llvm::SmallString<128> path(VITQ_LLVM_TOOLS_DIR);
  llvm::sys::path::append(path, "..", "lib", "libomp.so");
  llvm::sys::path::remove_dots(path, /*remove_dot_dot=*/true);
  auto library = llvm::object::ObjectFile::createObjectFile(path);
  if (!library) {
    llvm::consumeError(library.takeError());
    return failure("cannot find the OpenMP runtime '" + path +
                   "', which --openmp needs; install the package libomp-22-dev");
  }
  const auto wanted = object.getArch(), found = library->getBinary()->getArch();
  if (wanted != found)
    return failure("the OpenMP runtime '" + path + "' is for " + llvm::Triple::getArchTypeName(found) +
                   ", the program for " + llvm::Triple::getArchTypeName(wanted) +
                   "; write an object with --emit=obj and link it there");
  return path.str().str();
}

/// Arguments of the linker that depend on what the object needs.
static llvm::Expected<std::vector<std::string>> librariesOf(llvm::ArrayRef<char> bytes) {
  auto object = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object"));
  if (!object)
    return object.takeError();
  llvm::Expected<bool> openmp = needsOpenMP(**object);
  if (!openmp)
    return openmp.takeError();
  if (!*openmp)
    return std::vector<std::string>();
  llvm::Expected<std::string> runtime = findOpenMP(**object);
  if (!runtime)
    return runtime.takeError();
  return std::vector<std::string>{*runtime};
}

namespace {

/// An object for the linker, removed at the end.
struct TemporaryObject {
  llvm::Error write(llvm::ArrayRef<char> bytes) {
    if (auto error = llvm::sys::fs::createTemporaryFile("vitq", "o", path))
      return failure("cannot create a temporary file: " + error.message());
    remover.setFile(path);
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    os.write(bytes.data(), bytes.size());
    os.close();
    return error || os.has_error() ? failure("cannot write '" + path + "'") : llvm::Error::success();
  }

  llvm::SmallString<128> path;
  llvm::FileRemover remover;
};

} // namespace

llvm::Error vitq::linkSharedObject(llvm::ArrayRef<char> object, StringRef outPath,
                                   llvm::ArrayRef<llvm::ArrayRef<char>> others) {
  llvm::ErrorOr<std::string> linker = findLinker();
  if (!linker)
    return failure("cannot find ld.lld to link '" + outPath + "'; install the package lld-22");
  llvm::Expected<std::vector<std::string>> libraries = librariesOf(object);
  if (!libraries)
    return failure("cannot link '" + outPath + "': " + llvm::toString(libraries.takeError()));
  llvm::SmallString<128> errorPath;
  if (auto error = llvm::sys::fs::createTemporaryFile("vitq", "txt", errorPath))
    return failure("cannot create a temporary file: " + error.message());
  llvm::FileRemover removeErrors(errorPath);
  std::deque<TemporaryObject> objects;
  const llvm::ArrayRef<char> first[] = {object};
  for (llvm::ArrayRef<char> bytes : llvm::concat<const llvm::ArrayRef<char>>(first, others))
    if (llvm::Error error = objects.emplace_back().write(bytes))
      return error;
  // Linked beside its destination and renamed: no half-written library is seen.
  const std::string partial = (outPath + ".partial").str();
  llvm::FileRemover removePartial(partial);
  const std::string soname = llvm::sys::path::filename(outPath).str();
  llvm::SmallVector<StringRef> args = {*linker, "-shared", "-o",          partial,           "-soname",
                                       soname,  "-z",      "noexecstack", "--build-id=none", "--hash-style=gnu"};
  for (const TemporaryObject &file : objects)
    args.push_back(file.path);
  args.append(libraries->begin(), libraries->end());
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
