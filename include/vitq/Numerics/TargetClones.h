//===- TargetClones.h - One function for several processors -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_TARGETCLONES_H
#define VITQ_NUMERICS_TARGETCLONES_H

/// Compiles a function for wider vectors too; which clone runs is chosen when the program is
/// loaded. A function that computes with floats needs `#pragma STDC FP_CONTRACT OFF` in its
/// file: a fused multiply-add rounds once, and only some processors have it.
#if defined(__x86_64__) && defined(__linux__)
#define VITQ_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VITQ_CLONES
#endif

/// Of what clones call, so that it is compiled for them.
#define VITQ_INLINE [[gnu::always_inline]] static inline

#endif // VITQ_NUMERICS_TARGETCLONES_H
