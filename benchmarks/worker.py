"""A process that prepares or runs one peer; compare.py starts it and talks to it.

Requests come as lines of JSON on the standard input, answers go as lines of JSON to
the descriptor that was the standard output; what libraries print goes to the
standard error. An answer has `error` when something failed.

    {"do": "prepare", "peer": NAME, "job": {...}, "folder": F}
    {"do": "load", "peer": NAME, "artifact": {...}, "threads": N, "pixels": F.npy}
    {"do": "peak", "library": F, "loop": NAME, "cores": [...]}
    {"do": "time", "runs": N, "warm": B, "clock": C} times in seconds, and how often others ran in
                                              between; after "peak": rates
    {"do": "profile", "runs": N}
    {"do": "infer", "pixels": F.npy, "logits": F.npy}
"""
import json
import os
import resource
import sys
import time
import traceback


# What passes, and what this process has of the processors in all its threads.
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def disturbances():
    """How often this process had to leave a processor to another, and a virtual machine's host took one of its own: its
    ticks of 10 ms."""
    stolen, cores = 0, os.sched_getaffinity(0)
    try:
        with open("/proc/stat") as file:
            for line in file:
                name, *ticks = line.split()
                if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores and len(ticks) > 7:
                    stolen += int(ticks[7])
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw + stolen


class Worker:
    def __init__(self):
        self.session = self.peak = None

    def prepare(self, request):
        import peers

        start = time.perf_counter()
        artifact = peers.get(request["peer"]).prepare(request["job"], request["folder"])
        artifact.update(job=request["job"], prepare_seconds=time.perf_counter() - start)
        return {"artifact": artifact}

    def load(self, request):
        import numpy
        import peers

        start = time.perf_counter()
        self.session = peers.get(request["peer"]).load(request["artifact"], request["threads"])
        seconds = time.perf_counter() - start
        self.session.set_pixels(numpy.load(request["pixels"])[:request["artifact"]["job"]["batch"]])
        self.session.run()
        start = time.perf_counter()
        self.session.run()
        once = time.perf_counter() - start
        logits = numpy.asarray(self.session.logits(), numpy.float64)[0]
        return {"load_seconds": seconds, "run_seconds": once, "resident_mib": self.resident(),
                "logits": logits.tolist()}

    @staticmethod
    def resident():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def start_peak(self, request):
        import machine

        self.peak = machine.Peak(request["library"], request["loop"], request["cores"])
        return {}

    def time(self, request):
        if self.peak:
            return {"rates": [self.peak.repeat(5)]}
        times, clock = [], CLOCKS[request["clock"]]
        if request["warm"]:
            self.session.run()  # Wakes threads, fills caches.
        before = disturbances()
        for _ in range(request["runs"]):
            start = clock()
            self.session.run()
            times.append(clock() - start)
        return {"times": times, "disturbances": disturbances() - before}

    def profile(self, request):
        return {"profile": self.session.profile(request["runs"])}

    def infer(self, request):
        import numpy

        pixels, results = numpy.load(request["pixels"], mmap_mode="r"), []
        for i in range(len(pixels)):
            self.session.set_pixels(numpy.array(pixels[i:i + 1]))
            self.session.run()
            results.append(numpy.array(self.session.logits()).reshape(-1))
        numpy.save(request["logits"], numpy.stack(results))
        return {}


def describe(error):
    """One line for the table; the whole trace goes to the log."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        lines = [f"in {frame.name}, {os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}"]
    return f"{type(error).__name__}: {' '.join(lines)}"


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker()
    handlers = {"prepare": worker.prepare, "load": worker.load, "peak": worker.start_peak, "time": worker.time,
                "profile": worker.profile, "infer": worker.infer}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = handlers[request["do"]](request)
        except BaseException as error:  # Peers raise all kinds, SystemExit among them.
            traceback.print_exc()
            answer = {"error": describe(error)[:2000]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
