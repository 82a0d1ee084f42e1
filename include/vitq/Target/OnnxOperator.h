//===- OnnxOperator.h - Programs as operators of ONNX Runtime -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ONNXOPERATOR_H
#define VITQ_TARGET_ONNXOPERATOR_H

#include "vitq/Target/Program.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace vitq {

/// The library of the operator that a model calls, which is written beside it.
inline constexpr llvm::StringLiteral kOnnxOperatorSuffix = ".so";

/// Writes a program for whatever serves ONNX models with ONNX Runtime (1.18 or later): a model `path`, FILE.onnx, of
/// one node, and FILE.so, a library with the operator that this node calls, which a session is told of
/// (register_custom_ops_library). The library is that of `linkSharedObject` as well.
///
/// The model takes uint8 pixels [N, H, W, C], resized and cropped, and gives int32 [N, ...] for each output; N is any
/// number, whatever batch the program has. The operator is `Program_HASH` of the domain `vitq.NAME`: a session is not
/// made with the library of another program. Metadata of the model are `vitq.NAME.scale:OUTPUT` (a real value is this
/// times the integer), `vitq.NAME.preprocess` and `vitq.NAME.target`.
///
/// `object` is that of `emitObject`, `manifest` says what is in it. Errors: it has no batch in front of its input and
/// outputs, or types other than those; it cannot be linked (no ld.lld) or the files cannot be written; of both files
/// none is left then.
llvm::Error writeOnnxOperator(llvm::ArrayRef<char> object, const Manifest &manifest, llvm::StringRef path);

} // namespace vitq

#endif // VITQ_TARGET_ONNXOPERATOR_H
