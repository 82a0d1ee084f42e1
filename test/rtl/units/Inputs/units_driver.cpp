//===- units_driver.cpp - The row unit against lib/Numerics -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// units_driver FILE [STALLS]: gives the rows of FILE (of vitq-unit-vectors) to the verilated row unit, with STALLS of 8
// handshakes refused at random, and compares what leaves it. Without stalls it also says how many cycles a row took.
//
//===----------------------------------------------------------------------===//

#include "Vvitq_units.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Values = std::vector<int64_t>;

struct Row {
  Values head, input, extras[2], output;
  bool hasExtra[2] = {false, false};
};
struct Case {
  std::string name;
  Values numbers;
  std::vector<Values> writes;
  std::vector<Row> rows;
  std::vector<int64_t> sums;
};

Values numbersOf(std::istringstream &line) {
  Values values;
  for (int64_t value; line >> value;)
    values.push_back(value);
  return values;
}

std::vector<Case> read(const char *path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string letter;
    line >> letter;
    if (letter == "C") {
      cases.emplace_back();
      line >> cases.back().name;
      cases.back().numbers = numbersOf(line);
      continue;
    }
    Values values = numbersOf(line);
    Case &last = cases.back();
    if (letter == "W")
      last.writes.push_back(values);
    else if (letter == "R")
      last.rows.emplace_back().head = values;
    else if (letter == "I")
      last.rows.back().input = values;
    else if (letter == "O")
      last.rows.back().output = values;
    else if (letter == "S")
      last.sums.push_back(values.at(0));
    else if (letter == "E") {
      const auto port = static_cast<size_t>(values.at(0));
      last.rows.back().hasExtra[port] = true;
      last.rows.back().extras[port].assign(values.begin() + 1, values.end());
    }
  }
  return cases;
}

/// Beats of a row, LANES values each; what is left of the last one is 0xdeadbeef.
void addBeats(std::deque<Values> &beats, const Values &values, size_t lanes) {
  for (size_t i = 0; i < values.size(); i += lanes) {
    Values beat(lanes, 0xdeadbeef);
    for (size_t lane = 0; lane < lanes && i + lane < values.size(); ++lane)
      beat[lane] = values[i + lane];
    beats.push_back(beat);
  }
}

class Simulation {
public:
  Simulation(const Case &given, int stalls) : given(given), stalls(stalls), rng(given.rows.size()) {}

  /// Whether everything was right.
  bool run() {
    const auto lanes = static_cast<size_t>(given.numbers.at(2));
    for (const Row &row : given.rows) {
      addBeats(inputs, row.input, lanes);
      for (size_t port = 0; port < 2; ++port)
        if (row.hasExtra[port])
          addBeats(extras[port], row.extras[port], lanes);
    }
    unit.reset = 1;
    for (int i = 0; i < 3; ++i)
      cycle();
    unit.reset = 0;
    for (const Values &write : given.writes) {
      unit.config_valid = 1;
      unit.config_space = static_cast<uint8_t>(write.at(0));
      unit.config_slot = static_cast<uint8_t>(write.at(1));
      unit.config_index = static_cast<uint16_t>(write.at(2));
      unit.config_lane = static_cast<uint16_t>(write.at(3));
      unit.config_word = static_cast<uint8_t>(write.at(4));
      unit.config_data = static_cast<uint32_t>(write.at(5));
      cycle();
    }
    unit.config_valid = 0;
    size_t expectedRow = 0, expectedValue = 0;
    for (uint64_t idle = 0; expectedRow < given.rows.size() || sumsSeen < given.sums.size();) {
      offer(lanes);
      unit.eval();
      const bool row = unit.row_valid && unit.row_ready, in = unit.in_valid && unit.in_ready;
      const bool out = unit.out_valid && unit.out_ready, sum = unit.sum_valid && unit.sum_ready;
      const unsigned taken = unit.extra_valid & unit.extra_ready;
      if (out && !compare(expectedRow, expectedValue, lanes))
        return false;
      if (out && unit.out_last)
        ends.push_back(cycles);
      if (out && expectedValue >= given.rows[expectedRow].output.size()) {
        expectedValue = 0;
        ++expectedRow;
      }
      if (sum && (sumsSeen >= given.sums.size() || unit.sum != static_cast<uint32_t>(given.sums[sumsSeen])))
        return fail("sum " + std::to_string(sumsSeen) + " is " + std::to_string(unit.sum));
      sumsSeen += sum;
      cycle();
      rowsGiven += row;
      if (in)
        inputs.pop_front();
      for (size_t port = 0; port < 2; ++port)
        if (taken >> port & 1)
          extras[port].pop_front();
      idle = out || in || row || sum ? 0 : idle + 1;
      if (idle > 5000)
        return fail("nothing moves for 5000 cycles");
    }
    return true;
  }

  uint64_t cycles = 0, values = 0;
  /// Between the ends of the last two rows of the first program; 0 if they are parts of rows.
  uint64_t rowCycles() const {
    size_t row = 0;
    while (row + 1 < given.rows.size() && given.rows[row + 1].head.at(0) == 0)
      ++row;
    const bool whole = row > 0 && given.rows[row].output.size() == given.rows[row - 1].output.size();
    return whole ? ends.at(row) - ends.at(row - 1) : 0;
  }

private:
  bool fail(const std::string &why) {
    std::printf("%s: %s (row %zu given)\n", given.name.c_str(), why.c_str(), rowsGiven);
    return false;
  }
  bool go() { return static_cast<int>(rng() % 8) >= stalls; }

  void cycle() {
    unit.clk = 0;
    unit.eval();
    unit.clk = 1;
    unit.eval();
    ++cycles;
  }

  // What is offered stays until it is taken.
  void offer(size_t lanes) {
    unit.clk = 0;
    unit.row_valid = rowsGiven < given.rows.size() && (unit.row_valid || go());
    if (unit.row_valid) {
      const Values &head = given.rows[rowsGiven].head;
      unit.row_program = static_cast<uint8_t>(head.at(0));
      unit.row_batch = static_cast<uint16_t>(head.at(1));
      unit.row_record = static_cast<uint16_t>(head.at(2));
      unit.row_channels = static_cast<uint16_t>(head.at(3));
    }
    const bool more = !inputs.empty();
    unit.in_valid = more && (unit.in_valid || go());
    if (more)
      for (size_t lane = 0; lane < lanes; ++lane)
        unit.in_data[lane] = static_cast<uint32_t>(inputs.front()[lane]);
    unsigned offered = 0;
    for (size_t port = 0; port < 2; ++port) {
      if (extras[port].empty())
        continue;
      offered |= ((unit.extra_valid >> port & 1) || go() ? 1u : 0u) << port;
      for (size_t lane = 0; lane < lanes; ++lane)
        unit.extra_data[port * lanes + lane] = static_cast<uint32_t>(extras[port].front()[lane]);
    }
    unit.extra_valid = static_cast<uint8_t>(offered);
    unit.out_ready = go();
    unit.sum_ready = go();
  }

  bool compare(size_t row, size_t &value, size_t lanes) {
    if (row >= given.rows.size())
      return fail("a beat too many");
    const Values &expected = given.rows[row].output;
    for (size_t lane = 0; lane < lanes && value < expected.size(); ++lane, ++value, ++values)
      if (unit.out_data[lane] != static_cast<uint32_t>(expected[value]))
        return fail("row " + std::to_string(row) + " channel " + std::to_string(value) + " is " +
                    std::to_string(static_cast<int32_t>(unit.out_data[lane])) + " instead of " +
                    std::to_string(expected[value]));
    if (bool(unit.out_last) != (value >= expected.size()))
      return fail("row " + std::to_string(row) + " ends elsewhere");
    return true;
  }

  const Case &given;
  const int stalls;
  std::mt19937 rng;
  Vvitq_units unit;
  std::deque<Values> inputs, extras[2];
  std::vector<uint64_t> ends;
  size_t rowsGiven = 0, sumsSeen = 0;
};

} // namespace

int main(int argc, char **argv) {
  if (argc < 2)
    return 1;
  const int stalls = argc > 2 ? std::atoi(argv[2]) : 0;
  uint64_t values = 0;
  std::string last;
  for (const Case &given : read(argv[1])) {
    Simulation simulation(given, stalls);
    if (!simulation.run())
      return 1;
    const int64_t beats = (given.numbers.at(1) + given.numbers.at(2) - 1) / given.numbers.at(2);
    if (last != given.name && !last.empty()) {
      std::printf("%s: %llu values agree\n", last.c_str(), static_cast<unsigned long long>(values));
      values = 0;
    }
    last = given.name;
    values += simulation.values;
    if (const uint64_t rowCycles = simulation.rowCycles(); stalls == 0 && rowCycles > 0)
      std::printf("%s: %lld beats, %llu cycles a row, model %lld\n", given.name.c_str(), static_cast<long long>(beats),
                  static_cast<unsigned long long>(rowCycles), static_cast<long long>(given.numbers.at(0)));
  }
  std::printf("%s: %llu values agree\n", last.c_str(), static_cast<unsigned long long>(values));
}
