//===- KernelCalls.h - Attributes of calls and buffers of a program -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_CONVERSION_KERNELCALLS_H
#define VITQ_CONVERSION_KERNELCALLS_H

#include "llvm/ADT/StringRef.h"

namespace vitq {

/// Name of the attribute of a call in `@main` that says which step of the program it
/// is: {op = "vitq.matmul+vitq.requant", node = "...", macs = ..., units = ...,
/// rows = ..., local = [...]}; with `rows` each unit is a tile of so many rows and touches
/// the operands `local` in these rows only. The call's last two operands are the first unit of its work to do and the
/// end.
inline constexpr llvm::StringLiteral kStepAttr = "vitq.step";

/// Name of the attribute of a `memref.alloc`, and of the `memref.view` of the arena
/// that takes its place: the working memory of one call, of which every thread needs
/// its own.
inline constexpr llvm::StringLiteral kScratchAttr = "vitq.scratch";

/// Name of the attribute of a module that says where its arena holds most at once: {node = "...", bytes = [...]}, the
/// sizes of the buffers there, the largest first.
inline constexpr llvm::StringLiteral kArenaPeakAttr = "vitq.arena_peak";

/// Name of the attribute of a module that says where each buffer of its arena is: an array of [offset, bytes, first
/// step, last step].
inline constexpr llvm::StringLiteral kArenaPlanAttr = "vitq.arena_plan";

/// As many as a team may have.
inline constexpr int64_t kMaxThreads = 1024;

} // namespace vitq

#endif // VITQ_CONVERSION_KERNELCALLS_H
