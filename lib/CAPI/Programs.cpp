//===- Programs.cpp - Compiled programs, kept and loaded again -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

#include "vitq/Target/Isa/TargetDesc.h"
#include "vitq/Target/NativeCompiler.h"
#include "vitq/Target/OnnxOperator.h"

#include "llvm/Support/JSON.h"

using namespace vitq;
using namespace vitq::capi;

static std::nullptr_t fail(Diagnostics *diagnostics, llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  if (diagnostics)
    diagnostics->add(VITQ_ERROR, "", std::move(message));
  return nullptr;
}

/// Reads what `program.compiled` says of itself; `name` is what errors call it.
static llvm::Error readManifest(Program &program, llvm::StringRef name) {
  runner::ProgramInfo info;
  info.path = name.str();
  int64_t arenaAlign = 0;
  Manifest &manifest = program.manifest;
  if (llvm::Error error = runner::parseManifest(program.compiled->manifest, info, arenaAlign, manifest.target))
    return error;
  manifest.abi = program.compiled->abi_version;
  manifest.name = program.compiled->name;
  manifest.input.shape.assign(info.inputShape.begin(), info.inputShape.end());
  manifest.input.dtype = "uint8";
  manifest.input.layout = info.channelsFirst ? "nchw" : "nhwc";
  for (const runner::OutputInfo &own : info.outputs) {
    Manifest::Output &output = manifest.outputs.emplace_back();
    output.shape.assign(own.shape.begin(), own.shape.end());
    output.dtype = "int32";
    output.name = own.name;
    output.scale = own.scale.value_or(0);
    output.offset = static_cast<uint64_t>(own.offset);
  }
  if (llvm::Expected<llvm::json::Value> text = llvm::json::parse(program.compiled->manifest))
    manifest.preprocess = text->getAsObject()->getString("preprocess").value_or("").str();
  else
    return text.takeError();
  manifest.batch = static_cast<uint64_t>(info.batch());
  manifest.arenaBytes = static_cast<uint64_t>(info.arenaBytes.value_or(0));
  manifest.arenaAlign = static_cast<uint64_t>(arenaAlign);
  manifest.macs = static_cast<uint64_t>(info.macs.value_or(0));
  program.manifestText = program.compiled->manifest;
  llvm::Expected<TargetDesc> target = TargetDesc::parse(manifest.target);
  if (!target)
    return target.takeError();
  if (!target->runsOnHost())
    return llvm::createStringError(name + " is for '" + manifest.target + "', which this processor is not");
  return llvm::Error::success();
}

std::unique_ptr<Program> capi::load(llvm::ArrayRef<char> object, Diagnostics *diagnostics) {
  auto program = std::make_unique<Program>();
  llvm::Expected<std::unique_ptr<JitProgram>> jit = JitProgram::load(object);
  if (!jit)
    return fail(diagnostics, llvm::createStringError("the object cannot be loaded: " + toString(jit.takeError())));
  program->jit = std::move(*jit);
  program->compiled = program->jit->getCompiled();
  program->object.assign(object.begin(), object.end());
  if (llvm::Error error = readManifest(*program, "the object"))
    return fail(diagnostics, std::move(error));
  return program;
}

std::unique_ptr<Program> capi::open(llvm::StringRef path, Diagnostics *diagnostics) {
  auto program = std::make_unique<Program>();
  llvm::Expected<std::unique_ptr<runner::Program>> library = runner::openProgram(path);
  if (!library)
    return fail(diagnostics, library.takeError());
  program->library = std::move(*library);
  program->compiled = program->library->getCompiled();
  if (!program->compiled)
    return fail(diagnostics, llvm::createStringError(path + ": is no shared library made by vitq"));
  if (llvm::Error error = readManifest(*program, path))
    return fail(diagnostics, std::move(error));
  return program;
}

/// Whether there was no error.
static bool succeeded(Diagnostics *diagnostics, llvm::Error error) {
  if (!error)
    return true;
  fail(diagnostics, std::move(error));
  return false;
}

static llvm::Error checkObject(const Program &program) {
  return program.object.empty()
             ? llvm::createStringError("the program was opened from a library and has no object; copy the library")
             : llvm::Error::success();
}

bool capi::writeLibrary(const Program &program, llvm::StringRef path, Diagnostics *diagnostics) {
  return succeeded(diagnostics, checkObject(program)) && succeeded(diagnostics, linkSharedObject(program.object, path));
}

bool capi::writeOnnxOperator(const Program &program, llvm::StringRef path, Diagnostics *diagnostics) {
  return succeeded(diagnostics, checkObject(program)) &&
         succeeded(diagnostics, vitq::writeOnnxOperator(program.object, program.manifest, path));
}
