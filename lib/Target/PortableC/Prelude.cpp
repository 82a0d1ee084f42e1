//===- Prelude.cpp - Functions that emitted C uses -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What C leaves to the implementation is checked where the file is compiled: numbers that do
// not fit are converted modulo 2^N, shifts of negative numbers to the right are arithmetic, and
// constants are little endian.
//
//===----------------------------------------------------------------------===//

#include "Prelude.h"

#include "FunctionWriter.h"

#include "llvm/Support/FormatVariadic.h"

using namespace vitq;

static constexpr const char *kHead = R"(#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "constants of this program are little endian"
#endif
#endif

/* Conversions to types with a sign are modulo 2^N, shifts of these to the right arithmetic. */
typedef char vitq_converts_modulo[((int32_t)UINT32_C(0xffffffff) == -1) ? 1 : -1];
typedef char vitq_shifts_arithmetically[((-2 >> 1) == -1) ? 1 : -1];

/* Memory is used again for numbers of other widths. Without the attribute: -fno-strict-aliasing
   or what is its like. */
#if defined(__GNUC__)
#define VITQ_ALIAS __attribute__((__may_alias__))
#else
#define VITQ_ALIAS
#endif
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uint16_t VITQ_ALIAS u16a;
typedef uint32_t VITQ_ALIAS u32a;
typedef uint64_t VITQ_ALIAS u64a;
#define U16(p) ((u16a *)(void *)(p))
#define U32(p) ((u32a *)(void *)(p))
#define U64(p) ((u64a *)(void *)(p))
#define CU16(p) ((const u16a *)(const void *)(p))
#define CU32(p) ((const u32a *)(const void *)(p))
#define CU64(p) ((const u64a *)(const void *)(p))
)";

static constexpr const char *kConstants = R"(
/* Bytes that may be read as wider numbers. */
#define VITQ_CONSTANT(name, size) static const union { u8 b[size]; u64 alignment; } name
)";

std::string portable::preludeHead(bool constants) { return std::string(kHead) + (constants ? kConstants : "") + "\n"; }

/// A function of two numbers of `suffix`: {0} is the suffix, {1} the type, {2} the one with a sign.
static constexpr std::pair<const char *, const char *> kFunctions[] = {
    {"sra", "static inline {1} sra_{0}({1} x, {1} n) {{\n  return ({1})(({2})x >> n);\n}\n"},
    {"sdiv", "static inline {1} sdiv_{0}({1} x, {1} y) {{\n  return ({1})(({2})x / ({2})y);\n}\n"},
    {"floordiv", "static inline {1} floordiv_{0}({1} x, {1} y) {{\n"
                 "  const {2} quotient = ({2})x / ({2})y, rest = ({2})x % ({2})y;\n"
                 "  return ({1})(quotient - (((rest != 0) && ((rest < 0) != (({2})y < 0))) ? 1 : 0));\n}\n"},
    {"smax", "static inline {1} smax_{0}({1} x, {1} y) {{\n  return (({2})x > ({2})y) ? x : y;\n}\n"},
    {"smin", "static inline {1} smin_{0}({1} x, {1} y) {{\n  return (({2})x < ({2})y) ? x : y;\n}\n"},
    {"umax", "static inline {1} umax_{0}({1} x, {1} y) {{\n  return (x > y) ? x : y;\n}\n"},
    {"umin", "static inline {1} umin_{0}({1} x, {1} y) {{\n  return (x < y) ? x : y;\n}\n"},
    {"sadd_sat", "static inline {1} sadd_sat_{0}({1} x, {1} y) {{\n"
                 "  const {1} sum = ({1})(x + y), limit = ({1})((x >> {3}) + ((({1})~({1})0) >> 1));\n"
                 "  return (((x ^ sum) & (y ^ sum)) >> {3}) ? limit : sum;\n}\n"},
    {"clz", "static inline {1} clz_{0}({1} x) {{\n"
            "  {1} zeros = {4}, rest = x;\n"
            "  for ({1} step = {4} / 2; step > 0; step = step / 2) {{\n"
            "    const {1} high = rest >> step;\n"
            "    if (high != 0) {{\n      zeros -= step;\n      rest = high;\n    }\n  }\n"
            "  return zeros - rest;\n}\n"},
};

/// Numbers of `from` bits with a sign as ones of `to`, and products of these.
static constexpr const char *kExtension = "static inline {1} sext_{0}({2} x) {{\n  return ({1})({3})({4})x;\n}\n\n";
static constexpr const char *kProduct = "static inline {1} smul_{0}({2} x, {2} y) {{\n"
                                        "  return ({1})(({3})({4})x * ({3})({4})y);\n}\n\n";

static std::string typeNamed(llvm::StringRef suffix, bool isSigned) {
  if (suffix == "index")
    return isSigned ? "ptrdiff_t" : "size_t";
  return isSigned ? "int" + suffix.str() + "_t" : "u" + suffix.str();
}

/// Sums of products of rows of numbers and a run of bytes. Cortex-M4 and its like have instructions for two products at
/// a time: bytes are brought into pairs for all rows.
static constexpr const char *kPairs = R"(#if !defined(VITQ_SMLAD) && defined(__ARM_FEATURE_SIMD32)
#include <arm_acle.h>
/* sum + the products of the 16-bit halves of x and y. */
#define VITQ_SMLAD(x, y, sum) ((u32)__smlad((int16x2_t)(x), (int16x2_t)(y), (int32_t)(sum)))
#endif
#ifdef VITQ_SMLAD
typedef struct __attribute__((__packed__, __may_alias__)) {
  u32 word;
} vitq_any_word;
#define WORD(p) (((const vitq_any_word *)(const void *)(p))->word)
/* Numbers 0 and 2 of four with a sign, in 16 bits each. */
#define EVEN_BYTES(x) ((u32)__sxtb16((int8x4_t)(x)))
#endif

)";
static constexpr const char *kMixedProduct = "static inline u32 smul_16_8(u16 x, u8 y) {\n"
                                             "  return (u32)((int32_t)(int16_t)x * (int32_t)(int8_t)y);\n}\n\n";

/// dot_N: sums[r] += the sum of row[r][i] * run[i].
static std::string dotFunction(unsigned rows) {
  auto each = [&](const char *text) {
    std::string all;
    for (unsigned row = 0; row < rows; ++row)
      all += llvm::formatv(text, row).str();
    return all;
  };
  return "static inline void dot_" + std::to_string(rows) + "(size_t n" + each(", const u16a *restrict a{0}") +
         ", const u8 *restrict b, u32 *restrict sums) {\n" + each("  u32 s{0} = sums[{0}];\n") +
         "  size_t i = 0u;\n#ifdef VITQ_SMLAD\n  for (; i < (n - (n % 4u)); i += 4u) {\n"
         "    const u32 x = WORD(b + i), even = EVEN_BYTES(x), odd = EVEN_BYTES((x >> 8u) | (x << 24u));\n"
         "    const u32 low = (even & 0xffffu) | (odd << 16u), high = (even >> 16u) | (odd & 0xffff0000u);\n" +
         each("    s{0} = VITQ_SMLAD(WORD(a{0} + i + 2u), high, VITQ_SMLAD(WORD(a{0} + i), low, s{0}));\n") +
         "  }\n  i = n - (n % 4u);\n#endif\n  for (; i < n; ++i) {\n" +
         each("    s{0} += smul_16_8(a{0}[i], b[i]);\n") + "  }\n" + each("  sums[{0}] = s{0};\n") + "}\n\n";
}

static std::string dotFunctions(llvm::StringRef body) {
  std::string text;
  for (unsigned rows = 1; rows <= portable::kMostDotRows; ++rows)
    if (body.contains("dot_" + std::to_string(rows) + "("))
      text += (text.empty() ? kPairs : "") + dotFunction(rows);
  return text.empty() && !body.contains("smul_16_8(") ? text : kMixedProduct + text;
}

static std::string wideningFunctions(llvm::StringRef body) {
  std::string text;
  auto add = [&](const char *definition, llvm::StringRef name, const std::string &suffix, llvm::StringRef from,
                 llvm::StringRef to) {
    if (body.contains((name + suffix + "(").str()))
      text += llvm::formatv(definition, suffix, typeNamed(to, false), typeNamed(from, false), typeNamed(to, true),
                            typeNamed(from, true))
                  .str();
  };
  for (llvm::StringRef from : {"8", "16", "32", "64", "index"}) {
    for (llvm::StringRef to : {"16", "32", "64", "index"})
      add(kExtension, "sext_", (from + "_" + to).str(), from, to);
    add(kProduct, "smul_", from.str(), from, from == "32" ? "64" : "32");
  }
  return text;
}

std::string portable::preludeFunctions(llvm::StringRef body) {
  std::string text = dotFunctions(body) + wideningFunctions(body);
  for (auto [name, definition] : kFunctions)
    for (llvm::StringRef suffix : {"8", "16", "32", "64", "index"}) {
      if (!body.contains((name + llvm::Twine("_") + suffix + "(").str()))
        continue;
      const bool isIndex = suffix == "index";
      const std::string type = typeNamed(suffix, false), sign = typeNamed(suffix, true),
                        bits = isIndex ? "(sizeof(size_t) * 8u)" : suffix.str() + "u";
      text += llvm::formatv(definition, suffix, type, sign,
                            isIndex ? "(sizeof(size_t) * 8u - 1u)" : std::to_string(std::stoi(suffix.str()) - 1) + "u",
                            bits)
                  .str() +
              "\n";
    }
  return text;
}
