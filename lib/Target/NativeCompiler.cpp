//===- NativeCompiler.cpp - Integer programs to native code -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/NativeCompiler.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "vitq/Conversion/KernelCalls.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Support/Stages.h"
#include "vitq/Target/Program.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace vitq;

//===----------------------------------------------------------------------===//
// To the LLVM dialect
//===----------------------------------------------------------------------===//

void vitq::buildVitqToLLVMPipeline(OpPassManager &manager, StringRef target, bool fuse, bool openmp) {
  if (fuse) {
    VitqFormKernelsPassOptions form;
    form.target = target.str();
    manager.addPass(createVitqFormKernelsPass(form));
  }
  ConvertVitqToKernelsPassOptions kernels;
  kernels.target = target.str();
  manager.addPass(createConvertVitqToKernelsPass(kernels));
  manager.addPass(createVitqPlanArenaPass());
  VitqAddEntryPointsPassOptions entries;
  entries.target = target.str();
  entries.openmp = openmp;
  manager.addPass(createVitqAddEntryPointsPass(entries));
  manager.addPass(createCSEPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(arith::createArithExpandOpsPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  ConvertFuncToLLVMPassOptions functions;
  functions.useBarePtrCallConv = true;
  manager.addPass(createConvertFuncToLLVMPass(functions));
  manager.addPass(createReconcileUnrealizedCastsPass());
}

namespace {

struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("CPU and features (as vitq-opt --target)"),
                             llvm::cl::init("native")};
  Option<bool> fuse{*this, "fuse", llvm::cl::desc("Compute several ops in one kernel"), llvm::cl::init(true)};
  Option<bool> openmp{*this, "openmp", llvm::cl::desc("Add an entry point that uses threads"), llvm::cl::init(false)};
};

} // namespace

void vitq::registerNativePipelines() {
  PassPipelineRegistration<PipelineOptions>("vitq-to-llvm", "Lower integer ops to the LLVM dialect for one CPU",
                                            [](OpPassManager &manager, const PipelineOptions &options) {
                                              buildVitqToLLVMPipeline(manager, options.target, options.fuse,
                                                                      options.openmp);
                                            });
}

LogicalResult vitq::lowerToLLVM(ModuleOp module, const NativeOptions &options) {
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  buildVitqToLLVMPipeline(manager, options.target.text, options.fuse, options.openmp);
  return manager.run(module);
}

//===----------------------------------------------------------------------===//
// To LLVM IR
//===----------------------------------------------------------------------===//

/// Of which registers of a length that the machine chooses have a multiple.
static constexpr unsigned kScalableBits = 128;

/// Kernels stay functions of their own: inlined, they spill and multiply. What is compiled for registers of one length
/// says so.
static void hideFunctions(llvm::Module &module, const TargetDesc &target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.setLinkage(llvm::GlobalValue::InternalLinkage);
    function.setDoesNotThrow();
    if (function.getName().starts_with("main")) {
      function.setName("vitq_" + function.getName());
      // Calls, once for each step.
      function.addFnAttr(llvm::Attribute::OptimizeForSize);
      function.addFnAttr(llvm::Attribute::MinSize);
    }
    function.addFnAttr(llvm::Attribute::NoInline);
    if (const unsigned scale = target.vectorBits / kScalableBits; target.needsVectorLength())
      function.addFnAttr(llvm::Attribute::getWithVScaleRangeArgs(module.getContext(), scale, scale));
  }
}

namespace {

/// The functions that a program exports, around those of its steps.
class EntryPoints {
public:
  EntryPoints(llvm::Module &module, const Manifest &manifest, const TargetDesc &target)
      : module(module), manifest(manifest), target(target) {}
  /// Adds them and the struct `vitq_program_v1` of Program.h.
  void add(StringRef text);

private:
  llvm::Function *addFunction(const llvm::Twine &name, StringRef main, bool isVariant);
  llvm::Value *isBad(llvm::IRBuilder<> &b, llvm::Function *run);
  llvm::Value *isDeniedTiles(llvm::IRBuilder<> &b);
  /// Operands of `main`: the input, every output, the arena.
  size_t numOperands() const { return 2 + std::max<size_t>(manifest.outputs.size(), 1); }
  void addCall(llvm::IRBuilder<> &b, llvm::Function *callee, ArrayRef<llvm::Value *> args, llvm::Value *turn);
  void addTurns(llvm::IRBuilder<> &b, llvm::Function *callee, ArrayRef<llvm::Value *> args);

  llvm::Module &module;
  const Manifest &manifest;
  const TargetDesc &target;
};

} // namespace

/// Linux saves the registers of tiles only for processes that have asked for them: `arch_prctl(ARCH_REQ_XCOMP_PERM,
/// XFEATURE_XTILEDATA)`, once or again. A program has no library to ask by.
llvm::Value *EntryPoints::isDeniedTiles(llvm::IRBuilder<> &b) {
  constexpr uint64_t archPrctl = 158, requestPermission = 0x1023, tileData = 18;
  llvm::Type *word = b.getInt64Ty();
  auto *type = llvm::FunctionType::get(word, {word, word, word}, false);
  auto *call = llvm::InlineAsm::get(type, "syscall", "={rax},{rax},{rdi},{rsi},~{rcx},~{r11},~{memory}",
                                    /*hasSideEffects=*/true);
  return b.CreateIsNotNull(
      b.CreateCall(type, call, {b.getInt64(archPrctl), b.getInt64(requestPermission), b.getInt64(tileData)}));
}

llvm::Value *EntryPoints::isBad(llvm::IRBuilder<> &b, llvm::Function *run) {
  llvm::Value *bad = b.getFalse();
  for (llvm::Argument &arg : run->args())
    if (arg.getType()->isPointerTy())
      bad = b.CreateOr(bad, b.CreateIsNull(&arg));
    else // 1 to kMaxThreads
      bad = b.CreateOr(bad, b.CreateICmpUGE(b.CreateSub(&arg, b.getInt32(1)), b.getInt32(kMaxThreads)));
  if (target.needsVectorLength())
    bad =
        b.CreateOr(bad, b.CreateICmpNE(b.CreateVScale(b.getInt64Ty()), b.getInt64(target.vectorBits / kScalableBits)));
  if (target.isa->tileRegisters && !target.emulateDot)
    bad = b.CreateOr(bad, isDeniedTiles(b));
  llvm::Value *address = b.CreatePtrToInt(run->getArg(2), b.getInt64Ty());
  return b.CreateOr(bad, b.CreateIsNotNull(b.CreateAnd(address, 63)));
}

/// Calls `callee` with `args`, those of an entry point, for one part of the input and of
/// each output; times, if wanted, follow each other too. All are one part where `turn` is
/// null.
void EntryPoints::addCall(llvm::IRBuilder<> &b, llvm::Function *callee, ArrayRef<llvm::Value *> args,
                          llvm::Value *turn) {
  auto part = [&](llvm::Value *base, uint64_t bytes) {
    return turn ? b.CreatePtrAdd(base, b.CreateMul(turn, b.getInt64(bytes / manifest.turns))) : base;
  };
  SmallVector<llvm::Value *> own = {part(args[0], manifest.input.bytes())};
  for (const Manifest::Output &output : manifest.outputs)
    own.push_back(part(output.offset ? b.CreatePtrAdd(args[1], b.getInt64(output.offset)) : args[1], output.bytes()));
  if (manifest.outputs.empty())
    own.push_back(args[1]);
  llvm::append_range(own, args.drop_front(2));
  if (turn && args.size() > 3 && args[3]->getType()->isPointerTy() && !isa<llvm::Constant>(args[3]))
    own.back() = part(args[3], manifest.turns * manifest.steps.size() * sizeof(uint64_t));
  b.CreateCall(callee, own);
}

/// Calls `callee` for one part after the other.
void EntryPoints::addTurns(llvm::IRBuilder<> &b, llvm::Function *callee, ArrayRef<llvm::Value *> args) {
  llvm::LLVMContext &context = module.getContext();
  llvm::BasicBlock *before = b.GetInsertBlock();
  auto *loop = llvm::BasicBlock::Create(context, "turn", before->getParent());
  auto *done = llvm::BasicBlock::Create(context, "done", before->getParent());
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  llvm::PHINode *turn = b.CreatePHI(b.getInt64Ty(), 2);
  turn->addIncoming(b.getInt64(0), before);
  addCall(b, callee, args, turn);
  llvm::Value *next = b.CreateAdd(turn, b.getInt64(1));
  turn->addIncoming(next, loop);
  b.CreateCondBr(b.CreateICmpULT(next, b.getInt64(manifest.turns)), loop, done);
  b.SetInsertPoint(done);
}

/// int NAME_run(const void *in, void *out, void *arena), which calls `main`. Variants
/// have the operand that follows; NAME_run itself has no place for times.
llvm::Function *EntryPoints::addFunction(const llvm::Twine &name, StringRef main, bool isVariant) {
  llvm::Function *callee = module.getFunction(main);
  if (!callee || (isVariant && callee->arg_size() == numOperands()))
    return nullptr;
  llvm::LLVMContext &context = module.getContext();
  ArrayRef<llvm::Type *> extra = callee->getFunctionType()->params().drop_front(numOperands());
  SmallVector<llvm::Type *> params(3, llvm::PointerType::getUnqual(context));
  if (isVariant)
    llvm::append_range(params, extra);
  auto *type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context), params, false);
  auto *run = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
  run->setDoesNotThrow();
  auto *entry = llvm::BasicBlock::Create(context, "entry", run);
  auto *wrong = llvm::BasicBlock::Create(context, "wrong", run);
  auto *right = llvm::BasicBlock::Create(context, "right", run);
  llvm::IRBuilder<> b(entry);
  b.CreateCondBr(isBad(b, run), wrong, right);
  b.SetInsertPoint(wrong);
  b.CreateRet(b.getInt32(1));
  b.SetInsertPoint(right);
  SmallVector<llvm::Value *> args;
  for (llvm::Argument &arg : run->args())
    args.push_back(&arg);
  if (!isVariant && !extra.empty())
    args.push_back(llvm::Constant::getNullValue(extra.back()));
  if (manifest.turns > 1)
    addTurns(b, callee, args);
  else
    addCall(b, callee, args, /*turn=*/nullptr);
  b.CreateRet(b.getInt32(0));
  return run;
}

void EntryPoints::add(StringRef manifestText) {
  StringRef name = manifest.name;
  llvm::Function *run = addFunction(name + "_run", "vitq_main", /*isVariant=*/false);
  llvm::Function *profiled = addFunction(name + "_run_profiled", "vitq_main", /*isVariant=*/true);
  llvm::Function *parallel = addFunction(name + "_run_mt", "vitq_main_mt", /*isVariant=*/true);
  // The struct is its only way in.
  if (profiled)
    profiled->setLinkage(llvm::GlobalValue::InternalLinkage);
  llvm::LLVMContext &context = module.getContext();
  auto text = [&](StringRef content, StringRef symbol) {
    auto *data = llvm::ConstantDataArray::getString(context, content);
    return new llvm::GlobalVariable(module, data->getType(), true, llvm::GlobalValue::InternalLinkage, data, symbol);
  };
  auto orNull = [&](llvm::Function *function) -> llvm::Constant * {
    return function ? function : static_cast<llvm::Constant *>(llvm::ConstantPointerNull::get(run->getType()));
  };
  llvm::Constant *fields[] = {llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), manifest.abi),
                              text(name, "vitq_name"),
                              run,
                              text(manifestText, "vitq_manifest"),
                              orNull(profiled),
                              orNull(parallel)};
  auto *value = llvm::ConstantStruct::getAnon(fields);
  new llvm::GlobalVariable(module, value->getType(), true, llvm::GlobalValue::ExternalLinkage, value,
                           VITQ_PROGRAM_SYMBOL);
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine, const TargetDesc &target) {
  Stage stage("LLVM: optimization");
  llvm::PipelineTuningOptions tuning;
  // Without shifts by a vector of amounts LLVM computes them with floats.
  tuning.LoopVectorization = target.variableShifts;
  tuning.SLPVectorization = target.variableShifts;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

namespace {

/// A program as LLVM IR, optimized.
struct Translated {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};

} // namespace

/// The conversion of branches keeps what kernels say about loops as an attribute of
/// no meaning; this gives it back its place.
static void restoreLoopAnnotations(ModuleOp op) {
  constexpr llvm::StringLiteral name = "llvm.loop_annotation";
  op.walk([&](LLVM::BrOp branch) {
    if (auto annotation = branch->getAttrOfType<LLVM::LoopAnnotationAttr>(name)) {
      branch->removeDiscardableAttr(name);
      branch.setLoopAnnotationAttr(annotation);
    }
  });
}

static std::unique_ptr<Translated> translate(ModuleOp op, const NativeOptions &options, const Manifest &manifest) {
  if (!isIdentifier(options.name)) {
    op.emitError("program name '") << options.name << "' is not a C identifier";
    return nullptr;
  }
  registerBuiltinDialectTranslation(*op.getContext());
  registerLLVMDialectTranslation(*op.getContext());
  registerOpenMPDialectTranslation(*op.getContext());
  auto result = std::make_unique<Translated>();
  auto machine = options.target.createTargetMachine();
  if (!machine) {
    op.emitError(llvm::toString(machine.takeError()));
    return nullptr;
  }
  result->machine = std::move(*machine);
  {
    Stage stage("LLVM: translation");
    restoreLoopAnnotations(op);
    result->module = translateModuleToLLVMIR(op, result->context, options.name);
  }
  if (!result->module)
    return nullptr;
  if (!result->module->getFunction("main")) {
    op.emitError("has no @main in the LLVM dialect");
    return nullptr;
  }
  llvm::Module &module = *result->module;
  module.setSourceFileName(options.name);
  module.setTargetTriple(result->machine->getTargetTriple());
  module.setDataLayout(result->machine->createDataLayout());
  hideFunctions(module, options.target);
  EntryPoints(module, manifest, options.target).add(manifest.toJSON());
  std::string message;
  llvm::raw_string_ostream os(message);
  if (llvm::verifyModule(module, &os)) {
    op.emitError("invalid LLVM IR: ") << message;
    return nullptr;
  }
  optimize(module, *result->machine, options.target);
  return result;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static LogicalResult generate(ModuleOp op, Translated &program, llvm::raw_pwrite_stream &os, bool assembly) {
  Stage stage("LLVM: code emission");
  llvm::legacy::PassManager passes;
  if (program.machine->addPassesToEmitFile(
          passes, os, nullptr, assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile))
    return op.emitError("the target cannot emit code");
  passes.run(*program.module);
  return success();
}

// The size of the code is known only when the manifest is already part of the
// object, so it is written into a field of fixed width.
static constexpr uint64_t kCodeBytesHolder = 987654321098;

static LogicalResult fillCodeBytes(ModuleOp op, SmallVectorImpl<char> &object) {
  auto size = codeBytesOf(object);
  if (!size)
    return op.emitError(llvm::toString(size.takeError()));
  const std::string holder = "\"code_bytes\":" + std::to_string(kCodeBytesHolder);
  const size_t at = StringRef(object.data(), object.size()).find(holder);
  if (at == StringRef::npos)
    return op.emitError("the manifest is not in the object");
  std::string digits = std::to_string(*size);
  const size_t keyLength = StringRef("\"code_bytes\":").size();
  digits.insert(0, holder.size() - keyLength - digits.size(), ' ');
  llvm::copy(digits, object.begin() + at + keyLength);
  return success();
}

LogicalResult vitq::emitObject(ModuleOp module, const NativeOptions &options, llvm::raw_pwrite_stream &os) {
  auto program = translate(module, options, describeProgram(module, options, kCodeBytesHolder));
  if (!program)
    return failure();
  SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  if (failed(generate(module, *program, stream, /*assembly=*/false)) || failed(fillCodeBytes(module, object)))
    return failure();
  os.write(object.data(), object.size());
  return success();
}

LogicalResult vitq::emitAssembly(ModuleOp module, const NativeOptions &options, llvm::raw_pwrite_stream &os) {
  auto program = translate(module, options, describeProgram(module, options, 0));
  return success(program && succeeded(generate(module, *program, os, /*assembly=*/true)));
}

LogicalResult vitq::emitLLVM(ModuleOp module, const NativeOptions &options, llvm::raw_pwrite_stream &os) {
  auto program = translate(module, options, describeProgram(module, options, 0));
  if (!program)
    return failure();
  program->module->print(os, nullptr);
  return success();
}
