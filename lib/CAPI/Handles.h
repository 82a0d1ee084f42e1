//===- Handles.h - What the handles of the C API point to -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CAPI_HANDLES_H
#define VITQ_LIB_CAPI_HANDLES_H

#include "vitq-c/Vitq.h"
#include "vitq/Data/ImageSource.h"
#include "vitq/Runner/Program.h"
#include "vitq/Target/JitProgram.h"
#include "vitq/Target/Program.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vitq::capi {

/// Behind VitqDiagnostics.
class Diagnostics {
public:
  Diagnostics(VitqDiagnosticCallback callback, void *userData) : callback(callback), userData(userData) {}

  void add(VitqSeverity severity, std::string location, std::string message);
  void clear();

  struct Entry {
    VitqSeverity severity;
    std::string location, message;
  };
  std::vector<Entry> entries;
  /// The errors among them, as text.
  std::string errors;

private:
  VitqDiagnosticCallback callback;
  void *userData;
};

/// Behind VitqOptions.
struct Options {
  std::string target = "native";
  std::string name = "model";
  int64_t batch = 1;
  /// Of an ONNX model; empty: its first one.
  std::vector<std::string> outputs;
  /// Of inputs that an ONNX model leaves open.
  std::map<std::string, std::vector<int64_t>> shapes;
  /// Whether the report says what can only be measured.
  bool measures = false;
  /// Options of the pipeline `vitq-compile`, each key once.
  std::vector<std::pair<std::string, std::string>> pipeline;

  /// Checks and stores one option. Returns what is wrong, or nothing.
  std::string set(llvm::StringRef key, llvm::StringRef value);
};

/// Behind VitqProgram.
struct Program {
  Manifest manifest;
  std::string manifestText, header, report;
  std::vector<char> object;
  /// What holds the code: linked into this process, or a library.
  std::unique_ptr<JitProgram> jit;
  std::unique_ptr<runner::Program> library;
  /// Null if the program is for another processor.
  const vitq_program *compiled = nullptr;
};

/// Behind VitqPictures.
struct Pictures {
  std::unique_ptr<data::ImageSource> source;
  std::vector<std::string> names;
};

/// A model to compile; `images` may be null, `diagnostics` too.
struct Request {
  const VitqModel &model;
  const VitqImages *images;
  const Options &options;
  Diagnostics *diagnostics;
};

/// Compiles up to `phase` and gives the module's bytes to `write`.
bool lower(const Request &request, VitqPhase phase, bool bytecode, llvm::function_ref<void(llvm::StringRef)> write);

/// Measures ranges, and writes them where the options say.
bool calibrate(const Request &request);

bool quantize(const Request &request, llvm::function_ref<void(llvm::StringRef)> write);

/// Compiles to machine code; null on failure.
std::unique_ptr<Program> compile(const Request &request);

/// Both null with an error in `diagnostics`.
std::unique_ptr<Program> load(llvm::ArrayRef<char> object, Diagnostics *diagnostics);
std::unique_ptr<Program> open(llvm::StringRef path, Diagnostics *diagnostics);
bool writeLibrary(const Program &program, llvm::StringRef path, Diagnostics *diagnostics);
bool writeOnnxOperator(const Program &program, llvm::StringRef path, Diagnostics *diagnostics);

/// Null, or false, with an error in `diagnostics`.
std::unique_ptr<Pictures> openPictures(llvm::StringRef path, llvm::StringRef preprocess, int channels,
                                       Diagnostics *diagnostics);
bool readPicture(const Pictures &pictures, size_t index, uint8_t *pixels, Diagnostics *diagnostics);

} // namespace vitq::capi

#endif // VITQ_LIB_CAPI_HANDLES_H
