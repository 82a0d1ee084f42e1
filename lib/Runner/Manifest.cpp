//===- Manifest.cpp - What a compiled program says of itself -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramKinds.h"

#include "vitq/Target/Program.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace vitq;
using namespace vitq::runner;

namespace {

constexpr int64_t kMaxElements = int64_t(1) << 32;
constexpr size_t kMaxRank = 16;
constexpr int64_t kMaxArena = int64_t(1) << 40;

class ManifestReader {
public:
  ManifestReader(const llvm::json::Object &root, ProgramInfo &info) : root(root), info(info) {}
  llvm::Error read(int64_t &arenaAlign, std::string &target);

private:
  llvm::Error fail(const llvm::Twine &what) const { return llvm::createStringError(info.path + ": manifest: " + what); }
  llvm::Error readShape(const llvm::json::Object &object, const llvm::Twine &key, size_t minRank, size_t maxRank,
                        llvm::SmallVectorImpl<int64_t> &shape);
  llvm::Error readInput();
  llvm::Error readOutput(const llvm::json::Object &object, const std::string &key, OutputInfo &output);
  llvm::Error readPlace(const llvm::json::Object &object, const std::string &key, OutputInfo &output);
  llvm::Error readOutputs();
  llvm::Error readPreprocess();
  llvm::Error readCount(const char *key, std::optional<int64_t> &count, int64_t limit);
  llvm::Error readArena(int64_t &align);
  llvm::Error readSteps();

  const llvm::json::Object &root;
  ProgramInfo &info;
};

} // namespace

llvm::Error ManifestReader::readShape(const llvm::json::Object &object, const llvm::Twine &key, size_t minRank,
                                      size_t maxRank, llvm::SmallVectorImpl<int64_t> &shape) {
  const llvm::json::Array *array = object.getArray("shape");
  if (!array || array->size() < minRank || array->size() > maxRank)
    return fail(key + ".shape must have " + llvm::Twine(minRank) +
                (minRank < maxRank ? " to " + std::to_string(maxRank) : "") + " extents");
  int64_t product = 1;
  for (const llvm::json::Value &value : *array) {
    std::optional<int64_t> extent = value.getAsInteger();
    if (!extent || *extent < 1 || *extent > kMaxElements / product)
      return fail(key + ".shape has an extent that is no positive number, or is too large");
    product *= *extent;
    shape.push_back(*extent);
  }
  return llvm::Error::success();
}

llvm::Error ManifestReader::readInput() {
  const llvm::json::Object *input = root.getObject("input");
  if (!input)
    return fail("has no object 'input'");
  if (llvm::Error error = readShape(*input, "input", 4, 4, info.inputShape))
    return error;
  if (input->getString("dtype") != "uint8")
    return fail("input.dtype must be 'uint8'");
  std::string layout = input->getString("layout").value_or("").lower();
  info.channelsFirst = layout == "chw" || layout == "nchw";
  if (!info.channelsFirst && layout != "hwc" && layout != "nhwc")
    return fail("input.layout must be 'hwc' or 'chw'");
  if (info.channels() != 1 && info.channels() != 3)
    return fail("input.shape must have 1 or 3 channels");
  return llvm::Error::success();
}

llvm::Error ManifestReader::readOutput(const llvm::json::Object &object, const std::string &key, OutputInfo &output) {
  if (llvm::Error error = readShape(object, key, 1, kMaxRank, output.shape))
    return error;
  if (output.shape[0] != info.batch())
    return fail("input and " + key + " have unequal batches");
  if (object.getString("dtype") != "int32")
    return fail(key + ".dtype must be 'int32'");
  std::optional<double> scale = object.getNumber("scale");
  if (!scale || !std::isfinite(*scale) || *scale < 0)
    return fail(key + ".scale must be a positive number, or 0 if it is not known");
  if (*scale > 0)
    output.scale = scale;
  return llvm::Error::success();
}

/// What only the list of outputs says. They lie in order, so that what follows the last is
/// none of the program's memory.
llvm::Error ManifestReader::readPlace(const llvm::json::Object &object, const std::string &key, OutputInfo &output) {
  output.name = object.getString("name").value_or("").str();
  if (output.name.empty() || info.findOutput(output.name))
    return fail(key + ".name must be a text that no other output has");
  const int64_t end = info.outputs.empty() ? 0 : info.outputBytes();
  std::optional<int64_t> offset = object.getInteger("offset");
  const bool inOrder = offset && (info.outputs.empty() ? *offset == 0 : *offset >= end);
  if (!inOrder || *offset % 4 != 0 || *offset > 4 * kMaxElements)
    return fail(key + ".offset must be a multiple of 4 behind the output before");
  output.offset = *offset;
  if (object.getInteger("bytes") != output.bytes())
    return fail(key + ".bytes must be " + llvm::Twine(output.bytes()) + ", as its shape says");
  return llvm::Error::success();
}

/// The list 'outputs', or of an older program its only one.
llvm::Error ManifestReader::readOutputs() {
  if (const llvm::json::Array *list = root.getArray("outputs"); list && !list->empty()) {
    for (auto [i, value] : llvm::enumerate(*list)) {
      const std::string key = "outputs[" + std::to_string(i) + "]";
      const llvm::json::Object *object = value.getAsObject();
      if (!object)
        return fail(key + " is no object");
      OutputInfo output;
      if (llvm::Error error = readOutput(*object, key, output))
        return error;
      if (llvm::Error error = readPlace(*object, key, output))
        return error;
      info.outputs.push_back(std::move(output));
    }
    return llvm::Error::success();
  }
  const llvm::json::Object *object = root.getObject("output");
  if (!object)
    return fail("has no object 'output'");
  OutputInfo &output = info.outputs.emplace_back();
  output.name = "output";
  return readOutput(*object, "output", output);
}

/// Text as for --preprocess, or the object that data::toJSON makes.
llvm::Error ManifestReader::readPreprocess() {
  const llvm::json::Value *value = root.get("preprocess");
  if (!value || value->getAsNull())
    return llvm::Error::success();
  std::optional<llvm::StringRef> text = value->getAsString();
  // "@FILE" would read a file that the program's maker chose.
  if (text && text->starts_with("@"))
    return fail("preprocess must not name a file");
  llvm::Expected<data::Preprocess> preprocess =
      text ? (text->empty() ? data::Preprocess() : data::parsePreprocess(*text)) : data::preprocessFromJSON(*value);
  if (!preprocess)
    return fail("preprocess: " + llvm::toString(preprocess.takeError()));
  if (llvm::Error error = preprocess->checkChannels(static_cast<int>(info.channels())))
    return fail("preprocess: " + llvm::toString(std::move(error)));
  info.preprocess = *preprocess;
  return llvm::Error::success();
}

llvm::Error ManifestReader::readCount(const char *key, std::optional<int64_t> &count, int64_t limit) {
  const llvm::json::Value *value = root.get(key);
  if (!value || value->getAsNull())
    return llvm::Error::success();
  count = value->getAsInteger();
  if (!count || *count < 0 || *count > limit)
    return fail(llvm::Twine(key) + " is no sensible number");
  return llvm::Error::success();
}

llvm::Error ManifestReader::readArena(int64_t &arenaAlign) {
  std::optional<int64_t> align, perThread;
  if (llvm::Error error = readCount("arena_bytes", info.arenaBytes, kMaxArena))
    return error;
  if (llvm::Error error = readCount("arena_lower_bound", info.arenaLowerBound, kMaxArena))
    return error;
  if (llvm::Error error = readCount("thread_arena_bytes", perThread, kMaxArena / kMaxThreads))
    return error;
  if (llvm::Error error = readCount("arena_align", align, 1 << 20))
    return error;
  if (!info.arenaBytes || !align || !llvm::isPowerOf2_64(static_cast<uint64_t>(*align)))
    return fail("needs arena_bytes, and arena_align that is a power of two");
  info.threadArenaBytes = perThread.value_or(0);
  arenaAlign = *align;
  return llvm::Error::success();
}

llvm::Error ManifestReader::readSteps() {
  const llvm::json::Value *value = root.get("steps");
  if (!value || value->getAsNull())
    return llvm::Error::success();
  const llvm::json::Array *steps = value->getAsArray();
  if (!steps)
    return fail("steps must be an array");
  for (const llvm::json::Value &entry : *steps) {
    const llvm::json::Object *object = entry.getAsObject();
    std::optional<int64_t> macs = object ? object->getInteger("macs") : std::nullopt;
    if (!macs || *macs < 0)
      return fail("steps has an entry that is no object with 'macs'");
    auto text = [&](const char *key) { return object->getString(key).value_or("").str(); };
    info.steps.push_back({text("kernel"), text("op"), text("node"), *macs});
  }
  return llvm::Error::success();
}

llvm::Error ManifestReader::read(int64_t &arenaAlign, std::string &target) {
  std::optional<int64_t> abi = root.getInteger("abi");
  if (!abi || *abi < 1 || *abi > VITQ_PROGRAM_ABI_VERSION)
    return fail("abi must be 1 to " + llvm::Twine(VITQ_PROGRAM_ABI_VERSION) +
                "; the program was made by another version of vitq-opt, compile it again");
  target = root.getString("target").value_or("").str();
  if (target.empty())
    return fail("has no 'target'");
  if (llvm::Error error = readInput())
    return error;
  if (llvm::Error error = readOutputs())
    return error;
  if (llvm::Error error = readPreprocess())
    return error;
  constexpr int64_t any = std::numeric_limits<int64_t>::max();
  std::optional<int64_t> batch, turns;
  std::pair<const char *, std::optional<int64_t> *> counts[] = {
      {"batch", &batch}, {"macs", &info.macs}, {"weight_bytes", &info.weightBytes}, {"code_bytes", &info.codeBytes}};
  for (auto [key, count] : counts)
    if (llvm::Error error = readCount(key, *count, any))
      return error;
  if (batch && *batch != info.batch())
    return fail("batch is not the leading extent of input.shape");
  if (llvm::Error error = readCount("turns", turns, info.batch()))
    return error;
  info.turns = turns.value_or(1);
  if (info.turns < 1 || info.batch() % info.turns != 0)
    return fail("turns does not divide the batch");
  if (llvm::Error error = readArena(arenaAlign))
    return error;
  return readSteps();
}

llvm::Error runner::parseManifest(llvm::StringRef text, ProgramInfo &info, int64_t &arenaAlign, std::string &target) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return llvm::createStringError(info.path + ": manifest: " + llvm::toString(value.takeError()));
  const llvm::json::Object *root = value->getAsObject();
  if (!root)
    return llvm::createStringError(info.path + ": manifest: is no object");
  return ManifestReader(*root, info).read(arenaAlign, target);
}
