//===- Pictures.cpp - Pictures as programs take them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

using namespace vitq;
using namespace vitq::capi;

static void fail(Diagnostics *diagnostics, llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  if (diagnostics)
    diagnostics->add(VITQ_ERROR, "", std::move(message));
}

std::unique_ptr<Pictures> capi::openPictures(llvm::StringRef path, llvm::StringRef preprocess, int channels,
                                             Diagnostics *diagnostics) {
  data::Preprocess spec;
  if (!preprocess.empty()) {
    llvm::Expected<data::Preprocess> parsed = data::parsePreprocess(preprocess);
    if (!parsed)
      return fail(diagnostics, parsed.takeError()), nullptr;
    spec = std::move(*parsed);
  }
  llvm::Expected<std::unique_ptr<data::ImageSource>> source = data::ImageSource::open(path, spec, channels);
  if (!source)
    return fail(diagnostics, source.takeError()), nullptr;
  if ((*source)->isNormalizedFloat())
    return fail(diagnostics, llvm::createStringError(path + ": holds finished inputs (float32), no pictures")), nullptr;
  auto pictures = std::make_unique<Pictures>();
  for (size_t i = 0; i < (*source)->size(); ++i)
    pictures->names.push_back((*source)->name(i).str());
  pictures->source = std::move(*source);
  return pictures;
}

bool capi::readPicture(const Pictures &pictures, size_t index, uint8_t *pixels, Diagnostics *diagnostics) {
  llvm::Expected<data::Image> image = pictures.source->pixels(index);
  if (!image)
    return fail(diagnostics, image.takeError()), false;
  std::copy(image->pixels.begin(), image->pixels.end(), pixels);
  return true;
}
