//===- Prelude.h - Functions that emitted C uses -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TARGET_PORTABLEC_PRELUDE_H
#define VITQ_LIB_TARGET_PORTABLEC_PRELUDE_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace vitq::portable {

/// What every file begins with, behind its first comment; what constants are written with, if there are any.
std::string preludeHead(bool constants);

/// Definitions of the functions that `body` calls: names of its expressions, as in
/// Expressions.cpp.
std::string preludeFunctions(llvm::StringRef body);

} // namespace vitq::portable

#endif // VITQ_LIB_TARGET_PORTABLEC_PRELUDE_H
