//===- AttributesTest.cpp -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Tensor/Attributes.h"
#include "vitq/Support/Constants.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

#include <numeric>

using namespace mlir;
using namespace vitq;

namespace {

class Attributes : public ::testing::Test {
protected:
  Tensor read(StringRef text) {
    llvm::Expected<Tensor> tensor = readTensor(parseAttribute(text, &context));
    if (tensor)
      return *tensor;
    ADD_FAILURE() << llvm::toString(tensor.takeError());
    return Tensor::of<int8_t>({}, {0});
  }
  std::string reasonOf(Attribute attribute) {
    llvm::Expected<Tensor> tensor = readTensor(attribute);
    return tensor ? "" : llvm::toString(tensor.takeError());
  }
  RankedTensorType type(ArrayRef<int64_t> shape, unsigned width) {
    return RankedTensorType::get(shape, IntegerType::get(&context, width));
  }

  MLIRContext context;
};

} // namespace

TEST_F(Attributes, AreReadInTheirOwnWidth) {
  Tensor codes = read("dense<[[1, -2], [127, -128]]> : tensor<2x2xi8>");
  EXPECT_EQ(codes.kind(), ElementKind::I8);
  EXPECT_EQ(codes.shape(), ArrayRef<int64_t>({2, 2}));
  EXPECT_EQ(codes.values<int8_t>(), ArrayRef<int8_t>({1, -2, 127, -128}));
  EXPECT_EQ(read("dense<-3> : tensor<5xi16>").values<int16_t>(), ArrayRef<int16_t>({-3, -3, -3, -3, -3}));
  EXPECT_EQ(read("dense<[true, false, true]> : tensor<3xi1>").values<bool>(), ArrayRef<bool>({true, false, true}));
  EXPECT_EQ(read("dense<true> : tensor<2xi1>").intAt(1), 1);
  EXPECT_EQ(read("dense<[0.5, -1.0]> : tensor<2xf64>").values<double>(), ArrayRef<double>({0.5, -1.0}));
  EXPECT_EQ(read("dense<[4294967296]> : tensor<1xi64>").intAt(0), int64_t(1) << 32);
  EXPECT_EQ(read("1.5 : f32").realAt(0), 1.5);
  EXPECT_EQ(read("-7 : i32").intAt(0), -7);
  EXPECT_EQ(read("true").intAt(0), 1);
  EXPECT_EQ(read("dense<> : tensor<0xf32>").numElements(), 0);
}

// Codes of 2 to 7 bits take a byte, extended by their sign.
TEST_F(Attributes, NarrowCodesTakeAByte) {
  Tensor codes = read("dense<[7, -8, -1, 0]> : tensor<4xi4>");
  EXPECT_EQ(codes.values<int8_t>(), ArrayRef<int8_t>({7, -8, -1, 0}));
  EXPECT_EQ(read("dense<-2> : tensor<3xi2>").values<int8_t>(), ArrayRef<int8_t>({-2, -2, -2}));
  EXPECT_EQ(storageKindOf(IntegerType::get(&context, 12)), ElementKind::I16);
  EXPECT_EQ(exactKindOf(IntegerType::get(&context, 12)), std::nullopt);
  EXPECT_EQ(storageKindOf(IntegerType::get(&context, 65)), std::nullopt);
}

TEST_F(Attributes, SayWhyTheyCannotBeRead) {
  EXPECT_EQ(reasonOf({}), "is no constant number or tensor");
  EXPECT_EQ(reasonOf(parseAttribute("[1, 2]", &context)), "is no constant number or tensor");
  EXPECT_EQ(reasonOf(parseAttribute("dense<1.0> : tensor<2xbf16>", &context)), "has elements of type bf16");
  EXPECT_EQ(reasonOf(parseAttribute("1 : index", &context)), "has elements of type index");
  EXPECT_EQ(reasonOf(parseAttribute("dense_resource<nothing> : tensor<2xf32>", &context)),
            "has no data for its resource 'nothing'; was the module printed with elided resources?");
  Tensor values = Tensor::allocate(ElementKind::I16, {16});
  std::iota(values.mutableData<int16_t>(), values.mutableData<int16_t>() + 16, 0);
  auto blob = cast<DenseResourceElementsAttr>(makeTensorAttr(type({16}, 16), values, "values"));
  EXPECT_EQ(reasonOf(DenseResourceElementsAttr::get(type({16}, 32), blob.getRawHandle())),
            "needs 64 bytes, its resource 'values' has 32");
}

// A blob's memory is the tensor's, there and back.
TEST_F(Attributes, BlobsShareTheElements) {
  Tensor values = Tensor::allocate(ElementKind::I8, {4, 4});
  std::iota(values.mutableData<int8_t>(), values.mutableData<int8_t>() + 16, -8);
  const char *bytes = values.bytes();
  TypedAttr attribute = makeTensorAttr(type({4, 4}, 8), values, "values");
  values = Tensor();
  ASSERT_TRUE(isa<DenseResourceElementsAttr>(attribute));
  Tensor back = llvm::cantFail(readTensor(attribute));
  EXPECT_EQ(back.bytes(), bytes);
  EXPECT_EQ(back.intAt(15), 7);
  // Of what it does not own it makes a copy.
  TypedAttr copy = makeTensorAttr(type({16}, 8), back.reshaped({16}), "values");
  EXPECT_NE(llvm::cantFail(readTensor(copy)).bytes(), bytes);
  EXPECT_EQ(cast<DenseResourceElementsAttr>(copy).getRawHandle().getKey(), "values_1");
}

TEST_F(Attributes, FewOrEqualElementsAreDense) {
  auto text = [](Attribute attribute) {
    std::string result;
    llvm::raw_string_ostream(result) << attribute;
    return result;
  };
  auto few = Tensor::of<int32_t>({3}, {1, -2, 3});
  EXPECT_EQ(text(makeTensorAttr(type({3}, 32), few, "few")), "dense<[1, -2, 3]> : tensor<3xi32>");
  auto equal = Tensor::of<int16_t>({20}, std::vector<int16_t>(20, -5));
  EXPECT_EQ(text(makeTensorAttr(type({20}, 16), equal, "equal")), "dense<-5> : tensor<20xi16>");
  auto bits = Tensor::of<bool>({3}, {true, false, true});
  EXPECT_EQ(text(makeTensorAttr(type({3}, 1), bits, "bits")), "dense<[true, false, true]> : tensor<3xi1>");
  auto narrow = Tensor::of<int8_t>({4}, {7, -8, -1, 0});
  EXPECT_EQ(text(makeTensorAttr(type({4}, 4), narrow, "narrow")), "dense<[7, -8, -1, 0]> : tensor<4xi4>");
  EXPECT_EQ(text(makeTensorAttr(type({0}, 8), Tensor::allocate(ElementKind::I8, {0}), "none")),
            "dense<> : tensor<0xi8>");
}

// Without somewhere to say the reason, a reader only fails.
TEST_F(Attributes, ReadersEmitTheReason) {
  std::string said;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) { said = diagnostic.str(); });
  auto emit = [&] { return emitError(UnknownLoc::get(&context), "the weight "); };
  Attribute reals = parseAttribute("dense<1.0> : tensor<2xf32>", &context);
  EXPECT_TRUE(failed(getIntConstant(reals)));
  EXPECT_EQ(said, "");
  EXPECT_TRUE(failed(getIntConstant(reals, emit)));
  EXPECT_EQ(said, "the weight has elements of type f32");
  EXPECT_TRUE(failed(getFloatConstant(Value(), emit)));
  EXPECT_EQ(said, "the weight is no constant number or tensor");
  FailureOr<std::vector<double>> values = getFloatConstant(reals, emit);
  ASSERT_TRUE(succeeded(values));
  EXPECT_EQ(*values, std::vector<double>({1.0, 1.0}));
}
