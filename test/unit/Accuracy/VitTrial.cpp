//===- VitTrial.cpp - A small vision transformer, quantized and measured -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VitTrial.h"

#include "vitq/Calibration/Calibration.h"
#include "vitq/Driver/Driver.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/InitAll.h"
#include "vitq/Support/Progress.h"
#include "vitq/Target/JitProgram.h"
#include "vitq/Target/NativeCompiler.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static constexpr const char *kPreprocess = "mean=0.5,std=0.5";

static DialectRegistry allDialects() {
  DialectRegistry registry;
  registerAllDialects(registry);
  return registry;
}

VitTrial::VitTrial(const VitSpec &spec)
    : spec(spec), context(allDialects(), MLIRContext::Threading::DISABLED),
      handler(&context,
              [this](Diagnostic &diagnostic) {
                if (diagnostic.getSeverity() < DiagnosticSeverity::Remark)
                  diagnostics += diagnostic.str() + "\n";
                return success();
              }),
      pixels(randomPictures(spec, kCalibrationPictures + kPictures)) {
  isPrepared = prepare();
}

VitTrial::~VitTrial() = default;

bool VitTrial::fail(llvm::Error error) {
  diagnostics += llvm::toString(std::move(error)) + "\n";
  return false;
}

llvm::Expected<std::unique_ptr<data::ImageSource>> VitTrial::pictures(int64_t first, int64_t count) const {
  llvm::Expected<data::Preprocess> preprocess = data::parsePreprocess(kPreprocess);
  if (!preprocess)
    return preprocess.takeError();
  const int64_t size = spec.height() * spec.breadth() * spec.colours;
  return data::ImageSource::fromPixels(llvm::ArrayRef<uint8_t>(pixels).slice(first * size, count * size), count,
                                       {static_cast<int>(spec.height()), static_cast<int>(spec.breadth())},
                                       static_cast<int>(spec.colours), *preprocess, static_cast<int>(spec.colours),
                                       "the pictures");
}

bool VitTrial::prepare() {
  const std::string bytes = onnxBytes(spec);
  auto module = frontend::importOnnx(llvm::MemoryBufferRef(bytes, "random.onnx"), &context);
  if (failed(module))
    return false;
  imported = std::move(*module);
  auto held = pictures(kCalibrationPictures, kPictures);
  if (!held)
    return fail(held.takeError());
  source = std::move(*held);
  (*imported)->setAttr(calibration::kPreprocessAttr, StringAttr::get(&context, kPreprocess));
  auto program = runner::wrapModule(*imported, "the float model");
  if (!program)
    return fail(program.takeError());
  auto outputs = runner::runAll(runner::Subject(program->get()), *source, kPictures);
  if (!outputs)
    return fail(outputs.takeError());
  expected = std::move(outputs->front().front());
  return calibrate();
}

bool VitTrial::calibrate() {
  calibrated = imported->clone();
  if (failed(lowerToPhase(*calibrated, Phase::Float, CompileOptions())))
    return false;
  auto seen = pictures(0, kCalibrationPictures);
  if (!seen)
    return fail(seen.takeError());
  auto function = calibrated->lookupSymbol<func::FuncOp>("main");
  auto table = calibration::calibrate(function, **seen, {UINT64_MAX, 1});
  return succeeded(table) && succeeded(calibration::attachRanges(function, *table, "the calibration"));
}

std::optional<double> VitTrial::sqnr(Recipe recipe, const std::function<void(CompileOptions &)> &change) {
  if (!isPrepared)
    return std::nullopt;
  Progress::Quiet quiet;
  CompileOptions options;
  options.recipe = recipe;
  if (change)
    change(options);
  integers = calibrated->clone();
  if (failed(lowerToPhase(*integers, Phase::Integer, options)))
    return std::nullopt;
  auto program = runner::wrapModule(*integers, "the integer program"),
       reference = runner::wrapModule(*imported, "float");
  if (!program || !reference) {
    fail(llvm::joinErrors(program.takeError(), reference.takeError()));
    return std::nullopt;
  }
  auto outputs = runner::runAll(runner::Subject(program->get()), *source, kPictures);
  if (!outputs) {
    fail(outputs.takeError());
    return std::nullopt;
  }
  actual = std::move(outputs->front().front());
  const runner::OutputInfo &output = (*program)->info().outputs.front();
  outputScale = output.scale.value_or(0);
  if (outputScale == 0) {
    diagnostics += "the logits have no scale\n";
    return std::nullopt;
  }
  return runner::compareOutputs(output, actual, (*reference)->info().outputs.front(), expected)
      .sqnrDb.value_or(INFINITY);
}

bool VitTrial::nativeAgrees() {
  auto program = runner::wrapModule(*integers, "the integer program");
  if (!program)
    return fail(program.takeError());
  llvm::Expected<TargetDesc> target = TargetDesc::parse("native");
  if (!target)
    return fail(target.takeError());
  NativeOptions native;
  native.target = *target;
  OwningOpRef<ModuleOp> lowered = integers->clone();
  llvm::SmallString<0> object;
  llvm::raw_svector_ostream os(object);
  if (failed(lowerToLLVM(*lowered, native)) || failed(emitObject(*lowered, native, os)))
    return false;
  auto jit = JitProgram::load(llvm::ArrayRef<char>(object.data(), object.size()));
  if (!jit)
    return fail(jit.takeError());
  const Manifest manifest = describeProgram(*lowered, native, 0);
  std::vector<char> arena(manifest.arenaBytes + manifest.arenaAlign);
  const auto misaligned = reinterpret_cast<uintptr_t>(arena.data()) % manifest.arenaAlign;
  std::vector<int32_t> out(actual.size);
  for (int64_t i = 0; i < kPictures; ++i) {
    auto input = runner::readBatch((*program)->info(), *source, i, kPictures);
    if (!input)
      return fail(input.takeError());
    if ((*jit)->run(input->bytes(), out.data(), arena.data() + (manifest.arenaAlign - misaligned)) != 0)
      return false;
    if (std::memcmp(out.data(), actual.codes.data() + i * actual.size, out.size() * sizeof(int32_t)) != 0) {
      diagnostics += "the compiled program gives other integers for picture " + std::to_string(i) + "\n";
      return false;
    }
  }
  return true;
}
