//===- EmitNative.cpp - From the integer phase to files -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmitNative.h"
#include "PassStages.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Target/FloatScan.h"

#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace vitq {

LogicalResult reportError(ModuleOp module, llvm::Error error) {
  if (!error)
    return success();
  return emitError(UnknownLoc::get(module.getContext()), llvm::toString(std::move(error)));
}

LogicalResult lowerNative(ModuleOp module, const NativeOptions &options, NativeFacts &facts) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  buildVitqToLLVMPipeline(pm, options.target.text, options.fuse, options.openmp);
  pm.addInstrumentation(std::make_unique<PassStages>());
  if (failed(pm.run(module)))
    return failure();
  auto recorded = [&](llvm::StringRef name) -> std::optional<int64_t> {
    auto value = module->getAttrOfType<IntegerAttr>(name);
    return value ? std::optional<int64_t>(value.getInt()) : std::nullopt;
  };
  facts.weightBytes = recorded("vitq.weight_bytes");
  facts.arenaBytes = recorded("vitq.arena_bytes");
  facts.arenaLowerBound = recorded("vitq.arena_lower_bound");
  return success();
}

using Emitter = LogicalResult (*)(ModuleOp, const NativeOptions &, llvm::raw_pwrite_stream &);

static FailureOr<llvm::SmallString<0>> emitToString(ModuleOp module, const NativeOptions &options, Emitter emitter) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream os(text);
  if (failed(emitter(module, options, os)))
    return failure();
  return text;
}

/// Object code, with its header and manifest beside it where asked for: all of them
/// or none.
static LogicalResult writeObject(ModuleOp module, const NativeOptions &options, llvm::StringRef object,
                                 uint64_t codeBytes, const NativeRequest &request) {
  Stage stage("link or write");
  if (request.emit == OutputKind::SharedObject)
    return reportError(module, linkSharedObject(llvm::ArrayRef<char>(object.data(), object.size()), request.output));
  llvm::SmallString<128> header(request.output), manifest(request.output);
  llvm::sys::path::replace_extension(header, ".h");
  llvm::sys::path::replace_extension(manifest, ".json");
  if (failed(reportError(module, writeFileAtomically(request.output, object))))
    return failure();
  llvm::FileRemover removeObject(request.output);
  if (failed(reportError(module, writeFileAtomically(header, llvm::StringRef(headerOf(module, options))))))
    return failure();
  llvm::FileRemover removeHeader(header);
  if (failed(
          reportError(module, writeFileAtomically(manifest, llvm::StringRef(manifestOf(module, options, codeBytes))))))
    return failure();
  removeObject.releaseFile();
  removeHeader.releaseFile();
  return success();
}

/// Weights of this size are still in a cache (L3) when the next image needs them. Then
/// nothing is gained by computing a step for several images, whose activations would be
/// too many for L1 and L2.
static constexpr int64_t kCachedWeights = 32 << 20;

/// Whether the images of a batch are computed one after the other. A module that has
/// its batch already computes them together.
static bool computesInTurn(ModuleOp module, const NativeRequest &request) {
  func::FuncOp main = lookupMain(module);
  const bool ofOneImage = main && llvm::all_of(main.getArgumentTypes(), [](Type type) {
                            auto tensor = dyn_cast<RankedTensorType>(type);
                            return tensor && tensor.getRank() > 0 && tensor.getDimSize(0) == 1;
                          });
  if (!ofOneImage)
    return false;
  if (request.schedule != BatchSchedule::Auto)
    return request.schedule == BatchSchedule::InTurn;
  int64_t weights = 0;
  module.walk([&](arith::ConstantOp constant) {
    if (auto type = dyn_cast<RankedTensorType>(constant.getType()))
      weights += type.getNumElements() * type.getElementTypeBitWidth() / 8;
  });
  return weights <= kCachedWeights;
}

FailureOr<llvm::SmallString<0>> compileObject(ModuleOp module, const NativeOptions &options, NativeFacts &facts) {
  FailureOr<llvm::SmallString<0>> object = emitToString(module, options, emitObject);
  if (failed(object))
    return failure();
  llvm::ArrayRef<char> bytes(object->data(), object->size());
  llvm::Expected<uint64_t> code = codeBytesOf(bytes);
  if (!code) {
    (void)reportError(module, code.takeError());
    return failure();
  }
  facts.codeBytes = static_cast<int64_t>(*code);
  auto floats = [&] {
    Stage stage("scan for floats");
    return scanForFloat(llvm::ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  }();
  if (!floats) {
    (void)reportError(module, floats.takeError());
    return failure();
  }
  facts.floatInstructions = static_cast<int64_t>(floats->size());
  for (const FloatInstruction &instruction : *floats)
    module.emitError("the object computes with floats: '") << instruction.mnemonic << "' in " << instruction.function;
  if (!floats->empty())
    return failure();
  return object;
}

FailureOr<NativeFacts> emitNative(ModuleOp module, const NativeRequest &request) {
  llvm::Expected<TargetDesc> target = TargetDesc::parse(request.target);
  if (!target) {
    (void)reportError(module, target.takeError());
    return failure();
  }
  NativeOptions options;
  options.target = *target;
  options.name = request.name;
  options.openmp = request.openmp;
  if (request.batch > 1) {
    if (computesInTurn(module, request))
      options.turns = request.batch;
    else if (failed(setBatch(module, request.batch)))
      return failure();
  }
  NativeFacts facts;
  facts.target = request.target;
  if (failed(lowerNative(module, options, facts)))
    return failure();

  switch (request.emit) {
  case OutputKind::MLIR:
  case OutputKind::Bytecode:
    if (failed(writeModule(module, request.output, request.emit == OutputKind::Bytecode)))
      return failure();
    return facts;
  case OutputKind::LLVM:
  case OutputKind::Assembly: {
    FailureOr<llvm::SmallString<0>> text =
        emitToString(module, options, request.emit == OutputKind::LLVM ? emitLLVM : emitAssembly);
    if (failed(text) || failed(reportError(module, writeFileAtomically(request.output, text->str()))))
      return failure();
    return facts;
  }
  default:
    break;
  }

  FailureOr<llvm::SmallString<0>> object = compileObject(module, options, facts);
  if (failed(object) || failed(writeObject(module, options, object->str(), *facts.codeBytes, request)))
    return failure();
  return facts;
}

} // namespace vitq
