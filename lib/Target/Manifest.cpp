//===- Manifest.cpp - What a program says about itself -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/ProgramResults.h"
#include "vitq/Target/NativeCompiler.h"
#include "vitq/Target/Program.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;

uint64_t Manifest::Array::bytes() const {
  uint64_t count = 1;
  for (int64_t size : shape)
    count *= static_cast<uint64_t>(size);
  const size_t digits = dtype.find_first_of("0123456789");
  unsigned bits = 8;
  if (digits != std::string::npos)
    StringRef(dtype).drop_front(digits).getAsInteger(10, bits);
  return count * (bits / 8);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

std::string Manifest::toJSON() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  auto array = [&](const Array &a) {
    json.attributeArray("shape", [&] {
      for (int64_t size : a.shape)
        json.value(size);
    });
    json.attribute("dtype", a.dtype);
  };
  json.object([&] {
    json.attribute("abi", abi);
    json.attribute("name", name);
    json.attribute("target", target);
    json.attributeObject("input", [&] {
      array(input);
      json.attribute("layout", input.layout);
    });
    // The first output, for those that know of one only.
    json.attributeObject("output", [&] {
      const Output &first = outputs.empty() ? Output() : outputs.front();
      array(first);
      json.attribute("scale", first.scale);
    });
    json.attributeArray("outputs", [&] {
      for (const Output &output : outputs)
        json.object([&] {
          json.attribute("name", output.name);
          array(output);
          json.attribute("scale", output.scale);
          json.attribute("offset", static_cast<int64_t>(output.offset));
          json.attribute("bytes", static_cast<int64_t>(output.bytes()));
        });
    });
    json.attribute("preprocess", preprocess);
    json.attribute("arena_bytes", static_cast<int64_t>(arenaBytes));
    json.attribute("arena_align", static_cast<int64_t>(arenaAlign));
    json.attribute("arena_lower_bound", static_cast<int64_t>(arenaLowerBound));
    json.attribute("thread_arena_bytes", static_cast<int64_t>(threadArenaBytes));
    json.attribute("batch", static_cast<int64_t>(batch));
    json.attribute("macs", static_cast<int64_t>(macs));
    json.attribute("weight_bytes", static_cast<int64_t>(weightBytes));
    json.attribute("code_bytes", static_cast<int64_t>(codeBytes));
    json.attribute("turns", static_cast<int64_t>(turns));
    json.attributeArray("steps", [&] {
      for (const Step &step : steps)
        json.object([&] {
          json.attribute("kernel", step.kernel);
          json.attribute("op", step.op);
          json.attribute("node", step.node);
          json.attribute("macs", static_cast<int64_t>(step.macs));
        });
    });
  });
  return text;
}

//===----------------------------------------------------------------------===//
// From a module
//===----------------------------------------------------------------------===//

/// Bytes that go in are pixels; numbers that come out have a sign.
static void setType(Manifest::Array &array, Type type, bool isInput) {
  auto shaped = cast<ShapedType>(type);
  array.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
  const unsigned width = shaped.getElementTypeBitWidth();
  array.dtype = (isInput && width == 8 ? "uint" : "int") + std::to_string(width);
}

/// The one input; nothing of several.
static Manifest::Array inputOf(TypeRange types) {
  Manifest::Array input;
  if (types.size() != 1)
    return input;
  setType(input, types.front(), /*isInput=*/true);
  input.layout = input.shape.size() == 4 ? "nhwc" : "";
  return input;
}

/// The outputs for a batch that is `turns` times that of `types`, one after the other.
static std::vector<Manifest::Output> outputsOf(ModuleOp module, TypeRange types, int64_t turns) {
  std::vector<Manifest::Output> outputs(types.size());
  auto names = module->getAttrOfType<ArrayAttr>("vitq.output_names");
  const SmallVector<double> scales = getOutputScales(module, types.size());
  uint64_t end = 0;
  for (auto [i, output] : llvm::enumerate(outputs)) {
    setType(output, types[i], /*isInput=*/false);
    if (!output.shape.empty())
      output.shape.front() *= turns;
    if (auto name = names && i < names.size() ? dyn_cast<StringAttr>(names[i]) : StringAttr())
      output.name = llvm::json::fixUTF8(name.getValue()); // It comes from a file.
    output.scale = scales[i];
    output.offset = llvm::alignTo<Manifest::kAlign>(end);
    end = output.offset + output.bytes();
  }
  return outputs;
}

/// A name of the target under which the same machine accepts it again. `native` is
/// its CPU's name, unless the machine hides features that the name implies (virtual
/// machines do): then the baseline and every feature that is there.
static std::string portableName(const TargetDesc &target) {
  if (target.text != "native")
    return target.text;
  llvm::Expected<TargetDesc> byName = TargetDesc::parse(target.cpu);
  if (byName && byName->runsOnHost())
    return target.cpu;
  llvm::consumeError(byName.takeError());
  std::string name = target.isX86() ? "x86-64" : "aarch64";
  llvm::SmallVector<llvm::StringRef> features;
  llvm::StringRef(target.features).split(features, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef feature : features)
    if (feature.consume_front("+"))
      name += ("+" + feature).str();
  return name;
}

/// What the code generator left in `vitq.steps`; what is missing is empty.
static std::vector<Manifest::Step> stepsOf(ModuleOp module) {
  std::vector<Manifest::Step> steps;
  auto list = module->getAttrOfType<ArrayAttr>("vitq.steps");
  for (Attribute entry : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto recorded = dyn_cast<DictionaryAttr>(entry);
    auto text = [&](StringRef key) {
      auto value = recorded ? recorded.getAs<StringAttr>(key) : StringAttr();
      // Names of nodes come from files: JSON wants UTF-8.
      return value ? llvm::json::fixUTF8(value.getValue()) : std::string();
    };
    auto macs = recorded ? recorded.getAs<IntegerAttr>("macs") : IntegerAttr();
    steps.push_back({text("kernel"), text("op"), text("node"), macs ? static_cast<uint64_t>(macs.getInt()) : 0});
  }
  return steps;
}

Manifest vitq::describeProgram(ModuleOp module, const NativeOptions &options, uint64_t codeBytes) {
  Manifest m;
  auto number = [&](StringRef name) -> uint64_t {
    auto attr = module->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  };
  m.name = options.name;
  m.target = portableName(options.target);
  if (auto signature = module->getAttrOfType<TypeAttr>("vitq.signature")) {
    auto type = cast<FunctionType>(signature.getValue());
    m.input = inputOf(type.getInputs());
    m.outputs = outputsOf(module, type.getResults(), options.turns);
  }
  if (m.outputs.size() > 1)
    m.abi = VITQ_PROGRAM_ABI_VERSION;
  if (auto layout = module->getAttrOfType<StringAttr>("vitq.input_layout"))
    m.input.layout = layout.str();
  if (auto preprocess = module->getAttrOfType<StringAttr>("vit.preprocess"))
    m.preprocess = preprocess.str();
  // Without the attribute a model of images has the batch that it was made with.
  m.batch = std::max<uint64_t>(number("vitq.batch"), m.input.shape.size() == 4 ? m.input.shape[0] : 1);
  m.arenaBytes = number("vitq.arena_bytes");
  m.arenaLowerBound = number("vitq.arena_lower_bound");
  m.threadArenaBytes = number("vitq.thread_arena_bytes");
  m.steps = stepsOf(module);
  m.macs = number("vitq.macs");
  m.weightBytes = number("vitq.weight_bytes");
  m.codeBytes = codeBytes;
  m.turns = options.turns;
  m.batch *= m.turns;
  m.macs *= m.turns;
  if (!m.input.shape.empty())
    m.input.shape.front() *= options.turns;
  return m;
}

std::string vitq::manifestOf(ModuleOp module, const NativeOptions &options, uint64_t codeBytes) {
  return describeProgram(module, options, codeBytes).toJSON();
}

/// "int32[1][10]"
static std::string shapeOf(const Manifest::Array &array) {
  std::string text = array.dtype + "[";
  llvm::raw_string_ostream os(text);
  llvm::interleave(array.shape, os, "][");
  os << "]";
  return text;
}

/// Where each of several outputs is. Names come from files: nothing in them may end a
/// comment or a line.
static void printOutputs(llvm::raw_ostream &os, const Manifest &m) {
  const std::string prefix = "#define " + StringRef(m.name).upper() + "_OUTPUT";
  os << prefix << "_COUNT " << m.outputs.size() << "\n";
  for (auto [i, output] : llvm::enumerate(m.outputs)) {
    std::string name = output.name;
    for (char &c : name)
      if (!llvm::isPrint(c) || c == '*' || c == '\\')
        c = '_';
    os << "/* '" << name << "': " << shapeOf(output) << " */\n"
       << prefix << i << "_OFFSET " << output.offset << "\n"
       << prefix << i << "_BYTES " << output.bytes() << "\n";
  }
}

std::string vitq::headerOf(ModuleOp module, const NativeOptions &options, StringRef more) {
  const Manifest m = describeProgram(module, options, /*codeBytes=*/0);
  const std::string upper = StringRef(m.name).upper();
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "/* " << m.name << ", compiled by vitq for " << m.target << ". */\n"
     << "#ifndef " << upper << "_H\n#define " << upper << "_H\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << "#define " << upper << "_ARENA_BYTES " << m.arenaBytes << "\n"
     << "#define " << upper << "_ARENA_ALIGN " << m.arenaAlign << "\n"
     << "#define " << upper << "_INPUT_BYTES " << m.input.bytes() << "\n"
     << "#define " << upper << "_OUTPUT_BYTES " << m.outputBytes() << "\n";
  if (m.outputs.size() > 1)
    printOutputs(os, m);
  const bool threads = module->hasAttr("vitq.openmp");
  if (threads)
    os << "#define " << upper << "_THREAD_ARENA_BYTES " << m.threadArenaBytes << "\n";
  os << "\n"
     << more << "/* in: " << shapeOf(m.input) << (m.input.layout.empty() ? "" : " " + m.input.layout) << ", out: ";
  if (m.outputs.size() == 1)
    os << shapeOf(m.outputs.front());
  else
    os << "the outputs at their offsets";
  os << ".\n   Returns 0, or 1 if a pointer is null or the arena is misaligned.\n"
     << "   Nothing is kept between calls; calls with different arenas may run at the same time. */\n"
     << "int " << m.name << "_run(const void *in, void *out, void *arena);\n\n";
  if (threads)
    os << "/* The same result in `threads` threads (at least 1). The arena has\n   " << upper
       << "_ARENA_BYTES + (threads - 1) * " << upper << "_THREAD_ARENA_BYTES bytes. Link with -lomp. */\n"
       << "int " << m.name << "_run_mt(const void *in, void *out, void *arena, int threads);\n\n";
  os << "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}
