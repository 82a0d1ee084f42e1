//===- WindowAttributes.cpp - Sizes that windows are given -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WindowAttributes.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

std::string vitq::frontend::text(ArrayRef<int64_t> values) {
  std::string result = "[";
  llvm::raw_string_ostream os(result);
  llvm::interleaveComma(values, os);
  return result + "]";
}

bool vitq::frontend::isSane(ArrayRef<int64_t> values, int64_t least) {
  return llvm::all_of(values, [=](int64_t v) { return v >= least && v <= (int64_t(1) << 24); });
}

LogicalResult vitq::frontend::checkSizes(NodeImporter &n, StringRef name, ArrayRef<int64_t> values, size_t count,
                                         int64_t least) {
  if (values.size() == count && isSane(values, least))
    return success();
  return n.error() << "has unusable strides, dilations, pads or groups: " << name << " " << text(values) << " must be "
                   << count << " numbers from " << least << " to 2^24";
}

FailureOr<Shape> vitq::frontend::readSizes(NodeImporter &n, const std::string &name, size_t count, int64_t least,
                                           int64_t fill) {
  Shape values = n.intsAttr(name).value_or(Shape(count, fill));
  return failed(checkSizes(n, name, values, count, least)) ? FailureOr<Shape>() : values;
}

LogicalResult vitq::frontend::checkAutoPad(NodeImporter &n, StringRef autoPad, ArrayRef<int64_t> pads) {
  if (autoPad == "NOTSET" || llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
    return success();
  return n.error() << "has both auto_pad '" << autoPad << "' and pads " << text(pads)
                   << ", which exclude each other; remove one of them";
}

LogicalResult vitq::frontend::checkOutputPadding(NodeImporter &n, ArrayRef<int64_t> beyond, ArrayRef<int64_t> strides,
                                                 ArrayRef<int64_t> dilations) {
  for (size_t i = 0; i < beyond.size(); ++i)
    if (beyond[i] > 0 && beyond[i] >= std::max(strides[i], dilations[i]))
      return n.error() << "output_padding " << text(beyond)
                       << " must be less than the stride or the dilation, which are " << strides[i] << " and "
                       << dilations[i] << " on axis " << i + 2;
  return success();
}
