//===- VitqAlgorithms.cpp - Algorithms as attributes ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/ReciprocalLines.h"

using namespace mlir;
using namespace ::vitq;
using namespace vitq::integer;

using EmitError = function_ref<InFlightDiagnostic()>;

static std::string nameOf(PiecewiseLinearAttr lines) { return "lut:" + std::to_string(lines.entries()); }

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

static LogicalResult verifyStep(EmitError emitError, int64_t step, int64_t fractionBits) {
  if (step >= 0 || step < -65536)
    return emitError() << "step " << step << " is outside [-65536, -1]";
  if (fractionBits < 1 || fractionBits > 30)
    return emitError() << "fraction bits " << fractionBits << " are outside [1, 30]";
  return success();
}

static LogicalResult verifyCodeShift(EmitError emitError, int64_t shift, int64_t largest) {
  if (shift < 1 || shift > largest)
    return emitError() << "code shift " << shift << " is outside [1, " << largest << "]";
  return success();
}

static LogicalResult verifyNarrow(EmitError emitError, StringRef name, unsigned bits) {
  if (bits < 2 || bits > 8)
    return emitError() << "codes of '" << name << "' have 2 to 8 bits, not " << bits;
  return success();
}

// C1
LogicalResult ExpTableAttr::verify(EmitError emitError, DenseIntElementsAttr entries) {
  const unsigned bits = entries.getElementType().getIntOrFloatBitWidth();
  if (entries.getType().getShape() != ArrayRef<int64_t>{numerics::kDistances} || bits < 2 || bits > 8)
    return emitError() << "exp_table needs " << numerics::kDistances << " entries of 2 to 8 bits, not "
                       << entries.getType();
  return success();
}
std::string ExpTableAttr::getAlgorithmName() const { return "table"; }
LogicalResult ExpTableAttr::verifyCodes(EmitError emitError, unsigned bits, int64_t) const {
  const unsigned own = getEntries().getElementType().getIntOrFloatBitWidth();
  if (own != bits)
    return emitError() << "codes of 'table' have the " << own << " bits of its entries, not " << bits;
  return success();
}
std::optional<numerics::DistanceTable> ExpTableAttr::getDistanceCodes(unsigned) const {
  numerics::DistanceTable codes;
  llvm::transform(getEntries().getValues<APInt>(), codes.begin(),
                  [](const APInt &entry) { return static_cast<uint8_t>(entry.getZExtValue()); });
  return codes;
}

// C1
LogicalResult ExpShiftAttr::verify(EmitError emitError, int64_t step, int64_t fractionBits, int64_t codeShift) {
  return failure(failed(verifyStep(emitError, step, fractionBits)) ||
                 failed(verifyCodeShift(emitError, codeShift, 46)));
}
std::string ExpShiftAttr::getAlgorithmName() const { return "shift"; }
LogicalResult ExpShiftAttr::verifyCodes(EmitError emitError, unsigned bits, int64_t) const {
  return verifyNarrow(emitError, getAlgorithmName(), bits); // C2
}
std::optional<numerics::DistanceTable> ExpShiftAttr::getDistanceCodes(unsigned bits) const {
  return numerics::softmaxShiftTable(
      {getStep(), static_cast<unsigned>(getFractionBits()), static_cast<unsigned>(getCodeShift())}, bits);
}

// C1
LogicalResult ExpPwlAttr::verify(EmitError emitError, PiecewiseLinearAttr lines, int64_t codeShift) {
  if (!lines.lines().fits(1 - numerics::kDistances, 0))
    return emitError() << "exp_pwl has a line that leaves 32 bits for some distance";
  return verifyCodeShift(emitError, codeShift, 30);
}
std::string ExpPwlAttr::getAlgorithmName() const { return nameOf(getLines()); }
LogicalResult ExpPwlAttr::verifyCodes(EmitError emitError, unsigned bits, int64_t) const {
  return verifyNarrow(emitError, getAlgorithmName(), bits); // C2
}
std::optional<numerics::DistanceTable> ExpPwlAttr::getDistanceCodes(unsigned bits) const {
  return numerics::softmaxLinesTable(getLines().lines(), static_cast<unsigned>(getCodeShift()), bits);
}

static numerics::SoftmaxPolynomial polynomialOf(int64_t step, int64_t fractionBits, int64_t linear, int64_t offset,
                                                int64_t codeShift) {
  return {step, linear, offset, static_cast<unsigned>(fractionBits), static_cast<unsigned>(codeShift)};
}
// C1
LogicalResult ExpPolyAttr::verify(EmitError emitError, int64_t step, int64_t fractionBits, int64_t linear,
                                  int64_t offset, int64_t codeShift) {
  if (failed(verifyStep(emitError, step, fractionBits)) || failed(verifyCodeShift(emitError, codeShift, 46)))
    return failure();
  if (!numerics::softmaxPolynomialFits(polynomialOf(step, fractionBits, linear, offset, codeShift)))
    return emitError() << "the polynomial is not positive on an octave, or exceeds 62 bits";
  return success();
}
std::string ExpPolyAttr::getAlgorithmName() const { return "poly"; }
LogicalResult ExpPolyAttr::verifyCodes(EmitError emitError, unsigned bits, int64_t) const {
  return verifyNarrow(emitError, getAlgorithmName(), bits); // C2
}
std::optional<numerics::DistanceTable> ExpPolyAttr::getDistanceCodes(unsigned bits) const {
  return numerics::softmaxPolynomialTable(
      polynomialOf(getStep(), getFractionBits(), getLinear(), getOffset(), getCodeShift()), bits);
}

// C1
LogicalResult ExpLog2Attr::verify(EmitError emitError, int64_t topExponent) {
  if (topExponent < 1 || topExponent > 14)
    return emitError() << "top exponent " << topExponent << " is outside [1, 14]";
  return success();
}
std::string ExpLog2Attr::getAlgorithmName() const { return "log2"; }
LogicalResult ExpLog2Attr::verifyCodes(EmitError emitError, unsigned bits, int64_t length) const { // C2
  if (bits != 16)
    return emitError() << "codes of 'log2' have 16 bits, not " << bits;
  if (length > int64_t(INT32_MAX) >> getTopExponent())
    return emitError() << "the sum of " << length << " codes up to 2^" << getTopExponent() << " may not fit 32 bits";
  return success();
}
std::optional<numerics::DistanceTable> ExpLog2Attr::getDistanceCodes(unsigned) const { return std::nullopt; }
int64_t ExpLog2Attr::getLargestCode(unsigned) const { return int64_t(1) << getTopExponent(); }

// C1
LogicalResult ExpOctaveAttr::verify(EmitError emitError, DenseIntElementsAttr entries) {
  const bool fits = entries.getType().getShape() == ArrayRef<int64_t>{numerics::kOctaveSteps} &&
                    entries.getElementType().isInteger(16);
  auto isCode = [&](const APInt &entry) {
    return entry.sge(1) && entry.sle(1 << 14) && entry.sle(*entries.value_begin<APInt>());
  };
  if (!fits || !llvm::all_of(entries.getValues<APInt>(), isCode))
    return emitError() << "exp_octave needs " << numerics::kOctaveSteps
                       << " entries of 16 bits from 1 to 16384, of which the first is the largest";
  return success();
}
std::string ExpOctaveAttr::getAlgorithmName() const { return "table"; }
LogicalResult ExpOctaveAttr::verifyCodes(EmitError emitError, unsigned bits, int64_t length) const { // C2
  if (bits != 16)
    return emitError() << "codes of 'exp_octave' have 16 bits, not " << bits;
  if (length > int64_t(INT32_MAX) / getLargestCode(bits))
    return emitError() << "the sum of " << length << " codes up to " << getLargestCode(bits) << " may not fit 32 bits";
  return success();
}
std::optional<numerics::DistanceTable> ExpOctaveAttr::getDistanceCodes(unsigned) const { return std::nullopt; }
int64_t ExpOctaveAttr::getLargestCode(unsigned) const { return (*getEntries().value_begin<APInt>()).getSExtValue(); }
int64_t ExpOctaveAttr::getLastDistance() const { return numerics::kLastOctaveDistance; }

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

static LogicalResult verifyExactSums(EmitError emitError, int64_t channels, unsigned bits, int64_t eps, bool centered) {
  if (eps < 1 || !numerics::layerNormFits(channels, static_cast<int>(bits), eps, centered))
    return emitError() << "with " << channels << " channels and eps " << eps << " overflows 64 bits";
  return success();
}

std::string NormExactAttr::getAlgorithmName() const { return "exact"; }
LogicalResult NormExactAttr::verifyRows(EmitError emitError, int64_t channels, unsigned bits) const {
  return verifyExactSums(emitError, channels, bits, getEpsilon(), getCentered()); // C1
}

// C2
LogicalResult NormPwlAttr::verify(EmitError emitError, int64_t, PiecewiseLinearAttr lines, bool) {
  if (!numerics::inverseRootLinesFit(lines.lines()))
    return emitError() << "lines must stay between half of the inverse root and the inverse root";
  return success();
}
std::string NormPwlAttr::getAlgorithmName() const { return nameOf(getLines()); }
LogicalResult NormPwlAttr::verifyRows(EmitError emitError, int64_t channels, unsigned bits) const {
  return verifyExactSums(emitError, channels, bits, getEpsilon(), getCentered()); // C1
}

std::string NormShiftAttr::getAlgorithmName() const { return "shift"; }
LogicalResult NormShiftAttr::verifyRows(EmitError emitError, int64_t channels, unsigned) const {
  if (channels > 65536) // C1
    return emitError() << "with " << channels << " channels overflows 64 bits";
  if (getPostOffsets() && getPostOffsets().size() != channels) // C2
    return emitError() << "needs one post offset for each of " << channels << " channels";
  return success();
}
