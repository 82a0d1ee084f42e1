//===- TargetDesc.cpp - What the code generator knows of a CPU -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Isa/TargetDesc.h"

#include "Isas.h"

#include "vitq/Support/NearestNames.h"
#include "vitq/Target/Isa/Host.h"
#include "vitq/Target/Isa/Portable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <algorithm>
#include <mutex>

using namespace vitq;

static constexpr const char *kX86Triple = "x86_64-unknown-linux-gnu";
static constexpr const char *kAArch64Triple = "aarch64-unknown-linux-gnu";

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    llvm::InitializeAllDisassemblers();
  });
}

/// The names nearest to `name`.
template <typename Descriptors>
static std::string suggestions(llvm::StringRef name, const Descriptors &all) {
  llvm::SmallVector<llvm::StringRef> names;
  for (const auto &entry : all)
    names.push_back(entry.Key);
  return llvm::join(nearestNames(name, names, 6), ", ");
}

static llvm::Error unknown(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// Splits "cpu+a+b"; names of CPUs and of features hold '-'.
static void splitFeatures(llvm::StringRef text, llvm::StringRef &cpu, llvm::SmallVectorImpl<std::string> &features) {
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, '+');
  cpu = parts.front();
  for (llvm::StringRef name : llvm::drop_begin(parts))
    features.push_back("+" + name.str());
}

static std::string textOfHostFeatures() {
  llvm::SmallVector<std::string> features;
  for (const auto &feature : hostFeatures())
    features.push_back((feature.getValue() ? "+" : "-") + feature.getKey().str());
  llvm::sort(features); // a StringMap has no order
  return llvm::join(features, ",");
}

/// Sets triple, cpu and features from the text.
static void resolveName(TargetDesc &desc, llvm::StringRef cpu, llvm::ArrayRef<std::string> features) {
  desc.triple = kX86Triple;
  if (cpu == "native") {
    desc.triple = llvm::Triple(llvm::sys::getProcessTriple()).isAArch64() ? kAArch64Triple : kX86Triple;
    desc.cpu = llvm::sys::getHostCPUName().str();
    desc.features = textOfHostFeatures();
  } else if (cpu == "aarch64") {
    desc.triple = kAArch64Triple;
    desc.cpu = "generic";
  } else {
    desc.cpu = cpu.str();
  }
  if (!features.empty())
    desc.features += (desc.features.empty() ? "" : ",") + llvm::join(features, ",");
}

/// The facts of one target for the CPU of another.
static llvm::Expected<TargetDesc> parseEmulated(llvm::StringRef text) {
  auto [shape, machine] = text.split('@');
  llvm::Expected<TargetDesc> facts = TargetDesc::parse(shape);
  if (!facts)
    return facts;
  llvm::Expected<TargetDesc> host = TargetDesc::parse(machine);
  if (!host)
    return host;
  if (!hasMachine(*host))
    return unknown("target '" + text + "' asks for the instructions of '" + machine + "', which has none");
  facts->text = text.str();
  facts->triple = host->triple;
  facts->cpu = host->cpu;
  facts->features = host->features;
  facts->variableShifts &= host->variableShifts;
  if (hasVectors(*facts))
    facts->byteLookup = host->byteLookup;
  facts->permuteWords = facts->vectorBits == host->vectorBits ? host->permuteWords : nullptr;
  facts->emulateDot = true;
  return facts;
}

/// Whether a CPU's own features include one.
/// Takes `,vector-bits=N` off `text`: the length of registers, 0 if it is not said.
static llvm::Expected<unsigned> takeVectorBits(llvm::StringRef &text) {
  auto [name, option] = text.split(',');
  unsigned bits = 0;
  if (name.size() == text.size())
    return bits;
  if (!option.consume_front("vector-bits=") || option.getAsInteger(10, bits) || bits == 0)
    return unknown("target '" + llvm::Twine(text) +
                   "': after a comma stands vector-bits=N, the length of SVE's registers");
  text = name;
  return bits;
}

/// What a target lacks for which no set of facts fits.
static llvm::Error noFacts(llvm::StringRef text, unsigned vectorBits) {
  if (!vectorBits)
    return unknown("target '" + llvm::Twine(text) + "' lacks what vitq needs (64 bits; NEON on AArch64)");
  llvm::SmallVector<std::string> lengths;
  for (const Isa *isa : allIsas())
    if (std::string bits = std::to_string(isa->vectorBits); isa->scalableVectors && !llvm::is_contained(lengths, bits))
      lengths.push_back(bits);
  return unknown("target '" + llvm::Twine(text) + "': there is no code for registers of " + llvm::Twine(vectorBits) +
                 " bits; vector-bits is for AArch64 with SVE (+sve2), and may be " + llvm::join(lengths, ", "));
}

static bool hasFeature(const llvm::MCSubtargetInfo &info, llvm::StringRef cpu, llvm::StringRef feature) {
  for (const llvm::SubtargetSubTypeKV &processor : info.getAllProcessorDescriptions())
    if (cpu == processor.Key)
      for (const llvm::SubtargetFeatureKV &entry : info.getAllProcessorFeatures())
        if (feature == entry.Key)
          return processor.Implies.getAsBitset().test(entry.Value);
  return false;
}

static void use(TargetDesc &desc, const Isa &facts) {
  desc.isa = &facts;
  desc.vectorBits = facts.vectorBits;
  desc.variableShifts = facts.variableShifts;
  desc.byteLookup = facts.byteLookup;
  desc.permuteWords = facts.permuteWords;
}

llvm::Expected<TargetDesc> TargetDesc::parse(llvm::StringRef text) {
  initializeTargets();
  if (text.contains('@'))
    return parseEmulated(text);
  TargetDesc desc;
  desc.text = text.str();
  if (text == kPortable) {
    use(desc, isas::kPortable);
    return desc;
  }
  llvm::Expected<unsigned> vectorBits = takeVectorBits(text);
  if (!vectorBits)
    return vectorBits.takeError();
  llvm::StringRef cpu;
  llvm::SmallVector<std::string> features;
  splitFeatures(text, cpu, features);
  resolveName(desc, cpu, features);

  auto subtarget = [&](llvm::StringRef name, llvm::StringRef wanted) {
    std::string message;
    llvm::Triple triple(desc.triple);
    const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, message);
    return std::unique_ptr<llvm::MCSubtargetInfo>(target ? target->createMCSubtargetInfo(triple, name, wanted)
                                                         : nullptr);
  };
  std::unique_ptr<llvm::MCSubtargetInfo> plain = subtarget("", "");
  if (!plain)
    return unknown("this LLVM has no code generator for '" + desc.triple + "'");
  if (!plain->isCPUStringValid(desc.cpu)) {
    // A bare name of an AArch64 CPU is accepted as well.
    desc.triple = kAArch64Triple;
    std::unique_ptr<llvm::MCSubtargetInfo> other = subtarget("", "");
    if (!other || !other->isCPUStringValid(desc.cpu))
      return unknown("unknown target '" + llvm::Twine(cpu) + "'; 'native', 'aarch64' or an LLVM CPU name, near it: " +
                     suggestions(cpu, plain->getAllProcessorDescriptions()));
    plain = std::move(other);
  }
  // A 32-bit CPU must be refused here: LLVM ends the process.
  if (desc.isX86() && cpu != "native" && !hasFeature(*plain, desc.cpu, "64bit"))
    return unknown("target '" + llvm::Twine(text) + "' lacks what vitq needs (64 bits; NEON on AArch64)");
  for (const std::string &feature : features) {
    llvm::StringRef name = llvm::StringRef(feature).drop_front();
    if (llvm::none_of(plain->getAllProcessorFeatures(), [&](const auto &entry) { return name == entry.Key; }))
      return unknown("unknown feature '" + llvm::Twine(name) + "' of target '" + text +
                     "'; near it: " + suggestions(name, plain->getAllProcessorFeatures()));
  }

  std::unique_ptr<llvm::MCSubtargetInfo> actual = subtarget(desc.cpu, desc.features);
  const llvm::StringRef arch = llvm::Triple::getArchTypeName(llvm::Triple(desc.triple).getArch());
  for (const Isa *isa : allIsas()) {
    if (arch != isa->arch || (*isa->features && !actual->checkFeatures(isa->features)) ||
        (isa->scalableVectors ? isa->vectorBits : 0) != *vectorBits)
      continue;
    use(desc, *isa);
    return desc;
  }
  return noFacts(desc.text, *vectorBits);
}

llvm::Expected<TargetDesc> vitq::parseMachine(llvm::StringRef text) {
  llvm::Expected<TargetDesc> desc = TargetDesc::parse(text);
  if (desc && !hasMachine(*desc))
    return unknown("'" + text + "' is no CPU, but what C is written for (--target=c)");
  return desc;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> TargetDesc::createTargetMachine() const {
  initializeTargets();
  std::string message;
  llvm::Triple parsed(triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(parsed, message);
  if (!target)
    return unknown(message);
  std::string all = features;
  if (isa && *isa->tuning)
    all += (all.empty() ? "" : ",") + std::string(isa->tuning);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      parsed, cpu, all, llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return unknown("cannot create a target machine for '" + text + "'");
  return machine;
}

bool TargetDesc::isX86() const { return llvm::Triple(triple).isX86(); }

bool TargetDesc::runsOnHost() const {
  initializeTargets();
  if (llvm::Triple(triple).getArch() != llvm::Triple(llvm::sys::getProcessTriple()).getArch())
    return false;
  std::string message;
  llvm::Triple parsed(triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(parsed, message);
  if (!target)
    return false;
  std::unique_ptr<llvm::MCSubtargetInfo> wanted(target->createMCSubtargetInfo(parsed, cpu, features));
  const llvm::StringMap<bool> &host = hostFeatures();
  // Only what the host reports can be compared; tuning flags are not reported.
  for (const llvm::SubtargetFeatureKV &entry : wanted->getAllProcessorFeatures()) {
    auto known = host.find(entry.Key);
    if (known != host.end() && !known->second && wanted->checkFeatures(std::string("+") + entry.Key))
      return false;
  }
  return true;
}
