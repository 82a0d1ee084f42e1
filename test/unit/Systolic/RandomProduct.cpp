//===- RandomProduct.cpp - Products and arrays by chance -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomProduct.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace vitq;
using namespace vitq::test;

namespace {

class Generator {
public:
  explicit Generator(uint32_t seed) : random(seed) {}
  RandomProduct make();

private:
  int64_t between(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); }
  bool chance(int percent) { return between(1, 100) <= percent; }
  int64_t oneOf(llvm::ArrayRef<int64_t> values) { return values[between(0, static_cast<int64_t>(values.size()) - 1)]; }

  std::string tensor(llvm::ArrayRef<int64_t> shape, llvm::StringRef element);
  std::string constant(llvm::ArrayRef<int64_t> shape, llvm::StringRef element, int64_t low, int64_t high);
  std::string input(llvm::ArrayRef<int64_t> shape);
  std::string emit(const std::string &op);
  std::string operand(llvm::ArrayRef<int64_t> shape);
  std::string patches(llvm::SmallVectorImpl<int64_t> &shape, bool isUnsigned);
  std::string narrowed(const std::string &bytes, llvm::ArrayRef<int64_t> shape, int64_t bits, bool isUnsigned);
  void addStages(std::string sums, llvm::ArrayRef<int64_t> shape);
  void addTable(llvm::ArrayRef<int64_t> shape, int64_t inBits, int64_t outBits, bool isUnsigned);
  std::string config();

  std::mt19937 random;
  RandomProduct result;
  std::string body, arguments;
  int numValues = 0;
  std::string returned, returnType;
};

} // namespace

std::string Generator::tensor(llvm::ArrayRef<int64_t> shape, llvm::StringRef element) {
  std::string text = "tensor<";
  for (int64_t extent : shape)
    text += std::to_string(extent) + "x";
  return text + element.str() + ">";
}

std::string Generator::emit(const std::string &op) {
  std::string name = "%v" + std::to_string(numValues++);
  body += "  " + name + " = " + op + "\n";
  return name;
}

std::string Generator::constant(llvm::ArrayRef<int64_t> shape, llvm::StringRef element, int64_t low, int64_t high) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  std::string bytes;
  for (int64_t i = 0; i < count; ++i) {
    int64_t value = between(low, high);
    if (element.size() == 2) // a byte holds the bits of a narrow code
      value &= (1 << (element[1] - '0')) - 1;
    for (int byte = 0; byte < (element.size() == 2 ? 1 : 4); ++byte)
      bytes.push_back(static_cast<char>(value >> (8 * byte)));
  }
  return emit("arith.constant dense<\"0x" + llvm::toHex(bytes) + "\"> : " + tensor(shape, element));
}

std::string Generator::input(llvm::ArrayRef<int64_t> shape) {
  Tensor values = Tensor::allocate(ElementKind::I8, shape);
  // Extremes more often than by chance.
  for (int64_t i = 0; i < values.numElements(); ++i)
    values.mutableData<int8_t>()[i] = static_cast<int8_t>(chance(10) ? oneOf({-128, 127, -1, 0}) : between(-128, 127));
  std::string name = "%a" + std::to_string(result.inputs.size());
  arguments += (arguments.empty() ? "" : ", ") + name + ": " + tensor(shape, "i8");
  result.inputs.push_back(std::move(values));
  return name;
}

/// An input, maybe seen through a transposition of its leading axes.
std::string Generator::operand(llvm::ArrayRef<int64_t> shape) {
  if (shape.size() != 3 || chance(50))
    return input(shape);
  llvm::SmallVector<int64_t> stored = {shape[1], shape[0], shape[2]};
  std::string source = input(stored);
  return emit("vitq.transpose " + source + " by [1, 0, 2] : " + tensor(stored, "i8") + " -> " + tensor(shape, "i8"));
}

/// Patches of a map as rows, whose shape [B, H', W', K] comes out.
std::string Generator::patches(llvm::SmallVectorImpl<int64_t> &shape, bool isUnsigned) {
  const bool tiles = chance(20);
  const int64_t channels = oneOf({1, 3, 4, 7, 16, 20}), most = channels > 7 ? 3 : 5;
  int64_t size[2], strides[2], dilations[2], pads[4], places[2], map[2];
  for (int i = 0; i < 2; ++i) {
    size[i] = between(1, most);
    strides[i] = tiles ? size[i] : between(1, 3);
    dilations[i] = tiles || chance(75) ? 1 : between(1, 2);
    const int64_t extent = dilations[i] * (size[i] - 1) + 1;
    for (int side : {i, i + 2})
      pads[side] = tiles || chance(40) ? 0 : between(0, std::min<int64_t>(2, extent - 1));
    map[i] = extent + strides[i] * between(0, i ? 20 : 6) + (tiles ? 0 : between(0, strides[i] - 1)) + 2;
    if (tiles)
      map[i] = size[i] * between(1, 6);
    places[i] = (map[i] + pads[i] + pads[i + 2] - extent) / strides[i] + 1;
  }
  const int64_t images = between(1, 2);
  std::string source = input({images, map[0], map[1], channels});
  std::string padding;
  for (int64_t c = 0, count = chance(60) ? 1 : channels; c < count; ++c)
    padding += (c ? ", " : "") + std::to_string(isUnsigned ? between(0, 255) : between(-128, 127));
  auto list = [](llvm::ArrayRef<int64_t> values) {
    std::string text = "[";
    for (auto [i, value] : llvm::enumerate(values))
      text += (i ? ", " : "") + std::to_string(value);
    return text + "]";
  };
  shape.assign({images, places[0], places[1], size[0] * size[1] * channels});
  return emit("vitq.extract_patches " + source + " patch " + list(size) + " strides " + list(strides) + " pads " +
              list(pads) + " dilations " + list(dilations) + " padding [" + padding +
              "] as_map : " + tensor({images, map[0], map[1], channels}, "i8") + " -> " + tensor(shape, "i8"));
}

/// Bytes as codes of so many bits; programs take bytes.
std::string Generator::narrowed(const std::string &bytes, llvm::ArrayRef<int64_t> shape, int64_t bits,
                                bool isUnsigned) {
  if (bits == 8)
    return bytes;
  const std::string element = "i" + std::to_string(bits);
  // Entries of a table hold bits: who reads them says with which sign.
  if (chance(30)) {
    std::string table = constant({256}, element, 1 - (1 << (bits - 1)), (1 << (bits - 1)) - 1);
    return emit("vitq.table " + bytes + ", " + table + " : (" + tensor(shape, "i8") + ", " + tensor({256}, element) +
                ") -> " + tensor(shape, element));
  }
  return emit("vitq.requant " + bytes + " by <1518500250, " + std::to_string(39 - bits) + "> round half_up" +
              (isUnsigned ? " input <unsigned> result <unsigned>" : "") + " : " + tensor(shape, "i8") + " -> " +
              tensor(shape, element));
}

/// What a unit may do with the sums.
void Generator::addStages(std::string sums, llvm::ArrayRef<int64_t> shape) {
  returned = sums;
  returnType = tensor(shape, "i32");
  const int64_t which = between(0, 8);
  const std::string bytes = tensor(shape, "i8");
  switch (which) {
  case 0:
    return;
  case 5: {
    // Rows of codes, and sometimes their sums.
    std::string table = "[";
    for (int64_t i = 0; i < 256; ++i)
      table += (i ? ", " : "") + std::to_string(static_cast<int8_t>(255 - i));
    const llvm::ArrayRef<int64_t> rows = shape.drop_back();
    body += "  %codes, %sums = vitq.softmax " + sums + " with #vitq.exp_table<dense<" + table +
            "]> : tensor<256xi8>> by <1518500250, 38> : (" + returnType + ") -> (" + bytes + ", " +
            tensor(rows, "i32") + ")\n";
    const bool codes = chance(70);
    returned = codes ? "%codes" : "%sums";
    returnType = codes ? bytes : tensor(rows, "i32");
    return;
  }
  case 6: {
    std::string residual = operand(shape);
    returned =
        emit("vitq.add " + sums + " by <1518500250, 40>, " + residual + " by <1073741824, 28> round half_up : (" +
             returnType + ", " + bytes + ") -> " + tensor(shape, "i16"));
    returnType = tensor(shape, "i16");
    return;
  }
  case 7: {
    std::string thresholds = emit("arith.constant dense<[-9000, -3000, -10, 0, 1, 2500, 8000]> : tensor<7xi32>");
    returned = emit("vitq.threshold " + sums + ", " + thresholds + " from -4 : (" + returnType +
                    ", tensor<7xi32>) -> " + bytes);
    returnType = bytes;
    return;
  }
  case 8: {
    std::string divisors =
        emit("arith.constant dense<" + std::to_string(between(1, 60000)) + "> : " + tensor(shape.drop_back(), "i32"));
    returned = emit("vitq.divide_rows " + sums + ", " + divisors +
                    " by <1518500250, 50> round half_up result <unsigned, zero = 128> : (" + returnType + ", " +
                    tensor(shape.drop_back(), "i32") + ") -> " + bytes);
    returnType = bytes;
    return;
  }
  default:
    break;
  }
  if (which == 4) {
    // What the shift requantizer does, with and without ReLU.
    returned = emit("vitq.requant " + sums + " by <" + std::to_string(1 << between(0, 8)) + ", 12> round half_even" +
                    (chance(50) ? " {min = 0 : i64}" : "") + " : " + returnType + " -> " + tensor(shape, "i8"));
    returnType = tensor(shape, "i8");
    return;
  }
  if (which == 3) {
    // Per channel.
    std::string multipliers, shifts;
    for (int64_t i = 0; i < shape.back(); ++i) {
      multipliers += (i ? ", " : "") + std::to_string(between(1 << 30, 2147483647));
      shifts += (i ? ", " : "") + std::to_string(between(36, 42));
    }
    const bool one = shape.back() == 1;
    returned = emit("vitq.requant " + sums + " by " + (one ? "<" : "<[") + multipliers + (one ? ", " : "], [") +
                    shifts + (one ? ">" : "]>") + " round half_up result <unsigned, zero = 128> : " + returnType +
                    " -> " + tensor(shape, "i8"));
    returnType = tensor(shape, "i8");
    return;
  }
  returned =
      emit("vitq.requant " + sums + " by <1518500250, 40> round half_even result <signed, zero = 3> : " + returnType +
           " -> " + tensor(shape, "i8"));
  returnType = tensor(shape, "i8");
  if (which == 1)
    return;
  addTable(shape, 8, between(2, 8), /*isUnsigned=*/false);
  while (returnType != bytes)
    addTable(shape, returnType[returnType.size() - 2] - '0', between(2, 8), chance(50));
}

/// A table of what is returned, with entries of `outBits` bits.
void Generator::addTable(llvm::ArrayRef<int64_t> shape, int64_t inBits, int64_t outBits, bool isUnsigned) {
  const std::string element = "i" + std::to_string(outBits), type = tensor(shape, element);
  const int64_t count = int64_t(1) << inBits;
  std::string table = constant({count}, element, -(1 << (outBits - 1)), (1 << (outBits - 1)) - 1);
  returned = emit("vitq.table " + returned + ", " + table + (isUnsigned ? " input <unsigned>" : "") + " : (" +
                  returnType + ", " + tensor({count}, element) + ") -> " + type);
  returnType = type;
}

std::string Generator::config() {
  const int64_t rows = oneOf({4, 8, 16}), cols = chance(70) ? rows : oneOf({4, 8, 16});
  std::string text = "rows=" + std::to_string(rows) + ",cols=" + std::to_string(cols);
  auto add = [&](llvm::StringRef key, int64_t value) { text += "," + key.str() + "=" + std::to_string(value); };
  add("bits", oneOf({2, 3, 4, 8, 8}));
  if (chance(30))
    text += ",dataflow=os";
  if (chance(60))
    add("stream-rows", oneOf({4, 5, 16, 64}));
  add("scratchpad-banks", oneOf({1, 2, 4}));
  add("scratchpad-rows", oneOf({128, 256, 1024}));
  add("accumulator-banks", oneOf({1, 2}));
  add("accumulator-rows", oneOf({64, 128, 512}));
  add("block-tiles", between(1, 4));
  if (chance(50))
    text += ",units=all";
  return text;
}

RandomProduct Generator::make() {
  int64_t m = between(1, 60), k = between(1, 120);
  const int64_t n = between(1, 70);
  const bool convolution = chance(25), weights = convolution || chance(50), transposed = chance(50);
  llvm::SmallVector<int64_t> batch = {1};
  if (!weights)
    batch = {between(1, 3)};
  auto with = [&](int64_t i, int64_t j) {
    llvm::SmallVector<int64_t> shape(batch);
    shape.append({i, j});
    return shape;
  };
  const bool isUnsigned = chance(60);
  const int64_t lhsBits = convolution || chance(60) ? 8 : between(2, 7), rhsBits = chance(60) ? 8 : between(2, 7);
  const std::string lhsType = "i" + std::to_string(lhsBits), rhsType = "i" + std::to_string(rhsBits);
  std::string left;
  if (convolution) {
    llvm::SmallVector<int64_t> rows;
    left = patches(rows, isUnsigned);
    k = rows.pop_back_val();
    m = rows.pop_back_val();
    batch = rows;
  } else {
    left = operand(with(m, k));
  }
  std::string lhs = narrowed(left, with(m, k), lhsBits, isUnsigned);
  llvm::SmallVector<int64_t> rhsShape = weights ? llvm::SmallVector<int64_t>{transposed ? n : k, transposed ? k : n}
                                                : (transposed ? with(n, k) : with(k, n));
  std::string rhs = weights ? constant(rhsShape, rhsType, 1 - (1 << (rhsBits - 1)), (1 << (rhsBits - 1)) - 1)
                            : narrowed(operand(rhsShape), rhsShape, rhsBits, /*isUnsigned=*/false);
  std::string bias = chance(50) ? constant({n}, "i32", -100000, 100000) : "";
  const int64_t half = int64_t(1) << (lhsBits - 1);
  const int64_t zeroPoint = chance(50)   ? 0
                            : isUnsigned ? oneOf({half, 2 * half - 1, between(0, 2 * half - 1)})
                                         : between(-half, half - 1);
  const llvm::SmallVector<int64_t> shape = with(m, n);
  std::string sums =
      emit("vitq.matmul " + lhs + ", " + rhs + (bias.empty() ? "" : ", " + bias) +
           (transposed ? " transpose_rhs" : "") + " lhs <" + (isUnsigned ? "unsigned, zero = " : "signed, zero = ") +
           std::to_string(zeroPoint) + "> : (" + tensor(with(m, k), lhsType) + ", " + tensor(rhsShape, rhsType) +
           (bias.empty() ? "" : ", " + tensor({n}, "i32")) + ") -> " + tensor(shape, "i32"));
  addStages(sums, shape);
  result.module = "func.func @main(" + arguments + ") -> " + returnType + " {\n" + body + "  return " + returned +
                  " : " + returnType + "\n}\n";
  result.config = config();
  return std::move(result);
}

RandomProduct test::randomProduct(uint32_t seed) { return Generator(seed).make(); }
