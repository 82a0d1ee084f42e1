"""The machine: what its processor can do, which cores to use, how fast it multiplies."""
import ctypes
import os
import pathlib
import platform
import shutil
import subprocess
import threading

# Loops of peak.c, the widest first, with the feature in /proc/cpuinfo that each needs.
LOOPS = {
    "x86_64": [("vnni512", "avx512_vnni"), ("vnni256", "avx_vnni"), ("madd512", "avx512bw"), ("madd256", "avx2"),
               ("madd128", "sse2")],
    "aarch64": [("i8mm", "i8mm"), ("dotprod", "asimddp")],
}

INSTRUCTIONS = {
    "vnni512": "vpdpbusd on 512 bits",
    "vnni256": "vpdpbusd on 256 bits",
    "madd512": "vpmaddwd and vpaddd on 512 bits",
    "madd256": "vpmaddwd and vpaddd on 256 bits",
    "madd128": "pmaddwd and paddd on 128 bits",
    "i8mm": "smmla",
    "dotprod": "sdot",
}


def cpu_fields():
    fields = {}
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    return fields


def features():
    fields = cpu_fields()
    return set((fields.get("flags") or fields.get("Features") or "").split())


def has_vnni512():
    return "avx512_vnni" in features()


def reads_u8s8_exactly():
    """Whether u8 x s8 products are added in 32 bits; without VNNI, pairs of them
    saturate at 16 bits in the kernels that use vpmaddubsw (ONNX Runtime's)."""
    return bool({"avx512_vnni", "avx_vnni", "asimddp"} & features())


def describe():
    fields = cpu_fields()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    known = features()
    return {
        "processor": fields.get("model name", platform.processor() or platform.machine()),
        "family": fields.get("cpu family"),
        "model": fields.get("model"),
        "cores_allowed": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "isa": [name for name in ("avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_vbmi", "asimddp",
                                  "i8mm") if name in known],
        "avx512_vnni": has_vnni512(),
        "system": platform.platform(),
    }


def siblings(core):
    path = pathlib.Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    try:
        text = path.read_text().strip()
    except OSError:
        return {core}
    result = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        result |= set(range(int(first), int(last or first) + 1))
    return result


def choose_cores(count):
    """`count` cores that this process may use, one of each physical core, or None."""
    chosen, taken = [], set()
    for core in sorted(os.sched_getaffinity(0)):
        if core not in taken:
            chosen.append(core)
            taken |= siblings(core)
    return chosen[:count] if len(chosen) >= count else None


def loop_for(target):
    """The loop of the instruction set that a program for `target` may use."""
    known = features()
    loops = [name for name, feature in LOOPS.get(platform.machine(), []) if feature in known]
    plus = target.split("+")[1:]
    if target.startswith("x86-64"):
        allowed = {"madd128"}
        if target.startswith(("x86-64-v3", "x86-64-v4")):
            allowed.add("madd256")
        if target.startswith("x86-64-v4"):
            allowed.add("madd512")
            if "avx512vnni" in plus:
                allowed.add("vnni512")
        if "avxvnni" in plus:
            allowed.add("vnni256")
        loops = [name for name in loops if name in allowed]
    return loops[0] if loops else None


def build_peak(folder):
    """Compiles peak.c; returns the library or raises RuntimeError."""
    source = pathlib.Path(__file__).with_name("peak.c")
    output = pathlib.Path(folder) / "peak.so"
    if output.exists() and output.stat().st_mtime > source.stat().st_mtime:
        return output
    for compiler in ("clang-22", "clang", "gcc", "cc"):
        if shutil.which(compiler):
            command = [compiler, "-O2", "-shared", "-fPIC", str(source), "-o", str(output)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode == 0:
                return output
            raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr}")
    raise RuntimeError("no C compiler (clang-22, clang, gcc or cc) to build peak.c, which measures the machine's limit")


def computes_512_bits_at_once(library):
    """Whether an operation on 512 bits takes no longer than one on 256; None where there is no AVX-512."""
    if "avx512bw" not in features():
        return None
    core = sorted(os.sched_getaffinity(0))[:1]
    wide, narrow = (max(Peak(library, loop, core).repeat(5) for _ in range(3)) for loop in ("madd512", "madd256"))
    return wide > 1.5 * narrow


class Peak:
    """Runs one loop in several threads, each on its own core."""

    SECONDS = 0.006  # of one repetition, about

    def __init__(self, library, loop, cores):
        self.library, self.loop, self.cores = ctypes.CDLL(str(library)), loop.encode(), cores
        self.library.vitq_peak.restype = ctypes.c_int64
        self.library.vitq_peak.argtypes = [ctypes.c_char_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int,
                                           ctypes.c_void_p]
        self.rounds = 20000
        if self.repeat(1) <= 0:
            raise RuntimeError(f"peak.c has no loop '{loop}'")
        self.rounds = max(20000, int(self.rounds * self.SECONDS / self.seconds))

    def repeat(self, repetitions):
        """The best rate of some repetitions, in 10^9 multiply-accumulates a second."""
        arrived = [ctypes.c_int(0) for _ in range(repetitions)]
        intervals = [[(ctypes.c_int64 * 2)() for _ in self.cores] for _ in range(repetitions)]
        macs = [0] * len(self.cores)

        def work(index):
            os.sched_setaffinity(0, {self.cores[index]})
            for count, interval in zip(arrived, intervals):
                macs[index] = self.library.vitq_peak(self.loop, self.rounds, ctypes.addressof(count), len(self.cores),
                                                     ctypes.addressof(interval[index]))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(self.cores))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds = 1e-9 * min(max(i[1] for i in each) - min(i[0] for i in each) for each in intervals)
        return 1e-9 * sum(macs) / max(self.seconds, 1e-9)
