#!/usr/bin/env python3
"""Time vitq's programs against the machine's limit and against other runtimes.

    benchmarks/compare.py --quick        three models, the main peers
    benchmarks/compare.py                everything

README.md beside this file says what to install, what is measured and how to read it.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
# What vitq-opt --openmp links programs with.
LIBOMP = "/usr/lib/llvm-22/lib/libomp.so"
# With what the program itself needs; the peers' packages are their own affair.
REQUIRED = ["numpy", "onnx"]
PIP = f"pip install -r {os.path.relpath(HERE / 'requirements.txt')}"

QUICK_MODELS = ["deit_t", "deit_s", "vit_b"]
FULL_MODELS = QUICK_MODELS + ["swin_t", "vit_s_384", "vit_tiny"]
# hybrids.py writes them, which needs torch.
HYBRID_MODELS = ["swin_tiny_patch4_window7_224", "segformer_b0", "mobilevit_xxs", "efficientvit_b0"]
BATCH_MODELS = ["deit_t", "deit_s", "vit_b"]
TITLES = {"deit_t": "DeiT-T", "deit_s": "DeiT-S", "vit_b": "ViT-B", "swin_t": "Swin-T windows",
          "vit_s_384": "ViT-S 384", "vit_tiny": "ViT-Tiny"}


def check_packages():
    missing = []
    for package in REQUIRED:
        try:
            __import__(package)
        except ImportError:
            missing.append(package)
    if missing:
        sys.exit(f"compare.py: Python packages are missing: {', '.join(missing)}. Install them with\n    {PIP}\n"
                 "(README.md in benchmarks/ has the commands for a virtual environment.)")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="DeiT-T, DeiT-S, ViT-B; the main peers; fewer rounds")
    parser.add_argument("--models", help=f"of {','.join(FULL_MODELS + HYBRID_MODELS)}; NAME_dN for N blocks; hybrids: "
                        f"the last {len(HYBRID_MODELS)}")
    parser.add_argument("--exporter", type=pathlib.Path, default=sys.executable, metavar="PYTHON",
                        help="a Python with torch, timm and transformers, which writes the hybrids (default: this one)")
    parser.add_argument("--peers", help="names that peers/__init__.py lists, vitq among them, separated by commas")
    parser.add_argument("--pin", metavar="CPU,CPU", help="the processors to use, as many as there are threads (default: "
                        "the first of each physical core)")
    parser.add_argument("--minutes", type=float, default=55, help="after which fewer rounds are made, at least 5 a model, "
                        "and batches and the sweep are left out (default: 55)")
    parser.add_argument("--threads", default="1,2", help="numbers of threads (default: 1,2)")
    parser.add_argument("--rounds", type=int, help="turns of each program (default: 30, with --quick 12)")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                        help="cpu: the time that a program has of the processor, where something else runs beside it; "
                        "for one thread only (default: wall)")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "benchmarks",
                        help="folder for models, programs and logs, used again (default: build/benchmarks)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for results.json and the plot (default: --work)")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared",
                        help="folder with ViT-Tiny and images (default: ../shared beside the repository)")
    parser.add_argument("--vitq-build", type=pathlib.Path, default=os.environ.get("VITQ_BUILD"),
                        help="folder with vitq-opt and vitq-run, or a build folder (default: $VITQ_BUILD, then "
                        "the newest of build/*/bin)")
    parser.add_argument("--target", default="native", help="as vitq-opt --target; the limit is that of the target")
    parser.add_argument("--vitq-flag", action="append", default=[], metavar="FLAG", help="more flags for vitq-opt")
    parser.add_argument("--batch", dest="batches", metavar="N,N",
                        help="images a run of vitq's programs (default: 1,4,8, with --quick none)")
    parser.add_argument("--compile-sweep", action=argparse.BooleanOptionalAction,
                        help="measure compile time and memory (default: not with --quick)")
    parser.add_argument("--no-timing", action="store_true", help="only what else was asked for")
    parser.add_argument("--verbose", action="store_true", help="whole error messages")
    return parser.parse_args()


def split(text):
    return [part.strip() for part in text.split(",") if part.strip()]


def find_vitq(given):
    """The folder with vitq-opt and vitq-run."""
    if given:
        candidates = [pathlib.Path(given), pathlib.Path(given) / "bin"]
    else:
        candidates = sorted(ROOT.glob("build/*/bin"), reverse=True,
                            key=lambda path: (path / "vitq-opt").stat().st_mtime if (path / "vitq-opt").exists() else 0)
    for folder in candidates:
        if all(os.access(folder / tool, os.X_OK) for tool in ("vitq-opt", "vitq-run")):
            return folder.resolve()
    where = given or ROOT / "build"
    sys.exit(f"compare.py: no vitq-opt and vitq-run in {where}. Build them with\n"
             f"    cmake --preset release && ninja -C build/release vitq-opt vitq-run\n"
             f"in {ROOT} (scripts/test.sh installs what that needs), or name their folder with --vitq-build.")


def pinned_cores(text, count):
    """The processors that --pin names."""
    allowed = sorted(os.sched_getaffinity(0))
    try:
        cores = [int(core) for core in split(text)]
    except ValueError:
        cores = []
    if len(set(cores)) != len(cores) or len(cores) < count or not set(cores) <= set(allowed):
        sys.exit(f"compare.py: --pin={text}: give {count} different processors of {','.join(map(str, allowed))} "
                 f"(--threads needs {count})")
    return cores


def check_peers(names, asked):
    """Says before the work which peers will be missing; those that were asked for by name must be there."""
    import peers

    missing = {name: [package for package, version in peers.versions(peers.get(name)).items() if version is None]
               for name in names}
    missing = {name: packages for name, packages in missing.items() if packages}
    if not missing:
        return
    text = "; ".join(f"{name} needs {' and '.join(packages)}" for name, packages in missing.items())
    if asked:
        sys.exit(f"compare.py: {text}. Install what is missing with\n    {PIP}")
    print(f"note: left out, as packages are missing: {text}. To compare with them too:\n    {PIP}", file=sys.stderr)


class Settings:
    """What the command line asks for."""

    def __init__(self, arguments):
        import budget
        import machine
        import models
        import peers

        self.arguments, self.quick = arguments, arguments.quick
        self.bin = find_vitq(arguments.vitq_build)
        self.help = subprocess.run([self.bin / "vitq-opt", "--help"], capture_output=True, text=True).stdout
        self.models = split(arguments.models) if arguments.models else QUICK_MODELS if self.quick else FULL_MODELS
        self.models = [each for name in self.models for each in (HYBRID_MODELS if name == "hybrids" else [name])]
        self.peers = split(arguments.peers) if arguments.peers else peers.QUICK if self.quick else list(peers.PEERS)
        for name in self.peers:
            if name not in peers.PEERS:
                sys.exit(f"compare.py: no peer '{name}'; there are {', '.join(peers.PEERS)}")
        check_peers(self.peers, arguments.peers)
        for name in self.models:
            try:
                name == "vit_tiny" or name in HYBRID_MODELS or models.find(name)
            except ValueError as error:
                sys.exit(f"compare.py: {error}")
        try:
            self.threads = sorted({int(number) for number in split(arguments.threads)})
            batches = arguments.batches if arguments.batches is not None else "" if self.quick else "1,4,8"
            self.batches = [int(size) for size in split(batches)]
        except ValueError as error:
            sys.exit(f"compare.py: {error}")
        self.clock = arguments.clock
        if self.clock == "cpu" and self.threads != [1]:
            sys.exit("compare.py: --clock=cpu adds up the time of all threads; use it with --threads=1")
        self.rounds = arguments.rounds or (12 if self.quick else 30)
        self.sweep = not self.quick if arguments.compile_sweep is None else arguments.compile_sweep
        self.cores = pinned_cores(arguments.pin, max(self.threads)) if arguments.pin else \
            machine.choose_cores(max(self.threads))
        while self.cores is None:
            print(f"note: this machine has no {self.threads[-1]} physical cores to use; left out")
            self.threads.pop()
            self.cores = machine.choose_cores(max(self.threads))

        if self.has_flag("--openmp") and not pathlib.Path(LIBOMP).exists():
            sys.exit(f"compare.py: there is no {LIBOMP}, which programs for several threads are linked with. Install "
                     "it, as root, with\n    apt-get install libomp-22-dev")

        steps = {} if arguments.no_timing else {name: 1 if name in HYBRID_MODELS + ["vit_tiny"] else
                                                1 + models.macs(name) / 5e9 for name in self.models}
        steps |= ({"batches": 2} if self.batches else {}) | ({"compile sweep": 2} if self.sweep else {})
        self.budget = budget.Budget(arguments.minutes, steps)

    def tell_left(self, step, progress):
        if step in self.budget.left and (text := self.budget.finish(step)):
            progress.note(f"{step} done; {text}")

    def is_late(self, step, progress):
        """Whether the time is over before `step`, which is left out then."""
        if self.budget.is_over():
            progress.note(f"{step}: left out, {self.arguments.minutes:g} minutes are over (--minutes)")
        return self.budget.is_over()

    def has_flag(self, flag):
        return any(line.split()[:1] and line.split()[0].split("=")[0] == flag for line in self.help.splitlines())


def make_job(settings, cache, name, batch=None):
    """What a peer's `prepare` gets. `batch`: of a program for several images."""
    import hybrids
    import machine
    import models

    flags = list(settings.arguments.vitq_flag)
    if settings.has_flag("--openmp"):
        flags.append("--openmp")
    if name == "vit_tiny":
        import accuracy

        return {**accuracy.job(settings, cache), **tools(settings, flags)}
    hybrid = name in HYBRID_MODELS
    config = hybrids.MODELS[name] if hybrid else models.find(name)
    pixels = cache.array(f"pictures-{config.image}-{cache.code}", lambda: models.pictures(16, config.image))
    if hybrid:
        paths = {"packed": str(cache.hybrid(name, settings.arguments.exporter))}
    elif batch:
        paths = {"packed": str(cache.model(name, "packed", open_batch=True))}
        flags.append(f"--batch={batch}")
    else:
        paths = {form: str(cache.model(name, form)) for form in ("packed", "separate")}
    return {"name": f"{name}-batch{batch}" if batch else name, "models": paths, "calibration": str(pixels),
            "mean": [0.5] * 3, "std": [0.5] * 3, "preprocess": "mean=0.5,std=0.5", "batch": batch or 1,
            **shape_of_heads(config), "macs": hybrids.macs(paths["packed"]) if hybrid else models.macs(name),
            "exact_u8s8": machine.reads_u8s8_exactly(), **tools(settings, flags)}


def shape_of_heads(config):
    """What the fusion of attention is told; 0 and 0: found out, where blocks differ."""
    heads = getattr(config, "heads", 0)
    return {"heads": heads, "width": config.width if heads else 0}


def tools(settings, flags):
    return {"vitq_opt": str(settings.bin / "vitq-opt"), "vitq_flags": flags, "target": settings.arguments.target}


class Progress:
    """One line that is written again, on a terminal only. `context` stands before it."""

    def __init__(self, context=""):
        self.live, self.context = sys.stderr.isatty(), context

    def __call__(self, text):
        if self.live:
            print(f"\r\033[K{self.context}{text}", end="", file=sys.stderr, flush=True)

    def note(self, text):
        if self.live:
            print("\r\033[K", end="", file=sys.stderr)
        print(text, file=sys.stderr, flush=True)


def prepare_all(settings, cache, job, progress):
    """{peer: artifact} and {peer: error}"""
    import measure

    programs, errors = {}, {}
    for name in settings.peers:
        progress(f"{job['name']}: {name} is being prepared")
        try:
            programs[name] = cache.program(name, job)
        except measure.WorkerError as error:
            errors[name] = str(error)
            progress.note(f"{job['name']}: {name}: {str(error)[:160]}")
    return programs, errors


def title_of(name):
    import hybrids

    return hybrids.MODELS[name].title if name in hybrids.MODELS else TITLES.get(name, name)


def measure_model(settings, cache, name, peak, progress):
    """The part of results.json about one model."""
    import measure

    job = make_job(settings, cache, name)
    programs, errors = prepare_all(settings, cache, job, progress)
    contest = measure.Contest(settings.cores, cache.folder / "logs" / name, Progress(f"{name}: "), settings.clock)
    result = {"title": title_of(name), "macs": job["macs"], "engines": {}, "limits": {}}
    try:
        for threads in settings.threads:
            if peak:
                contest.start_peak(*peak, threads)
            for peer, artifact in programs.items():
                progress(f"{name}: {peer} is being loaded for {threads} threads")
                contest.start(peer, threads, artifact, job["calibration"])
        result["rounds"] = contest.run(settings.rounds, settings.budget.share(name))
        profile = contest.profile(("vitq", 1), 30)
        for threads in settings.threads:
            rate = contest.peak(threads)
            if rate:
                result["limits"][threads] = {"ms": job["macs"] / rate["best"] * 1e-6, "gmacs": rate}
        for peer in settings.peers:
            entry = {"artifact": public(programs[peer])} if peer in programs else {"error": errors[peer]}
            entry["threads"] = {threads: contest.result((peer, threads)) for threads in settings.threads} \
                if peer in programs else {}
            result["engines"][peer] = entry
        if "vitq" in programs:
            result["program"] = program_facts(programs["vitq"]["manifest"])
            result["steps"] = steps(programs["vitq"]["manifest"], profile, result["limits"].get(1))
    finally:
        contest.close()
    return result


def public(artifact):
    """Without paths and the manifest."""
    return {key: value for key, value in artifact.items() if key not in ("job", "manifest", "model", "program")}


def program_facts(manifest):
    keys = ("target", "arena_bytes", "arena_lower_bound", "thread_arena_bytes", "weight_bytes", "code_bytes", "macs",
            "abi")
    return {key: manifest.get(key) for key in keys}


def steps(manifest, profile, limit):
    """Each kernel call with its median time and the time its products need at peak."""
    if not profile:
        return None
    rate = limit["gmacs"]["best"] * 1e6 if limit else None  # a millisecond
    return [{**step, "ms": 1e3 * ticks / profile["ticks_per_second"],
             "limit_ms": step["macs"] / rate if rate and step.get("macs") else None}
            for step, ticks in zip(manifest["steps"], profile["ticks"])]


def measure_batches(settings, cache, name, progress):
    """Time per image of programs for several images, in turn."""
    import measure

    if not settings.has_flag("--batch"):
        return {"error": "this vitq-opt has no --batch"}
    jobs, artifacts, result = {}, {}, {}
    contest = measure.Contest(settings.cores, cache.folder / "logs" / f"{name}-batch", Progress(f"{name}, batches: "),
                              settings.clock)
    try:
        for size in settings.batches:
            progress(f"{name}: batch {size} is being compiled")
            try:
                jobs[size] = make_job(settings, cache, name, batch=size)
                artifacts[size] = cache.program("vitq", jobs[size])
                for threads in settings.threads:
                    contest.start(f"batch {size}", threads, artifacts[size], jobs[size]["calibration"])
            except measure.WorkerError as error:
                result[size] = {"error": str(error)}
        contest.run(max(5, settings.rounds // 2), settings.budget.share("batches"))
        for size in artifacts:
            result[size] = {threads: contest.result((f"batch {size}", threads)) for threads in settings.threads}
    finally:
        contest.close()
    return result


def cross_check_peak(settings, cache, results):
    """The peak by vitq-run's own loop, which is another program."""
    for artifact in (cache.folder / "programs").glob("*/vitq-*/program.so"):
        path = cache.folder / "logs" / "vitq-run.json"
        command = ["taskset", "-c", str(settings.cores[0]), settings.bin / "vitq-run", artifact, "--benchmark",
                   f"--json={path}"]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=300)
            return json.loads(path.read_text()).get("peak_gmacs")
        except (OSError, subprocess.SubprocessError, ValueError):
            continue
    return None


def collect(settings, cache, peak, progress):
    """Everything that goes to results.json."""
    import cache as cache_module
    import machine
    import peers

    arguments = settings.arguments
    results = {"version": 1, "machine": machine.describe(), "target": arguments.target, "cores": settings.cores,
               "loop": peak[1] if peak else None, "rounds": settings.rounds, "threads": settings.threads,
               "versions": {}, "titles": {}, "models": {}, "batches": {}, "not_exported": {}, "clock": settings.clock,
               "wide512": machine.computes_512_bits_at_once(peak[0]) if peak else None,
               "started": time.strftime("%Y-%m-%d %H:%M:%S")}
    for name in settings.peers:
        results["versions"].update(peers.versions(peers.get(name)))
        results["titles"][name] = peers.get(name).title
    yield results
    if not arguments.no_timing:
        for name in settings.models:
            if name == "vit_tiny" and not (arguments.shared / "models" / "vit_tiny_in1k").is_dir():
                results["vit_tiny_skipped"] = f"no {arguments.shared}/models/vit_tiny_in1k (--shared)"
                continue
            try:
                results["models"][name] = measure_model(settings, cache, name, peak, progress)
            except cache_module.ExportError as error:
                results["not_exported"][name] = str(error)
                progress.note(f"{name}: {error}")
            settings.tell_left(name, progress)
            yield results
        results["peak_by_vitq_run"] = cross_check_peak(settings, cache, results)
    if "vit_tiny" in results["models"] or (arguments.no_timing and "vit_tiny" in settings.models):
        import accuracy

        results["accuracy"] = accuracy.measure_all(settings, cache, make_job(settings, cache, "vit_tiny"), progress)
        yield results
    for name in BATCH_MODELS if settings.batches and not settings.is_late("batches", progress) else []:
        if name in settings.models:
            results["batches"][name] = measure_batches(settings, cache, name, progress)
            yield results
    settings.tell_left("batches", progress)
    if settings.sweep and not settings.is_late("compile sweep", progress):
        import compile_sweep

        results["compile_sweep"] = compile_sweep.measure_all(settings, cache, progress)
        yield results


def main():
    arguments = parse_arguments()
    check_packages()
    import cache as cache_module
    import machine
    import table

    settings = Settings(arguments)
    cache = cache_module.Cache(arguments.work.resolve())
    out = (arguments.out or arguments.work).resolve()
    out.mkdir(parents=True, exist_ok=True)
    progress, loop, peak = Progress(), machine.loop_for(arguments.target), None
    try:
        peak = (machine.build_peak(cache.folder), loop) if loop else None
    except RuntimeError as error:
        progress.note(f"note: the machine's limit is not measured: {error}")
    results = None
    try:
        for results in collect(settings, cache, peak, progress):
            cache_module.write(out / "results.json", json.dumps(results, indent=1).encode())
    except KeyboardInterrupt:
        progress.note("interrupted; what was measured follows")
    progress("")
    # Keys as in the file: JSON has no numbers for keys.
    results = json.loads(json.dumps(results))
    print(table.text(results, arguments.verbose))
    print(f"\nresults: {out / 'results.json'}")
    try:
        import plot

        for path in plot.draw(results, out):
            print(f"plot:    {path}")
    except ImportError as error:
        print(f"plot:    none, {error.name} is missing: {PIP}")


if __name__ == "__main__":
    main()
