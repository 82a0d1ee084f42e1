//===- Passes.h - vitq's Transforms passes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TRANSFORMS_PASSES_H
#define VITQ_TRANSFORMS_PASSES_H

#include "dialects/vit/Vit.h"
#include "mlir/Pass/Pass.h"
#include "vitq/Approximation/Method.h"

#include <memory>
#include <string>

namespace vitq {

/// Which tensors `vit-quantize` quantizes, and how.
enum class QuantizedLayout { Vitq, IVit };

/// Which results of a layer_norm `vit-assign-channel-scales` gives a scale for each channel.
enum class NormScales { Off, On, Auto };

#define GEN_PASS_DECL
#include "vitq/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "vitq/Transforms/Passes.h.inc"

} // namespace vitq

#endif // VITQ_TRANSFORMS_PASSES_H
