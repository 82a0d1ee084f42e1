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
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"

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

/// Of the files that the C and its header are.
static std::string stemOf(const NativeOptions &options) { return options.stem.empty() ? options.name : options.stem; }

namespace {

/// Writes the parts of the file.
class FileWriter {
public:
  FileWriter(ModuleOp module, const NativeOptions &options, WeightBlob *weights, llvm::raw_ostream &os)
      : module(module), manifest(describeProgram(module, options, /*codeBytes=*/0)), stem(stemOf(options)),
        weights(weights), os(os) {}
  LogicalResult run(func::FuncOp main);

private:
  void visit(func::FuncOp function);
  const llvm::BitVector &writtenBy(func::FuncOp function);
  LogicalResult functions(func::FuncOp main, std::string &body);
  LogicalResult report(func::FuncOp main, func::FuncOp function, Operation *op);
  LogicalResult constants(std::string &text);
  LogicalResult constant(memref::GlobalOp global, llvm::raw_ostream &os);
  void checkWeights();
  void entry();
  void program();

  ModuleOp module;
  const Manifest manifest;
  const std::string stem;
  WeightBlob *weights;
  llvm::StringMap<uint64_t> offsets; // of constants, among the weights
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

/// Constants are the file's own.
static std::string shortName(StringRef constant) {
  constant.consume_front("vitq_");
  return constant.str();
}

LogicalResult FileWriter::functions(func::FuncOp main, std::string &body) {
  visit(main);
  llvm::raw_string_ostream stream(body);
  const FunctionWriter::WrittenBy query = [&](func::FuncOp function) -> const llvm::BitVector & {
    return writtenBy(function);
  };
  const FunctionWriter::ConstantBytes constantBytes = [&](StringRef name) {
    return weights ? "(" + manifest.name + "_weights + " + std::to_string(offsets.lookup(name)) + "u)"
                   : shortName(name) + ".b";
  };
  for (func::FuncOp function : order) {
    FunctionWriter writer(function, query, constantBytes, stream);
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

LogicalResult FileWriter::constant(memref::GlobalOp global, llvm::raw_ostream &os) {
  auto elements = dyn_cast_or_null<ElementsAttr>(global.getInitialValueAttr());
  ArrayRef<char> bytes;
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(elements); resource)
    bytes = resource.getData();
  else if (auto dense = dyn_cast_or_null<DenseIntElementsAttr>(elements); dense && !dense.isSplat())
    bytes = dense.getRawData();
  if (bytes.empty() || !global.getType().getElementType().isInteger(8))
    return global.emitOpError("is no constant of bytes that C could hold");
  if (weights) {
    weights->bytes.resize(llvm::alignTo(weights->bytes.size(), sizeof(uint64_t)));
    offsets[global.getSymName()] = weights->bytes.size();
    weights->bytes.append(bytes.begin(), bytes.end());
    return success();
  }
  os << "VITQ_CONSTANT(" << shortName(global.getSymName()) << ", " << bytes.size() << ") = {{";
  printBytes(os, bytes);
  os << "}};\n";
  return success();
}

/// Before functions are written, which ask where a constant is.
LogicalResult FileWriter::constants(std::string &text) {
  llvm::raw_string_ostream stream(text);
  if (weights)
    weights->bytes.assign(WeightBlob::kHead, '\0');
  for (auto global : module.getOps<memref::GlobalOp>())
    if (failed(constant(global, stream)))
      return failure();
  stream << "\n";
  if (!weights)
    return success();
  weights->bytes.resize(llvm::alignTo(weights->bytes.size(), sizeof(uint64_t)));
  char *head = weights->bytes.data();
  weights->checksum = llvm::crc32(llvm::arrayRefFromStringRef(StringRef(weights->bytes).drop_front(WeightBlob::kHead)));
  llvm::copy(StringRef("vitqwgt1"), head);
  llvm::support::endian::write32le(head + 8, static_cast<uint32_t>(weights->bytes.size()));
  llvm::support::endian::write32le(head + 12, weights->checksum);
  return success();
}

/// The head of the weights is looked at in every run, all of them when the program is asked to.
void FileWriter::checkWeights() {
  const std::string pointer = manifest.name + "_weights", upper = StringRef(manifest.name).upper() + "_WEIGHTS";
  os << "static bool vitq_knows_weights(void) {\n  static const u8 head[] = {";
  printBytes(os, ArrayRef<char>(weights->bytes.data(), 16));
  os << "};\n"
     << "  for (size_t i = 0u; i < sizeof head; ++i) {\n    if (" << pointer
     << "[i] != head[i]) {\n      return false;\n    }\n  }\n  return true;\n}\n\n"
     << "int " << manifest.name << "_check_weights(void) {\n  u32 crc = 0xffffffffu;\n"
     << "  for (size_t i = " << WeightBlob::kHead << "u; i < " << upper << "_BYTES; ++i) {\n"
     << "    crc ^= " << pointer << "[i];\n    for (u32 bit = 0u; bit < 8u; ++bit) {\n"
     << "      crc = (crc >> 1u) ^ (((crc & 1u) != 0u) ? 0xedb88320u : 0u);\n    }\n  }\n"
     << "  return (vitq_knows_weights() && (~crc == " << upper << "_CRC32)) ? 0 : 2;\n}\n\n";
}

void FileWriter::entry() {
  os << "int " << manifest.name << "_run(const void *in, void *out, void *arena) {\n"
     << "  if ((in == NULL) || (out == NULL) || (arena == NULL) || (((uintptr_t)arena % " << manifest.arenaAlign
     << "u) != 0u)) {\n    return 1;\n  }\n"
     << (weights ? "  if (!vitq_knows_weights()) {\n    return 2;\n  }\n" : "") << "  vitq_main((const u8 *)in";
  for (const Manifest::Output &output : manifest.outputs)
    os << ", (u8 *)out" << (output.offset ? " + " + std::to_string(output.offset) + "u" : "");
  os << ", (u8 *)arena);\n  return 0;\n}\n";
}

/// For those who load programs: the symbol of Program.h.
void FileWriter::program() {
  const std::string text = manifest.toJSON();
  os << "\n#ifdef VITQ_PROGRAM\n/* A shared library of this file is a program of vitq-run. */\n"
     << "typedef struct {\n  uint32_t abi_version;\n  const char *name;\n"
     << "  int (*run)(const void *in, void *out, void *arena);\n  const char *manifest;\n"
     << "  int (*run_profiled)(const void *in, void *out, void *arena, uint64_t *ticks);\n"
     << "  int (*run_mt)(const void *in, void *out, void *arena, int threads);\n} vitq_program;\n"
     << "static const u8 vitq_manifest[] = {";
  printBytes(os, ArrayRef<char>(text.data(), text.size()));
  os << ",0};\nextern const vitq_program " << VITQ_PROGRAM_SYMBOL << ";\nconst vitq_program " << VITQ_PROGRAM_SYMBOL
     << " = {" << manifest.abi << "u, \"" << manifest.name << "\", " << manifest.name
     << "_run, (const char *)vitq_manifest, NULL, NULL};\n#endif\n";
}

LogicalResult FileWriter::run(func::FuncOp main) {
  std::string body, data;
  if (failed(constants(data)))
    return failure();
  const std::string own = main.getSymName().str();
  main.setSymName("vitq_main");
  const LogicalResult written = functions(main, body);
  main.setSymName(own);
  if (failed(written))
    return failure();
  os << "/* " << manifest.name
     << ", compiled by vitq to freestanding C99: integers only, no library, no memory of its\n"
     << "   own; " << stem << ".h declares what it exports. */\n"
     << "#include \"" << stem << ".h\"\n\n"
     << preludeHead(/*constants=*/!weights) << preludeFunctions(body) << data << body;
  if (weights)
    checkWeights();
  entry();
  program();
  return success();
}

LogicalResult vitq::emitPortableC(ModuleOp module, const NativeOptions &options, llvm::raw_ostream &os,
                                  WeightBlob *weights) {
  FailureOr<func::FuncOp> main = findMain(module);
  if (failed(main))
    return failure();
  return FileWriter(module, options, weights, os).run(*main);
}

std::string vitq::portableHeaderOf(ModuleOp module, const NativeOptions &options, const WeightBlob *weights) {
  if (!weights)
    return headerOf(module, options);
  const std::string upper = StringRef(options.name).upper() + "_WEIGHTS";
  std::string more;
  llvm::raw_string_ostream(more) << "#define " << upper << "_BYTES " << weights->bytes.size() << "\n#define " << upper
                                 << "_ALIGN " << WeightBlob::kAlign << "\n#define " << upper << "_CRC32 0x"
                                 << llvm::utohexstr(weights->checksum, true, 8) << "u\n\n/* The bytes of "
                                 << stemOf(options)
                                 << ".bin, which you place in memory. */\nextern const unsigned char " << options.name
                                 << "_weights[" << upper << "_BYTES];\n\n/* 0 if they are this program's, else 2. "
                                 << options.name << "_run looks at their first bytes only, and returns 2 too. */\nint "
                                 << options.name << "_check_weights(void);\n\n";
  return headerOf(module, options, more);
}
