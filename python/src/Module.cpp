//===- Module.cpp - The compiler and its programs for Python -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the C API has, with Python's types. The package's Python files make of it what users call.
//
//===----------------------------------------------------------------------===//

#include "vitq-c/Vitq.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

namespace nb = nanobind;

namespace {

/// Severity ("note", "remark", "warning", "error"), location, message.
using Entry = std::tuple<std::string, std::string, std::string>;

/// A handle that its owner destroys.
template <typename Handle, void (*destroy)(Handle)>
struct Owner {
  explicit Owner(Handle handle) : handle(handle) {}
  ~Owner() { destroy(handle); }
  Owner(const Owner &) = delete;
  Owner &operator=(const Owner &) = delete;
  Handle handle;
};

using Diagnostics = Owner<VitqDiagnostics, vitqDiagnosticsDestroy>;
using Options = Owner<VitqOptions, vitqOptionsDestroy>;

/// What was said, once the work is done.
std::vector<Entry> entriesOf(VitqDiagnostics diagnostics) {
  static const char *const names[] = {"note", "remark", "warning", "error"};
  std::vector<Entry> entries;
  for (size_t i = 0, count = vitqDiagnosticsGetCount(diagnostics); i < count; ++i)
    entries.emplace_back(names[vitqDiagnosticsGetSeverity(diagnostics, i)], vitqDiagnosticsGetLocation(diagnostics, i),
                         vitqDiagnosticsGetMessage(diagnostics, i));
  return entries;
}

/// Raises vitq.CompileError, which the package has made known.
nb::object &errorType() {
  static nb::object type;
  return type;
}

[[noreturn]] void raise(VitqDiagnostics diagnostics) {
  std::string text = vitqDiagnosticsGetErrors(diagnostics);
  if (!text.empty() && text.back() == '\n')
    text.pop_back();
  if (text.empty())
    text = "vitq failed without a word; please report this";
  if (!errorType().is_valid())
    throw std::runtime_error(text);
  nb::object error = errorType()(text, nb::cast(entriesOf(diagnostics)));
  PyErr_SetObject(errorType().ptr(), error.ptr());
  throw nb::python_error();
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

void set(VitqOptions options, const Pairs &pairs, VitqDiagnostics diagnostics) {
  for (const auto &[key, value] : pairs)
    if (vitqOptionsSet(options, key.c_str(), value.c_str(), diagnostics) != VITQ_SUCCESS)
      raise(diagnostics);
}

VitqModel modelOf(const nb::bytes &bytes, const std::string &name) {
  return {bytes.data(), bytes.size(), VITQ_MODEL_ONNX, name.c_str()};
}

using Pixels = nb::ndarray<const uint8_t, nb::ndim<4>, nb::c_contig, nb::device::cpu>;

class Program {
public:
  explicit Program(VitqProgram program) : program(program) {}

  static Program *compile(const nb::bytes &bytes, const std::string &name, const Pairs &pairs,
                          std::vector<Entry> &said);
  static Program *load(const nb::bytes &object);
  static Program *open(const std::string &path);

  nb::bytes object() const {
    size_t size = 0;
    const void *data = vitqProgramGetObject(program.handle, &size);
    return nb::bytes(data, size);
  }
  void writeLibrary(const std::string &path) const { write(vitqProgramWriteLibrary, path); }
  void writeOnnxOperator(const std::string &path) const { write(vitqProgramWriteOnnxOperator, path); }
  std::string name() const { return vitqProgramGetName(program.handle); }
  std::string manifest() const { return vitqProgramGetManifest(program.handle); }
  std::string report() const { return vitqProgramGetReport(program.handle); }
  std::string header() const { return vitqProgramGetHeader(program.handle); }
  bool isRunnable() const { return vitqProgramIsRunnable(program.handle); }
  std::pair<std::vector<int64_t>, std::string> input() const;
  nb::list outputs() const;
  nb::ndarray<nb::numpy, uint8_t> run(const Pixels &images, int threads) const;

private:
  void write(VitqStatus (*writer)(VitqProgram, const char *, VitqDiagnostics), const std::string &path) const;
  void runBatches(const uint8_t *images, uint8_t *results, size_t batches, int threads) const;

  Owner<VitqProgram, vitqProgramDestroy> program;
};

} // namespace

Program *Program::compile(const nb::bytes &bytes, const std::string &name, const Pairs &pairs,
                          std::vector<Entry> &said) {
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  Options options(vitqOptionsCreate());
  set(options.handle, pairs, diagnostics.handle);
  const VitqModel model = modelOf(bytes, name);
  VitqProgram program;
  {
    nb::gil_scoped_release release;
    program = vitqProgramCompile(&model, nullptr, options.handle, diagnostics.handle);
  }
  if (vitqProgramIsNull(program))
    raise(diagnostics.handle);
  said = entriesOf(diagnostics.handle);
  return new Program(program);
}

Program *Program::load(const nb::bytes &object) {
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  VitqProgram program = vitqProgramLoad(object.data(), object.size(), diagnostics.handle);
  if (vitqProgramIsNull(program))
    raise(diagnostics.handle);
  return new Program(program);
}

Program *Program::open(const std::string &path) {
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  VitqProgram program = vitqProgramOpen(path.c_str(), diagnostics.handle);
  if (vitqProgramIsNull(program))
    raise(diagnostics.handle);
  return new Program(program);
}

void Program::write(VitqStatus (*writer)(VitqProgram, const char *, VitqDiagnostics), const std::string &path) const {
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  VitqStatus status;
  {
    nb::gil_scoped_release release;
    status = writer(program.handle, path.c_str(), diagnostics.handle);
  }
  if (status != VITQ_SUCCESS)
    raise(diagnostics.handle);
}

std::pair<std::vector<int64_t>, std::string> Program::input() const {
  const VitqArray input = vitqProgramGetInput(program.handle);
  return {{input.shape, input.shape + input.rank}, input.layout};
}

/// Pictures of a folder or an array.
class Pictures {
public:
  Pictures(const std::string &path, const std::string &preprocess, int channels)
      : pictures(open(path, preprocess, channels)) {}

  size_t count() const { return vitqPicturesGetCount(pictures.handle); }
  std::string name(size_t index) const { return vitqPicturesGetName(pictures.handle, index); }
  std::tuple<int, int, int> size() const {
    int32_t size[3];
    vitqPicturesGetSize(pictures.handle, size);
    return {size[0], size[1], size[2]};
  }
  nb::ndarray<nb::numpy, uint8_t> read(size_t index) const;

private:
  static VitqPictures open(const std::string &path, const std::string &preprocess, int channels);

  Owner<VitqPictures, vitqPicturesDestroy> pictures;
};

VitqPictures Pictures::open(const std::string &path, const std::string &preprocess, int channels) {
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  VitqPictures pictures = vitqPicturesOpen(path.c_str(), preprocess.c_str(), channels, diagnostics.handle);
  if (vitqPicturesIsNull(pictures))
    raise(diagnostics.handle);
  return pictures;
}

nb::ndarray<nb::numpy, uint8_t> Pictures::read(size_t index) const {
  const auto [height, width, channels] = size();
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  auto pixels = std::make_unique<uint8_t[]>(static_cast<size_t>(height) * width * channels);
  VitqStatus status;
  {
    nb::gil_scoped_release release;
    status = vitqPicturesRead(pictures.handle, index, pixels.get(), diagnostics.handle);
  }
  if (status != VITQ_SUCCESS)
    raise(diagnostics.handle);
  uint8_t *data = pixels.release();
  nb::capsule owner(data, [](void *pointer) noexcept { delete[] static_cast<uint8_t *>(pointer); });
  return nb::ndarray<nb::numpy, uint8_t>(
      data, {static_cast<size_t>(height), static_cast<size_t>(width), static_cast<size_t>(channels)}, owner);
}

/// (name, shape, scale, offset) of each.
nb::list Program::outputs() const {
  nb::list result;
  for (size_t i = 0, count = vitqProgramGetNumOutputs(program.handle); i < count; ++i) {
    const VitqOutput output = vitqProgramGetOutputAt(program.handle, i);
    result.append(nb::make_tuple(std::string(output.name),
                                 std::vector<int64_t>(output.array.shape, output.array.shape + output.array.rank),
                                 output.scale, output.offset));
  }
  return result;
}

/// Batches one after the other, or the next one in whichever thread is free, each with an arena of its own.
void Program::runBatches(const uint8_t *images, uint8_t *results, size_t batches, int threads) const {
  const size_t inBytes = vitqProgramGetInput(program.handle).bytes,
               outBytes = vitqProgramGetOutputBytes(program.handle);
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  auto work = [&] {
    std::unique_ptr<void, void (*)(void *)> arena(vitqArenaCreate(program.handle), vitqArenaDestroy);
    if (!arena)
      failed = true;
    for (size_t i = next++; i < batches && !failed; i = next++)
      if (vitqProgramRun(program.handle, images + i * inBytes, results + i * outBytes, arena.get()) != VITQ_SUCCESS)
        failed = true;
  };
  std::vector<std::thread> others;
  for (size_t i = 1, count = std::min<size_t>(std::max(threads, 1), batches); i < count; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  if (failed)
    throw std::bad_alloc();
}

/// The memory of the outputs of every batch, [batches, bytes].
nb::ndarray<nb::numpy, uint8_t> Program::run(const Pixels &images, int threads) const {
  if (!isRunnable())
    throw std::runtime_error("program '" + name() + "' is for another processor");
  const VitqArray input = vitqProgramGetInput(program.handle);
  for (size_t axis = 1; axis < 4; ++axis)
    if (images.shape(axis) != static_cast<size_t>(input.shape[axis]))
      throw std::invalid_argument("the images have another size than the program's");
  const auto batch = static_cast<size_t>(input.shape[0]);
  if (images.shape(0) % batch != 0)
    throw std::invalid_argument("the images are no multiple of the program's batch");
  const size_t batches = images.shape(0) / batch, outBytes = vitqProgramGetOutputBytes(program.handle);
  auto memory = std::make_unique<uint8_t[]>(std::max<size_t>(batches * outBytes, 1));
  {
    nb::gil_scoped_release release;
    runBatches(images.data(), memory.get(), batches, threads);
  }
  uint8_t *data = memory.release();
  nb::capsule owner(data, [](void *pointer) noexcept { delete[] static_cast<uint8_t *>(pointer); });
  return nb::ndarray<nb::numpy, uint8_t>(data, {batches, outBytes}, owner);
}

static nb::bytes quantize(const nb::bytes &bytes, const std::string &name, const Pairs &pairs) {
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  Options options(vitqOptionsCreate());
  set(options.handle, pairs, diagnostics.handle);
  const VitqModel model = modelOf(bytes, name);
  std::string result;
  auto add = [](const void *data, size_t size, void *user) {
    static_cast<std::string *>(user)->append(static_cast<const char *>(data), size);
  };
  VitqStatus status;
  {
    nb::gil_scoped_release release;
    status = vitqModelQuantize(&model, nullptr, options.handle, add, &result, diagnostics.handle);
  }
  if (status != VITQ_SUCCESS)
    raise(diagnostics.handle);
  return nb::bytes(result.data(), result.size());
}

/// Writes the file that the option save-ranges names. What the compiler said.
static std::vector<Entry> calibrate(const nb::bytes &bytes, const std::string &name, const Pairs &pairs) {
  Diagnostics diagnostics(vitqDiagnosticsCreate(nullptr, nullptr));
  Options options(vitqOptionsCreate());
  set(options.handle, pairs, diagnostics.handle);
  const VitqModel model = modelOf(bytes, name);
  VitqStatus status;
  {
    nb::gil_scoped_release release;
    status = vitqModelCalibrate(&model, nullptr, options.handle, diagnostics.handle);
  }
  if (status != VITQ_SUCCESS)
    raise(diagnostics.handle);
  return entriesOf(diagnostics.handle);
}

NB_MODULE(_vitq, m) {
  m.doc() = "The C API of vitq with Python's types.";
  if (vitqGetApiVersion() != VITQ_C_API_VERSION)
    throw std::runtime_error("libvitq-c is of another version than this module");
  m.attr("__version__") = vitqGetVersion();
  m.def(
      "set_error", [](nb::object type) { errorType() = std::move(type); }, nb::arg("type"),
      "The exception to raise: called with the text and a list of (severity, location, message).");
  // Its type dies with the interpreter, before static objects do.
  nb::module_::import_("atexit").attr("register")(nb::cpp_function([] { errorType() = nb::object(); }));
  m.def("quantize", &quantize, nb::arg("model"), nb::arg("name"), nb::arg("options"),
        "An ONNX model between QuantizeLinear and DequantizeLinear.");
  m.def("calibrate", &calibrate, nb::arg("model"), nb::arg("name"), nb::arg("options"),
        "Writes ranges to the file that the option save-ranges names; what the compiler said.");
  nb::class_<Pictures>(m, "Pictures", "Pictures of a folder or an array, decoded when they are read.")
      .def(nb::init<const std::string &, const std::string &, int>(), nb::arg("path"), nb::arg("preprocess"),
           nb::arg("channels"))
      .def("__len__", &Pictures::count)
      .def("name", &Pictures::name, nb::arg("index"))
      .def("read", &Pictures::read, nb::arg("index"))
      .def_prop_ro("size", &Pictures::size);
  nb::class_<Program>(m, "Program", "A compiled program; methods may be called from several threads at once.")
      .def_static(
          "compile",
          [](const nb::bytes &bytes, const std::string &name, const Pairs &pairs) {
            std::vector<Entry> said;
            Program *program = Program::compile(bytes, name, pairs, said);
            return std::pair(nb::cast(program, nb::rv_policy::take_ownership), said);
          },
          nb::arg("model"), nb::arg("name"), nb::arg("options"), "The program, and what the compiler said.")
      .def_static("load", &Program::load, nb::arg("object"), nb::rv_policy::take_ownership)
      .def_static("open", &Program::open, nb::arg("path"), nb::rv_policy::take_ownership)
      .def("write_library", &Program::writeLibrary, nb::arg("path"))
      .def("write_onnx_operator", &Program::writeOnnxOperator, nb::arg("path"))
      .def("run", &Program::run, nb::arg("images"), nb::arg("threads") = 1)
      .def_prop_ro("object", &Program::object)
      .def_prop_ro("name", &Program::name)
      .def_prop_ro("manifest", &Program::manifest)
      .def_prop_ro("report", &Program::report)
      .def_prop_ro("header", &Program::header)
      .def_prop_ro("runnable", &Program::isRunnable)
      .def_prop_ro("input", &Program::input)
      .def_prop_ro("outputs", &Program::outputs);
}
