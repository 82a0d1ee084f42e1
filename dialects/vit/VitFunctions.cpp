//===- VitFunctions.cpp - The functions that elementwise vit ops stand for -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vit/Vit.h"
#include "vitq/Numerics/RealFunctions.h"

#include <cmath>

using namespace vitq;
using namespace vitq::vit;

double GeluOp::evaluate(double x) {
  switch (getKind()) {
  case GeluKind::Erf:
    return numerics::geluErfReal(x);
  case GeluKind::Tanh:
    return numerics::geluTanhReal(x);
  case GeluKind::Quick:
    return numerics::geluQuickReal(x);
  }
  return x;
}
double ReluOp::evaluate(double x) { return numerics::reluReal(x); }
double SigmoidOp::evaluate(double x) { return numerics::sigmoidReal(x); }
double TanhOp::evaluate(double x) { return numerics::tanhReal(x); }
double HardSwishOp::evaluate(double x) { return numerics::hardSwishReal(x); }
double SiluOp::evaluate(double x) { return numerics::siluReal(x); }
double SqrtOp::evaluate(double x) { return std::sqrt(x); }
double ErfOp::evaluate(double x) { return std::erf(x); }
double ExpOp::evaluate(double x) { return std::exp(x); }
