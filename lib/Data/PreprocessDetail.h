//===- PreprocessDetail.h - What reads a Preprocess -------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_DATA_PREPROCESSDETAIL_H
#define VITQ_LIB_DATA_PREPROCESSDETAIL_H

#include "vitq/Data/Preprocess.h"

namespace vitq::data {

/// The JSON file at `path`, in any of the forms of `@FILE`.
llvm::Expected<Preprocess> parseFile(llvm::StringRef path);

namespace preprocessing {

llvm::Error makeError(const llvm::Twine &text);

/// What holds of every valid `Preprocess`, however it was written.
llvm::Error validate(const Preprocess &preprocess);

llvm::Expected<Interpolation> parseInterpolation(llvm::StringRef text);
llvm::Expected<PillowRelease> parsePillow(llvm::StringRef text);

/// "'KEY' should be EXPECTED, not VALUE".
llvm::Error badValue(llvm::StringRef key, const llvm::Twine &expected, const llvm::json::Value &value);

/// Whether a value is absent or null.
bool isNull(const llvm::json::Value *value);

/// A side in pixels out of a JSON number.
llvm::Expected<int> sideFromJSON(const llvm::json::Value &value, llvm::StringRef key);

/// {"height": H, "width": W}, and nothing beside.
llvm::Expected<Size> sizeFromJSON(const llvm::json::Object &object, llvm::StringRef key);

/// Sets mean and standard deviation from the keys given, where present.
llvm::Error readMeanAndStd(Preprocess &preprocess, const llvm::json::Object &object, llvm::StringRef meanKey,
                           llvm::StringRef stdKey);

} // namespace preprocessing
} // namespace vitq::data

#endif // VITQ_LIB_DATA_PREPROCESSDETAIL_H
