//===- Manifest.cpp - What a program says about itself -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/NativeCompiler.h"
#include "vitq/Target/Program.h"

#include "llvm/Support/JSON.h"

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
    json.attributeObject("output", [&] {
      array(output);
      json.attribute("scale", output.scale);
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

/// The first type, or a flat array of bytes where there is not exactly one.
static Manifest::Array arrayOf(TypeRange types, bool isInput) {
  Manifest::Array array;
  if (types.size() != 1)
    return array;
  auto type = cast<ShapedType>(types.front());
  array.shape.assign(type.getShape().begin(), type.getShape().end());
  const unsigned width = type.getElementTypeBitWidth();
  // Bytes that go in are pixels; numbers that come out have a sign.
  array.dtype = (isInput && width == 8 ? "uint" : "int") + std::to_string(width);
  if (isInput)
    array.layout = array.shape.size() == 4 ? "nhwc" : "";
  return array;
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
    m.input = arrayOf(type.getInputs(), true);
    m.output = arrayOf(type.getResults(), false);
  }
  if (auto scale = module->getAttrOfType<FloatAttr>("vitq.output_scale"))
    m.output.scale = scale.getValueAsDouble();
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
  for (Manifest::Array *array : {&m.input, &m.output})
    if (!array->shape.empty())
      array->shape.front() *= options.turns;
  return m;
}

std::string vitq::manifestOf(ModuleOp module, const NativeOptions &options, uint64_t codeBytes) {
  return describeProgram(module, options, codeBytes).toJSON();
}

std::string vitq::headerOf(ModuleOp module, const NativeOptions &options) {
  const Manifest m = describeProgram(module, options, /*codeBytes=*/0);
  const std::string upper = StringRef(m.name).upper();
  std::string text;
  llvm::raw_string_ostream os(text);
  auto shapeOf = [&](const Manifest::Array &a) {
    os << a.dtype << "[";
    llvm::interleave(a.shape, os, "][");
    os << "]";
  };
  os << "/* " << m.name << ", compiled by vitq for " << m.target << ". */\n"
     << "#ifndef " << upper << "_H\n#define " << upper << "_H\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << "#define " << upper << "_ARENA_BYTES " << m.arenaBytes << "\n"
     << "#define " << upper << "_ARENA_ALIGN " << m.arenaAlign << "\n"
     << "#define " << upper << "_INPUT_BYTES " << m.input.bytes() << "\n"
     << "#define " << upper << "_OUTPUT_BYTES " << m.output.bytes() << "\n";
  const bool threads = module->hasAttr("vitq.openmp");
  if (threads)
    os << "#define " << upper << "_THREAD_ARENA_BYTES " << m.threadArenaBytes << "\n";
  os << "\n/* in: ";
  shapeOf(m.input);
  os << (m.input.layout.empty() ? "" : " " + m.input.layout) << ", out: ";
  shapeOf(m.output);
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
