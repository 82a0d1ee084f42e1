//===- VitqRowwise.cpp - What ops on rows read --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// RowwiseOp, where an op differs from the default.

#include "dialects/vitq/Vitq.h"

using namespace vitq::integer;

RowOperand AddOp::getRowOperand(unsigned) { return RowOperand::Row; }
RowOperand MulOp::getRowOperand(unsigned) { return RowOperand::Row; }
RowOperand DivideRowsOp::getRowOperand(unsigned index) { return index == 0 ? RowOperand::Row : RowOperand::PerRow; }

bool RequantOp::isElementwise() { return true; }
bool AddOp::isElementwise() { return true; }
bool MulOp::isElementwise() { return true; }
bool TableOp::isElementwise() { return true; }
bool InterpolateOp::isElementwise() { return true; }
bool PwlOp::isElementwise() { return true; }
bool PolyGeluOp::isElementwise() { return true; }
bool DivideRowsOp::isElementwise() { return true; }
bool ThresholdOp::isElementwise() { return true; }
