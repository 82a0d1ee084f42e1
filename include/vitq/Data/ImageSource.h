//===- ImageSource.h - A stream of model inputs -----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DATA_IMAGESOURCE_H
#define VITQ_DATA_IMAGESOURCE_H

#include "vitq/Data/Image.h"
#include "vitq/Data/Preprocess.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vitq::data {

/// A set of pictures, each decoded and preprocessed when it is asked for:
/// memory does not grow with their number. All come out with one size, fixed
/// when the source is opened. Every method may be called from several threads
/// at once.
class ImageSource {
public:
  /// Opens `path`, which is one of
  ///  - a folder: its *.jpg, *.jpeg and *.png (in any case) sorted by name,
  ///    other files and subfolders passed over;
  ///  - one JPEG or PNG;
  ///  - a .npy or .npz (`file.npz:key`) with uint8 [N,H,W,C] or gray [N,H,W]
  ///    pixels, to which `preprocess` applies as to files, or with float32
  ///    [N,C,H,W] values, which are taken as they are (`isNormalizedFloat`);
  ///  - `synthetic:N`, pictures that are made up (Synthetic.h), where the model's `size` is given.
  /// `channels` is what the model takes, 1 or 3; pictures are converted.
  /// Fails if there is no picture, if the first one cannot be read, and if
  /// `preprocess` does not fit `channels`.
  static llvm::Expected<std::unique_ptr<ImageSource>> open(llvm::StringRef path, const Preprocess &preprocess,
                                                           int channels, std::optional<Size> size = std::nullopt);

  /// Pictures in memory: uint8 [count, height, width, depth] with 1 or 3 channels,
  /// resized and cropped already; of `preprocess` only mean and standard deviation
  /// apply. `pixels` must outlive the source. Errors call it `name`.
  static llvm::Expected<std::unique_ptr<ImageSource>> fromPixels(llvm::ArrayRef<uint8_t> pixels, size_t count,
                                                                 Size size, int depth, const Preprocess &preprocess,
                                                                 int channels, llvm::StringRef name);

  virtual ~ImageSource();

  /// The number of pictures, at least one.
  virtual size_t size() const = 0;

  /// The base name of picture `i`'s file, or "#i" in an array.
  virtual llvm::StringRef name(size_t i) const = 0;

  /// Whether the source holds finished model inputs rather than pixels.
  virtual bool isNormalizedFloat() const { return false; }

  /// Picture `i` after geometry, before normalisation; its size and channels
  /// as below. Fails, naming the file, if it cannot be read or comes out with
  /// another size than the first, and always if `isNormalizedFloat()`.
  virtual llvm::Expected<Image> pixels(size_t i) const = 0;

  /// Of the pictures read so far, how many carry an EXIF orientation other than
  /// upright (`Image::orientation`).
  virtual size_t turnedPictures() const { return 0; }

  /// What to tell a user about them; empty when there are none.
  std::string orientationRemark() const;

  /// Picture `i` as the model takes it: `channels() * height() * width()`
  /// finite numbers in the order CHW (a batch of one, NCHW).
  virtual llvm::Expected<std::vector<float>> normalized(size_t i) const;

  /// The size of every picture that comes out.
  int height() const { return outputSize.height; }
  int width() const { return outputSize.width; }
  int channels() const { return outputChannels; }

  /// What the source was opened with.
  llvm::StringRef path() const { return sourcePath; }
  const Preprocess &preprocess() const { return spec; }

protected:
  ImageSource(llvm::StringRef path, const Preprocess &preprocess, int channels)
      : sourcePath(path), spec(preprocess), outputChannels(channels) {}

  std::string sourcePath;
  Preprocess spec;
  int outputChannels;
  Size outputSize;
};

/// Reads the classes of the pictures of `source`, one for each, in its order.
/// `path` is a CSV file with lines `file,class_index` (a heading is allowed;
/// folders in `file` do not count; lines for other files are passed over) or a
/// .npy/.npz with one integer per picture. Fails, naming the picture or the
/// line, if a label is missing, negative, contradicted or no number.
llvm::Expected<std::vector<int64_t>> readLabels(llvm::StringRef path, const ImageSource &source);

} // namespace vitq::data

#endif // VITQ_DATA_IMAGESOURCE_H
