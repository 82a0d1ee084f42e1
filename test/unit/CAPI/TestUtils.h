//===- TestUtils.h - Helpers for the tests of the C API -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_CAPI_TESTUTILS_H
#define VITQ_TEST_UNIT_CAPI_TESTUTILS_H

#include "vitq-c/Vitq.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace vitq::test {

/// Where a file of models/digits is.
inline std::string digitsPath(const std::string &name) {
  const char *folder = std::getenv("VITQ_DIGITS");
  return std::string(folder ? folder : "models/digits") + "/" + name;
}

/// A file of models/digits.
inline std::string readDigits(const std::string &name) {
  std::ifstream file(digitsPath(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The numbers of an .npy file, after its header of 128 bytes.
inline std::vector<uint8_t> readPixels(const std::string &name) {
  const std::string file = readDigits(name);
  return {file.begin() + std::min<size_t>(file.size(), 128), file.end()};
}

/// The digits model, ready to compile.
class Digits {
public:
  Digits() : bytes(readDigits("digits.onnx")), calibration(readPixels("calibration.npy")) {
    set("preprocess", "mean=0.5,std=0.5");
    set("name", "digits");
  }
  ~Digits() {
    vitqOptionsDestroy(options);
    vitqDiagnosticsDestroy(diagnostics);
  }
  Digits(const Digits &) = delete;

  VitqModel model() const { return {bytes.data(), bytes.size(), VITQ_MODEL_ONNX, "digits.onnx"}; }
  VitqImages images() const { return {calibration.data(), calibration.size() / 64, 8, 8, 1}; }

  VitqStatus set(const char *key, const char *value) { return vitqOptionsSet(options, key, value, diagnostics); }

  /// What the arguments after the model give.
  VitqProgram compile(const VitqModel &model, const VitqImages *images) {
    return vitqProgramCompile(&model, images, options, diagnostics);
  }
  VitqProgram compile() {
    VitqImages all = images();
    return compile(model(), &all);
  }

  /// The errors since the last call.
  std::string errors() {
    std::string text = vitqDiagnosticsGetErrors(diagnostics);
    vitqDiagnosticsClear(diagnostics);
    return text;
  }

  std::string bytes;
  std::vector<uint8_t> calibration;
  VitqOptions options = vitqOptionsCreate();
  VitqDiagnostics diagnostics = vitqDiagnosticsCreate(nullptr, nullptr);
};

/// Bytes that are given piece by piece.
inline void appendBytes(const void *data, size_t size, void *text) {
  static_cast<std::string *>(text)->append(static_cast<const char *>(data), size);
}

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_CAPI_TESTUTILS_H
