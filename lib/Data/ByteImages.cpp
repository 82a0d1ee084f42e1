//===- ByteImages.cpp - Models that take an image's bytes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/ByteImages.h"

#include "vitq/Data/Preprocess.h"

#include "llvm/ADT/STLExtras.h"

using namespace vitq::data;

llvm::Error vitq::data::checkByteImages(llvm::StringRef preprocess) {
  llvm::Expected<Preprocess> parsed = parsePreprocess(preprocess);
  if (!parsed)
    return parsed.takeError();
  if (llvm::all_of(parsed->mean, [](double mean) { return mean == 0; }) &&
      llvm::all_of(parsed->stdDev, [](double stdDev) { return stdDev == 1; }))
    return llvm::Error::success();
  return llvm::createStringError("the model takes bytes and normalizes them itself; '" + toString(*parsed) +
                                 "' would normalize them a second time: leave mean and std out of --preprocess");
}
