//===- FloatScan.cpp - Floating-point arithmetic in machine code -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/FloatScan.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace vitq;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Mnemonics
//===----------------------------------------------------------------------===//

// Of x86 after the 'v' of VEX forms; x87 and fused multiply-adds begin with 'f'.
static constexpr StringRef kX86Prefixes[] = {
    "add",   "sub",    "mul",     "div", "sqrt",   "rsqrt",    "rcp",   "max",    "min",
    "round", "hadd",   "hsub",    "dp",  "addsub", "rndscale", "range", "reduce", "scalef",
    "exp2",  "getexp", "getmant", "cmp", "comi",   "ucomi",    "tdpbf", "tdpfp",  "tcmm",
};
static constexpr StringRef kX86Suffixes[] = {"ss", "sd", "ps", "pd", "sh", "ph", "bf16", "pbf16"};

static bool isX86Float(StringRef name) {
  name.consume_front("v");
  // Nothing on integers begins so.
  if (name.starts_with("f") || name.starts_with("cvt") || name.starts_with("4f") || name.starts_with("comx") ||
      name.starts_with("ucomx"))
    return true;
  // AVX-512 appends the number of bits of the approximation ("rcp14ps").
  const bool typed = llvm::any_of(kX86Suffixes, [&](StringRef suffix) { return name.ends_with(suffix); });
  return typed && llvm::any_of(kX86Prefixes, [&](StringRef prefix) { return name.starts_with(prefix); });
}

static bool isAArch64Float(StringRef name) {
  // Sign bits are set by the latter two, without arithmetic.
  if (name.starts_with("fmov") || name == "fneg" || name == "fabs")
    return false;
  return name.starts_with("f") || name.starts_with("scvtf") || name.starts_with("ucvtf") || name.starts_with("bfcvt") ||
         name.starts_with("bfdot") || name.starts_with("bfml") || name.starts_with("bfmmla") ||
         name.starts_with("bfadd") || name.starts_with("bfsub") || name.starts_with("bfmul") ||
         name.starts_with("bfmax") || name.starts_with("bfmin");
}

bool vitq::isFloatMnemonic(StringRef mnemonic, bool isX86) {
  mnemonic = mnemonic.trim();
  return isX86 ? isX86Float(mnemonic) : isAArch64Float(mnemonic);
}

//===----------------------------------------------------------------------===//
// Disassembly
//===----------------------------------------------------------------------===//

namespace {

/// The disassembler of one architecture with every feature on.
struct Disassembler {
  std::unique_ptr<llvm::MCRegisterInfo> registers;
  std::unique_ptr<llvm::MCAsmInfo> assembly;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  std::unique_ptr<llvm::MCInstrInfo> instructions;
  std::unique_ptr<llvm::MCContext> context;
  std::unique_ptr<llvm::MCDisassembler> decoder;
  std::unique_ptr<llvm::MCInstPrinter> printer;
  bool isX86 = true;

  static llvm::Expected<Disassembler> create(const llvm::Triple &triple);
};

} // namespace

static llvm::Error failure(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

llvm::Expected<Disassembler> Disassembler::create(const llvm::Triple &triple) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllDisassemblers();
  });
  std::string message;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target || (!triple.isX86() && !triple.isAArch64()))
    return failure("cannot disassemble code for '" + triple.str() + "'");
  Disassembler d;
  d.isX86 = triple.isX86();
  llvm::MCTargetOptions options;
  d.registers.reset(target->createMCRegInfo(triple));
  d.assembly.reset(target->createMCAsmInfo(*d.registers, triple, options));
  d.subtarget.reset(target->createMCSubtargetInfo(triple, "", d.isX86 ? "" : "+all"));
  d.instructions.reset(target->createMCInstrInfo());
  d.context = std::make_unique<llvm::MCContext>(triple, d.assembly.get(), d.registers.get(), d.subtarget.get());
  d.decoder.reset(target->createMCDisassembler(*d.subtarget, *d.context));
  // Variant 0 is AT&T, where string instructions have other names than SSE ones.
  d.printer.reset(target->createMCInstPrinter(triple, 0, *d.assembly, *d.instructions, *d.registers));
  if (!d.decoder || !d.printer)
    return failure("cannot disassemble code for '" + triple.str() + "'");
  return d;
}

/// Start and name of every function of a section.
static std::vector<std::pair<uint64_t, std::string>> functionsOf(const llvm::object::ObjectFile &object,
                                                                 const llvm::object::SectionRef &section) {
  std::vector<std::pair<uint64_t, std::string>> functions;
  for (const llvm::object::SymbolRef &symbol : object.symbols()) {
    auto home = symbol.getSection();
    auto name = symbol.getName();
    auto address = symbol.getAddress();
    if (home && name && address && *home != object.section_end() && **home == section && !name->empty())
      functions.emplace_back(*address, name->str());
    llvm::consumeError(home.takeError());
    llvm::consumeError(name.takeError());
    llvm::consumeError(address.takeError());
  }
  llvm::sort(functions);
  return functions;
}

static llvm::Error scanSection(const llvm::object::ObjectFile &object, const llvm::object::SectionRef &section,
                               Disassembler &d, std::vector<FloatInstruction> &found) {
  auto contents = section.getContents();
  if (!contents)
    return contents.takeError();
  const auto functions = functionsOf(object, section);
  llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(contents->data()), contents->size());
  for (uint64_t at = 0; at < bytes.size();) {
    llvm::MCInst instruction;
    uint64_t size = 0;
    const uint64_t address = section.getAddress() + at;
    auto status = d.decoder->getInstruction(instruction, size, bytes.slice(at), address, llvm::nulls());
    auto function = llvm::upper_bound(functions, address, [](uint64_t a, const auto &f) { return a < f.first; });
    const std::string name = function == functions.begin() ? "" : std::prev(function)->second;
    if (status == llvm::MCDisassembler::Fail)
      return failure("undecodable instruction in '" + name + "' at " + llvm::Twine(address));
    StringRef mnemonic = StringRef(d.printer->getMnemonic(instruction).first).trim();
    if (isFloatMnemonic(mnemonic, d.isX86))
      found.push_back({name, address, mnemonic.str()});
    at += size;
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<FloatInstruction>> vitq::scanForFloat(llvm::ArrayRef<uint8_t> bytes) {
  llvm::MemoryBufferRef buffer(StringRef(reinterpret_cast<const char *>(bytes.data()), bytes.size()), "object");
  auto object = llvm::object::ObjectFile::createObjectFile(buffer);
  if (!object)
    return object.takeError();
  auto disassembler = Disassembler::create((*object)->makeTriple());
  if (!disassembler)
    return disassembler.takeError();
  std::vector<FloatInstruction> found;
  for (const llvm::object::SectionRef &section : (*object)->sections())
    if (section.isText())
      if (llvm::Error error = scanSection(**object, section, *disassembler, found))
        return std::move(error);
  return found;
}

llvm::Expected<std::vector<FloatInstruction>> vitq::scanForFloat(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return llvm::createStringError(file.getError(), "cannot read '" + path + "'");
  StringRef text = (*file)->getBuffer();
  return scanForFloat(llvm::ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(text.data()), text.size()));
}
