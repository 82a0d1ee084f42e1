//===- Emulator.cpp - Programs for another architecture -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Objects for AArch64 are linked with Inputs/bare.c, which needs no library, and run
// by qemu-aarch64 where that is installed.
//
//===----------------------------------------------------------------------===//

#include "Emulator.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

using namespace vitq;
using llvm::StringRef;

namespace {

/// A file that goes when the test does.
struct TemporaryFile {
  explicit TemporaryFile(StringRef suffix) { llvm::sys::fs::createTemporaryFile("vitq-test", suffix, path); }
  ~TemporaryFile() { llvm::sys::fs::remove(path); }
  TemporaryFile(const TemporaryFile &) = delete;
  llvm::SmallString<128> path;
};

struct Tools {
  std::string clang, linker, qemu;
  bool complete() const { return !clang.empty() && !linker.empty() && !qemu.empty(); }
};

} // namespace

static const Tools &tools() {
  static const Tools found = [] {
    auto find = [](StringRef name, llvm::ArrayRef<StringRef> folders) {
      auto path = llvm::sys::findProgramByName(name, folders);
      return path ? *path : std::string();
    };
    return Tools{find("clang", {VITQ_LLVM_TOOLS_DIR}), find("ld.lld", {VITQ_LLVM_TOOLS_DIR}), find("qemu-aarch64", {})};
  }();
  return found;
}

static bool run(llvm::ArrayRef<StringRef> command, StringRef in = "", StringRef out = "") {
  std::string message;
  const std::optional<StringRef> redirects[] = {in, out, std::nullopt};
  const int status = llvm::sys::ExecuteAndWait(command.front(), command, std::nullopt, redirects, /*SecondsToWait=*/300,
                                               /*MemoryLimit=*/0, &message);
  if (status)
    llvm::errs() << command.front() << ": status " << status << " " << message << "\n";
  return status == 0;
}

/// The object of bare.c; null if it could not be compiled.
static const TemporaryFile *bareObject() {
  static std::once_flag once;
  static std::unique_ptr<TemporaryFile> object;
  std::call_once(once, [] {
    auto file = std::make_unique<TemporaryFile>("o");
    const std::string include = std::string("-I") + VITQ_INCLUDE_DIR;
    if (run({tools().clang, "--target=aarch64-linux-gnu", "-O1", "-ffreestanding", "-fno-builtin", include, "-c",
             VITQ_BARE_SOURCE, "-o", file->path}))
      object = std::move(file);
  });
  return object.get();
}

bool vitq::test::canEmulateAArch64() { return tools().complete(); }

std::optional<std::vector<char>> vitq::test::runEmulated(llvm::ArrayRef<char> object, llvm::ArrayRef<char> in,
                                                         size_t outputBytes) {
  const TemporaryFile *bare = bareObject();
  if (!bare)
    return std::nullopt;
  TemporaryFile program("o"), executable("exe"), input("in"), output("out");
  auto write = [](StringRef path, auto &&...parts) {
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    (os.write(parts.data(), parts.size()), ...);
  };
  const uint64_t sizes[] = {in.size(), outputBytes};
  write(program.path, object);
  write(input.path, StringRef(reinterpret_cast<const char *>(sizes), sizeof(sizes)), in);
  if (!run({tools().linker, "-static", bare->path, program.path, "-o", executable.path}) ||
      !run({tools().qemu, "-cpu", "max", executable.path}, input.path, output.path))
    return std::nullopt;
  auto result = llvm::MemoryBuffer::getFile(output.path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!result || (*result)->getBufferSize() != outputBytes)
    return std::nullopt;
  StringRef bytes = (*result)->getBuffer();
  return std::vector<char>(bytes.begin(), bytes.end());
}
