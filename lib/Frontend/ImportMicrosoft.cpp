//===- ImportMicrosoft.cpp - Operators of ONNX Runtime's optimizer -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Operators of the domain com.microsoft that stand for several of ONNX become these again.
// Attention and normalizations are beside those of ONNX.

#include "Importer.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// The first input, plus the second where there is one.
static MaybeImported addBias(NodeImporter &n) {
  if (!n.has(1))
    return n.input(0);
  n.setPart("sum");
  MaybeImported sum = n.apply<vit::AddOp>(n.input(0), n.input(1));
  n.setPart("");
  return sum;
}

template <vit::GeluKind Kind>
static LogicalResult importBiasGelu(NodeImporter &n) {
  MaybeImported sum = addBias(n);
  if (failed(sum) || failed(n.checkAttributes({})))
    return failure();
  return n.setOutput(makeGelu(n, *sum, Kind));
}

/// x * sigmoid(alpha * x)
static LogicalResult importSwish(NodeImporter &n, double alpha) {
  const Imported &input = n.input(0);
  if (std::fabs(alpha - 1.702) < 1e-5)
    return n.setOutput(makeGelu(n, input, vit::GeluKind::Quick));
  FailureOr<Value> x = n.materialize(input);
  if (failed(x))
    return failure();
  if (alpha == 1)
    return n.setOutput(n.create<vit::SiluOp>(*x));
  MaybeImported scaled = n.apply<vit::MulOp>(input, NodeImporter::scalar(alpha));
  MaybeImported gate = failed(scaled) ? scaled : n.create<vit::SigmoidOp>(scaled->value);
  return n.setOutput(failed(gate) ? gate : n.apply<vit::MulOp>(input, *gate));
}

static LogicalResult importQuickGelu(NodeImporter &n) { return importSwish(n, n.floatAttr("alpha", 1.702)); }
static LogicalResult importOnnxSwish(NodeImporter &n) { return importSwish(n, n.floatAttr("alpha", 1.0)); }

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The operand as FusedMatMul reads it: its first axis goes behind the other batch axes,
/// then the last two are swapped.
static MaybeImported readOperand(NodeImporter &n, const Imported &input, bool batch, bool matrix) {
  const int64_t rank = input.rank();
  Shape order = range(0, rank);
  if (batch && rank > 2)
    std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
  if (matrix && rank > 1)
    std::swap(order[rank - 1], order[rank - 2]);
  return n.transpose(input, order);
}

static LogicalResult importFusedMatMul(NodeImporter &n) {
  if (failed(n.checkAttributes({"alpha", "transA", "transB", "transBatchA", "transBatchB"})))
    return failure();
  MaybeImported lhs = readOperand(n, n.input(0), n.intAttr("transBatchA", 0) != 0, n.intAttr("transA", 0) != 0);
  MaybeImported rhs =
      failed(lhs) ? lhs : readOperand(n, n.input(1), n.intAttr("transBatchB", 0) != 0, n.intAttr("transB", 0) != 0);
  MaybeImported product = failed(rhs) ? rhs : makeMatMul(n, *lhs, *rhs);
  const double alpha = n.floatAttr("alpha", 1.0);
  return n.setOutput(failed(product) || alpha == 1 ? product
                                                   : n.apply<vit::MulOp>(*product, NodeImporter::scalar(alpha)));
}

/// `input` through the function that was fused behind it.
static MaybeImported activate(NodeImporter &n, const MaybeImported &input) {
  if (failed(input))
    return failure();
  const std::string name = n.stringAttr("activation", "");
  n.setPart("activation");
  if (name == "Relu")
    return n.create<vit::ReluOp>(input->value);
  if (name == "Tanh")
    return n.create<vit::TanhOp>(input->value);
  if (name == "Sigmoid")
    return n.create<vit::SigmoidOp>(input->value);
  return n.error() << "the fused function '" << name << "' is not supported";
}

static LogicalResult importFusedConv(NodeImporter &n) {
  if (n.has(3))
    return n.error() << "a fused sum is not supported";
  return n.setOutput(activate(n, makeConv(n)));
}

static LogicalResult importFusedGemm(NodeImporter &n) { return n.setOutput(activate(n, makeGemm(n))); }

void vitq::frontend::addMicrosoftHandlers(HandlerTable &table) {
  table["Swish"] = {importOnnxSwish, 1, 1};
  table["com.microsoft::Gelu"] = {importBiasGelu<vit::GeluKind::Erf>, 1, 1};
  table["com.microsoft::BiasGelu"] = {importBiasGelu<vit::GeluKind::Erf>, 2, 2};
  table["com.microsoft::FastGelu"] = {importBiasGelu<vit::GeluKind::Tanh>, 1, 2};
  table["com.microsoft::QuickGelu"] = {importQuickGelu, 1, 1};
  table["com.microsoft::FusedMatMul"] = {importFusedMatMul, 2, 2};
  table["com.microsoft::FusedConv"] = {importFusedConv, 2, 4};
  table["com.microsoft::FusedGemm"] = {importFusedGemm, 2, 3};
}
