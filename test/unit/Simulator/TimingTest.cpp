//===- TimingTest.cpp - Cycles worked out by hand -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The array of these tests: 16 x 16, 16 bytes a cycle, answers 50 cycles later, requests
// of 64 bytes, 16 at a time.
//
//===----------------------------------------------------------------------===//

#include "Code.h"
#include "MatmulProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include "gtest/gtest.h"

#include <random>

using namespace vitq::simulator;

namespace {

Counters timing(llvm::StringRef code, const Config &config = Config()) { return simulateTiming(config, codeOf(code)); }

std::vector<TimelineEvent> timeline(llvm::StringRef code, const Config &config = Config()) {
  std::vector<TimelineEvent> events;
  simulateTiming(config, codeOf(code), {}, &events);
  llvm::sort(events, [](const TimelineEvent &a, const TimelineEvent &b) { return a.index < b.index; });
  return events;
}

Config outputStationary() {
  Config config;
  config.dataflow = Dataflow::OutputStationary;
  return config;
}

/// Loads a left operand to row 0 and weights to row 0x1000 of the next bank: there at 66
/// and 82.
constexpr const char *kOperands = R"(
  mvin local 0x0 rows 16 cols 16 from 0 + 0 pitch 16
  mvin local 0x1000 rows 16 cols 16 from 1 + 0 pitch 16)";

/// A compute with new or kept weights.
std::string product(bool fresh, int rows = 16, const char *weights = "0x1000", const char *sums = "0x0") {
  return "\npreload weights " + std::string(fresh ? weights : "none") + " rows 16 cols 16 sums " + sums +
         "\ncompute left 0x0 rows " + std::to_string(rows) + " cols 16" + (fresh ? " fresh" : "");
}

/// Tiles of many rows.
Config wideTiles() {
  Config config;
  config.streamRows = 256;
  return config;
}

} // namespace

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

TEST(Timing, AMoveTakesItsLatencyAndItsWords) {
  const Counters c = timing("mvin local 0x0 rows 16 cols 16 from 0 + 0 pitch 16");
  EXPECT_EQ(c.cycles, 50u + 16u);
  EXPECT_EQ(c.loadBusy, 16u);
  EXPECT_EQ(c.bytesRead, 256u);
  EXPECT_EQ(c.bytesWritten, 0u);
  EXPECT_EQ(c.sramBytes, 256u);
  EXPECT_EQ(c.instructions, 1u);
  EXPECT_EQ(c.dmaWait, 0u);
}

TEST(Timing, RequestsInFlightLimitRowsThatAreApart) {
  Config config;
  config.streamRows = 32;
  // 32 requests of a word. The 17th waits for the first answer, at 51.
  const Counters c = timing("mvin local 0x0 rows 32 cols 16 from 0 + 0 pitch 192", config);
  EXPECT_EQ(c.cycles, 51u + 16u + 50u);
  EXPECT_EQ(c.loadBusy, 32u);
  EXPECT_EQ(c.dmaWait, 51u - 16u);
}

TEST(Timing, RequestsInFlightLimitMovesThatFollowEachOther) {
  Config config;
  config.dmaRequests = 1;
  const Counters c = timing("mvin local 0x0 rows 1 cols 16 from 0 + 0 pitch 16\n"
                            "mvin local 0x1 rows 1 cols 16 from 0 + 16 pitch 16",
                            config);
  EXPECT_EQ(c.dmaWait, 50u);
  EXPECT_EQ(c.cycles, 2u * 51u);
}

TEST(Timing, RequestsEndAtAlignedBlocks) {
  // Bytes 60 to 76: a word before and one behind the border at 64.
  const Counters c = timing("mvin local 0x0 rows 1 cols 16 from 0 + 60 pitch 16");
  EXPECT_EQ(c.loadBusy, 2u);
  EXPECT_EQ(c.cycles, 52u);
  EXPECT_EQ(c.bytesRead, 16u);
}

TEST(Timing, MovesFollowEachOtherWithoutAGap) { EXPECT_EQ(timing(kOperands).cycles, 32u + 50u); }

TEST(Timing, OneRowForAllIsReadOnce) {
  const Counters c = timing("mvin_acc local 0x0 rows 16 cols 16 from 0 + 0 pitch 0");
  EXPECT_EQ(c.loadBusy, 4u);
  EXPECT_EQ(c.bytesRead, 64u);
  // It is written row by row, the first when it has come.
  EXPECT_EQ(c.cycles, 54u + 15u);
}

TEST(Timing, AComputeOfARepeatedRowWaitsForItsFirst) {
  auto start = [](const char *sums) {
    return timeline(std::string(kOperands) + "\nmvin_acc local 0x0 rows 16 cols 16 from 0 + 0 pitch 0" +
                    "\npreload weights 0x1000 rows 16 cols 16 sums " + sums +
                    " accumulate\ncompute left 0x0 rows 16 cols 16 fresh")
        .back()
        .start;
  };
  // The weights are in at 82 + 16, the repeated row is written from 36 + 50 on.
  EXPECT_EQ(start("0x0"), 82u + 16u);
  EXPECT_EQ(start("0x1"), 36u + 50u + 15u);
}

TEST(Timing, SumsDoNotOvertakeARepeatedRow) {
  const std::string repeated = "mvin_acc local 0x0 rows 100 cols 16 from 0 + 0 pitch 0\n";
  EXPECT_EQ(timing(repeated + "mvin_acc local 0x100 rows 1 cols 16 from 0 + 0 pitch 64", wideTiles()).cycles,
            54u + 99u + 54u);
  // A second one waits for its turn only.
  EXPECT_EQ(timing(repeated + repeated, wideTiles()).cycles, 54u + 99u + 100u);
}

TEST(Timing, APreloadWaitsForAComputeThatReadsItsBank) {
  auto end = [](const char *weights) {
    const std::vector<TimelineEvent> events = timeline(
        std::string(kOperands) +
            "\npreload weights 0x1000 rows 16 cols 16 sums 0x0\ncompute left 0x0 rows 100 cols 16 fresh" +
            "\npreload weights " + weights + " rows 12 cols 16 sums 0x0\ncompute left 0x0 rows 4 cols 12 fresh",
        wideTiles());
    return events.back().start;
  };
  // The compute starts at 82 + 16 and reads for 100 cycles. Four rows of the tile are not there and need not be read.
  EXPECT_EQ(end("0x2000"), 98u + 100u);
  EXPECT_EQ(end("0x100"), 98u + 100u + 12u);
}

TEST(Timing, AFullQueueStopsIssue) {
  std::string code;
  for (int i = 0; i < 10; ++i)
    code += "mvin local 0x0 rows 1 cols 16 from 0 + " + std::to_string(64 * i) + " pitch 16\n";
  // Eight wait or run; the ninth enters when the first is done, at 51.
  const Counters c = timing(code);
  EXPECT_EQ(c.queueFull, 51u - 8u);
  EXPECT_EQ(c.cycles, 52u + 51u);
}

//===----------------------------------------------------------------------===//
// The array
//===----------------------------------------------------------------------===//

TEST(Timing, LoadPreloadComputeStore) {
  const std::string code = kOperands + product(true) + "\nmvout local 0x0 rows 16 cols 16 to 2 + 0 pitch 64";
  const std::vector<TimelineEvent> events = timeline(code);
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].end, 66u);
  EXPECT_EQ(events[1].start, 16u);
  EXPECT_EQ(events[1].end, 82u);
  // Weights take 16 cycles to their places.
  EXPECT_EQ(events[2].start, 82u);
  EXPECT_EQ(events[2].end, 98u);
  EXPECT_EQ(events[3].start, 98u);
  EXPECT_EQ(events[3].end, 114u);
  // The last sums leave the array 32 cycles after the last row entered.
  EXPECT_EQ(events[4].start, 146u);
  EXPECT_EQ(events[4].end, 146u + 64u + 50u);
  const Counters c = timing(code);
  EXPECT_EQ(c.cycles, 260u);
  EXPECT_EQ(c.executeBusy, 16u);
  EXPECT_EQ(c.storeBusy, 64u);
  EXPECT_EQ(c.executeWaitLoad, 82u - 2u);
  EXPECT_EQ(c.storeWaitExecute, 146u - 4u);
  EXPECT_EQ(c.usefulProducts, 16u * 16u * 16u);
  // Two tiles written and read, 16 rows of 32-bit sums written and read.
  EXPECT_EQ(c.sramBytes, 2u * 2u * 256u + 2u * 1024u);
  const Config config;
  EXPECT_DOUBLE_EQ(c.energyPicojoules,
                   4096 * 64 * config.macPicojoules + 3072 * config.sramPicojoules + 1536 * config.dramPicojoules);
}

TEST(Timing, KeptWeightsStreamAtARowACycle) {
  for (int rows : {16, 8, 5}) {
    std::string code = kOperands + product(true, rows);
    for (int i = 0; i < 6; ++i)
      code += product(false, rows);
    EXPECT_EQ(timing(code).cycles, 98u + 7u * static_cast<unsigned>(rows) + 32u) << rows;
  }
  // Not less than four cycles.
  EXPECT_EQ(timing(kOperands + product(true, 1) + product(false, 2) + product(false, 3)).cycles, 98u + 12u + 32u);
}

TEST(Timing, NewWeightsAreShiftedInDuringTheComputeBefore) {
  for (int rows : {16, 8, 5}) {
    std::string code = kOperands;
    for (int i = 0; i < 6; ++i)
      code += product(true, rows);
    // 16 cycles each, as weights need; the last takes its rows.
    EXPECT_EQ(timing(code).cycles, 98u + 5u * 16u + static_cast<unsigned>(rows) + 32u) << rows;
  }
  // Longer computes hide them.
  Config config;
  config.streamRows = 64;
  EXPECT_EQ(timing(kOperands + product(true, 64) + product(true, 64), config).cycles, 98u + 128u + 32u);
}

TEST(Timing, OperandsInOneBankTakeTurns) {
  const std::string apart = kOperands + product(true) + product(true);
  std::string together = kOperands;
  together += product(true, 16, "0x20") + product(true, 16, "0x20");
  // Neither weights are loaded by this code: only the second preload runs beside a compute.
  EXPECT_EQ(timing(apart).bankConflicts, 0u);
  const Counters c = timing(together);
  EXPECT_EQ(c.bankConflicts, 16u);
  // Both weights are there from the start; the left operand comes at 66.
  EXPECT_EQ(c.cycles, 66u + 16u + 16u + 16u + 32u);
}

TEST(Timing, ALoadWaitsForComputesThatReadWhatItOverwrites) {
  const std::string code = kOperands + product(true) + "\nmvin local 0xf rows 16 cols 16 from 0 + 0 pitch 16";
  // The compute has read its last row at 114.
  const Counters c = timing(code);
  EXPECT_EQ(c.cycles, 114u + 66u);
  EXPECT_EQ(c.loadWaitExecute, 114u - 32u);
  // Rows beside those need no waiting.
  EXPECT_EQ(timing(kOperands + product(true) + "\nmvin local 0x10 rows 16 cols 16 from 0 + 0 pitch 16").cycles, 146u);
}

TEST(Timing, AComputeWaitsForStoresOfWhatItOverwrites) {
  const std::string code =
      kOperands + product(true) + "\nmvout local 0x0 rows 16 cols 16 to 2 + 0 pitch 64" + product(false);
  // The store has read its rows when its last data leave, at 146 + 64.
  const Counters c = timing(code);
  EXPECT_EQ(c.cycles, 146u + 64u + 50u);
  EXPECT_EQ(c.executeWaitStore, 210u - 114u);
  EXPECT_EQ(timeline(code).back().start, 210u);
}

TEST(Timing, StoresAndAccumulatingComputesShareABank) {
  // While rows of bank 0 leave, one in four cycles, sums are added in bank 0, or 1: four meet, and a fifth as that
  // holds up the array.
  auto code = [&](const char *sums, const char *how) {
    return kOperands + product(true) + product(false, 16, "", "0x40") + product(false, 16, "", "0x50") +
           "\nmvout local 0x0 rows 16 cols 16 to 2 + 0 pitch 64\nfence\n" +
           "mvout local 0x10 rows 16 cols 16 to 2 + 0 pitch 64\n" + "preload weights none rows 16 cols 16 sums " +
           sums + how + "\ncompute left 0x0 rows 16 cols 16";
  };
  EXPECT_EQ(timing(code("0x20", " accumulate")).bankConflicts, 5u);
  EXPECT_EQ(timing(code("0x200", " accumulate")).bankConflicts, 0u);
  EXPECT_EQ(timing(code("0x20", "")).bankConflicts, 0u);
}

TEST(Timing, AWordOfSeveralRowsTakesACycleForEach) {
  auto busy = [](const char *shape) { return timing("mvout local 0x0 " + std::string(shape)).storeBusy; };
  // Rows of 12 bytes, words of 16: three words, each with bytes of two rows.
  EXPECT_EQ(busy("rows 4 cols 3 to 2 + 0 pitch 12"), 6u);
  EXPECT_EQ(busy("rows 4 cols 3 to 2 + 0 pitch 16"), 4u);
  EXPECT_EQ(busy("rows 4 cols 4 to 2 + 0 pitch 16"), 4u);
  // Tiles of 16 codes beside each other, off their words.
  EXPECT_EQ(busy("rows 1 cols 32 tile_stride 1 to 2 + 0 pitch 32 scale"), 2u);
  EXPECT_EQ(busy("rows 1 cols 32 tile_stride 1 to 2 + 4 pitch 32 scale"), 4u);
}

TEST(Timing, AFenceWaitsForAll) {
  const char *move = "mvin local 0x0 rows 16 cols 16 from 0 + 0 pitch 16";
  EXPECT_EQ(timing(std::string(move) + "\nfence").cycles, 66u);
  // The next instruction is issued a cycle after.
  EXPECT_EQ(timing(std::string(move) + "\nfence\n" + move).cycles, 67u + 66u);
}

TEST(Timing, StationarySumsLeaveDuringTheNextTile) {
  auto code = [](int depth, int tiles) {
    const std::string rows = std::to_string(depth);
    std::string text = kOperands;
    for (int i = 0; i < tiles; ++i)
      text += "\npreload weights none rows " + rows + " cols 16 sums 0x0\ncompute left 0x0 right 0x1000 rows " + rows +
              " cols " + rows + " fresh last";
    return text;
  };
  // The right operand is there at 82. A tile of sums needs 16 cycles to leave, 32 to
  // arrive.
  EXPECT_EQ(timing(code(16, 1), outputStationary()).cycles, 82u + 16u + 16u + 32u);
  EXPECT_EQ(timing(code(16, 5), outputStationary()).cycles, 82u + 5u * 16u + 16u + 32u);
  // Computes of 8 cycles wait for sums that leave: 82, 90, and from then on every 16.
  const std::vector<TimelineEvent> events = timeline(code(8, 4), outputStationary());
  std::vector<uint64_t> starts;
  for (const TimelineEvent &event : events)
    if (event.opcode == Opcode::Compute)
      starts.push_back(event.start);
  EXPECT_EQ(starts, (std::vector<uint64_t>{82, 90, 106, 122}));
}

TEST(Timing, StationarySumsWithBothOperandsInOneBank) {
  const Counters c =
      timing("preload weights none rows 16 cols 16 sums 0x0\ncompute left 0x0 right 0x10 rows 16 cols 8 fresh last",
             outputStationary());
  // First the rows of the left one, then those of the right one.
  EXPECT_EQ(c.bankConflicts, 8u);
  EXPECT_EQ(c.executeBusy, 16u + 8u);
}

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

namespace {

UnitProgram requantUnit() {
  UnitProgram unit;
  RequantStage stage;
  stage.output = {0, -128, 127};
  stage.multipliers = {{1 << 30, 31}};
  unit.stages = {stage};
  unit.rowsPerBatch = 16;
  unit.channels = 16;
  unit.output.operand = 2;
  unit.output.rowPitch = 192;
  unit.output.groupSize = 16;
  return unit;
}

} // namespace

TEST(Timing, UnitsWorkRowByRow) {
  const UnitProgram unit = requantUnit();
  const UnitProgram *units[] = {&unit};
  const std::string code =
      kOperands + product(true) + "\nunits unit 0 row 0 rows 16 channel 0 cols 16 local 0x0 from_accumulator";
  // Parameters come first, 37 words, and all else later: sums are there at 146 + 37. The unit has the first four cycles
  // later. A row takes one cycle, six more to pass, and one to leave.
  const Counters c = simulateTiming(Config(), codeOf(code), units);
  EXPECT_EQ(c.cycles, 146u + 37u + 4u + 15u + 1u + 6u + 1u + 50u);
  EXPECT_EQ(c.unitBusy, 16u);
  EXPECT_EQ(c.storeBusy, 16u);
  EXPECT_EQ(c.bytesRead, 512u + 37u * 16u);
  EXPECT_EQ(c.bytesWritten, 256u);
}

TEST(Timing, UnitsReadRowsAhead) {
  UnitProgram unit = requantUnit();
  unit.stages = {NormQuantStage()};
  unit.input.rowPitch = 16;
  unit.input.groupSize = 16;
  const UnitProgram *units[] = {&unit};
  const Counters c = simulateTiming(Config(), codeOf("units unit 0 row 0 rows 16 channel 0 cols 16"), units);
  // Parameters are there at 85 + 50; the first row is asked for a cycle later and there after 51; then the unit is the
  // slowest: 7 cycles a row, where three passes would take 3. The last one has left 14 cycles after its first value.
  EXPECT_EQ(c.cycles, 85u + 50u + 1u + 51u + 15u * 7u + 14u + 1u + 50u);
  EXPECT_EQ(c.unitBusy, 16u * 7u);
}

//===----------------------------------------------------------------------===//
// Rules of counters
//===----------------------------------------------------------------------===//

TEST(Timing, CountersObeyTheirRules) {
  std::mt19937_64 rng(5);
  auto pick = [&](int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(rng); };
  for (int i = 0; i < 60; ++i) {
    Config config;
    config.dataflow = pick(0, 1) ? Dataflow::OutputStationary : Dataflow::WeightStationary;
    config.bits = int64_t(1) << pick(1, 3);
    config.rows = pick(1, 3) * 8;
    config.cols = pick(1, 3) * 8;
    config.dmaBytes = int64_t(1) << pick(2, 5);
    config.dmaRequests = pick(1, 20);
    Matmul matmul;
    matmul.m = pick(1, 60);
    matmul.n = pick(1, 60);
    matmul.k = pick(1, 60);
    const Program program = matmulProgram(config, matmul);
    ASSERT_EQ(llvm::toString(checkProgram(program)), "");
    std::vector<TimelineEvent> events;
    const Counters c = simulateTiming(program, 0, &events);
    const ProgramTiming whole = simulateTiming(program);
    EXPECT_EQ(whole.total.cycles, c.cycles);
    EXPECT_GE(c.cycles, whole.roofline[0]) << config.str();
    EXPECT_LE(c.executeBusy, c.cycles);
    EXPECT_LE(c.loadBusy, c.cycles);
    EXPECT_LE(c.storeBusy, c.cycles);
    EXPECT_GE(c.loadBusy * static_cast<uint64_t>(config.dmaBytes), c.bytesRead);
    EXPECT_EQ(c.bytesWritten, static_cast<uint64_t>(matmul.m * matmul.n * 4));
    EXPECT_LE(c.usefulProducts, c.executeBusy * static_cast<uint64_t>(config.rows * config.cols));
    EXPECT_LE(c.utilization(config), 1.0);
    // Without the launch's numbers, products are counted one by one.
    EXPECT_EQ(simulateTiming(config, program.routines[0].code).usefulProducts, c.usefulProducts);
    uint64_t last = 0;
    for (const TimelineEvent &event : events) {
      EXPECT_LT(event.start, event.end);
      last = std::max(last, event.end);
    }
    EXPECT_LE(last, c.cycles);
    EXPECT_GE(c.cycles, program.routines[0].code.size());
  }
}

TEST(Timing, ProgramsAreTheSumOfTheirLaunches) {
  Matmul matmul;
  matmul.m = matmul.n = matmul.k = 40;
  Program program = matmulProgram(Config(), matmul);
  program.launches.push_back(program.launches[0]);
  program.launches.push_back(program.launches[0]);
  program.launches[1].kind = LaunchKind::Attention;
  program.launches[1].macs /= 2;
  std::vector<std::pair<size_t, size_t>> calls;
  const ProgramTiming timing = simulateTiming(program, [&](size_t done, size_t all) { calls.push_back({done, all}); });
  ASSERT_EQ(timing.launches.size(), 3u);
  const Counters one = simulateTiming(program, 0);
  EXPECT_EQ(timing.total.cycles, 3 * one.cycles);
  EXPECT_EQ(timing.total.bytesRead, 3 * one.bytesRead);
  EXPECT_DOUBLE_EQ(timing.linearUtilization, one.utilization(program.config));
  EXPECT_DOUBLE_EQ(timing.attentionUtilization, one.utilization(program.config) / 2);
  EXPECT_EQ(calls, (std::vector<std::pair<size_t, size_t>>{{1, 3}, {2, 3}, {3, 3}}));
}

TEST(Timing, RooflineIsWhatBinds) {
  const Config config;
  EXPECT_EQ(rooflineCycles(config, 256 * 100, 16 * 99, 16 * 98), 100u);
  EXPECT_EQ(rooflineCycles(config, 256 * 100 + 1, 0, 0), 101u);
  EXPECT_EQ(rooflineCycles(config, 0, 16 * 99 + 1, 0), 100u);
  EXPECT_EQ(rooflineCycles(config, 0, 0, 17), 2u);
}

//===----------------------------------------------------------------------===//
// Pictures
//===----------------------------------------------------------------------===//

namespace {

struct Pictures {
  std::string trace, svg;
  size_t events;
};

Pictures picturesOf(int64_t size) {
  Matmul matmul;
  matmul.m = matmul.n = matmul.k = size;
  Program program = matmulProgram(Config(), matmul);
  program.launches[0].node = "blocks.0/<MatMul> & \"more\"";
  std::vector<TimelineEvent> events;
  const Counters counters = simulateTiming(program, 0, &events);
  Pictures pictures;
  pictures.events = events.size();
  llvm::raw_string_ostream trace(pictures.trace), svg(pictures.svg);
  writeChromeTrace(trace, program, 0, events);
  writeTimelineSvg(svg, program, 0, events, counters);
  return pictures;
}

} // namespace

TEST(Trace, ChromeTraceHasEveryEventAndNoOverlapInAThread) {
  const Pictures pictures = picturesOf(40);
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(pictures.trace);
  ASSERT_TRUE(static_cast<bool>(json)) << llvm::toString(json.takeError());
  size_t events = 0;
  std::map<int64_t, int64_t> ends;
  for (const llvm::json::Value &value : *json->getAsObject()->getArray("traceEvents")) {
    const llvm::json::Object &event = *value.getAsObject();
    if (event.getString("ph") != "X")
      continue;
    ++events;
    const int64_t thread = *event.getInteger("tid"), start = *event.getInteger("ts");
    EXPECT_GE(start, ends[thread]);
    ends[thread] = start + *event.getInteger("dur");
  }
  EXPECT_EQ(events, pictures.events);
  EXPECT_NE(pictures.trace.find("\"execute\""), std::string::npos);
}

TEST(Trace, PicturesStaySmall) {
  const Pictures small = picturesOf(40), large = picturesOf(500);
  EXPECT_LT(small.events, 1500u);
  EXPECT_GT(large.events, 100000u);
  EXPECT_EQ(llvm::StringRef(small.svg).count("class=\"event\""), small.events);
  EXPECT_LT(large.svg.size(), 1000000u);
  EXPECT_NE(small.svg.find("blocks.0/&lt;MatMul&gt; &amp; &quot;more&quot;"), std::string::npos);
  for (const std::string *svg : {&small.svg, &large.svg}) {
    EXPECT_TRUE(llvm::StringRef(*svg).ends_with("</svg>\n"));
    // Nothing of what does not happen.
    EXPECT_NE(svg->find(">compute</text>"), std::string::npos);
    EXPECT_EQ(svg->find(">units</text>"), std::string::npos);
  }
  EXPECT_NE(large.svg.find("height: for which part"), std::string::npos);
  EXPECT_EQ(small.svg.find("height: for which part"), std::string::npos);
}
