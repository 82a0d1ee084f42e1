//===- NpyHeader.cpp - The preamble of a .npy file ------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Read here rather than by xtensor, whose reader allocates whatever the shape
// claims, does not notice a short file, and takes the length byte of the
// preamble as signed: headers of 128 bytes and more (many dimensions) fail.
//
//===----------------------------------------------------------------------===//

#include "FileInput.h"
#include "vitq/Data/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <bit>

using namespace llvm;
using namespace vitq::data;

static_assert(std::endian::native == std::endian::little, "array files are read and written without swapping bytes");

size_t vitq::data::sizeOf(DType dtype) {
  switch (dtype) {
  case DType::UInt8:
  case DType::Int8:
    return 1;
  case DType::Int16:
    return 2;
  case DType::Int32:
  case DType::Float32:
    return 4;
  case DType::Int64:
  case DType::Float64:
    return 8;
  }
  llvm_unreachable("unknown element type");
}

StringRef vitq::data::toString(DType dtype) {
  switch (dtype) {
  case DType::UInt8:
    return "uint8";
  case DType::Int8:
    return "int8";
  case DType::Int16:
    return "int16";
  case DType::Int32:
    return "int32";
  case DType::Int64:
    return "int64";
  case DType::Float32:
    return "float32";
  case DType::Float64:
    return "float64";
  }
  llvm_unreachable("unknown element type");
}

std::string vitq::data::shapeToString(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return join(map_range(shape, [](int64_t n) { return std::to_string(n); }), "x");
}

/// The element type that NumPy's `descr` means; big endian is not among them.
static std::optional<DType> parseDescr(StringRef descr) {
  return StringSwitch<std::optional<DType>>(descr)
      .Cases({"|u1", "<u1", "u1", "=u1"}, DType::UInt8)
      .Cases({"|i1", "<i1", "i1", "=i1"}, DType::Int8)
      .Case("<i2", DType::Int16)
      .Case("<i4", DType::Int32)
      .Case("<i8", DType::Int64)
      .Case("<f4", DType::Float32)
      .Case("<f8", DType::Float64)
      .Default(std::nullopt);
}

namespace {
/// Reads the Python dictionary of the preamble: three keys in any order.
/// Methods return false where the text is not as it should be.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  bool parse();

  StringRef descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  bool parseString(StringRef &text) {
    rest = rest.ltrim();
    char quote = rest.empty() ? '\0' : rest.front();
    if (quote != '\'' && quote != '"')
      return false;
    size_t end = rest.find(quote, 1);
    if (end == StringRef::npos)
      return false;
    text = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return true;
  }
  bool parseShape();

  StringRef rest;
};
} // namespace

bool HeaderParser::parseShape() {
  if (!consume("("))
    return false;
  while (!consume(")")) {
    int64_t extent;
    rest = rest.ltrim();
    if (rest.consumeInteger(10, extent) || extent < 0)
      return false;
    rest.consume_front("L"); // Python 2
    shape.push_back(extent);
    if (!consume(",")) {
      // "(5)" is a number in Python, not a tuple.
      return shape.size() > 1 && consume(")");
    }
  }
  return true;
}

bool HeaderParser::parse() {
  bool hasDescr = false, hasOrder = false, hasShape = false;
  if (!consume("{"))
    return false;
  while (!consume("}")) {
    StringRef key;
    if (!parseString(key) || !consume(":"))
      return false;
    if (key == "descr" && !hasDescr) {
      hasDescr = true;
      // Structured types are lists; they are reported as unsupported.
      if (!parseString(descr))
        return false;
    } else if (key == "fortran_order" && !hasOrder) {
      hasOrder = true;
      fortranOrder = consume("True");
      if (!fortranOrder && !consume("False"))
        return false;
    } else if (key == "shape" && !hasShape) {
      hasShape = true;
      if (!parseShape())
        return false;
    } else {
      return false;
    }
    if (!consume(",")) {
      if (!consume("}"))
        return false;
      break;
    }
  }
  return hasDescr && hasOrder && hasShape && rest.trim().empty();
}

Expected<NpyHeader> vitq::data::parseNpyHeader(StringRef bytes, uint64_t fileSize, StringRef name) {
  if (!bytes.starts_with("\x93NUMPY"))
    return makeFileError(name, "is not a .npy file (NumPy's numpy.save writes "
                               "one)");
  auto cutOff = [&] { return makeFileError(name, "the .npy file is cut off; write it again"); };
  if (bytes.size() < 12)
    return cutOff();
  unsigned major = static_cast<uint8_t>(bytes[6]);
  if (major < 1 || major > 3)
    return makeFileError(name, "is of .npy version " + Twine(major) + "; versions 1 to 3 are supported");
  const char *lengthAt = bytes.data() + 8;
  uint64_t start = major == 1 ? 10 : 12;
  uint64_t length = major == 1 ? support::endian::read16le(lengthAt) : support::endian::read32le(lengthAt);
  if (start + length > fileSize)
    return cutOff();
  if (start + length > bytes.size())
    return makeFileError(name, "the .npy header is " + Twine(length) + " bytes long; at most " +
                                   Twine(kMaxNpyHeader - start) + " are read");

  HeaderParser parser(bytes.substr(start, length));
  if (!parser.parse())
    return makeFileError(name, "the .npy header is damaged or describes a "
                               "structured type; save a plain array");
  auto dtype = parseDescr(parser.descr);
  if (!dtype)
    return makeFileError(name, "the element type '" + parser.descr +
                                   "' is not supported; save the array as uint8, int8, int16, "
                                   "int32, int64, float32 or float64, little endian");

  NpyHeader header;
  header.shape = std::move(parser.shape);
  header.dtype = *dtype;
  header.fortranOrder = parser.fortranOrder;
  header.dataOffset = start + length;
  bool overflow = false;
  uint64_t size = sizeOf(*dtype);
  for (int64_t extent : header.shape) {
    bool now = false;
    size = SaturatingMultiply(size, static_cast<uint64_t>(extent), &now);
    overflow |= now;
  }
  // An extent of zero makes an empty array, whatever the others are.
  if (is_contained(header.shape, 0))
    size = 0;
  else if (overflow)
    size = ~uint64_t(0);
  if (size > fileSize - header.dataOffset)
    return makeFileError(name, "the .npy file is cut off: an array of " + shapeToString(header.shape) + " " +
                                   toString(*dtype) + " needs more than the " + Twine(fileSize - header.dataOffset) +
                                   " bytes there are");
  header.dataSize = size;
  return header;
}
