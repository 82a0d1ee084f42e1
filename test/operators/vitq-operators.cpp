//===- vitq-operators.cpp - Operators of ONNX, computed and compared -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs cases of single operators (Case.h): those of Debian's libonnx-testdata, for which it writes the table of
// docs/Operators.md, or those of scripts/differential.sh.
//
//===----------------------------------------------------------------------===//

#include "RunCase.h"

#include "lib/Frontend/Importer.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

#include <map>

using namespace vitq::operators;
using llvm::StringRef;
namespace cl = llvm::cl;

namespace {

/// What is known of an operator after its cases.
struct Row {
  unsigned cases = 0, passed = 0;
  /// Whether a case was computed of constants, of data, and of data by ops with an integer form.
  bool onConstants = false, onData = false, isQuantizable = false;
  double worst = 0;
};

class Runner {
public:
  Runner(const Options &options, bool verbose, StringRef filter) : options(options), verbose(verbose), filter(filter) {
    context.disableMultithreading();
  }
  void run(Case &which);
  /// Lines of a Markdown table.
  void printTable(llvm::raw_ostream &os);
  void printSummary(llvm::raw_ostream &os) const;

  unsigned failures = 0;

private:
  void fail(const Case &which, StringRef how, const Outcome &outcome);

  void printRow(llvm::raw_ostream &os, const std::string &name, const Row &row);

  Options options;
  bool verbose;
  StringRef filter;
  mlir::MLIRContext context;
  std::map<std::string, Row> rows;
  std::map<std::string, std::vector<std::string>> outOfScope;
};

} // namespace

void Runner::fail(const Case &which, StringRef how, const Outcome &outcome) {
  ++failures;
  llvm::outs() << "FAIL " << which.name << ' ' << how << ": " << (outcome.kind == Outcome::Refused ? "refused: " : "")
               << outcome.text << '\n';
}

void Runner::run(Case &which) {
  if (!filter.empty() && !StringRef(which.name).contains(filter))
    return;
  if (std::string why = which.whyOutOfScope(); !why.empty()) {
    outOfScope[why].push_back(which.name);
    if (verbose)
      llvm::outs() << "skip " << which.name << ": " << why << '\n';
    return;
  }
  const std::string name = which.operatorName();
  Row &row = rows[name.empty() ? "functions of several operators" : name];
  ++row.cases;
  Outcome constants = runOnConstants(which, options, context);
  bool passed = constants.kind == Outcome::Passed, isWrong = false;
  if (constants.kind == Outcome::Refused || constants.kind == Outcome::Wrong) {
    isWrong = true;
    fail(which, "on constants", constants);
  }
  for (bool all : {false, true}) {
    Outcome data = runOnData(which, all, options, context);
    if (data.kind == Outcome::Wrong) {
      isWrong = true;
      fail(which, all ? "on data" : "on data and constants", data);
    }
    if (verbose && data.kind == Outcome::Refused)
      llvm::outs() << "refused on data: " << which.name << ": " << data.text << '\n';
    passed |= data.kind == Outcome::Passed;
    row.onData |= data.kind == Outcome::Passed;
    row.isQuantizable |= data.kind == Outcome::Passed && data.isQuantizable;
    row.worst = std::max(row.worst, data.worst);
  }
  row.worst = std::max(row.worst, constants.worst);
  row.onConstants |= constants.kind == Outcome::Passed;
  if (!passed && !isWrong)
    fail(which, "in any way", {Outcome::Refused, "neither of constants nor of data"});
  row.passed += passed && !isWrong;
}

void Runner::printSummary(llvm::raw_ostream &os) const {
  unsigned cases = 0, passed = 0, skipped = 0;
  for (const auto &[name, row] : rows) {
    os << llvm::formatv("{0,-28} {1,6} of {2,6}  worst {3:E2}\n", name, row.passed, row.cases, row.worst);
    cases += row.cases;
    passed += row.passed;
  }
  for (const auto &[why, names] : outOfScope)
    skipped += names.size();
  os << llvm::formatv("{0} of {1} cases passed, {2} out of scope\n", passed, cases, skipped);
}

void Runner::printRow(llvm::raw_ostream &os, const std::string &name, const Row &row) {
  using namespace vitq::frontend;
  auto found = operatorHandlers().find(name);
  const OperatorHandler handler = found == operatorHandlers().end() ? OperatorHandler() : found->second;
  const bool onData = handler.import || row.onData;
  // A shape has no codes, whatever it is the shape of.
  const bool isShape = name == "Shape" || name == "Size" || StringRef(name).starts_with("Constant") || name == "If" ||
                       name == "Loop" || found == operatorHandlers().end();
  const char *integerForm = !onData || isShape                                   ? ""
                            : row.isQuantizable || hasIntegerForm(name, context) ? "yes"
                                                                                 : "in patterns";
  os << "| " << name << " | " << (handler.evaluate || row.onConstants ? "yes" : "") << " | " << (onData ? "yes" : "")
     << " | " << integerForm << " | ";
  if (row.cases)
    os << row.passed << " of " << row.cases;
  os << " |\n";
}

constexpr StringRef kIntroduction = R"(<!-- Generated by vitq-operators. Run scripts/update-docs.sh. -->

# Operators

The operators of ONNX that the importer knows. What reads only weights and shapes is computed at import, by an
evaluator (`lib/Frontend/Evaluate`); what reads the image's data becomes ops of `vit`. These have an integer form, or
exist to be matched by patterns (LayerNorm written as ReduceMean, Sub, Pow ...), and are an error when none matches.

The cases are those of Debian's `libonnx-testdata`, as the ONNX project publishes them, and some of operators that it
does not have yet, with ONNX Runtime's results (`test/operators/Inputs`). Each is computed with its inputs as constants
and, where it has float inputs and the operator is supported there, by the float interpreter with these as parts of an
image. `scripts/differential.sh` compares random ones with ONNX Runtime.

| operator | of constants | of the image's data | integer form | cases passed |
|---|---|---|---|---|
)";

constexpr StringRef kDeviations = R"(
## Where ONNX Runtime computes something else

Constants are computed as the operators' texts say, not as ONNX Runtime 1.32 does where that differs. Scripts in
`findings/` show it, without vitq:

| operator | ONNX Runtime 1.32 | script |
|---|---|---|
| Pow | integers through double: wrong from 2^53 on | `onnxruntime-1.32-pow-of-integers.sh` |
| Resize | an axis that keeps its size is left as it is, whatever its scale and region | `onnxruntime-1.32-crop-and-resize-to-the-same-size.sh` |
| Sigmoid | of 32 bits: a tenth off at -15, 0 below -18 | `onnxruntime-1.32-sigmoid-tail.sh` |
| AveragePool, MaxPool, Conv | SAME_UPPER and SAME_LOWER with a stride longer than the window: begins behind the first element, or fails | `onnxruntime-1.32-same-padding-with-long-strides.sh` |
)";

void Runner::printTable(llvm::raw_ostream &os) {
  std::map<std::string, Row> all = rows;
  for (const auto &entry : vitq::frontend::operatorHandlers())
    all[entry.getKey().str()];
  unsigned cases = 0, passed = 0;
  os << kIntroduction;
  for (const auto &[name, row] : all) {
    printRow(os, name, row);
    cases += row.cases;
    passed += row.passed;
  }
  os << "\n" << passed << " of " << cases << " cases pass. Out of scope are:\n\n| reason | cases |\n|---|---|\n";
  for (const auto &[why, names] : outOfScope)
    os << "| " << why << " | " << names.size() << " |\n";
  os << kDeviations;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::OptionCategory category("vitq-operators options");
  cl::list<std::string> inputs(cl::Positional, cl::OneOrMore, cl::desc("<folders and files of cases>"),
                               cl::cat(category));
  cl::opt<std::string> table("table", cl::desc("Write the table of operators there"), cl::cat(category));
  cl::opt<std::string> filter("filter", cl::desc("Only cases whose names hold this"), cl::cat(category));
  cl::opt<double> tolerance("tolerance", cl::desc("How far floats may be off, in parts of what is expected"),
                            cl::init(Options().tolerance), cl::cat(category));
  cl::opt<bool> verbose("v", cl::desc("Say what is out of scope, and what is refused on data"), cl::cat(category));
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Operators of ONNX, computed and compared\n");
  Options options;
  options.tolerance = tolerance;
  Runner runner(options, verbose, filter);
  auto run = [&](Case &which) { runner.run(which); };
  for (const std::string &input : inputs) {
    llvm::Error error = StringRef(input).ends_with(".records") ? readRecords(input, run) : readFolder(input, run);
    if (!error)
      continue;
    llvm::errs() << "vitq-operators: error: " << llvm::toString(std::move(error)) << '\n';
    return 2;
  }
  runner.printSummary(llvm::outs());
  if (!table.empty()) {
    std::error_code ec;
    llvm::ToolOutputFile file(table, ec, llvm::sys::fs::OF_Text);
    if (ec) {
      llvm::errs() << "vitq-operators: error: " << table << ": " << ec.message() << '\n';
      return 2;
    }
    runner.printTable(file.os());
    file.keep();
  }
  return runner.failures ? 1 : 0;
}
