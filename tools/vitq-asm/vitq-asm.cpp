//===- vitq-asm.cpp - Programs for systolic arrays to text and back -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Program.h"
#include "vitq/Support/AtomicFile.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"

using namespace vitq;
using namespace vitq::simulator;
namespace cl = llvm::cl;

namespace {

struct Flags {
  cl::OptionCategory category{"vitq-asm options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("<program or assembly, '-' for standard input>"), cl::init("-"),
                             cl::cat(category)};
  cl::opt<std::string> output{"o", cl::desc("Where to write ('-', the default: standard output)"),
                              cl::value_desc("file"), cl::init("-"), cl::cat(category)};
};

} // namespace

/// What the input is, as the other of the two.
static llvm::Expected<std::string> translate(llvm::StringRef contents, llvm::StringRef name) {
  if (contents.starts_with(kProgramMagic)) {
    llvm::Expected<Program> program = deserialize(llvm::ArrayRef(contents.data(), contents.size()), name);
    if (!program)
      return program.takeError();
    return disassemble(*program);
  }
  // Another kind of file should not end in a message about its first line of assembly.
  if (contents.contains('\0'))
    return llvm::createStringError(name + ": neither a program for a systolic array nor its assembly");
  llvm::Expected<Program> program = assemble(contents, name);
  if (!program)
    return program.takeError();
  const std::vector<char> bytes = serialize(*program);
  return std::string(bytes.begin(), bytes.end());
}

static llvm::Error run(const Flags &flags) {
  const std::string name = flags.input == "-" ? "<stdin>" : flags.input.getValue();
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file = llvm::MemoryBuffer::getFileOrSTDIN(flags.input);
  if (!file)
    return llvm::createStringError(name + ": " + file.getError().message());
  llvm::Expected<std::string> result = translate((*file)->getBuffer(), name);
  if (!result)
    return result.takeError();
  return writeFileAtomically(flags.output, *result);
}

int main(int argc, char **argv) {
  llvm::InitLLVM initialize(argc, argv);
  // LLVM may register the name itself.
  if (cl::Option *option = cl::getRegisteredOptions().lookup("o"))
    option->removeArgument();
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  cl::ParseCommandLineOptions(argc, argv,
                              "Disassembles a program for a systolic array, or assembles what it disassembled\n\n"
                              "  A program file (vitq-opt --emit=systolic) becomes text, text becomes a program file.\n"
                              "  docs/Systolic.md describes both.\n");
  llvm::Error error = run(flags);
  if (!error)
    return 0;
  llvm::WithColor::error(llvm::errs(), "vitq-asm") << llvm::toString(std::move(error)) << "\n";
  return 1;
}
