//===- Case.h - Models of single operators, and what they compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A case is an ONNX model with inputs and the outputs that it should have: a folder as the ONNX project publishes
// them (`model.onnx`, `test_data_set_0/input_0.pb`, `output_0.pb` ...), or a record of a file that holds thousands.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_OPERATORS_CASE_H
#define VITQ_TEST_OPERATORS_CASE_H

#include <onnx/onnx_pb.h>

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace vitq::operators {

struct Case {
  std::string name;
  onnx::ModelProto model;
  std::vector<onnx::TensorProto> inputs, outputs;

  /// The operator that it is about: that of its node, or nothing for several.
  std::string operatorName() const;
  int64_t opset() const;
  /// Why vitq need not compute it; empty when it must.
  std::string whyOutOfScope() const;
};

/// Visits the cases below `folder`, by name.
llvm::Error readFolder(llvm::StringRef folder, llvm::function_ref<void(Case &)> visit);

/// Visits the cases of a file: for each its name, the model, the number of inputs and of outputs, the inputs and the
/// outputs; texts and messages behind their length, numbers and lengths as 4 bytes, little endian.
llvm::Error readRecords(llvm::StringRef path, llvm::function_ref<void(Case &)> visit);

} // namespace vitq::operators

#endif // VITQ_TEST_OPERATORS_CASE_H
