"""Runs workers (worker.py) and times them in turn."""
import ctypes
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import time


class WorkerError(Exception):
    """The peer failed; the text is for the table."""


PR_SET_PDEATHSIG = 1


def before_start(cores):
    """In the new process: its cores, and an end when this process ends, which a
    stopped one would not notice otherwise."""
    os.sched_setaffinity(0, cores)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A worker. Between its turns it is stopped (SIGSTOP), so that no thread pool of
    an idle peer spins on the cores that are being measured."""

    def __init__(self, cores, log, environment=None):
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.errors = open(self.log, "ab")
        variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
        command = [sys.executable, str(pathlib.Path(__file__).with_name("worker.py"))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        env=variables, preexec_fn=lambda: before_start(cores))
        self.stopped, self.buffer = False, b""

    def request(self, timeout, **message):
        """The answer; WorkerError if the peer failed, died or took longer than
        `timeout` seconds."""
        if self.stopped:
            self.process.send_signal(signal.SIGCONT)
            self.stopped = False
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise WorkerError(self.ending()) from None
        answer = json.loads(self.read_line(timeout))
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def read_line(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                self.close()
                raise WorkerError(f"stopped after {timeout:.0f} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                raise WorkerError(self.ending())
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def ending(self):
        code = self.process.wait()
        if code < 0:
            reason = f"ended by signal {-code} ({signal.Signals(-code).name})"
        else:
            reason = f"ended with status {code}"
        last = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()][-1:]
        return reason + (f": {last[0][:300]}" if last else "")

    def pause(self):
        if self.process.poll() is None and not self.stopped:
            self.process.send_signal(signal.SIGSTOP)
            self.stopped = True

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.errors):
            try:
                file.close()
            except OSError:
                pass


def percentile(values, share):
    """Linear between the nearest two."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def summarize(times):
    """Seconds to milliseconds: median, p10, p90."""
    return {"median_ms": 1e3 * percentile(times, 0.5), "p10_ms": 1e3 * percentile(times, 0.1),
            "p90_ms": 1e3 * percentile(times, 0.9), "runs": len(times)}


def sqnr(reference, values):
    """In dB, of logits [images, classes] without each image's mean, whatever their
    scale (vitq's are integers). At most 120."""
    import numpy

    a, b = (numpy.asarray(array, numpy.float64) for array in (reference, values))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    if not numpy.isfinite(b).all() or not (b * b).sum():
        return -120.0
    b = b * ((a * b).sum() / (b * b).sum())
    return float(10 * numpy.log10((a * a).sum() / max(((a - b) ** 2).sum(), 1e-12 * (a * a).sum())))


class Contest:
    """Everything that is timed for one model, in turn: programs under a key of
    (name, threads), and the machine's peak for each number of threads."""

    SLOW = 1.0  # seconds a run; slower programs take part in SLOW_ROUNDS rounds only
    SLOW_ROUNDS = 3
    TURN = 0.06  # seconds of timed runs in a turn, at least one run, at most MOST
    MOST = 5
    ATTEMPTS = 3  # of a turn that others disturb, while there is time
    LEAST_ROUNDS = 5  # whatever the time

    def __init__(self, cores, logs, progress, clock="wall"):
        self.cores, self.logs, self.progress, self.clock = cores, pathlib.Path(logs), progress, clock
        self.workers, self.loads, self.logits, self.errors, self.times = {}, {}, {}, {}, {}
        self.peaks, self.rates, self.disturbed = {}, {}, {}

    def start_peak(self, library, loop, threads):
        worker = Process(self.cores[:threads], self.logs / f"peak-{threads}.log")
        try:
            worker.request(60, do="peak", library=str(library), loop=loop, cores=list(self.cores[:threads]))
        except WorkerError as error:
            self.progress.note(f"the machine's limit in {threads} threads is not measured: {error}")
            return
        worker.pause()
        self.peaks[threads], self.rates[threads] = worker, []

    def start(self, name, threads, artifact, pixels):
        key = (name, threads)
        worker = Process(self.cores[:threads], self.logs / f"{name}-{threads}.log", {"OMP_NUM_THREADS": str(threads)})
        try:
            answer = worker.request(900, do="load", peer=artifact["peer"], artifact=artifact, threads=threads,
                                    pixels=str(pixels))
            self.logits[key] = answer.pop("logits")
            self.loads[key] = answer
        except WorkerError as error:
            self.errors[key] = str(error)
            worker.close()
            return
        worker.pause()
        self.workers[key], self.times[key] = worker, []

    def run(self, rounds, deadline=None):
        """`rounds` turns of each, fewer if `deadline` (of time.monotonic) comes before. A turn: one run that is not
        timed, which wakes threads and fills caches, then those that are. Returns the number of rounds."""
        start = time.monotonic()
        for turn in range(rounds):
            now = time.monotonic()
            if deadline and now > deadline and turn >= self.LEAST_ROUNDS:
                return turn
            left = f", {(now - start) / turn * (rounds - turn) / 60:.0f} min left" if turn else ""
            self.progress(f"round {turn + 1} of {rounds}{left}")
            for threads, worker in self.peaks.items():
                self.rates[threads] += worker.request(60, do="time")["rates"]
                worker.pause()
            for key in list(self.workers):
                self.turn(key, turn)
        return rounds

    def turn(self, key, turn):
        """A turn during which others ran is measured again; the least disturbed attempt counts."""
        once = self.loads[key]["run_seconds"]
        if once > self.SLOW and turn >= self.SLOW_ROUNDS:
            return
        runs = max(1, min(self.MOST, int(self.TURN / max(once, 1e-6))))
        best = None
        try:
            for _ in range(self.ATTEMPTS):
                answer = self.workers[key].request(600, do="time", runs=runs, warm=once <= self.SLOW, clock=self.clock)
                if best is None or answer["disturbances"] < best["disturbances"]:
                    best = answer
                # A processor's time holds nothing of the others'; kernel threads come about once a run.
                if self.clock == "cpu" or best["disturbances"] <= runs:
                    break
            else:
                self.disturbed[key] = self.disturbed.get(key, 0) + 1
            self.times[key] += best["times"]
            self.workers[key].pause()
        except WorkerError as error:
            self.errors[key] = str(error)
            self.workers.pop(key).close()

    def profile(self, key, runs):
        """See peers.vitq.Program.profile; None where there is none."""
        if key not in self.workers:
            return None
        try:
            result = self.workers[key].request(600, do="profile", runs=runs)["profile"]
        except WorkerError as error:
            self.progress.note(f"no profile of {key[0]}: {error}")
            return None
        self.workers[key].pause()
        return result

    def close(self):
        for worker in [*self.workers.values(), *self.peaks.values()]:
            worker.close()

    def result(self, key):
        """{median_ms, p10_ms, ...} or {error}; None if there is no such key."""
        if key in self.errors:
            return {"error": self.errors[key]}
        if not self.times.get(key):
            return None
        reference = self.logits.get(("ort_fp32", key[1]))
        fidelity = {"sqnr_db": sqnr([reference], [self.logits[key]])} if reference and key[0] != "ort_fp32" else {}
        return {**summarize(self.times[key]), **self.loads[key], **fidelity,
                "disturbed_turns": self.disturbed.get(key, 0)}

    def peak(self, threads):
        """10^9 multiply-accumulates a second: the best sample, which is the limit, and
        the median sample."""
        rates = self.rates.get(threads)
        return {"best": max(rates), "median": percentile(rates, 0.5), "samples": len(rates)} if rates else None
