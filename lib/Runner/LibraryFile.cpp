//===- LibraryFile.cpp - Whether a file is a library of this machine -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loader says "No such file" of a library for another machine, and ends the
// process over one that is cut off. So the file's headers are read first.
//
//===----------------------------------------------------------------------===//

#include "ProgramKinds.h"

#include "llvm/Object/ELF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace vitq;
using namespace llvm::ELF;
using llvm::StringRef;
using llvm::Twine;

/// The machine that this process was made for, as ELF calls it; EM_NONE if unknown.
static uint16_t ownMachine() {
  switch (llvm::Triple(llvm::sys::getProcessTriple()).getArch()) {
  case llvm::Triple::x86_64:
    return EM_X86_64;
  case llvm::Triple::aarch64:
    return EM_AARCH64;
  default:
    return EM_NONE;
  }
}

static std::string machineName(uint16_t machine) {
  if (machine == EM_386)
    return "i386";
  StringRef name = convertEMachineToArchName(machine);
  return name.empty() || name == "None" ? "machine number " + std::to_string(machine) : name.lower();
}

/// "x86_64 (64 bits, little-endian)", of a file that has the first 20 bytes of an ELF
/// header.
static std::string describeMachine(StringRef bytes) {
  const bool little = bytes[EI_DATA] != ELFDATA2MSB;
  uint16_t machine =
      llvm::support::endian::read16(bytes.data() + 18, little ? llvm::endianness::little : llvm::endianness::big);
  return machineName(machine) + (bytes[EI_CLASS] == ELFCLASS32 ? " (32 bits, " : " (64 bits, ") +
         (little ? "little-endian)" : "big-endian)");
}

/// Whether the file ends before what its headers say is in it.
static bool isCutOff(StringRef bytes) {
  auto file = llvm::object::ELF64LEFile::create(bytes);
  if (!file) {
    llvm::consumeError(file.takeError());
    return true;
  }
  auto segments = file->program_headers();
  if (!segments) {
    llvm::consumeError(segments.takeError());
    return true;
  }
  return llvm::any_of(*segments, [&](const auto &segment) {
    return segment.p_offset > bytes.size() || segment.p_filesz > bytes.size() - segment.p_offset;
  });
}

/// What is wrong with the contents of a library, or nothing.
static std::string findProblem(StringRef bytes) {
  if (bytes.empty())
    return "the file is empty; compile it again";
  if (!bytes.starts_with(StringRef(ElfMagic, 4)))
    return "is no shared library (ELF); make one with vitq-opt --emit=so";
  // Up to the machine, headers of all kinds are alike.
  if (bytes.size() < 20)
    return "the file is cut off; compile it again";
  const uint16_t own = ownMachine();
  const bool isOwnKind = bytes[EI_CLASS] == ELFCLASS64 && bytes[EI_DATA] == ELFDATA2LSB;
  if (own != EM_NONE && (!isOwnKind || llvm::support::endian::read16le(bytes.data() + 18) != own))
    return "is a library for " + describeMachine(bytes) + ", and this machine is " + machineName(own) +
           "; run it there, or compile for this one (--target=native)";
  const uint16_t type = llvm::support::endian::read16le(bytes.data() + 16);
  if (type == ET_REL)
    return "is an object file that is not linked; make a library with vitq-opt --emit=so";
  if (type != ET_DYN)
    return "is no shared library (its ELF type is " + std::to_string(type) + "); make one with vitq-opt --emit=so";
  return isCutOff(bytes) ? "the file is cut off; compile it again" : "";
}

llvm::Error runner::checkLibraryFile(StringRef path) {
  auto fail = [&](const Twine &what) { return llvm::createStringError(path + ": " + what); };
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return fail(error == std::errc::no_such_file_or_directory ? "no such file" : "cannot be read: " + error.message());
  if (!llvm::sys::fs::is_regular_file(status))
    return fail(llvm::sys::fs::is_directory(status) ? "is a folder; give a library (.so)" : "is not a regular file");
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail("cannot be read: " + buffer.getError().message());
  std::string problem = findProblem((*buffer)->getBuffer());
  return problem.empty() ? llvm::Error::success() : fail(problem);
}
