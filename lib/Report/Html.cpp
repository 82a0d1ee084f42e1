//===- Html.cpp - A report as one page -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Html.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace vitq;
using namespace vitq::reporting;
using namespace vitq::reporting::html;
using llvm::formatv;

namespace {

constexpr llvm::StringLiteral kStyle = R"(
:root{--ink:#1d2733;--soft:#5b6776;--line:#dde3ea;--back:#f5f7fa;--blue:#2367a6;--red:#c0392b;--amber:#b9770e}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1200px;margin:0 auto;padding:20px}
h1{font-size:22px;margin:0;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 4px}
h3{font-size:14px;margin:14px 0 2px;overflow-wrap:anywhere}
p{margin:4px 0}
.soft{color:var(--soft)}
section{background:#fff;border:1px solid var(--line);border-radius:8px;padding:16px 18px;margin:16px 0}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:10px;margin:16px 0}
.figure{background:#fff;border:1px solid var(--line);border-radius:8px;padding:10px 14px}
.figure b{display:block;font-size:20px;font-weight:600;white-space:nowrap}
.figure span{color:var(--soft);font-size:13px}
.finding{border-left:4px solid var(--soft);padding:6px 12px;margin:10px 0;background:var(--back);overflow-wrap:anywhere}
.finding.high{border-color:var(--red)}
.finding.medium{border-color:var(--amber)}
.finding .tag{font-size:12px;font-weight:600;text-transform:uppercase;letter-spacing:.04em;color:var(--soft);margin-right:6px}
.finding.high .tag{color:var(--red)}
.finding.medium .tag{color:var(--amber)}
code{font:13px/1.4 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;background:#e8edf3;border-radius:4px;padding:1px 5px;white-space:nowrap}
svg{display:block;width:100%;height:auto;max-width:1100px}
svg text{font:12px system-ui,Arial,sans-serif;fill:var(--soft)}
svg text.mark{fill:var(--red);paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.grid{stroke:var(--line);stroke-width:1}
.curve{fill:none;stroke:var(--blue);stroke-width:2}
.dot{fill:var(--blue)}
.columns{stroke:var(--blue);fill:none}
.column{fill:var(--blue)}
.outlier{stroke:var(--red);stroke-width:3}
.chosen{fill:#fff;stroke:var(--red);stroke-width:3}
.other{fill:#fff;stroke:var(--soft);stroke-width:2}
.limit{stroke:var(--red);stroke-width:1;stroke-dasharray:5 4}
.least{fill:#9cc3e6}
.rest{fill:var(--blue)}
.buffer{fill:#9cc3e6;stroke:#fff;stroke-width:.6}
.buffer.large{fill:var(--blue)}
.exact{fill:none;stroke:var(--soft);stroke-width:1.5}
.error{fill:none;stroke:var(--red);stroke-width:1.2}
.range{fill:#e3f0e5;stroke:#3a8a4d;stroke-width:1}
.bar{display:grid;grid-template-columns:minmax(120px,30%) 1fr 130px;gap:10px;align-items:center;margin:3px 0;font-size:13px}
.bar .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;text-align:right}
.bar .track{background:var(--back);border-radius:3px;height:14px;display:block}
.bar .fill{background:var(--blue);border-radius:3px;height:14px;display:block}
.bar .fill.bad{background:var(--red)}
.bar .note{color:var(--soft);white-space:nowrap}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:10px 24px}
.scroll{overflow-x:auto}
.wrap{white-space:normal;min-width:22em}
table{border-collapse:collapse;font-size:13px;white-space:nowrap}
th,td{padding:3px 9px;text-align:left;border-bottom:1px solid var(--line)}
th{background:#fff;color:var(--soft);font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:8px 0;font-size:13px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
@media(max-width:600px){main{padding:10px}section{padding:12px}.figures{grid-template-columns:1fr 1fr}.figure b{font-size:17px}.bar{grid-template-columns:minmax(90px,42%) 1fr 62px}.bar .note .more{display:none}.plots{grid-template-columns:1fr}svg.wide text{font-size:20px}}
)";

class Page {
public:
  Page(const Data &data, llvm::raw_ostream &os) : data(data), os(os) {}
  void print();

private:
  void figure(llvm::StringRef title, llvm::StringRef value, llvm::StringRef explanation = "");
  void figures();
  void findings();
  void blocks();
  void ranking();
  void outliers();
  void histograms();
  void decisions();
  void options();

  const Data &data;
  llvm::raw_ostream &os;
};

} // namespace

std::string html::escape(llvm::StringRef text) {
  // What is no UTF-8 becomes the replacement character, as in JSON.
  std::string valid = llvm::json::isUTF8(text) ? text.str() : llvm::json::fixUTF8(text), escaped;
  for (char c : valid) {
    switch (c) {
    case '&':
      escaped += "&amp;";
      break;
    case '<':
      escaped += "&lt;";
      break;
    case '>':
      escaped += "&gt;";
      break;
    case '"':
      escaped += "&quot;";
      break;
    case '\'':
      escaped += "&#39;";
      break;
    default:
      // Control characters may not appear in HTML.
      escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return escaped;
}

std::string html::shortName(llvm::StringRef name, size_t length) {
  if (name.size() <= length)
    return escape(name);
  llvm::StringRef end = name.take_back(length - 1);
  // Not from the middle of a character.
  while (!end.empty() && (static_cast<unsigned char>(end.front()) & 0xC0) == 0x80)
    end = end.drop_front();
  return "<span title=\"" + escape(name) + "\">&hellip;" + escape(end) + "</span>";
}

void Page::figure(llvm::StringRef title, llvm::StringRef value, llvm::StringRef explanation) {
  os << formatv("<div class=\"figure\" title=\"{0}\"><b>{1}</b><span>{2}</span></div>\n", escape(explanation),
                escape(value), escape(title));
}

std::string html::bytes(int64_t count) {
  if (count >= 1 << 20)
    return formatFixed(static_cast<double>(count) / (1 << 20), 2) + " MiB";
  return count >= 1 << 10 ? formatFixed(static_cast<double>(count) / (1 << 10), 1) + " KiB"
                          : std::to_string(count) + " B";
}

void Page::figures() {
  auto share = [&](llvm::StringRef title, std::optional<double> value) {
    if (value)
      figure(title, formatFixed(value, 2) + " %");
  };
  os << "<div class=\"figures\">\n";
  if (data.accuracy) {
    share("top-1", data.accuracy->top1);
    share("top-1 of the float model", data.accuracy->referenceTop1);
    share("top-5", data.accuracy->top5);
    if (data.accuracy->agreement)
      figure("same class as the float model", formatFixed(data.accuracy->agreement, 2) + " %",
             "agreement on " + std::to_string(data.accuracy->images) + " images");
  }
  if (data.comparison)
    for (const comparison::OutputFigures &output : data.comparison->outputs)
      if (output.sqnrDb)
        figure(data.comparison->outputsName() == "logits" ? "SQNR of the logits" : "SQNR of '" + output.name + "'",
               formatFixed(output.sqnrDb, 1) + " dB",
               "signal to quantization noise, on " + std::to_string(data.comparison->images) + " images");
  figure("weights", bytes(data.native.weightBytes.value_or(data.weightBytes)));
  if (data.native.arenaBytes)
    figure("arena", bytes(*data.native.arenaBytes),
           data.native.arenaLowerBound ? "lower bound " + bytes(*data.native.arenaLowerBound) : "");
  if (data.native.codeBytes)
    figure("code", bytes(*data.native.codeBytes));
  auto budget = [&](llvm::StringRef title, std::optional<int64_t> size, std::optional<int64_t> of) {
    if (size)
      figure(title, bytes(*size), of ? "of " + bytes(*of) : "");
  };
  budget("RAM beside the stack", data.native.ramBytes, data.native.ramBudget);
  budget("flash, about", data.native.flashBytes, data.native.flashBudget);
  figure("multiply-accumulates", formatFixed(static_cast<double>(data.macs) / 1e6, 2) + " M");
  if (data.native.floatInstructions)
    figure("float instructions", std::to_string(*data.native.floatInstructions));
  os << "</div>\n";
  if (!data.comparison)
    os << "<p class=\"soft\">Nothing was measured on images: give --report-data=FOLDER, or calibrate on images.</p>\n";
}

void Page::findings() {
  os << "<section id=\"findings\"><h2>Findings</h2>\n";
  std::vector<Finding> findings = data.findings();
  if (findings.empty())
    os << (data.comparison ? "<p>Nothing stands out: no op loses much more than the others.</p>\n"
                           : "<p>None from the ranges alone.</p>\n");
  for (const Finding &finding : findings)
    os << formatv("<div class=\"finding {0}\"><span class=\"tag\">{0}</span>{1} Try <code>{2}</code></div>\n",
                  toString(finding.severity), escape(finding.text), escape(finding.flag));
  os << "</section>\n";
}

void Page::blocks() {
  std::vector<size_t> stream = data.comparison->residualStream();
  std::vector<Point> points;
  for (auto [i, index] : llvm::enumerate(stream)) {
    const comparison::ValueFigures &value = data.comparison->values[index];
    if (!value.sqnrDb)
      continue;
    std::string block = value.block ? std::to_string(*value.block) : std::to_string(i + 1);
    bool first = points.empty() || i == 0 || data.comparison->values[stream[i - 1]].block != value.block;
    points.push_back(
        {*value.sqnrDb, first || !value.block ? block : "", value.node + ": " + formatFixed(value.sqnrDb, 1) + " dB"});
  }
  if (points.size() < 2)
    return;
  os << "<section id=\"blocks\"><h2>SQNR through the blocks</h2>\n<p class=\"soft\">The sums of the residual stream "
        "against the float model's. A step down is where precision is lost; a step up, where a "
        "few large values make the signal stronger.</p>\n";
  linePlot(os, points, "dB");
  os << "</section>\n";
}

void Page::ranking() {
  std::vector<size_t> order = data.comparison->ranking();
  if (order.empty())
    return;
  os << "<section id=\"ranking\"><h2>Ops by the error they add</h2>\n<p class=\"soft\">Each op's own error alone, put "
        "into the float model: its share of the noise at the logits, and the SQNR it would leave them with. "
     << formatv("Measured on {0} image{1}.</p>\n", data.comparison->rankedImages,
                data.comparison->rankedImages == 1 ? "" : "s");
  std::vector<Bar> bars;
  for (size_t i : llvm::ArrayRef<size_t>(order).take_front(20)) {
    const comparison::ValueFigures &value = data.comparison->values[i];
    std::string share = formatFixed(100 * value.addedShare, 1) + " %";
    bars.push_back({shortName(value.node, 52),
                    value.node + " (" + value.op + "), worst channel " + std::to_string(value.worstChannel), share,
                    ", " + formatFixed(value.addedAtLogitsDb, 1) + " dB", value.addedShare,
                    value.addedShare >= 0.1 && value.addedAtLogitsDb.value_or(99) < 25});
  }
  barChart(os, bars);
  os << "</section>\n";
}

void Page::outliers() {
  std::vector<Outlier> outliers = data.outliers();
  if (outliers.empty())
    return;
  os << "<section id=\"outliers\"><h2>Outlier channels</h2>\n<p class=\"soft\">Tensors of 8 bits and one step, in "
        "which "
     << formatv("a channel is more than {0} times as large as the median channel. All channels share the step.</p>\n",
                format(kOutlierRatio));
  for (const Outlier &outlier : llvm::ArrayRef<Outlier>(outliers).take_front(4)) {
    os << formatv("<h3>{0}, read by {1}</h3>\n", escape(outlier.tensor->node),
                  escape(llvm::join(outlier.tensor->consumers, ", ")));
    os << formatv(
        "<p class=\"soft\">channel {0} reaches {1}, the next one {2}, the median one {3}, which is {4} steps; "
        "{5} channel{6} beyond {7} times the median</p>\n",
        outlier.channel, format(outlier.max), format(outlier.next, 3), format(outlier.median, 3),
        format(outlier.medianSteps(), 2), outlier.above, outlier.above == 1 ? "" : "s", format(kOutlierRatio));
    channelPlot(os, outlier);
  }
  if (outliers.size() > 4) {
    os << formatv("<p class=\"soft\">and {0} more: ", outliers.size() - 4);
    for (auto [i, outlier] : llvm::enumerate(llvm::ArrayRef<Outlier>(outliers).drop_front(4)))
      os << (i ? ", " : "") << escape(outlier.tensor->node) << " (channel " << outlier.channel << ")";
    os << "</p>\n";
  }
  os << "</section>\n";
}

void Page::histograms() {
  std::vector<const TensorStatistics *> worst = data.worstTensors(6);
  if (worst.empty())
    return;
  os << "<section id=\"histograms\"><h2>Values and what the codes hold</h2>\n<p class=\"soft\">Calibrated values of "
        "the "
        "float model, counts on a logarithmic axis. Green: the range of the codes.</p>\n<div class=\"plots\">\n";
  for (const TensorStatistics *tensor : worst) {
    const OpEntry *op = data.lastOf(tensor->node);
    os << formatv("<div><h3>{0}</h3><p class=\"soft\">{1} bits, step {2}</p>\n", escape(tensor->node),
                  op->resultBits[0], format(op->scales[0], 3));
    histogramPlot(os, toLinear(*tensor->histogram, 64), op->representable());
    os << "</div>\n";
  }
  os << "</div></section>\n";
}

void Page::decisions() {
  if (data.decisions.empty())
    return;
  os << "<section id=\"decisions\"><h2>What passes decided</h2>\n<div class=\"scroll\"><table>\n"
        "<tr><th>pass</th><th>node</th><th>decision</th></tr>\n";
  for (const Decision &decision : data.decisions)
    os << formatv("<tr><td>{0}</td><td>{1}</td><td class=\"wrap\">{2}</td></tr>\n", escape(decision.pass),
                  escape(decision.node), escape(decision.text));
  os << "</table></div></section>\n";
}

void Page::options() {
  os << "<section id=\"options\"><h2>Options</h2><dl>\n";
  auto entry = [&](llvm::StringRef name, llvm::StringRef value) {
    if (!value.empty())
      os << "<dt>" << escape(name) << "</dt><dd>" << escape(value) << "</dd>\n";
  };
  entry("model", data.model);
  entry("preprocessing", data.preprocess);
  entry("target", data.native.target);
  if (data.calibrationImages)
    entry("calibration images",
          *data.calibrationImages ? std::to_string(*data.calibrationImages) : "ranges from a file");
  for (const auto &[name, value] : data.options)
    entry("--" + name, value);
  if (data.accuracy)
    entry("evaluated on", data.accuracy->data + ", " + std::to_string(data.accuracy->images) + " images");
  os << "</dl></section>\n";
}

void Page::print() {
  llvm::StringRef file = llvm::StringRef(data.model).rsplit('/').second;
  std::string title = escape(file.empty() ? data.model : file);
  os << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
     << "<title>" << title << ": vitq report</title>\n<style>" << kStyle << "</style></head>\n<body><main>\n<h1>"
     << title << "</h1>\n<p class=\"soft\">integer program, recipe "
     << escape(data.option("recipe").empty() ? "default" : data.option("recipe")) << ", nonlinear functions by "
     << escape(data.nonlinear) << "</p>\n";
  figures();
  findings();
  if (data.comparison) {
    blocks();
    ranking();
  }
  outliers();
  curveSection(os, data);
  histograms();
  programSections(os, data);
  if (data.bitFront)
    bitFrontSection(os, *data.bitFront);
  decisions();
  if (data.array)
    arraySection(os, *data.array);
  os << "<section id=\"ops\"><h2>All ops</h2>\n<p class=\"soft\">SQNR is the value's, own error what the op itself "
        "does against the float op on the same input, added its share of the noise at the logits.</p>\n";
  opTable(os, data);
  os << "</section>\n";
  if (!data.stages.empty()) {
    os << "<section id=\"compile\"><h2>What the compilation cost</h2>\n<p class=\"soft\">Wall time, the process's "
          "memory afterwards, and what the pass added to the most that it ever had.</p>\n";
    stageTable(os, data);
    os << "</section>\n";
  }
  options();
  os << "</main></body></html>\n";
}

void reporting::printHtml(const Data &data, llvm::raw_ostream &os) { Page(data, os).print(); }
