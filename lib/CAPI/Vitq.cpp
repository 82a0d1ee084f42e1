//===- Vitq.cpp - Compiling and running models from C -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks arguments and keeps exceptions in. Compiled with exceptions, unlike the
// rest: the standard library throws when memory runs out.
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

#include <cstdlib>
#include <exception>
#include <limits>

using namespace vitq;
using namespace vitq::capi;
using llvm::StringRef;

static Diagnostics *unwrap(VitqDiagnostics handle) { return static_cast<Diagnostics *>(handle.ptr); }
static Options *unwrap(VitqOptions handle) { return static_cast<Options *>(handle.ptr); }
static Pictures *unwrap(VitqPictures handle) { return static_cast<Pictures *>(handle.ptr); }
static Program *unwrap(VitqProgram handle) { return static_cast<Program *>(handle.ptr); }

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// What `body` returns, or `otherwise` if it throws.
template <typename Result, typename Body>
static Result guarded(Diagnostics *diagnostics, Result otherwise, Body body) noexcept {
  const char *what = "an exception of unknown kind";
  try {
    try {
      return body();
    } catch (const std::exception &exception) {
      what = exception.what();
      if (diagnostics)
        diagnostics->add(VITQ_ERROR, "", std::string("internal error: ") + what);
    } catch (...) {
      if (diagnostics)
        diagnostics->add(VITQ_ERROR, "", std::string("internal error: ") + what);
    }
    return otherwise;
  } catch (...) {
    // No memory for the message either.
    return otherwise;
  }
}

static VitqStatus reject(Diagnostics *diagnostics, std::string message, VitqStatus status = VITQ_INVALID_ARGUMENT) {
  if (diagnostics)
    diagnostics->add(VITQ_ERROR, "", std::move(message));
  return status;
}

void Diagnostics::add(VitqSeverity severity, std::string location, std::string message) {
  if (callback) {
    callback(severity, location.c_str(), message.c_str(), userData);
    return;
  }
  if (severity == VITQ_ERROR) {
    // An error of reading a model begins with the model's name, its location.
    if (!location.empty() && !StringRef(message).starts_with(location))
      errors += location + ": ";
    errors += message + "\n";
  }
  entries.push_back({severity, std::move(location), std::move(message)});
}

void Diagnostics::clear() {
  entries.clear();
  errors.clear();
}

//===----------------------------------------------------------------------===//
// Version, diagnostics, options
//===----------------------------------------------------------------------===//

int vitqGetApiVersion(void) { return VITQ_C_API_VERSION; }

const char *vitqGetVersion(void) { return VITQ_VERSION; }

VitqDiagnostics vitqDiagnosticsCreate(VitqDiagnosticCallback callback, void *userData) {
  return guarded(nullptr, VitqDiagnostics{nullptr},
                 [&] { return VitqDiagnostics{new Diagnostics(callback, userData)}; });
}

void vitqDiagnosticsDestroy(VitqDiagnostics diagnostics) { delete unwrap(diagnostics); }

size_t vitqDiagnosticsGetCount(VitqDiagnostics diagnostics) {
  return diagnostics.ptr ? unwrap(diagnostics)->entries.size() : 0;
}

static const Diagnostics::Entry *entryAt(VitqDiagnostics diagnostics, size_t index) {
  return index < vitqDiagnosticsGetCount(diagnostics) ? &unwrap(diagnostics)->entries[index] : nullptr;
}

VitqSeverity vitqDiagnosticsGetSeverity(VitqDiagnostics diagnostics, size_t index) {
  const Diagnostics::Entry *entry = entryAt(diagnostics, index);
  return entry ? entry->severity : VITQ_ERROR;
}

const char *vitqDiagnosticsGetLocation(VitqDiagnostics diagnostics, size_t index) {
  const Diagnostics::Entry *entry = entryAt(diagnostics, index);
  return entry ? entry->location.c_str() : "";
}

const char *vitqDiagnosticsGetMessage(VitqDiagnostics diagnostics, size_t index) {
  const Diagnostics::Entry *entry = entryAt(diagnostics, index);
  return entry ? entry->message.c_str() : "";
}

const char *vitqDiagnosticsGetErrors(VitqDiagnostics diagnostics) {
  return diagnostics.ptr ? unwrap(diagnostics)->errors.c_str() : "";
}

void vitqDiagnosticsClear(VitqDiagnostics diagnostics) {
  if (diagnostics.ptr)
    unwrap(diagnostics)->clear();
}

VitqOptions vitqOptionsCreate(void) {
  return guarded(nullptr, VitqOptions{nullptr}, [] { return VitqOptions{new Options()}; });
}

void vitqOptionsDestroy(VitqOptions options) { delete unwrap(options); }

VitqStatus vitqOptionsSet(VitqOptions options, const char *key, const char *value, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    if (!options.ptr || !key || !value)
      return reject(report, "vitqOptionsSet: the options, the key or the value is null");
    std::string problem = unwrap(options)->set(key, value);
    return problem.empty() ? VITQ_SUCCESS : reject(report, problem);
  });
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

/// What is wrong with the arguments of a compilation, or nothing.
static std::string checkRequest(const VitqModel *model, const VitqImages *images, VitqOptions options) {
  if (!options.ptr)
    return "the options are null";
  if (!model || (!model->data && model->size))
    return "the model is null";
  if (model->format != VITQ_MODEL_ONNX && model->format != VITQ_MODEL_MLIR)
    return "the model's format is neither VITQ_MODEL_ONNX nor VITQ_MODEL_MLIR";
  if (!images)
    return {};
  if (!images->pixels || !images->count)
    return "the calibration images are null, or there are none";
  if (images->height < 1 || images->width < 1 || images->channels < 1)
    return "the calibration images have a size that is not positive";
  const size_t limit = std::numeric_limits<ptrdiff_t>::max();
  if (images->count > limit / images->height / images->width / images->channels)
    return "there are more calibration images than memory can hold";
  return {};
}

VitqStatus vitqModelLower(const VitqModel *model, const VitqImages *images, VitqOptions options, VitqPhase phase,
                          bool bytecode, VitqBytesCallback callback, void *userData, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    std::string problem = checkRequest(model, images, options);
    if (problem.empty() && !callback)
      problem = "the callback is null";
    if (problem.empty() && (phase < VITQ_PHASE_FLOAT || phase > VITQ_PHASE_INTEGER))
      problem = "the phase is none of VitqPhase";
    if (!problem.empty())
      return reject(report, "vitqModelLower: " + problem);
    bool done = lower({*model, images, *unwrap(options), report}, phase, bytecode,
                      [&](StringRef bytes) { callback(bytes.data(), bytes.size(), userData); });
    return done ? VITQ_SUCCESS : VITQ_FAILURE;
  });
}

VitqProgram vitqProgramCompile(const VitqModel *model, const VitqImages *images, VitqOptions options,
                               VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VitqProgram{nullptr}, [&] {
    if (std::string problem = checkRequest(model, images, options); !problem.empty()) {
      reject(report, "vitqProgramCompile: " + problem);
      return VitqProgram{nullptr};
    }
    return VitqProgram{compile({*model, images, *unwrap(options), report}).release()};
  });
}

VitqStatus vitqModelCalibrate(const VitqModel *model, const VitqImages *images, VitqOptions options,
                              VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    if (std::string problem = checkRequest(model, images, options); !problem.empty())
      return reject(report, "vitqModelCalibrate: " + problem);
    return calibrate({*model, images, *unwrap(options), report}) ? VITQ_SUCCESS : VITQ_FAILURE;
  });
}

VitqStatus vitqModelQuantize(const VitqModel *model, const VitqImages *images, VitqOptions options,
                             VitqBytesCallback callback, void *userData, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    std::string problem = checkRequest(model, images, options);
    if (problem.empty() && !callback)
      problem = "the callback is null";
    if (!problem.empty())
      return reject(report, "vitqModelQuantize: " + problem);
    bool done = quantize({*model, images, *unwrap(options), report},
                         [&](StringRef bytes) { callback(bytes.data(), bytes.size(), userData); });
    return done ? VITQ_SUCCESS : VITQ_FAILURE;
  });
}

VitqProgram vitqProgramLoad(const void *object, size_t size, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VitqProgram{nullptr}, [&] {
    if (!object || !size) {
      reject(report, "vitqProgramLoad: the object is null, or empty");
      return VitqProgram{nullptr};
    }
    return VitqProgram{load(llvm::ArrayRef(static_cast<const char *>(object), size), report).release()};
  });
}

VitqProgram vitqProgramOpen(const char *path, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VitqProgram{nullptr}, [&] {
    if (!path) {
      reject(report, "vitqProgramOpen: the path is null");
      return VitqProgram{nullptr};
    }
    return VitqProgram{open(path, report).release()};
  });
}

VitqStatus vitqProgramWriteLibrary(VitqProgram program, const char *path, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    if (!program.ptr || !path)
      return reject(report, "vitqProgramWriteLibrary: the program or the path is null");
    return writeLibrary(*unwrap(program), path, report) ? VITQ_SUCCESS : VITQ_FAILURE;
  });
}

VitqStatus vitqProgramWriteOnnxOperator(VitqProgram program, const char *path, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    if (!program.ptr || !path)
      return reject(report, "vitqProgramWriteOnnxOperator: the program or the path is null");
    return writeOnnxOperator(*unwrap(program), path, report) ? VITQ_SUCCESS : VITQ_FAILURE;
  });
}

void vitqProgramDestroy(VitqProgram program) { delete unwrap(program); }

//===----------------------------------------------------------------------===//
// Pictures
//===----------------------------------------------------------------------===//

VitqPictures vitqPicturesOpen(const char *path, const char *preprocess, int32_t channels, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VitqPictures{nullptr}, [&] {
    if (!path || (channels != 1 && channels != 3)) {
      reject(report, "vitqPicturesOpen: the path is null, or the channels are neither 1 nor 3");
      return VitqPictures{nullptr};
    }
    return VitqPictures{openPictures(path, preprocess ? preprocess : "", channels, report).release()};
  });
}

void vitqPicturesDestroy(VitqPictures pictures) { delete unwrap(pictures); }

size_t vitqPicturesGetCount(VitqPictures pictures) { return pictures.ptr ? unwrap(pictures)->names.size() : 0; }

void vitqPicturesGetSize(VitqPictures pictures, int32_t size[3]) {
  size[0] = size[1] = size[2] = 0;
  if (!pictures.ptr)
    return;
  const data::ImageSource &source = *unwrap(pictures)->source;
  size[0] = source.height();
  size[1] = source.width();
  size[2] = source.channels();
}

const char *vitqPicturesGetName(VitqPictures pictures, size_t index) {
  return index < vitqPicturesGetCount(pictures) ? unwrap(pictures)->names[index].c_str() : "";
}

VitqStatus vitqPicturesRead(VitqPictures pictures, size_t index, uint8_t *pixels, VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    if (!pixels || index >= vitqPicturesGetCount(pictures))
      return reject(report, "vitqPicturesRead: the pixels are null, or there is no such picture");
    return readPicture(*unwrap(pictures), index, pixels, report) ? VITQ_SUCCESS : VITQ_FAILURE;
  });
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static VitqArray wrap(const Manifest::Array &array) {
  return {array.shape.data(), array.shape.size(), static_cast<size_t>(array.bytes()), array.dtype.c_str(),
          array.layout.c_str()};
}

static constexpr VitqArray kNoArray = {nullptr, 0, 0, "", ""};

VitqArray vitqProgramGetInput(VitqProgram program) {
  return program.ptr ? wrap(unwrap(program)->manifest.input) : kNoArray;
}

VitqArray vitqProgramGetOutput(VitqProgram program) { return vitqProgramGetOutputAt(program, 0).array; }

double vitqProgramGetOutputScale(VitqProgram program) { return vitqProgramGetOutputAt(program, 0).scale; }

size_t vitqProgramGetNumOutputs(VitqProgram program) {
  return program.ptr ? unwrap(program)->manifest.outputs.size() : 0;
}

VitqOutput vitqProgramGetOutputAt(VitqProgram program, size_t index) {
  if (index >= vitqProgramGetNumOutputs(program))
    return {"", kNoArray, 0, 0};
  const Manifest::Output &output = unwrap(program)->manifest.outputs[index];
  return {output.name.c_str(), wrap(output), output.scale, static_cast<size_t>(output.offset)};
}

size_t vitqProgramGetOutputBytes(VitqProgram program) {
  return program.ptr ? unwrap(program)->manifest.outputBytes() : 0;
}

const char *vitqProgramGetName(VitqProgram program) {
  return program.ptr ? unwrap(program)->manifest.name.c_str() : "";
}

size_t vitqProgramGetArenaBytes(VitqProgram program) { return program.ptr ? unwrap(program)->manifest.arenaBytes : 0; }

size_t vitqProgramGetArenaAlignment(VitqProgram program) {
  return program.ptr ? unwrap(program)->manifest.arenaAlign : 0;
}

uint64_t vitqProgramGetMacs(VitqProgram program) { return program.ptr ? unwrap(program)->manifest.macs : 0; }

const char *vitqProgramGetManifest(VitqProgram program) {
  return program.ptr ? unwrap(program)->manifestText.c_str() : "";
}

const void *vitqProgramGetObject(VitqProgram program, size_t *size) {
  if (size)
    *size = program.ptr ? unwrap(program)->object.size() : 0;
  return program.ptr ? unwrap(program)->object.data() : nullptr;
}

const char *vitqProgramGetReport(VitqProgram program) { return program.ptr ? unwrap(program)->report.c_str() : ""; }

const char *vitqProgramGetHeader(VitqProgram program) { return program.ptr ? unwrap(program)->header.c_str() : ""; }

bool vitqProgramIsRunnable(VitqProgram program) { return program.ptr && unwrap(program)->compiled; }

VitqStatus vitqProgramRun(VitqProgram program, const void *in, void *out, void *arena) {
  if (!program.ptr)
    return VITQ_INVALID_ARGUMENT;
  const vitq_program *compiled = unwrap(program)->compiled;
  if (!compiled)
    return VITQ_FAILURE;
  return compiled->run(in, out, arena) == 0 ? VITQ_SUCCESS : VITQ_INVALID_ARGUMENT;
}

/// "1x10 int32"
static std::string describe(const Manifest::Array &array) {
  std::string shape;
  for (int64_t extent : array.shape)
    shape += (shape.empty() ? "" : "x") + std::to_string(extent);
  return shape + " " + array.dtype;
}

/// What is wrong with the sizes of an input and of the memory for the outputs, or nothing.
static std::string checkSizes(const Manifest &manifest, size_t inBytes, size_t outBytes) {
  auto wrong = [&](const char *what, size_t given, size_t needed) {
    return std::string("the ") + what + " has " + std::to_string(given) + " bytes, program '" + manifest.name +
           "' needs " + std::to_string(needed) + ": ";
  };
  if (inBytes != manifest.input.bytes())
    return wrong("input", inBytes, manifest.input.bytes()) + describe(manifest.input);
  if (outBytes == manifest.outputBytes())
    return {};
  std::string problem = wrong("output", outBytes, manifest.outputBytes());
  for (const Manifest::Output &output : manifest.outputs) {
    if (output.offset > 0)
      problem += ", at " + std::to_string(output.offset) + " ";
    problem += describe(output);
  }
  return problem;
}

VitqStatus vitqProgramRunChecked(VitqProgram program, const void *in, size_t inBytes, void *out, size_t outBytes,
                                 VitqDiagnostics diagnostics) {
  Diagnostics *report = unwrap(diagnostics);
  return guarded(report, VITQ_FAILURE, [&] {
    if (!program.ptr || !in || !out)
      return reject(report, "vitqProgramRunChecked: the program, the input or the output is null");
    const Manifest &manifest = unwrap(program)->manifest;
    if (std::string problem = checkSizes(manifest, inBytes, outBytes); !problem.empty())
      return reject(report, problem);
    if (!vitqProgramIsRunnable(program))
      return reject(report, "program '" + manifest.name + "' is for " + manifest.target + ", not for this processor",
                    VITQ_FAILURE);
    std::unique_ptr<void, void (*)(void *)> arena(vitqArenaCreate(program), vitqArenaDestroy);
    if (!arena)
      return reject(report, "no memory for an arena of " + std::to_string(manifest.arenaBytes) + " bytes",
                    VITQ_FAILURE);
    return vitqProgramRun(program, in, out, arena.get());
  });
}

void *vitqArenaCreate(VitqProgram program) {
  if (!program.ptr)
    return nullptr;
  const Manifest &manifest = unwrap(program)->manifest;
  // std::aligned_alloc wants a multiple of the alignment.
  const uint64_t align = manifest.arenaAlign;
  return std::aligned_alloc(align, (manifest.arenaBytes / align + 1) * align);
}

void vitqArenaDestroy(void *arena) { std::free(arena); }
