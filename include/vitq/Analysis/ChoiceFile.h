//===- ChoiceFile.h - Files that flags name with @ --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_CHOICEFILE_H
#define VITQ_ANALYSIS_CHOICEFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <string>

namespace vitq {

/// The JSON object in the file at `path`. Errors begin with the file.
llvm::Expected<llvm::json::Object> readChoiceFile(llvm::StringRef path);

/// The three of `names` that are nearest to `name`: "'a', 'b' or 'c'".
std::string suggestNames(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> names);

} // namespace vitq

#endif // VITQ_ANALYSIS_CHOICEFILE_H
