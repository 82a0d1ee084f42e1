//===- VitFunctions.cpp - The functions that elementwise vit ops stand for -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vit/Vit.h"
#include "vitq/Numerics/RealFunctions.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
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
double MishOp::evaluate(double x) { return numerics::mishReal(x); }
double SoftplusOp::evaluate(double x) { return numerics::softplusReal(x); }
double AbsOp::evaluate(double x) { return std::abs(x); }
double ClampOp::evaluate(double x) {
  // A NaN stays one.
  if (std::optional<APFloat> lo = getMin(); lo && x < lo->convertToDouble())
    x = lo->convertToDouble();
  if (std::optional<APFloat> hi = getMax(); hi && x > hi->convertToDouble())
    x = hi->convertToDouble();
  return x;
}
double HardSigmoidOp::evaluate(double x) {
  return std::clamp(getAlpha().convertToDouble() * x + getBeta().convertToDouble(), 0.0, 1.0);
}
double LeakyReluOp::evaluate(double x) { return x < 0 ? getAlpha().convertToDouble() * x : x; }
double EluOp::evaluate(double x) {
  const double gain = getGain().convertToDouble();
  return x > 0 ? gain * x : gain * getAlpha().convertToDouble() * std::expm1(x / getWidth().convertToDouble());
}
double SqrtOp::evaluate(double x) { return std::sqrt(x); }
double ErfOp::evaluate(double x) { return std::erf(x); }
double ExpOp::evaluate(double x) { return std::exp(x); }

numerics::RealArray GeluOp::getArrayFunction() {
  switch (getKind()) {
  case GeluKind::Erf:
    return numerics::geluErfReals;
  case GeluKind::Tanh:
    return numerics::geluTanhReals;
  case GeluKind::Quick:
    return numerics::geluQuickReals;
  }
  return nullptr;
}
numerics::RealArray SigmoidOp::getArrayFunction() { return numerics::sigmoidReals; }
numerics::RealArray SiluOp::getArrayFunction() { return numerics::siluReals; }

bool GeluOp::approachesIdentity() { return true; }
bool HardSwishOp::approachesIdentity() { return true; }
bool SiluOp::approachesIdentity() { return true; }
bool MishOp::approachesIdentity() { return true; }
bool SoftplusOp::approachesIdentity() { return true; }
bool EluOp::approachesIdentity() { return getGain().convertToDouble() == 1; }
