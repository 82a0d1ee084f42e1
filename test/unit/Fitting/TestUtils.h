//===- TestUtils.h - Samples for the tests of fitting -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_FITTING_TESTUTILS_H
#define VITQ_TEST_UNIT_FITTING_TESTUTILS_H

#include "../Random.h"

#include "vitq/Fitting/Moments.h"

#include <thread>

namespace vitq::test {

/// `[rows, columns]` numbers, normal; each column but the first shares much with the one before.
inline std::vector<float> correlated(size_t rows, size_t columns, unsigned seed) {
  Random random(seed);
  std::vector<float> values(rows * columns);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(random.normal()) + (i % columns ? 0.8f * values[i - 1] : 0.0f);
  return values;
}

inline fitting::Matrix matrixOf(size_t rows, size_t columns, const std::vector<float> &values) {
  fitting::Matrix matrix(rows, columns);
  matrix.values.assign(values.begin(), values.end());
  return matrix;
}

inline fitting::Samples samplesOf(size_t rows, size_t columns, const std::vector<float> &values) {
  fitting::Samples samples(rows, columns);
  samples.write(0, values.data(), std::vector<double>(columns, 0.0), std::vector<double>(rows, 1.0));
  return samples;
}

/// In four threads, the last task first.
inline void threadedFor(size_t count, llvm::function_ref<void(size_t)> body) {
  std::vector<std::thread> threads;
  for (size_t first = 0; first < 4; ++first)
    threads.emplace_back([=] {
      for (size_t i = count; i-- > 0;)
        if (i % 4 == first)
          body(i);
    });
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_FITTING_TESTUTILS_H
