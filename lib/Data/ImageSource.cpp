//===- ImageSource.cpp - A stream of model inputs -------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/ImageSource.h"

#include "FileInput.h"
#include "vitq/Data/Npy.h"
#include "vitq/Data/Synthetic.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

using namespace llvm;
using namespace vitq::data;

ImageSource::~ImageSource() = default;

Expected<std::vector<float>> ImageSource::normalized(size_t i) const {
  auto image = pixels(i);
  if (!image)
    return image.takeError();
  return normalize(*image, spec);
}

std::string ImageSource::orientationRemark() const {
  size_t turned = turnedPictures();
  if (turned == 0)
    return {};
  return ("'" + sourcePath + "': " + Twine(turned) + (turned == 1 ? " picture carries" : " pictures carry") +
          " an EXIF orientation, which is ignored, as Pillow's open, torchvision and timm ignore it; if the model "
          "shall see " +
          (turned == 1 ? "it" : "them") + " upright, write the pixels turned (docs/Howto/compile-your-model.md)")
      .str();
}

static std::string sizeText(Size size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

namespace {

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

class FileSource final : public ImageSource {
public:
  FileSource(StringRef path, const Preprocess &preprocess, int channels, std::string folder,
             std::vector<std::string> names)
      : ImageSource(path, preprocess, channels), folder(std::move(folder)), names(std::move(names)),
        turned(this->names.size()) {}

  /// Fixes the size by the first picture.
  Error initialize() {
    auto first = read(0);
    if (!first)
      return first.takeError();
    outputSize = first->size();
    return Error::success();
  }

  size_t size() const override { return names.size(); }
  StringRef name(size_t i) const override { return names[i]; }

  size_t turnedPictures() const override {
    return static_cast<size_t>(llvm::count_if(turned, [](const auto &flag) { return flag.load(); }));
  }

  Expected<Image> pixels(size_t i) const override {
    auto image = read(i);
    if (image && image->size() != outputSize)
      return makeFileError(fullPath(i), "comes out as " + sizeText(image->size()) +
                                            " pixels, but the first picture, '" + names[0] + "', as " +
                                            sizeText(outputSize) + "; give --preprocess a 'resize=HxW' or a 'crop='");
    return image;
  }

private:
  std::string fullPath(size_t i) const {
    SmallString<128> path(folder);
    sys::path::append(path, names[i]);
    return std::string(path);
  }

  Expected<Image> read(size_t i) const {
    std::string path = fullPath(i);
    auto image = readImage(path, outputChannels);
    if (!image)
      return image;
    if (image->orientation != 1)
      turned[i] = true;
    auto result = applyGeometry(*image, spec);
    if (!result)
      return addFileName(path, result.takeError());
    return result;
  }

  std::string folder;
  std::vector<std::string> names;
  /// Which pictures were found to be turned; each may be read several times.
  mutable std::vector<std::atomic<bool>> turned;
};

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

/// What the two kinds of array have in common. The data is either mapped from
/// the file, so that only pictures in use take memory, or held in `array`.
class ArraySource : public ImageSource {
public:
  ArraySource(StringRef path, const Preprocess &preprocess, int channels, std::unique_ptr<MemoryBuffer> buffer,
              NpyArray array, ArrayRef<int64_t> shape, StringRef data)
      : ImageSource(path, preprocess, channels), buffer(std::move(buffer)), array(std::move(array)), data(data),
        count(shape[0]) {
    if (this->data.empty())
      this->data = StringRef(this->array.bytes.data(), this->array.bytes.size());
    names.reserve(count);
    for (size_t i = 0; i < count; ++i)
      names.push_back("#" + std::to_string(i));
  }

  size_t size() const override { return count; }
  StringRef name(size_t i) const override { return names[i]; }

protected:
  /// The bytes of picture `i`.
  StringRef slice(size_t i) const {
    size_t size = data.size() / count;
    return data.substr(i * size, size);
  }

  std::unique_ptr<MemoryBuffer> buffer;
  NpyArray array;
  StringRef data;
  size_t count;
  std::vector<std::string> names;
};

class PixelArraySource final : public ArraySource {
public:
  using ArraySource::ArraySource;

  /// `stored` is the size of the array's pictures, with `depth` channels.
  Error initialize(Size stored, int depth) {
    storedSize = stored;
    storedChannels = depth;
    auto first = pixels(0);
    if (!first)
      return first.takeError();
    outputSize = first->size();
    return Error::success();
  }

  Expected<Image> pixels(size_t i) const override {
    StringRef bytes = slice(i);
    Image image{storedSize.height, storedSize.width, storedChannels,
                std::vector<uint8_t>(bytes.bytes_begin(), bytes.bytes_end())};
    auto result = applyGeometry(convertChannels(std::move(image), outputChannels), spec);
    if (!result)
      return addFileName(sourcePath, result.takeError());
    return result;
  }

private:
  Size storedSize;
  int storedChannels = 0;
};

class FloatArraySource final : public ArraySource {
public:
  using ArraySource::ArraySource;

  Error initialize(Size stored) {
    outputSize = stored;
    return normalized(0).takeError();
  }

  bool isNormalizedFloat() const override { return true; }

  Expected<Image> pixels(size_t) const override {
    return makeFileError(sourcePath, "holds float32 model inputs, but pixels are needed "
                                     "here; give pictures or a uint8 array");
  }

  Expected<std::vector<float>> normalized(size_t i) const override {
    StringRef bytes = slice(i);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    for (float value : values)
      if (!std::isfinite(value))
        return makeFileError(sourcePath, "input #" + Twine(i) +
                                             " holds an infinity or a NaN; "
                                             "write the array again");
    return values;
  }
};

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

class MemorySource final : public ImageSource {
public:
  MemorySource(StringRef name, const Preprocess &preprocess, int channels, ArrayRef<uint8_t> data, size_t count,
               Size size, int depth)
      : ImageSource(name, preprocess, channels), data(data), depth(depth) {
    outputSize = size;
    names.reserve(count);
    for (size_t i = 0; i < count; ++i)
      names.push_back("#" + std::to_string(i));
  }

  size_t size() const override { return names.size(); }
  StringRef name(size_t i) const override { return names[i]; }

  Expected<Image> pixels(size_t i) const override {
    ArrayRef<uint8_t> bytes = data.slice(i * (data.size() / size()), data.size() / size());
    return convertChannels(Image{outputSize.height, outputSize.width, depth, bytes.vec()}, outputChannels);
  }

private:
  ArrayRef<uint8_t> data;
  int depth;
  std::vector<std::string> names;
};

} // namespace

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

bool vitq::data::isPictureName(StringRef name) {
  return any_of(ArrayRef<StringRef>{".jpg", ".jpeg", ".png"},
                [&](StringRef e) { return name.ends_with_insensitive(e); });
}

static Expected<std::vector<std::string>> listPictures(StringRef folder) {
  std::vector<std::string> names;
  std::error_code ec;
  for (sys::fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    StringRef name = sys::path::filename(it->path());
    // Hidden files are what some systems leave beside pictures ("._a.jpg").
    if (!name.starts_with(".") && isPictureName(name) && !sys::fs::is_directory(it->path()))
      names.push_back(name.str());
  }
  if (ec)
    return makeFileError(folder, "cannot list the folder: " + ec.message());
  if (names.empty())
    return makeFileError(folder, "the folder holds no *.jpg, *.jpeg or *.png "
                                 "(subfolders are not searched)");
  llvm::sort(names);
  return names;
}

static Expected<std::unique_ptr<ImageSource>> openArray(StringRef path, const Preprocess &preprocess, int channels) {
  // .npz files and Fortran order cannot be used as they lie in the file.
  std::unique_ptr<MemoryBuffer> buffer;
  NpyArray array;
  std::vector<int64_t> shape;
  DType dtype;
  StringRef data;
  if (path.ends_with_insensitive(".npy")) {
    auto opened = readRegularFile(path, ~uint64_t(0));
    if (!opened)
      return opened.takeError();
    buffer = std::move(*opened);
    auto header = parseNpyHeader(buffer->getBuffer(), buffer->getBufferSize(), path);
    if (!header)
      return header.takeError();
    shape = header->shape;
    dtype = header->dtype;
    data = buffer->getBuffer().substr(header->dataOffset, header->dataSize);
    if (header->fortranOrder)
      buffer.reset();
  }
  if (!buffer) {
    auto read = readNpy(path);
    if (!read)
      return read.takeError();
    array = std::move(*read);
    shape = array.shape;
    dtype = array.dtype;
    data = StringRef();
  }

  std::string description = "the array is " + shapeToString(shape) + " " + toString(dtype).str();
  static constexpr const char *forms = "; use uint8 [N,H,W,C] or gray [N,H,W] pixels, or float32 [N,C,H,W] "
                                       "model inputs";
  bool isPixels = dtype == DType::UInt8;
  bool isFloat = dtype == DType::Float32;
  if (!(isPixels && (shape.size() == 3 || shape.size() == 4)) && !(isFloat && shape.size() == 4))
    return makeFileError(path, description + forms);
  if (shape[0] == 0)
    return makeFileError(path, description + ", which holds no picture");

  int64_t c = isFloat ? shape[1] : shape.size() == 4 ? shape[3] : 1;
  int64_t h = isFloat ? shape[2] : shape[1];
  int64_t w = isFloat ? shape[3] : shape[2];
  if (isPixels && shape.size() == 4 && c != 1 && c != 3)
    return makeFileError(path, description + ((shape[1] == 1 || shape[1] == 3) ? "; put the channels last" : forms));
  if (isPixels && shape.size() == 3 && w == 3)
    return makeFileError(path, description + "; give a single picture a leading extent "
                                             "of 1");
  if (isFloat && c != channels)
    return makeFileError(path, description + ", but the model takes " + Twine(channels) +
                                   " channel(s), in the "
                                   "order [N,C,H,W]");
  if (h < 1 || w < 1 || h > kMaxPixels / w)
    return makeFileError(path,
                         description + ": pictures of " + Twine(h) + "x" + Twine(w) + " pixels are not supported");

  Size stored{static_cast<int>(h), static_cast<int>(w)};
  auto finish = [](auto source, Error error) -> Expected<std::unique_ptr<ImageSource>> {
    if (error)
      return std::move(error);
    return std::unique_ptr<ImageSource>(std::move(source));
  };
  if (isFloat) {
    auto source = std::make_unique<FloatArraySource>(path, preprocess, channels, std::move(buffer), std::move(array),
                                                     shape, data);
    Error error = source->initialize(stored);
    return finish(std::move(source), std::move(error));
  }
  auto source =
      std::make_unique<PixelArraySource>(path, preprocess, channels, std::move(buffer), std::move(array), shape, data);
  Error error = source->initialize(stored, static_cast<int>(c));
  return finish(std::move(source), std::move(error));
}

Expected<std::unique_ptr<ImageSource>> ImageSource::open(StringRef path, const Preprocess &preprocess, int channels,
                                                         std::optional<Size> size) {
  if (SyntheticSpec::isMeant(path) && size) {
    Expected<SyntheticSpec> spec = SyntheticSpec::parse(path);
    return spec ? makeSynthetic(*spec, *size, preprocess, channels) : spec.takeError();
  }
  if (channels != 1 && channels != 3)
    return makeFileError(path, "pictures have 1 or 3 channels, but the model "
                               "takes " +
                                   Twine(channels));
  if (Error e = preprocess.checkChannels(channels))
    return std::move(e);
  if (isNpyPath(path))
    return openArray(path, preprocess, channels);

  std::string folder;
  std::vector<std::string> names;
  if (sys::fs::is_directory(path)) {
    auto list = listPictures(path);
    if (!list)
      return list.takeError();
    folder = path.str();
    names = std::move(*list);
  } else {
    folder = sys::path::parent_path(path).str();
    names.push_back(sys::path::filename(path).str());
  }
  auto source = std::make_unique<FileSource>(path, preprocess, channels, std::move(folder), std::move(names));
  if (Error e = source->initialize())
    return std::move(e);
  return std::unique_ptr<ImageSource>(std::move(source));
}

Expected<std::unique_ptr<ImageSource>> ImageSource::fromPixels(ArrayRef<uint8_t> pixels, size_t count, Size size,
                                                               int depth, const Preprocess &preprocess, int channels,
                                                               StringRef name) {
  if (channels != 1 && channels != 3)
    return makeFileError(name, "pictures have 1 or 3 channels, but the model takes " + Twine(channels));
  if (depth != 1 && depth != 3)
    return makeFileError(name, "pictures have 1 or 3 channels, not " + Twine(depth));
  if (Error e = preprocess.checkChannels(channels))
    return std::move(e);
  if (size.height < 1 || size.width < 1 || size.height > kMaxPixels / size.width)
    return makeFileError(name, "pictures of " + sizeText(size) + " pixels are not supported");
  const uint64_t each = uint64_t(size.height) * size.width * depth;
  if (count == 0 || pixels.size() / each != count || pixels.size() % each != 0)
    return makeFileError(name, Twine(pixels.size()) + " bytes are not " + Twine(count) + " pictures of " +
                                   sizeText(size) + "x" + Twine(depth));
  return std::make_unique<MemorySource>(name, preprocess, channels, pixels, count, size, depth);
}
