//===- Timing.cpp - When the array does what -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/Systolic.md defines the model. Three queues work in order, each by itself; what
// they share (DMA channels, banks) is given to whoever starts first. So the simulation
// takes the first instructions of the queues in the order in which they start. Every
// instruction that has not been taken starts no earlier than the next one taken: it waits
// for an instruction before it, or for a place in a queue.
//
//===----------------------------------------------------------------------===//

#include "Banks.h"
#include "Dma.h"
#include "Hazards.h"
#include "StageLists.h"

#include "llvm/Support/MathExtras.h"

#include <optional>

using namespace vitq;
using namespace vitq::simulator;

namespace {

constexpr uint64_t kUnknown = ~uint64_t(0);
/// Rows that wait in a unit, before it and behind it.
constexpr size_t kUnitRows = 16;
/// From when the unit is told of a row to the row's first value.
constexpr uint64_t kUnitStart = 2;
/// Cycles of the shortest compute.
constexpr uint64_t kShortestCompute = 4;

/// One of the queues.
struct QueueState {
  /// Instructions in it that have not been taken: numbers [head, issued.size()).
  std::vector<uint32_t> issued;
  size_t head = 0;
  /// When each instruction's place becomes free, as a ring over the places.
  std::vector<uint64_t> freed;
  uint64_t lastFreed = 0;
  /// When the last instruction taken started.
  uint64_t lastStart = 0;

  explicit QueueState(int64_t places) : freed(static_cast<size_t>(places), 0) {}
  bool isEmpty() const { return head == issued.size(); }
};

/// What an instruction at the head of a queue waits for.
struct Wait {
  /// When its queue and unit are ready for it, and when nothing conflicts with it.
  uint64_t ready = 0, start = 0;
  /// The queue that it waits for, if it does.
  std::optional<Queue> cause;
};

class Simulation {
public:
  Simulation(const Config &config, llvm::ArrayRef<Instruction> code, llvm::ArrayRef<const UnitProgram *> units,
             std::vector<TimelineEvent> *events);
  Counters run();

private:
  QueueState &queue(Queue kind) { return queues[static_cast<unsigned>(kind)]; }
  void loadParameters();
  void issue();
  bool takeNext();
  /// When the head of a queue starts; nothing if what it waits for has not been taken.
  std::optional<Wait> findStart(Queue kind);
  uint64_t readyTime(Queue kind, uint32_t number);
  void take(Queue kind, const Wait &wait);
  void countWait(Queue kind, const Wait &wait);
  void finish(Queue kind, uint64_t end);

  void takeLoad(uint32_t number, uint64_t start);
  void takePreload(uint32_t number, uint64_t start);
  void takeCompute(uint32_t number, uint64_t start);
  void takeMvout(uint32_t number, uint64_t start);
  void holdArray(uint64_t time, uint64_t cycles);
  bool readsInputs(const Instruction &instruction) const;
  /// One row; whether it was the last.
  bool takeUnitRow(uint32_t number, uint64_t start);
  uint64_t unitInputs(const UnitProgram &unit, const Instruction &instruction, uint64_t row, uint64_t start);
  void unitOutputs(const UnitProgram &unit, const Instruction &instruction, uint64_t row, uint64_t time);

  bool sharesBank(uint64_t first, uint64_t rows, uint64_t otherFirst, uint64_t otherRows) const;
  void show(TimelineEvent::Lane lane, uint32_t number, uint64_t start, uint64_t end) {
    if (events)
      events->push_back({lane, code[number].opcode, start, end, number});
  }

  const Config &config;
  llvm::ArrayRef<Instruction> code;
  llvm::ArrayRef<const UnitProgram *> units;
  std::vector<TimelineEvent> *events;
  std::vector<Hazards> hazards;
  /// By instruction: when it was issued, when it has read its local rows, and when it is
  /// done.
  std::vector<uint64_t> issueTimes, readTimes, doneTimes;
  QueueState queues[kNumQueues];
  size_t nextIssue = 0;
  uint64_t issueTime = 0, lastDone = 0;

  DmaChannel reads, writes;
  AccumulatorBanks banks;
  // The array: computes taken, the last one and the last weights shifted in.
  std::vector<uint32_t> computes;
  uint64_t computeStart = 0, computeEnd = 0, weightsEnd = 0;
  uint64_t computeLocal = 0, computeRows = 0;
  // When the last compute has read its left operand, and when the last row of sums that is repeated is written.
  uint64_t leftRead = 0, repeated = 0;
  // Output stationary: when the last two tiles of sums have been shifted out.
  uint64_t drained[2] = {0, 0};
  // Stores: when the last one has read. The unit: when it is free, when its parameters are there, when it was last
  // asked for a row's data, what it does and when the last row has left it; rows at its ends, as rings.
  uint64_t storeRead = 0, unitFree = 0, parametersAt = 0, lastAsk = 0, lastLeft = 0;
  std::vector<UnitPace> paces;
  uint32_t lastUnit = kNone;
  std::vector<uint64_t> rowsLeft, rowsWritten;
  size_t unitRow = 0, rowOfInstruction = 0;
  uint64_t unitStart = 0;

  uint64_t sramBits = 0;
  Counters counters;
};

} // namespace

static uint64_t asUnsigned(int64_t x) { return static_cast<uint64_t>(x); }

Simulation::Simulation(const Config &config, llvm::ArrayRef<Instruction> code,
                       llvm::ArrayRef<const UnitProgram *> units, std::vector<TimelineEvent> *events)
    : config(config), code(code), units(units), events(events), hazards(findHazards(config, code)),
      issueTimes(code.size(), kUnknown), readTimes(code.size(), kUnknown), doneTimes(code.size(), kUnknown),
      queues{QueueState(config.loadQueue), QueueState(config.storeQueue), QueueState(config.executeQueue)},
      reads(config), writes(config), banks(config), rowsLeft(kUnitRows, 0), rowsWritten(kUnitRows, 0) {}

Counters Simulation::run() {
  counters.instructions = code.size();
  loadParameters();
  issue();
  while (takeNext())
    issue();
  counters.cycles = lastDone;
  counters.loadBusy = reads.busy;
  counters.storeBusy = writes.busy;
  counters.dmaWait = reads.waited + writes.waited;
  counters.bytesRead = reads.bytes;
  counters.bytesWritten = writes.bytes;
  counters.sramBytes = sramBits / 8;
  const auto product = static_cast<double>(config.bits * config.bits) * config.macPicojoules;
  counters.energyPicojoules = static_cast<double>(counters.usefulProducts) * product +
                              static_cast<double>(counters.sramBytes) * config.sramPicojoules +
                              static_cast<double>(counters.bytesRead + counters.bytesWritten) * config.dramPicojoules;
  return counters;
}

//===----------------------------------------------------------------------===//
// Queues
//===----------------------------------------------------------------------===//

void Simulation::loadParameters() {
  uint64_t bytes = 0;
  for (const UnitProgram *unit : units) {
    bytes += asUnsigned(unit->parameterBytes(config));
    paces.push_back(paceOf(unit->stages));
  }
  if (bytes)
    reads.send(0, 0, bytes);
  lastDone = parametersAt = reads.answered();
}

/// Issues what has a place: one instruction a cycle, in order.
void Simulation::issue() {
  for (; nextIssue < code.size(); ++nextIssue) {
    const auto number = static_cast<uint32_t>(nextIssue);
    if (code[number].opcode == Opcode::Fence) {
      if (!llvm::all_of(queues, [](const QueueState &q) { return q.isEmpty(); }))
        return;
      issueTime = std::max(issueTime, lastDone);
      issueTimes[number] = readTimes[number] = doneTimes[number] = issueTime++;
      continue;
    }
    QueueState &q = queue(queueOf(code[number].opcode));
    // The instruction that has the place now must have been taken.
    if (q.issued.size() >= q.freed.size() + q.head)
      return;
    const uint64_t free = q.freed[q.issued.size() % q.freed.size()];
    if (free > issueTime) {
      counters.queueFull += free - issueTime;
      issueTime = free;
    }
    issueTimes[number] = issueTime++;
    q.issued.push_back(number);
  }
}

bool Simulation::takeNext() {
  std::optional<Wait> first;
  Queue from = Queue::Load;
  // At the same time loads go before units at the channel, stores before computes at a bank.
  for (Queue kind : {Queue::Load, Queue::Store, Queue::Execute}) {
    std::optional<Wait> wait = findStart(kind);
    if (wait && (!first || wait->start < first->start)) {
      first = wait;
      from = kind;
    }
  }
  if (first)
    take(from, *first);
  return first.has_value();
}

std::optional<Wait> Simulation::findStart(Queue kind) {
  const QueueState &q = queue(kind);
  if (q.isEmpty())
    return std::nullopt;
  const uint32_t number = q.issued[q.head];
  Wait wait;
  wait.ready = wait.start = std::max({issueTimes[number], q.lastStart, readyTime(kind, number)});
  if (kind == Queue::Store && rowOfInstruction > 0)
    return wait;
  for (const Hazard &hazard : hazards[number].all) {
    if (hazard.instruction == kNone)
      continue;
    const uint64_t over = (hazard.untilRead ? readTimes : doneTimes)[hazard.instruction];
    if (over == kUnknown)
      return std::nullopt;
    if (over > wait.start) {
      wait.start = over;
      wait.cause = queueOf(code[hazard.instruction].opcode);
    }
  }
  return wait;
}

/// When the part of the machine that runs the instruction can take it.
uint64_t Simulation::readyTime(Queue kind, uint32_t number) {
  const Instruction &instruction = code[number];
  switch (kind) {
  case Queue::Load:
    // Sums that are written as they come must not overtake a row that is being repeated.
    if (instruction.opcode == Opcode::MvinAcc && !instruction.repeatsRow())
      return std::max(reads.sent(), repeated);
    return reads.sent();
  case Queue::Store: {
    if (instruction.opcode == Opcode::Mvout)
      return writes.sent();
    const uint64_t next = unitRow == 0 ? 0 : lastAsk + 1;
    if (rowOfInstruction == 0)
      return std::max({storeRead, parametersAt, next});
    return std::max({next, rowsLeft[unitRow % kUnitRows], readsInputs(instruction) ? reads.sent() : 0});
  }
  case Queue::Execute:
    break;
  }
  if (instruction.opcode == Opcode::Preload)
    // The registers that take new weights are those that the last compute left.
    return instruction.local == kNone ? 0 : std::max(computeStart, weightsEnd);
  if (!instruction.has(FlagFresh))
    return computeEnd;
  if (config.dataflow == Dataflow::WeightStationary)
    return std::max(computeEnd, weightsEnd);
  return std::max(computeEnd, drained[0]);
}

void Simulation::countWait(Queue kind, const Wait &wait) {
  if (!wait.cause)
    return;
  const uint64_t cycles = wait.start - wait.ready;
  if (kind == Queue::Load)
    counters.loadWaitExecute += cycles;
  else if (kind == Queue::Store)
    counters.storeWaitExecute += cycles;
  else if (*wait.cause == Queue::Load)
    counters.executeWaitLoad += cycles;
  else
    counters.executeWaitStore += cycles;
}

void Simulation::take(Queue kind, const Wait &wait) {
  QueueState &q = queue(kind);
  const uint32_t number = q.issued[q.head];
  countWait(kind, wait);
  q.lastStart = wait.start;
  switch (code[number].opcode) {
  case Opcode::Mvin:
  case Opcode::MvinAcc:
    takeLoad(number, wait.start);
    break;
  case Opcode::Preload:
    takePreload(number, wait.start);
    break;
  case Opcode::Compute:
    takeCompute(number, wait.start);
    break;
  case Opcode::Mvout:
    takeMvout(number, wait.start);
    break;
  case Opcode::Units:
    if (!takeUnitRow(number, wait.start))
      return;
    break;
  case Opcode::Fence:
    break;
  }
  finish(kind, doneTimes[number]);
}

/// Takes an instruction out of the queue; its place becomes free when it and those before
/// are done.
void Simulation::finish(Queue kind, uint64_t end) {
  QueueState &q = queue(kind);
  q.lastFreed = std::max(q.lastFreed, end);
  q.freed[q.head % q.freed.size()] = q.lastFreed;
  ++q.head;
  lastDone = std::max(lastDone, end);
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

void Simulation::takeLoad(uint32_t number, uint64_t start) {
  const Instruction &instruction = code[number];
  forEachSpan(config, instruction, [&](uint64_t offset, uint64_t bytes) { reads.send(start, offset, bytes); });
  readTimes[number] = doneTimes[number] = reads.answered();
  if (instruction.repeatsRow()) {
    // A row a cycle, one instruction after the other. "Read" is when the first row is written.
    readTimes[number] = std::max(reads.answered(), repeated + 1);
    repeated = doneTimes[number] = readTimes[number] + instruction.rows - 1;
  }
  const uint64_t rows = instruction.rows * asUnsigned(localTiles(config, instruction));
  if (instruction.opcode == Opcode::Mvin)
    sramBits += rows * asUnsigned(config.width() * config.bits);
  else
    sramBits += rows * asUnsigned(config.cols * config.accumulatorBits) * (instruction.has(FlagAccumulate) ? 2 : 1);
  show(TimelineEvent::Lane::Load, number, start, doneTimes[number]);
}

void Simulation::takeMvout(uint32_t number, uint64_t start) {
  const Instruction &instruction = code[number];
  const Pieces pieces{rowBytesOf(config, instruction),
                      asUnsigned(instruction.has(FlagScale) ? config.cols : 4 * config.cols)};
  forEachSpan(config, instruction, [&](uint64_t offset, uint64_t bytes) { writes.send(start, offset, bytes, pieces); });
  readTimes[number] = storeRead = writes.sent();
  doneTimes[number] = writes.answered();
  const int64_t tiles = localTiles(config, instruction);
  for (int64_t tile = 0; tile < tiles; ++tile)
    holdArray(start, banks.read(instruction.local + asUnsigned(tile) * instruction.tileStride, instruction.rows, start,
                                readTimes[number]));
  sramBits += instruction.rows * asUnsigned(tiles * config.cols * config.accumulatorBits);
  show(TimelineEvent::Lane::Store, number, start, doneTimes[number]);
}

//===----------------------------------------------------------------------===//
// The array
//===----------------------------------------------------------------------===//

bool Simulation::sharesBank(uint64_t first, uint64_t rows, uint64_t otherFirst, uint64_t otherRows) const {
  const uint64_t size = asUnsigned(config.scratchpadRows);
  return rows && otherRows && first / size <= (otherFirst + otherRows - 1) / size &&
         otherFirst / size <= (first + rows - 1) / size;
}

/// From `time` on a store reads sums where the array would read them: everything between scratchpad and sums waits.
void Simulation::holdArray(uint64_t time, uint64_t cycles) {
  if (cycles == 0)
    return;
  counters.bankConflicts += cycles;
  for (uint32_t number : llvm::reverse(computes)) {
    if (doneTimes[number] <= time)
      break;
    doneTimes[number] += cycles;
    if (readTimes[number] > time)
      readTimes[number] += cycles;
  }
  if (computeEnd > time) {
    computeEnd += cycles;
    leftRead += cycles;
    counters.executeBusy += cycles;
  }
  if (weightsEnd > time)
    weightsEnd += cycles;
}

void Simulation::takePreload(uint32_t number, uint64_t start) {
  const Instruction &instruction = code[number];
  readTimes[number] = doneTimes[number] = start;
  if (instruction.local == kNone)
    return;
  const bool transposed = instruction.has(FlagTranspose);
  const uint64_t rows = transposed ? instruction.cols : instruction.rows,
                 steps = asUnsigned(transposed ? config.cols : config.rows);
  // Rows that the tile lacks are shifted in without reading.
  uint64_t delay = 0;
  const uint64_t reads = start + steps - rows;
  if (reads < leftRead && sharesBank(instruction.local, rows, computeLocal, computeRows))
    delay = leftRead - reads;
  counters.bankConflicts += delay;
  weightsEnd = readTimes[number] = doneTimes[number] = start + steps + delay;
  sramBits += rows * asUnsigned(config.width() * config.bits);
  show(TimelineEvent::Lane::Execute, number, start, weightsEnd);
}

void Simulation::takeCompute(uint32_t number, uint64_t start) {
  const Instruction &instruction = code[number], &target = code[hazards[number].preload];
  const bool stationarySums = config.dataflow == Dataflow::OutputStationary;
  const bool accumulates = target.has(FlagAccumulate);
  const uint64_t scratchpadBits = asUnsigned(config.width() * config.bits);
  const uint64_t rowBits = asUnsigned(config.cols * config.accumulatorBits) * (accumulates ? 2 : 1);
  const uint64_t skew = asUnsigned(config.rows + config.cols);
  uint64_t cycles = instruction.rows, delay = 0;
  if (stationarySums) {
    const bool oneBank = sharesBank(instruction.local, instruction.rows, instruction.local2, instruction.cols);
    const uint64_t together = std::max(instruction.rows, instruction.cols);
    cycles = oneBank ? uint64_t(instruction.rows) + instruction.cols : together;
    delay = cycles - together;
  } else if (accumulates) {
    // Sums come down the array before they are added.
    delay = banks.add(target.local2, instruction.rows, start + skew - 1, start);
    cycles += delay;
  }
  leftRead = start + (stationarySums ? instruction.rows : cycles);
  cycles = std::max(cycles, kShortestCompute);
  counters.bankConflicts += delay;
  counters.executeBusy += cycles;
  counters.usefulProducts += uint64_t(instruction.rows) * instruction.cols * target.cols;
  computes.push_back(number);
  computeStart = start;
  computeEnd = readTimes[number] = start + cycles;
  computeLocal = instruction.local;
  computeRows = instruction.rows;
  sramBits += instruction.rows * scratchpadBits;
  if (!stationarySums) {
    doneTimes[number] = computeEnd + skew;
    sramBits += instruction.rows * rowBits;
  } else {
    doneTimes[number] = computeEnd;
    sramBits += instruction.cols * scratchpadBits;
    if (instruction.has(FlagLast)) {
      // Sums leave the array through the elements' second registers, which the tile before
      // must have left.
      drained[0] = drained[1];
      drained[1] = std::max(computeEnd, drained[1]) + asUnsigned(config.rows);
      doneTimes[number] = drained[1] + skew;
      sramBits += target.rows * rowBits;
    }
  }
  show(TimelineEvent::Lane::Execute, number, start, computeEnd);
}

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

/// Reads a row's inputs; when they are there.
uint64_t Simulation::unitInputs(const UnitProgram &unit, const Instruction &instruction, uint64_t row, uint64_t start) {
  uint64_t there = start;
  auto read = [&](const UnitOperand &operand) {
    forEachSpan(operand, unit, instruction, row, [&](uint64_t offset, uint64_t bytes) {
      reads.send(start, offset, bytes);
      there = reads.answered();
    });
  };
  if (!instruction.has(FlagFromAccumulator))
    read(unit.input);
  for (const UnitOperand &extra : unit.extraInputs)
    read(extra);
  return there;
}

void Simulation::unitOutputs(const UnitProgram &unit, const Instruction &instruction, uint64_t row, uint64_t time) {
  auto write = [&](const UnitOperand &operand) {
    forEachSpan(operand, unit, instruction, row,
                [&](uint64_t offset, uint64_t bytes) { writes.send(time, offset, bytes); });
  };
  for (const UnitOperand &extra : unit.extraOutputs)
    write(extra);
  write(unit.output);
}

bool Simulation::readsInputs(const Instruction &instruction) const {
  return !instruction.has(FlagFromAccumulator) || !units[instruction.unit]->extraInputs.empty();
}

bool Simulation::takeUnitRow(uint32_t number, uint64_t start) {
  const Instruction &instruction = code[number];
  const UnitProgram &unit = *units[instruction.unit];
  const UnitPace &pace = paces[instruction.unit];
  const bool reading = readsInputs(instruction);
  const auto beats = static_cast<int64_t>(llvm::divideCeil(uint64_t(instruction.cols), asUnsigned(config.unitLanes)));
  const uint64_t row = rowOfInstruction++, cycles = asUnsigned(pace.periodOf(beats));
  const size_t place = unitRow++ % kUnitRows;
  lastAsk = start;
  if (row == 0) {
    unitStart = start;
    lastAsk = std::max({start + 1, rowsLeft[place], reading ? reads.sent() : 0});
  }
  // Without data a row is known to the unit in the next cycle; a row that is known has its first value two cycles
  // later.
  const uint64_t there =
      reading ? unitInputs(unit, instruction, instruction.row + row, lastAsk) : lastAsk + 1 + kUnitStart;
  uint64_t begin = std::max({there + asUnsigned(pace.ahead), unitFree, rowsWritten[place] + kUnitStart});
  if (lastUnit != instruction.unit)
    begin = std::max(begin, lastLeft + kUnitStart);
  lastUnit = instruction.unit;
  unitFree = begin + cycles;
  lastLeft = rowsLeft[place] = begin + asUnsigned(pace.latency.at(beats));
  counters.unitBusy += cycles;
  const uint64_t hasRead = begin + asUnsigned(beats);
  if (instruction.has(FlagFromAccumulator)) {
    const int64_t tiles = localTiles(config, instruction);
    for (int64_t tile = 0; tile < tiles; ++tile)
      holdArray(begin,
                banks.read(instruction.local + asUnsigned(tile) * instruction.tileStride + row, 1, begin, hasRead));
    sramBits += asUnsigned(tiles * config.cols * config.accumulatorBits);
  }
  unitOutputs(unit, instruction, instruction.row + row, lastLeft);
  rowsWritten[place] = writes.sent();
  if (row + 1 < instruction.rows)
    return false;
  rowOfInstruction = 0;
  readTimes[number] = hasRead;
  doneTimes[number] = writes.answered();
  show(TimelineEvent::Lane::Unit, number, unitStart, doneTimes[number]);
  return true;
}

Counters simulator::simulateTiming(const Config &config, llvm::ArrayRef<Instruction> code,
                                   llvm::ArrayRef<const UnitProgram *> units, std::vector<TimelineEvent> *events) {
  return Simulation(config, code, units, events).run();
}
