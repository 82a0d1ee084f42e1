//===- RealFunctions.h - Activations over the reals -------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What tables are built from and integer models are judged against; never part
// of a compiled program.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_REALFUNCTIONS_H
#define VITQ_NUMERICS_REALFUNCTIONS_H

namespace vitq::numerics {

double reluReal(double x);
/// 1 / (1 + exp(-x)), formed so that exp never overflows.
double sigmoidReal(double x);
double tanhReal(double x);
/// x/2 * (1 + erf(x / sqrt 2)).
double geluErfReal(double x);
/// x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
double geluTanhReal(double x);
/// x * sigmoid(1.702 x).
double geluQuickReal(double x);
/// x * sigmoid(x).
double siluReal(double x);
/// x * tanh(log(1 + exp(x))).
double mishReal(double x);
/// x * min(max(x + 3, 0), 6) / 6.
double hardSwishReal(double x);
double expReal(double x);
double reciprocalReal(double x);
double rsqrtReal(double x);
/// log(1 + exp(x)), formed so that exp never overflows.
double softplusReal(double x);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_REALFUNCTIONS_H
