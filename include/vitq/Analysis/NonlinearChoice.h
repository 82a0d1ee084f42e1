//===- NonlinearChoice.h - Which algorithm each nonlinearity gets -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_NONLINEARCHOICE_H
#define VITQ_ANALYSIS_NONLINEARCHOICE_H

#include "dialects/vit/Vit.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>

namespace vitq {

/// An algorithm as users write it: `table`, `shift`, `lut:N`, `poly`, `log2`, `ivit` or
/// `auto`, which leaves the choice to a measurement.
struct AlgorithmSpec {
  vit::Algorithm kind = vit::Algorithm::Table;
  int64_t entries = 0;
  bool isAuto = false;

  static llvm::Expected<AlgorithmSpec> parse(llvm::StringRef text);
  std::string str() const;
  bool operator==(const AlgorithmSpec &) const = default;
};

/// The name under which a nonlinear op is chosen for: gelu, softmax, layer_norm,
/// sigmoid, tanh, hard_swish or silu; empty for other ops.
llvm::StringRef nonlinearFunctionOf(mlir::Operation *op);

/// Whether a function has a form of the kind. What has none is computed by `table`
/// where the choice was made for all functions, and refused where it was made for this.
bool hasAlgorithm(llvm::StringRef function, vit::Algorithm kind);

/// What `--nonlinear` says.
class NonlinearChoice {
public:
  /// Items separated by commas, the later ones stronger where they overlap: an algorithm
  /// for all functions, FUNCTION=ALGORITHM, or @FILE, a JSON object with any of
  ///   "default": ALGORITHM, "functions": {FUNCTION: ALGORITHM},
  ///   "layers": {NAME OF THE ONNX NODE: ALGORITHM}.
  /// Errors name the item, or the file and the key.
  static llvm::Expected<NonlinearChoice> parse(llvm::StringRef text);

  /// For a layer of a function: what is said of the layer, else of the function, else
  /// of all.
  AlgorithmSpec of(llvm::StringRef function, llvm::StringRef layer) const;
  /// Whether the layer, or its function, is named, not only all functions.
  bool names(llvm::StringRef function, llvm::StringRef layer) const;

  bool hasAuto() const;
  /// Whether any function is computed by lines (lut:N).
  bool hasLines() const;
  /// What is said of single layers, by their names.
  const llvm::StringMap<AlgorithmSpec> &layers() const { return ofLayers; }

private:
  llvm::Error addItem(llvm::StringRef item);
  llvm::Error addFile(llvm::StringRef path);
  llvm::Error addFunction(llvm::StringRef function, llvm::StringRef algorithm, const llvm::Twine &where);

  AlgorithmSpec ofAll;
  llvm::StringMap<AlgorithmSpec> ofFunctions, ofLayers;
};

} // namespace vitq

#endif // VITQ_ANALYSIS_NONLINEARCHOICE_H
