//===- CompileC.cpp - Portable C in tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileC.h"

#include "vitq/Target/PortableC.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using namespace vitq;

static const std::string &compiler() {
  static const std::string found = [] {
    auto path = llvm::sys::findProgramByName("clang", {VITQ_LLVM_TOOLS_DIR});
    return path ? *path : std::string();
  }();
  return found;
}

bool vitq::test::canCompileC() { return !compiler().empty(); }

std::vector<char> vitq::test::compileC(ModuleOp module, const NativeOptions &options) {
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  buildVitqToPortableCPipeline(manager, options.fuse);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (failed(manager.run(module)) || failed(emitPortableC(module, options, os)))
    return {};
  llvm::SmallString<128> folder;
  if (llvm::sys::fs::createUniqueDirectory("vitq-test", folder))
    return {};
  const llvm::scope_exit remove([&] { llvm::sys::fs::remove_directories(folder); });
  auto path = [&](const char *extension) { return (folder + "/" + options.name + extension).str(); };
  auto write = [](const std::string &file, StringRef content) {
    std::error_code error;
    llvm::raw_fd_ostream(file, error) << content;
  };
  write(path(".c"), text);
  write(path(".h"), headerOf(module, options));
  const std::string source = path(".c"), object = path(".o");
  const StringRef command[] = {compiler(),
                               "-std=c99",
                               "-pedantic",
                               "-Wall",
                               "-Wextra",
                               "-Wconversion",
                               "-Werror",
                               "-O0",
                               "-fPIC",
                               "-DVITQ_PROGRAM",
                               "-fsanitize=undefined",
                               "-fsanitize-trap=undefined",
                               "-c",
                               source,
                               "-o",
                               object};
  if (llvm::sys::ExecuteAndWait(command[0], command) != 0)
    return {};
  auto result = llvm::MemoryBuffer::getFile(object, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!result)
    return {};
  StringRef bytes = (*result)->getBuffer();
  return std::vector<char>(bytes.begin(), bytes.end());
}
