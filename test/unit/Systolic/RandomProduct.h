//===- RandomProduct.h - Products and arrays by chance -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_SYSTOLIC_RANDOMPRODUCT_H
#define VITQ_TEST_UNIT_SYSTOLIC_RANDOMPRODUCT_H

#include "vitq/Tensor/Tensor.h"

#include <random>
#include <string>
#include <vector>

namespace vitq::test {

/// A module with one product, as text, inputs for it, and an array to run it on.
struct RandomProduct {
  std::string module, config;
  std::vector<Tensor> inputs;
};

/// Weights, patches of a map by weights, or two operands at run time; views, biases, zero points, row-wise ops after
/// it; any array: the same `seed` gives the same.
RandomProduct randomProduct(uint32_t seed);

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_SYSTOLIC_RANDOMPRODUCT_H
