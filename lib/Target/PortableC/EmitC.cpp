//===- EmitC.cpp - Integer programs as C -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionWriter.h"
#include "Prelude.h"

#include "mlir/Transforms/Passes.h"
#include "vitq/Conversion/KernelCalls.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/PortableC.h"

#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/SetVector.h"

#include <map>

using namespace mlir;
using namespace vitq;
using namespace vitq::portable;

void vitq::buildVitqToPortableCPipeline(OpPassManager &manager, bool fuse) {
  if (fuse) {
    VitqFormKernelsPassOptions form;
    form.target = kPortable.str();
    manager.addPass(createVitqFormKernelsPass(form));
  }
  ConvertVitqToKernelsPassOptions kernels;
  kernels.target = kPortable.str();
  manager.addPass(createConvertVitqToKernelsPass(kernels));
  manager.addPass(createVitqPlanArenaPass());
  VitqAddEntryPointsPassOptions entries;
  entries.target = kPortable.str();
  entries.profile = false;
  manager.addPass(createVitqAddEntryPointsPass(entries));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

namespace {

/// Writes the parts of the file.
class FileWriter {
public:
  FileWriter(ModuleOp module, const NativeOptions &options, llvm::raw_ostream &os)
      : module(module), manifest(describeProgram(module, options, /*codeBytes=*/0)), os(os) {}
  LogicalResult run(func::FuncOp main);

private:
  void visit(func::FuncOp function);
  const llvm::BitVector &writtenBy(func::FuncOp function);
  LogicalResult functions(func::FuncOp main, std::string &body);
  LogicalResult report(func::FuncOp main, func::FuncOp function, Operation *op);
  LogicalResult constants();
  void entry();
  void program();

  ModuleOp module;
  const Manifest manifest;
  llvm::raw_ostream &os;
  /// Those that are called before those that call them.
  llvm::SetVector<func::FuncOp> order;
  std::map<Operation *, llvm::BitVector> written;
};

} // namespace

static func::FuncOp calleeOf(func::CallOp call) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
}

/// Kernels do not call themselves.
void FileWriter::visit(func::FuncOp function) {
  function.walk([&](func::CallOp call) { visit(calleeOf(call)); });
  order.insert(function);
}

const llvm::BitVector &FileWriter::writtenBy(func::FuncOp function) {
  auto [found, isNew] = written.try_emplace(function, function.getNumArguments());
  if (!isNew)
    return found->second;
  llvm::BitVector result(function.getNumArguments());
  SmallVector<Value> targets;
  function.walk([&](Operation *op) {
    if (auto store = dyn_cast<memref::StoreOp>(op))
      targets.push_back(store.getMemRef());
    if (auto copy = dyn_cast<memref::CopyOp>(op))
      targets.push_back(copy.getTarget());
    if (auto call = dyn_cast<func::CallOp>(op)) {
      const llvm::BitVector inner = writtenBy(calleeOf(call));
      for (unsigned i : inner.set_bits())
        targets.push_back(call.getOperand(i));
    }
  });
  while (!targets.empty()) {
    Value target = targets.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(target)) {
      if (argument.getOwner() == &function.getBody().front())
        result.set(argument.getArgNumber());
    } else if (auto view = target.getDefiningOp<ViewLikeOpInterface>()) {
      targets.push_back(view.getViewSource());
    } else if (auto choice = target.getDefiningOp<arith::SelectOp>()) {
      targets.append({choice.getTrueValue(), choice.getFalseValue()});
    }
  }
  return written[function] = result;
}

/// Kernels have no node of their own: the first step that comes to `function` has.
LogicalResult FileWriter::report(func::FuncOp main, func::FuncOp function, Operation *op) {
  Operation *at = op;
  for (auto call : main.getOps<func::CallOp>()) {
    SmallVector<func::FuncOp> reached{calleeOf(call)};
    bool isCaller = false;
    while (!reached.empty()) {
      func::FuncOp next = reached.pop_back_val();
      isCaller |= next == function;
      next.walk([&](func::CallOp inner) { reached.push_back(calleeOf(inner)); });
    }
    if (isCaller) {
      at = call;
      break;
    }
  }
  return emitError(at->getLoc()) << "its kernel has no C, because of '" << op->getName()
                                 << "'; compile it for a CPU (--target=native)";
}

LogicalResult FileWriter::functions(func::FuncOp main, std::string &body) {
  visit(main);
  llvm::raw_string_ostream stream(body);
  const FunctionWriter::WrittenBy query = [&](func::FuncOp function) -> const llvm::BitVector & {
    return writtenBy(function);
  };
  for (func::FuncOp function : order) {
    FunctionWriter writer(function, query, stream);
    if (failed(writer.write()))
      return report(main, function, writer.unsupported);
  }
  return success();
}

/// Elements that are left out are 0.
static void printBytes(llvm::raw_ostream &os, ArrayRef<char> bytes) {
  while (bytes.size() > 1 && bytes.back() == 0)
    bytes = bytes.drop_back();
  for (auto [i, byte] : llvm::enumerate(bytes))
    os << (i % 32 ? "" : "\n") << unsigned{static_cast<uint8_t>(byte)} << (i + 1 < bytes.size() ? "," : "");
}

LogicalResult FileWriter::constants() {
  for (auto global : module.getOps<memref::GlobalOp>()) {
    auto elements = dyn_cast_or_null<ElementsAttr>(global.getInitialValueAttr());
    ArrayRef<char> bytes;
    if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(elements); resource)
      bytes = resource.getData();
    else if (auto dense = dyn_cast_or_null<DenseIntElementsAttr>(elements); dense && !dense.isSplat())
      bytes = dense.getRawData();
    if (bytes.empty() || !global.getType().getElementType().isInteger(8))
      return global.emitOpError("is no constant of bytes that C could hold");
    os << "VITQ_CONSTANT(" << global.getSymName() << ", " << bytes.size() << ") = {{";
    printBytes(os, bytes);
    os << "}};\n";
  }
  os << "\n";
  return success();
}

void FileWriter::entry() {
  os << "int " << manifest.name << "_run(const void *in, void *out, void *arena) {\n"
     << "  if ((in == NULL) || (out == NULL) || (arena == NULL) || (((uintptr_t)arena % " << manifest.arenaAlign
     << "u) != 0u)) {\n    return 1;\n  }\n"
     << "  vitq_main((const uint8_t *)in";
  for (const Manifest::Output &output : manifest.outputs)
    os << ", (uint8_t *)out" << (output.offset ? " + " + std::to_string(output.offset) + "u" : "");
  os << ", (uint8_t *)arena);\n  return 0;\n}\n";
}

/// For those who load programs: the symbol of Program.h.
void FileWriter::program() {
  const std::string text = manifest.toJSON();
  os << "\n#ifdef VITQ_PROGRAM\n/* A shared library of this file is a program of vitq-run. */\n"
     << "typedef struct {\n  uint32_t abi_version;\n  const char *name;\n"
     << "  int (*run)(const void *in, void *out, void *arena);\n  const char *manifest;\n"
     << "  int (*run_profiled)(const void *in, void *out, void *arena, uint64_t *ticks);\n"
     << "  int (*run_mt)(const void *in, void *out, void *arena, int threads);\n} vitq_program;\n"
     << "static const uint8_t vitq_manifest[] = {";
  printBytes(os, ArrayRef<char>(text.data(), text.size()));
  os << ",0};\nextern const vitq_program " << VITQ_PROGRAM_SYMBOL << ";\nconst vitq_program " << VITQ_PROGRAM_SYMBOL
     << " = {" << manifest.abi << "u, \"" << manifest.name << "\", " << manifest.name
     << "_run, (const char *)vitq_manifest, NULL, NULL};\n#endif\n";
}

LogicalResult FileWriter::run(func::FuncOp main) {
  std::string body;
  const std::string own = main.getSymName().str();
  main.setSymName("vitq_main");
  const LogicalResult written = functions(main, body);
  main.setSymName(own);
  if (failed(written))
    return failure();
  os << "/* " << manifest.name
     << ", compiled by vitq to freestanding C99: integers only, no library, no memory of its\n"
     << "   own; " << manifest.name << ".h declares what it exports. */\n"
     << "#include \"" << manifest.name << ".h\"\n\n"
     << preludeHead() << preludeFunctions(body);
  if (failed(constants()))
    return failure();
  os << body;
  entry();
  program();
  return success();
}

LogicalResult vitq::emitPortableC(ModuleOp module, const NativeOptions &options, llvm::raw_ostream &os) {
  FailureOr<func::FuncOp> main = findMain(module);
  if (failed(main))
    return failure();
  return FileWriter(module, options, os).run(*main);
}
