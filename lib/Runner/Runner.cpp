//===- Runner.cpp - Running, evaluating and timing programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Runner.h"

#include "Benchmark.h"
#include "ProgramKinds.h"

#include "vitq/Data/ByteImages.h"
#include "vitq/Data/Npy.h"
#include "vitq/Runner/Evaluation.h"
#include "vitq/Simulator/HardwareCosts.h"
#include "vitq/Support/AtomicFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <numeric>

using namespace vitq;
using namespace vitq::runner;

namespace {

/// One call of the tool.
class Session {
public:
  explicit Session(const RunOptions &options) : options(options) {}
  llvm::Expected<Figures> run();

private:
  llvm::Error open();
  llvm::Error openReference();
  llvm::Error chooseEngine();
  llvm::Error checkOptions() const;
  llvm::Error checkOutputs() const;
  llvm::Expected<data::Preprocess> choosePreprocess() const;
  llvm::Expected<frontend::ImportOptions> importOptions() const;
  llvm::Error openSource();
  llvm::Error evaluate();
  llvm::Error readLabels();
  void evaluateLabels(const std::vector<std::vector<Outputs>> &outputs);
  void evaluateMaps(const std::vector<std::vector<Outputs>> &outputs);
  llvm::Error compare();
  llvm::Error dump(const std::vector<Outputs> &outputs) const;
  llvm::Error benchmark();
  llvm::Error simulate();

  const RunOptions &options;
  std::unique_ptr<Program> program, reference;
  /// The outputs of both that are looked at.
  std::optional<Subject> subject, referenceSubject;
  std::unique_ptr<data::ImageSource> source;
  int64_t images = 0;
  /// The classes of the images, or of their pixels.
  std::vector<int64_t> labels;
  std::vector<data::ClassMap> maps;
  Figures figures;
};

} // namespace

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

namespace {
/// Options that contradict each other, or that the others leave without effect.
struct OptionRule {
  bool (*isBroken)(const RunOptions &);
  const char *problem;
};
} // namespace

static bool hasData(const RunOptions &o) { return !o.images.empty() || !o.inputs.empty(); }

static bool isOnnx(llvm::StringRef path) { return path.ends_with(".onnx"); }

static constexpr OptionRule kOptionRules[] = {
    {[](const RunOptions &o) { return !o.shapes.empty() && !isOnnx(o.program) && !isOnnx(o.reference); },
     "--shape has no effect: it is for inputs that an ONNX model leaves open"},
    {[](const RunOptions &o) { return !o.images.empty() && !o.inputs.empty(); },
     "--images and --inputs exclude each other"},
    {[](const RunOptions &o) { return o.compare && (o.reference.empty() || o.images.empty()); },
     "--compare needs --reference=MODEL.onnx, the float model, and --images=FOLDER"},
    {[](const RunOptions &o) { return !hasData(o) && !o.benchmark && !o.profile && o.timeline.empty(); },
     "nothing to do: give --images or --inputs (or --benchmark for a .so or .vsys)"},
    {[](const RunOptions &o) { return o.timeline.empty() && !o.launch.empty(); },
     "--launch is for a timeline: give --timeline=FILE.json or FILE.svg too"},
    {[](const RunOptions &o) { return !hasData(o) && !o.engine.empty(); },
     "--engine runs the launches of images: give --images or --inputs"},
    {[](const RunOptions &o) { return o.profile && o.threads > 1; },
     "--profile times one thread: leave out --num-threads"},
    {[](const RunOptions &o) {
       return !hasData(o) &&
              !(o.labels.empty() && o.dumpOutputs.empty() && o.dumpClasses.empty() && o.reference.empty());
     },
     "--labels, --reference, --dump-outputs and --dump-classes need --images or --inputs"},
    {[](const RunOptions &o) { return !hasData(o) && o.limit; },
     "--limit has no effect without pictures, which it counts: give --images or --inputs"},
    {[](const RunOptions &o) { return !hasData(o) && !o.preprocess.empty(); },
     "--preprocess has no effect without pictures: give --images"},
    {[](const RunOptions &o) { return !o.inputs.empty() && !o.preprocess.empty(); },
     "--preprocess has no effect on --inputs, which are normalized already: leave it out, or give pixels as --images"},
};

llvm::Error Session::checkOptions() const {
  if (options.threads < 0 || options.threads > kMaxThreads)
    return llvm::createStringError("--num-threads must be 1 to " + llvm::Twine(kMaxThreads));
  for (const OptionRule &rule : kOptionRules)
    if (rule.isBroken(options))
      return llvm::createStringError(rule.problem);
  return options.timeline.empty() ? llvm::Error::success() : checkTimelinePath(options.timeline);
}

/// What the program carries, or what was asked for; it must not be both unless
/// they agree.
llvm::Expected<data::Preprocess> Session::choosePreprocess() const {
  std::optional<data::Preprocess> chosen = program->info().preprocess;
  auto conflict = [](llvm::StringRef who, const data::Preprocess &first, llvm::StringRef other,
                     const data::Preprocess &second) {
    return llvm::createStringError(who + " has preprocess '" + data::toString(first) + "', " + other + " has '" +
                                   data::toString(second) + "'; leave --preprocess out, or compile for this one");
  };
  if (!options.preprocess.empty()) {
    llvm::Expected<data::Preprocess> asked = data::parsePreprocess(options.preprocess);
    if (!asked)
      return asked.takeError();
    if (chosen && *chosen != *asked)
      return conflict(options.program, *chosen, "the command line", *asked);
    chosen = *asked;
  }
  if (reference && reference->info().preprocess) {
    if (chosen && *chosen != *reference->info().preprocess)
      return conflict(options.program, *chosen, options.reference, *reference->info().preprocess);
    chosen = reference->info().preprocess;
  }
  for (const Program *user : {program.get(), reference.get()})
    if (user && user->info().readsBytes && chosen)
      if (llvm::Error error = data::checkByteImages(data::toString(*chosen)))
        return llvm::createStringError(user->info().path + ": " + llvm::toString(std::move(error)));
  return chosen.value_or(data::Preprocess());
}

/// What ONNX models leave open: as the flags say, or as large as images become.
llvm::Expected<frontend::ImportOptions> Session::importOptions() const {
  frontend::ImportOptions result;
  for (const std::string &shape : options.shapes)
    if (llvm::Error error = frontend::parseInputShape(shape, result))
      return llvm::createStringError("--shape: " + llvm::toString(std::move(error)));
  if (options.preprocess.empty())
    return result;
  llvm::Expected<data::Preprocess> preprocess = data::parsePreprocess(options.preprocess);
  if (!preprocess)
    return preprocess.takeError();
  if (std::optional<data::Size> size = data::resultSize(*preprocess)) {
    result.height = size->height;
    result.width = size->width;
  }
  return result;
}

llvm::Error Session::openSource() {
  llvm::Expected<data::Preprocess> preprocess = choosePreprocess();
  if (!preprocess)
    return preprocess.takeError();
  bool finished = !options.inputs.empty();
  const std::string &path = finished ? options.inputs : options.images;
  auto opened = data::ImageSource::open(path, *preprocess, static_cast<int>(program->info().channels()));
  if (!opened)
    return opened.takeError();
  source = std::move(*opened);
  if (finished && !source->isNormalizedFloat())
    return llvm::createStringError(path + ": --inputs takes float32 [N, C, H, W]; give pixels as --images");
  for (const Program *user : {program.get(), reference.get()})
    if (user)
      if (llvm::Error error = checkSource(user->info(), *source))
        return error;
  images = static_cast<int64_t>(source->size());
  if (options.limit)
    images = static_cast<int64_t>(std::min<uint64_t>(options.limit, source->size()));
  return llvm::Error::success();
}

/// An ONNX model gives what the program does, by the names that they share.
llvm::Error Session::openReference() {
  llvm::Expected<frontend::ImportOptions> import = importOptions();
  if (!import)
    return import.takeError();
  for (const OutputInfo &output : figures.outputs)
    import->outputs.push_back(output.name);
  import->orOwnOutputs = true;
  // As large as the program's images, where it leaves that open; what --shape says is of the program, if that is a
  // model.
  if (isOnnx(options.program))
    import->shapes.clear();
  if (const ProgramInfo &own = program->info(); !own.inputShape.empty()) {
    import->height = own.height();
    import->width = own.width();
  }
  auto opened = openProgram(options.reference, *import);
  if (!opened)
    return opened.takeError();
  reference = std::move(*opened);
  return chooseCounterparts(*subject, *reference).moveInto(referenceSubject);
}

/// Whether the outputs are such as the options need.
llvm::Error Session::checkOutputs() const {
  if (!options.labels.empty() && !findClasses(*subject) && !findMaps(*subject))
    return llvm::createStringError(options.program +
                                   ": --labels needs an output [batch, classes], or [batch, classes, "
                                   "height, width], and '" +
                                   subject->output(0).name + "' is none; choose one with --output=NAME");
  if (!options.dumpClasses.empty() && !findMaps(*subject))
    return llvm::createStringError(options.program +
                                   ": --dump-classes needs an output [batch, classes, height, width], and '" +
                                   subject->output(0).name + "' is none; choose one with --output=NAME");
  if (subject->outputs.size() > 1 && !options.dumpOutputs.empty() &&
      !llvm::StringRef(options.dumpOutputs).ends_with_insensitive(".npz"))
    return llvm::createStringError(options.program + ": has " + llvm::Twine(subject->outputs.size()) +
                                   " outputs: give --dump-outputs=FILE.npz, or choose one with --output=NAME");
  return llvm::Error::success();
}

/// What runs the launches of an array.
llvm::Error Session::chooseEngine() {
  llvm::StringRef engine = options.engine;
  if (engine.empty())
    return llvm::Error::success();
  if (!program->getArrayProgram())
    return llvm::createStringError(options.program + ": --engine is for programs of a systolic array (.vsys)");
  if (engine == "simulator")
    return llvm::Error::success();
  if (engine.consume_front("rtl:") && !engine.empty())
    return program->setRtl(engine);
  return llvm::createStringError("--engine=" + options.engine +
                                 ": write simulator, or rtl:LIBRARY.so with the library that rtl/build.sh makes of "
                                 "the array's configuration");
}

llvm::Error Session::open() {
  if (llvm::Error error = checkOptions())
    return error;
  llvm::Expected<frontend::ImportOptions> import = importOptions();
  if (!import)
    return import.takeError();
  import->outputs = options.outputs;
  auto opened = openProgram(options.program, *import);
  if (!opened)
    return opened.takeError();
  program = std::move(*opened);
  const bool onArray = program->getArrayProgram() != nullptr;
  if ((options.benchmark || options.profile) && !program->isCompiled() && !onArray)
    return llvm::createStringError(options.program + ": " + (options.benchmark ? "--benchmark" : "--profile") +
                                   " is for compiled programs (.so, .vsys)");
  if (!options.timeline.empty() && !onArray)
    return llvm::createStringError(options.program + ": --timeline is for programs of a systolic array (.vsys)");
  const bool anyData = !(options.images.empty() && options.inputs.empty());
  if (onArray && anyData && program->info().inputShape.empty())
    return llvm::createStringError(options.program + ": has no host code: it can be timed, not run");
  if (llvm::Error error = chooseEngine())
    return error;
  if (options.threads)
    if (llvm::Error error = program->setThreads(static_cast<int>(options.threads)))
      return error;
  if (onArray && program->info().outputs.empty())
    subject.emplace(program.get());
  else if (llvm::Error error = chooseOutputs(*program, options.outputs).moveInto(subject))
    return error;
  for (size_t i = 0; i < subject->outputs.size(); ++i)
    figures.outputs.push_back(subject->output(i));
  if (!options.reference.empty())
    if (llvm::Error error = openReference())
      return error;
  if (llvm::Error error = checkOutputs())
    return error;
  const ProgramInfo &info = program->info();
  figures.macs = info.macs;
  figures.arenaBytes = info.arenaBytes;
  figures.arenaLowerBound = info.arenaLowerBound;
  figures.weightBytes = info.weightBytes;
  figures.codeBytes = info.codeBytes;
  return anyData ? openSource() : llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Accuracy
//===----------------------------------------------------------------------===//

/// Before any image is run. The first output of classes has labels, else that of maps.
llvm::Error Session::readLabels() {
  if (options.labels.empty())
    return llvm::Error::success();
  if (std::optional<size_t> classes = findClasses(*subject))
    return runner::readLabels(options.labels, *source, images, subject->output(*classes).size()).moveInto(labels);
  return readMaps(options.labels, *source, images, subject->output(*findMaps(*subject))).moveInto(maps);
}

void Session::evaluateLabels(const std::vector<std::vector<Outputs>> &outputs) {
  const size_t classes = *findClasses(*subject);
  Accuracy own = accuracyOf(outputs[0][classes], labels);
  figures.top1 = own.top1;
  figures.top5 = own.top5;
  if (!reference)
    return;
  Accuracy other = accuracyOf(outputs[1][classes], labels);
  figures.referenceTop1 = other.top1;
  figures.referenceTop5 = other.top5;
}

/// Of an output of maps; that classes are asked for says that its channels are classes.
void Session::evaluateMaps(const std::vector<std::vector<Outputs>> &outputs) {
  const size_t number = *findMaps(*subject);
  const OutputInfo &info = subject->output(number);
  if (reference) {
    const double same = agreementOf(info, outputs[0][number], referenceSubject->output(number), outputs[1][number]);
    figures.outputFigures[number].agreement = same;
    if (!figures.agreement) {
      figures.agreement = 100 * same;
      figures.logitsSqnrDb = figures.outputFigures[number].sqnrDb;
    }
  }
  if (maps.empty())
    return;
  if (std::optional<MapAccuracy> own = accuracyOf(info, outputs[0][number], maps)) {
    figures.pixelAccuracy = own->pixels;
    figures.meanIoU = own->meanIoU;
  } else {
    figures.remarks.push_back(options.labels + ": no pixel has a class");
  }
  if (!reference)
    return;
  if (std::optional<MapAccuracy> other = accuracyOf(referenceSubject->output(number), outputs[1][number], maps)) {
    figures.referencePixelAccuracy = other->pixels;
    figures.referenceMeanIoU = other->meanIoU;
  }
}

llvm::Error Session::compare() {
  constexpr int64_t ranked = 4;
  llvm::Expected<comparison::Comparison> result = compareOpByOp(*referenceSubject, *subject, *source, images, ranked);
  if (!result)
    return result.takeError();
  figures.images = images;
  figures.setOutputFigures(result->outputs);
  figures.comparison = std::move(*result);
  return llvm::Error::success();
}

/// What is written of an output: [images, ...].
static data::NamedArray arrayOf(const OutputInfo &info, const Outputs &outputs) {
  data::NamedArray array{info.name, {outputs.images()}, data::DType::Int32, {}};
  llvm::append_range(array.shape, llvm::ArrayRef(info.shape).drop_front());
  auto bytes = [](const auto &values) {
    return llvm::ArrayRef(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(values[0]));
  };
  array.data = outputs.isFloat ? bytes(outputs.floats) : bytes(outputs.codes);
  if (outputs.isFloat)
    array.dtype = data::DType::Float32;
  return array;
}

llvm::Error Session::dump(const std::vector<Outputs> &outputs) const {
  std::vector<data::NamedArray> arrays;
  for (auto [info, own] : llvm::zip_equal(figures.outputs, outputs))
    arrays.push_back(arrayOf(info, own));
  if (llvm::StringRef(options.dumpOutputs).ends_with_insensitive(".npz"))
    return data::writeNpz(options.dumpOutputs, arrays);
  return data::writeNpy(options.dumpOutputs, arrays[0].shape, arrays[0].dtype, arrays[0].data);
}

llvm::Error Session::evaluate() {
  if (llvm::Error error = readLabels())
    return error;
  std::vector<Subject> subjects = {*subject};
  if (reference)
    subjects.push_back(*referenceSubject);
  llvm::Expected<std::vector<std::vector<Outputs>>> outputs = runAll(subjects, *source, images, options.threads);
  if (!outputs)
    return outputs.takeError();
  figures.images = images;
  if (reference) {
    std::vector<comparison::OutputFigures> compared;
    for (size_t i = 0; i < figures.outputs.size(); ++i)
      compared.push_back(
          compareOutputs(figures.outputs[i], (*outputs)[0][i], referenceSubject->output(i), (*outputs)[1][i]));
    figures.setOutputFigures(std::move(compared));
  }
  if (!labels.empty())
    evaluateLabels(*outputs);
  if (!maps.empty() || !options.dumpClasses.empty())
    evaluateMaps(*outputs);
  if (!options.dumpClasses.empty()) {
    const size_t number = *findMaps(*subject);
    if (llvm::Error error = dumpClasses(options.dumpClasses, *source, subject->output(number), (*outputs)[0][number]))
      return error;
  }
  return options.dumpOutputs.empty() ? llvm::Error::success() : dump((*outputs)[0]);
}

//===----------------------------------------------------------------------===//
// Speed
//===----------------------------------------------------------------------===//

llvm::Error Session::benchmark() {
  const ProgramInfo &info = program->info();
  llvm::Expected<Tensor> input = source ? readBatch(info, *source, 0, images) : pixelsForTiming(info);
  if (!input)
    return input.takeError();
  Benchmark benchmark(*program, *input, std::max<int>(1, static_cast<int>(options.threads)));
  if (options.benchmark)
    if (llvm::Error error = benchmark.time(figures))
      return error;
  return options.profile ? benchmark.profile(figures) : llvm::Error::success();
}

/// The cycles of an array; how long this machine takes to simulate it is no figure.
llvm::Error Session::simulate() {
  const simulator::Program &array = *program->getArrayProgram();
  auto simulation = std::make_shared<Simulation>(array);
  figures.cycles = static_cast<int64_t>(simulation->timing().total.cycles);
  figures.dramBytes = static_cast<int64_t>(simulation->dramBytes());
  figures.linearUtilization = simulation->linearUtilization();
  figures.attentionUtilization = simulation->attentionUtilization();
  figures.cyclesOverRoofline = simulation->cyclesOverRoofline();
  figures.energyPicojoules = simulation->timing().total.energyPicojoules;
  const simulator::ArrayArea area = simulator::areaOf(array.config);
  figures.arrayArea = area.elements + area.units;
  figures.simulationInFull = options.profile;
  if (const std::vector<uint64_t> cycles = program->rtlCycles(); !cycles.empty()) {
    figures.rtlCycles = std::accumulate(cycles.begin(), cycles.end(), int64_t(0));
    figures.rtlDifference = 0;
    for (auto [own, simulated] : llvm::zip_equal(cycles, simulation->timing().launches))
      figures.rtlDifference = std::max(
          *figures.rtlDifference, 100 * std::abs(static_cast<double>(simulated.cycles) / static_cast<double>(own) - 1));
  }
  if (!options.timeline.empty()) {
    llvm::Expected<uint32_t> launch = simulation->findLaunch(options.launch);
    if (!launch)
      return llvm::createStringError(options.program + ": " + llvm::toString(launch.takeError()));
    if (llvm::Error error = writeTimeline(array, *launch, options.timeline))
      return error;
  }
  figures.simulation = std::move(simulation);
  return llvm::Error::success();
}

llvm::Expected<Figures> Session::run() {
  if (llvm::Error error = open())
    return error;
  if (options.compare)
    if (llvm::Error error = compare())
      return error;
  if (source &&
      (!options.compare || !options.labels.empty() || !options.dumpOutputs.empty() || !options.dumpClasses.empty()))
    if (llvm::Error error = evaluate())
      return error;
  if (program->getArrayProgram()) {
    if (llvm::Error error = simulate())
      return error;
  } else if (options.benchmark || options.profile) {
    if (llvm::Error error = benchmark())
      return error;
  }
  if (source)
    if (std::string remark = source->orientationRemark(); !remark.empty())
      figures.remarks.push_back(std::move(remark));
  if (options.json.empty())
    return figures;
  if (llvm::Error error = writeFileAtomically(options.json, llvm::formatv("{0:2}\n", figures.toJSON()).str()))
    return error;
  return figures;
}

llvm::Expected<Figures> runner::run(const RunOptions &options) { return Session(options).run(); }
