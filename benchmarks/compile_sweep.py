"""Compile time and peak memory of vitq-opt, and how they grow with depth."""
import math
import os
import pathlib
import subprocess
import tempfile
import time

MODELS = ["vit_b", "deit_t_d3", "deit_t_d6", "deit_t_d12", "deit_t_d24"]
TITLES = {"vit_b": "ViT-B", **{f"deit_t_d{depth}": f"DeiT-T, {depth} blocks" for depth in (3, 6, 12, 24)}}


def run(command):
    """Seconds, seconds of all processors, and the peak of resident memory in MiB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"vitq-opt failed ({process.returncode}): {log.read()[-500:]}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(job, folder):
    ranges, output = folder / "ranges.json", folder / "program.o"
    common = [job["vitq_opt"], job["models"]["packed"], "--compile", f"--preprocess={job['preprocess']}",
              f"--target={job['target']}", "--emit=obj", "-o", str(output), *job["vitq_flags"]]
    seconds, processor, peak = run([*common, f"--calibration-data={job['calibration']}", f"--save-ranges={ranges}"])
    loaded_seconds, _, loaded_peak = run([*common, f"--load-ranges={ranges}"])
    return {"seconds": seconds, "processor_seconds": processor, "peak_mib": peak, "loaded_seconds": loaded_seconds,
            "loaded_peak_mib": loaded_peak, "object_bytes": output.stat().st_size}


def exponent(runs):
    """Of depth in the processors' time, which others disturb less than the wall's: a
    straight line through the logarithms from 6 blocks on."""
    points = []
    for entry in runs:
        depth = entry["model"].removeprefix("deit_t_d")
        if depth.isdigit() and int(depth) >= 6 and "error" not in entry:
            points.append((math.log(int(depth)), math.log(entry["processor_seconds"])))
    if len(points) < 2:
        return None
    x, y = (sum(values) / len(points) for values in zip(*points))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def measure_all(settings, cache, progress):
    import compare
    import numpy

    result = {"runs": []}
    for name in MODELS:
        progress(f"{name}: compile time")
        job = compare.make_job(settings, cache, name)
        result["images"] = len(numpy.load(job["calibration"], mmap_mode="r"))
        entry = {"model": name, "title": TITLES[name]}
        try:
            with tempfile.TemporaryDirectory(dir=cache.folder) as folder:
                entry.update(measure(job, pathlib.Path(folder)))
        except RuntimeError as error:
            entry["error"] = str(error)
        result["runs"].append(entry)
    result["exponent"] = exponent(result["runs"])
    return result
