//===- vitq-lut.cpp - Fit piecewise-linear tables -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MakeTable.h"
#include "Reproduce.h"
#include "vitq/Support/AtomicFile.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

#include <cmath>

using namespace vitq;
using namespace vitq::lut;
namespace cl = llvm::cl;

namespace {

/// Reads a real, also as 2^K.
class RealParser : public cl::parser<double> {
public:
  using parser::parser;

  bool parse(cl::Option &option, llvm::StringRef, llvm::StringRef text, double &value) {
    llvm::StringRef exponent = text;
    int power;
    if (exponent.consume_front("2^") && !exponent.getAsInteger(10, power) && std::abs(power) <= 1000) {
      value = std::ldexp(1.0, power);
      return false;
    }
    if (text.getAsDouble(value))
      return option.error("'" + text + "' is no number; write it as 0.0625 or 2^-4");
    return false;
  }
};
using RealOption = cl::opt<double, /*ExternalStorage=*/false, RealParser>;

enum class Emit { ByName, Json, C };

/// The command line.
struct Flags {
  cl::OptionCategory category{"vitq-lut options"};
  cl::opt<std::string> function = text("function",
                                       "gelu, gelu-tanh, gelu-quick, hardswish, silu, sigmoid, tanh, exp, "
                                       "reciprocal, rsqrt, softplus",
                                       "name");
  cl::opt<unsigned> entries = number("entries", "Lines of the table, 2 to 256", 8);
  RealOption inputScale{"input-scale",
                        cl::desc("Step of the input codes, e.g. 2^-4 (default: the range about fills "
                                 "them)"),
                        cl::value_desc("S"), cl::cat(category)};
  cl::opt<Method> method{"method", cl::desc("How the table is found"),
                         cl::values(clEnumValN(Method::Genetic, "genetic", "GQA-LUT: one set of lines for every scale"),
                                    clEnumValN(Method::Optimal, "optimal", "the least error at this scale (default)"),
                                    clEnumValN(Method::Uniform, "uniform", "breakpoints at equal distances"),
                                    clEnumValN(Method::Network, "nn-lut", "from a small trained network")),
                         cl::init(Method::Optimal), cl::cat(category)};
  cl::opt<std::string> output = text("o", "Write the table ('-': standard output)", "file");
  cl::opt<Emit> emit{"emit", cl::desc("As what (default: by the file's ending, else json)"),
                     cl::values(clEnumValN(Emit::Json, "json", "JSON"), clEnumValN(Emit::C, "c", "C99, integers only")),
                     cl::init(Emit::ByName), cl::cat(category)};
  cl::opt<std::string> plot = text("plot", "Draw function, table and error (SVG)", "file.svg");
  cl::opt<std::string> range = text("range", "Where errors count, as reals (default: the function's)", "LO:HI");
  cl::opt<unsigned> inputBits = number("input-bits", "Bits of the input codes, 2 to 16", 8);
  cl::opt<bool> isSigned = flag("signed", "Input codes are signed (default: as the function needs)");
  cl::opt<bool> isUnsigned = flag("unsigned", "Input codes are unsigned");
  cl::opt<unsigned> fractionBits = number("fraction-bits",
                                          "lambda: fractional bits of slopes and intercepts (default: "
                                          "what fits)",
                                          6);
  cl::opt<unsigned> slopeBits = number("slope-bits", "Bits of a slope, with sign", 8);
  cl::opt<unsigned> interceptBits = number("intercept-bits", "Bits of an intercept, with sign (default: as slopes)", 8);

  cl::opt<unsigned> seeds = number("seeds", "Runs of the search, the best is taken (1; nn-lut 20)", 1);
  cl::opt<uint64_t> seed{"seed", cl::desc("Seed of the first run (42)"), cl::init(42), cl::cat(category)};
  RealOption seconds{"seconds", cl::desc("As many runs as begin in this time, instead of --seeds"), cl::init(0.0),
                     cl::cat(category)};
  cl::opt<unsigned> threads =
      number("threads", "Threads of the search (0: all processors); no effect on the result", 0);
  cl::opt<unsigned> population = number("population", "Individuals", 50);
  cl::opt<unsigned> generations = number("generations", "Generations", 500);
  cl::opt<unsigned> tournament = number("tournament", "Members of a tournament", 3);
  RealOption crossover{"crossover", cl::desc("Probability that a pair is crossed (0.7)"), cl::init(0.7),
                       cl::cat(category)};
  RealOption mutation{"mutation", cl::desc("Probability that an individual is mutated (0.2)"), cl::init(0.2),
                      cl::cat(category)};
  cl::opt<bool> roundingMutation = flag("rounding-mutation", "Breakpoints mutate by rounding (default: as published)");
  cl::opt<bool> elitism = flag("elitism", "The best individual survives");
  cl::opt<bool> leastSquares = flag("least-squares", "Least-squares lines instead of secants");
  cl::opt<bool> scaleFitness = flag("scale-fitness", "Evolve the mean error over scales, not that of a fine grid");

  cl::opt<std::string> reproduce{"reproduce", cl::ValueOptional, cl::value_desc("function"),
                                 cl::desc("Print published and our errors, of all functions or one"),
                                 cl::cat(category)};

private:
  cl::opt<std::string> text(llvm::StringRef name, llvm::StringRef description, llvm::StringRef value) {
    return cl::opt<std::string>(name, cl::desc(description), cl::value_desc(value), cl::cat(category));
  }
  cl::opt<unsigned> number(llvm::StringRef name, llvm::StringRef description, unsigned value) {
    return cl::opt<unsigned>(name, cl::desc(description), cl::value_desc("N"), cl::init(value), cl::cat(category));
  }
  cl::opt<bool> flag(llvm::StringRef name, llvm::StringRef description) {
    return cl::opt<bool>(name, cl::desc(description), cl::cat(category));
  }
};

} // namespace

/// LLVM registers some of these names itself.
static void takeOptionNames() {
  auto &registered = cl::getRegisteredOptions();
  for (llvm::StringRef name :
       {"function",   "entries",        "input-scale",   "method",    "o",        "emit",
        "plot",       "range",          "input-bits",    "signed",    "unsigned", "fraction-bits",
        "slope-bits", "intercept-bits", "seeds",         "seed",      "seconds",  "threads",
        "population", "generations",    "tournament",    "crossover", "mutation", "rounding-mutation",
        "elitism",    "least-squares",  "scale-fitness", "reproduce"})
    if (cl::Option *option = registered.lookup(name))
      option->removeArgument();
}

/// Options that another choice makes meaningless, instead of ignoring them.
static llvm::Error checkCombination(const Flags &flags) {
  auto given = [](const cl::Option &option) { return option.getNumOccurrences() > 0; };
  auto refuse = [&](std::initializer_list<const cl::Option *> options, llvm::StringRef why) -> llvm::Error {
    for (const cl::Option *option : options)
      if (given(*option))
        return llvm::createStringError("--" + option->ArgStr + " " + why);
    return llvm::Error::success();
  };
  if (given(flags.seeds) && given(flags.seconds))
    return llvm::createStringError("--seconds has as many runs as begin in that time: leave out --seeds");
  if (given(flags.reproduce))
    return refuse({&flags.function, &flags.entries, &flags.inputScale, &flags.method, &flags.output, &flags.emit,
                   &flags.plot, &flags.range, &flags.inputBits, &flags.isSigned, &flags.isUnsigned, &flags.fractionBits,
                   &flags.slopeBits, &flags.interceptBits, &flags.roundingMutation},
                  "does not go with --reproduce, which has the published settings");
  if (!given(flags.function))
    return llvm::createStringError("give --function=NAME, e.g. --function=gelu, or --reproduce");
  if (flags.isSigned && flags.isUnsigned)
    return llvm::createStringError("--signed and --unsigned exclude each other");
  if (given(flags.emit) && !given(flags.output))
    return llvm::createStringError("--emit needs a file: give -o FILE");
  if (!flags.output.empty() && flags.output == flags.plot && flags.output != "/dev/null")
    return llvm::createStringError("'" + flags.output + "' cannot be both the table and the picture");
  if (flags.method != Method::Genetic)
    if (llvm::Error error = refuse({&flags.seconds, &flags.threads, &flags.population, &flags.generations,
                                    &flags.tournament, &flags.crossover, &flags.mutation, &flags.roundingMutation,
                                    &flags.elitism, &flags.leastSquares, &flags.scaleFitness},
                                   "is for --method=genetic"))
      return error;
  if (flags.method == Method::Optimal || flags.method == Method::Uniform)
    return refuse({&flags.seeds, &flags.seed}, "is for --method=genetic and nn-lut");
  return llvm::Error::success();
}

static llvm::Expected<std::pair<double, double>> parseRange(llvm::StringRef text) {
  auto [low, high] = text.split(':');
  std::pair<double, double> range;
  if (low.getAsDouble(range.first) || high.getAsDouble(range.second) || !std::isfinite(range.first) ||
      !std::isfinite(range.second))
    return llvm::createStringError("--range=" + text + " is not of the form LO:HI, e.g. -4:4");
  if (!(range.first < range.second))
    return llvm::createStringError("--range=" + text + " is empty: LO must be below HI");
  return range;
}

static approximation::GeneticOptions geneticOptions(const Flags &flags) {
  using approximation::GeneticOptions;
  GeneticOptions options;
  options.population = flags.population;
  options.generations = flags.generations;
  options.tournament = flags.tournament;
  options.crossover = flags.crossover;
  options.mutation = flags.mutation;
  options.elitism = flags.elitism;
  options.lines = flags.leastSquares ? GeneticOptions::Lines::LeastSquares : GeneticOptions::Lines::Secant;
  options.fitness = flags.scaleFitness ? GeneticOptions::Fitness::Scales : GeneticOptions::Fitness::Grid;
  options.seed = flags.seed;
  // One run of a network says little: it ends in a different place from every seed.
  options.seeds = flags.method == Method::Network && !flags.seeds.getNumOccurrences() ? 20 : flags.seeds.getValue();
  options.seconds = flags.seconds;
  options.threads = flags.threads;
  return options;
}

static llvm::Expected<Request> readRequest(const Flags &flags) {
  Request request;
  llvm::Expected<const approximation::FunctionInfo *> function = approximation::findFunction(flags.function);
  if (!function)
    return function.takeError();
  request.function = *function;
  request.method = flags.method;
  request.entries = flags.entries;
  if (flags.inputScale.getNumOccurrences())
    request.scale = flags.inputScale;
  if (flags.range.getNumOccurrences()) {
    llvm::Expected<std::pair<double, double>> range = parseRange(flags.range);
    if (!range)
      return range.takeError();
    request.range = *range;
  }
  if (flags.inputBits < 2 || flags.inputBits > 16)
    return llvm::createStringError("--input-bits must be 2 to 16");
  request.inputBits = flags.inputBits;
  if (flags.isSigned || flags.isUnsigned)
    request.isSigned = flags.isSigned;
  if (flags.fractionBits.getNumOccurrences())
    request.fractionBits = flags.fractionBits;
  request.slopeBits = flags.slopeBits;
  if (flags.interceptBits.getNumOccurrences())
    request.interceptBits = flags.interceptBits;
  if (flags.roundingMutation.getNumOccurrences())
    request.roundingMutation = flags.roundingMutation;
  if (flags.seeds < 1 || flags.seeds > 1000000)
    return llvm::createStringError("--seeds must be 1 to 1000000");
  request.genetic = geneticOptions(flags);
  return request;
}

static llvm::Error makeAndWrite(const Flags &flags) {
  llvm::Expected<Request> request = readRequest(flags);
  if (!request)
    return request.takeError();
  // Before a long search rather than after it.
  for (llvm::StringRef path : {llvm::StringRef(flags.output), llvm::StringRef(flags.plot)})
    if (!path.empty())
      if (llvm::Error error = checkWritable(path))
        return error;
  llvm::Expected<approximation::TableDocument> document = makeTable(*request);
  if (!document)
    return document.takeError();

  llvm::StringRef output = flags.output, plot = flags.plot;
  const bool c =
      flags.emit == Emit::C || (flags.emit == Emit::ByName && (output.ends_with(".c") || output.ends_with(".h")));
  if (!output.empty())
    if (llvm::Error error = writeFileAtomically(output, [&](llvm::raw_ostream &os) {
          c ? writeC(os, *document) : writeJson(os, *document);
          return llvm::Error::success();
        }))
      return error;
  if (!plot.empty())
    if (llvm::Error error = writeFileAtomically(plot, [&](llvm::raw_ostream &os) {
          writePlot(os, *document);
          return llvm::Error::success();
        }))
      return error;
  // A table on standard output stays alone there.
  printErrors(output == "-" || plot == "-" ? llvm::errs() : llvm::outs(), *request, *document);
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM initialize(argc, argv);
  takeOptionNames();
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  cl::ParseCommandLineOptions(argc, argv, "Fits functions by a few lines with integer coefficients\n");
  llvm::Error error = checkCombination(flags);
  if (!error && flags.reproduce.getNumOccurrences()) {
    approximation::GeneticOptions options = geneticOptions(flags);
    if (!flags.seeds.getNumOccurrences() && !flags.seconds.getNumOccurrences())
      options.seconds = 60.0;
    error = reproduce(llvm::outs(), flags.reproduce, options);
  } else if (!error) {
    error = makeAndWrite(flags);
  }
  if (!error)
    return 0;
  llvm::WithColor::error(llvm::errs(), "vitq-lut") << llvm::toString(std::move(error)) << "\n";
  return 1;
}
