//===- Onnx.h - The quantized or integer phase as ONNX -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ONNX_H
#define VITQ_TARGET_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace vitq {

/// The opset of written models: the first whose QuantizeLinear has 16 bits.
inline constexpr int64_t kOnnxOpset = 21;

/// Writes a module as a model that takes the image as the float model does, normalized,
/// [B, C, H, W], and gives reals. One of the quantized phase becomes float operators between
/// QuantizeLinear and DequantizeLinear, with the scales and zero points of its types and weights as
/// integers; one of the integer phase operators of floats that compute its integers exactly. Whole
/// or not at all; every failure is a diagnostic.
/// With `externalData`, and always where they are too many for protobuf's 2 GiB, weights are in a
/// file beside it, whose name is that of the model and kOnnxWeightsSuffix.
llvm::LogicalResult writeOnnx(mlir::ModuleOp module, llvm::StringRef path, bool externalData = false);
/// The same to a stream, with all weights inside; more than protobuf's 2 GiB are an error.
llvm::LogicalResult printOnnx(mlir::ModuleOp module, llvm::raw_ostream &os);
inline constexpr llvm::StringLiteral kOnnxWeightsSuffix = ".data";

} // namespace vitq

#endif // VITQ_TARGET_ONNX_H
