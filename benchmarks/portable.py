#!/usr/bin/env python3
"""C for small processors beside its peers: size, instructions, accuracy.

    python3 benchmarks/portable.py [--shared=../shared] [--work=build/portable] [--peers=LiteRT,...]

digits, and of --shared mnist_vit, as int8: vitq's C on Cortex-M4, RV32IM and x86-64; LiteRT and TFLite Micro on x86-64,
as PyPI has them, by a file of onnx2tf; Deeploy's C; onnx2c. Each peer gets a virtual environment of its own below the
work folder, in the version of PEERS. One that cannot take a model is listed with its error.

Instructions are those of a picture, counted by QEMU (instructions.c): the difference of runs of three pictures and of
one. RAM is that of tensors. Needs gcc-arm-none-eabi, gcc-riscv64-unknown-elf, qemu-system-arm, qemu-user and gcc;
TensorFlow, which onnx2tf converts with, takes 2 GB.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BOARD = ROOT / "examples" / "microcontroller"
PEERS = {
    "LiteRT": "ai-edge-litert==2.3.0",
    "TFLite Micro": "tflite-micro==0.dev20261023182759",
    "Deeploy": "deeploy-pulp==0.2.1",
}
CONVERTER = "onnx2tf==1.29.24"
COUNT = re.compile(r"instructions: (\d+)")


class Failed(Exception):
    """What a peer, or a tool, said when it could not."""


def run(*command, cwd=None, path=None):
    """What a command prints; `path` is where it looks for others first."""
    environment = dict(os.environ)
    if path:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    result = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, text=True, errors="replace",
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        # What a library complained of before Python's exception says more than that.
        before, _, _ = result.stdout.partition("Traceback")
        lines = [line.strip() for text in (before, result.stdout) for line in text.splitlines()[-2:] if line.strip()]
        raise Failed("; ".join(dict.fromkeys([*lines[:2], *lines[-1:]])) or f"exit status {result.returncode}")
    return result.stdout


class Model:
    def __init__(self, name, onnx, images, work):
        self.name, self.onnx = name, onnx
        self.images, self.labels, self.calibration = (images / f"{part}.npy" for part in
                                                      ("images", "labels", "calibration"))
        self.folder = work / name
        self.folder.mkdir(parents=True, exist_ok=True)


def models(shared, work):
    digits = ROOT / "models" / "digits"
    found = [Model("digits", digits / "digits.onnx", digits, work)]
    if (shared / "models" / "mnist_vit").is_dir():
        found.append(Model("mnist_vit", shared / "models/mnist_vit/mnist_vit_op14.onnx", shared / "images/mnist", work))
    return found


def python_with(work, package):
    """The Python of an environment that has a package, which is made if there is none."""
    folder = work / ("venv-" + package.split("==")[0])
    python = folder / "bin" / "python"
    if not (folder / package).exists():
        venv.create(folder, with_pip=True)
        run(python, "-m", "pip", "install", "-q", package)
        (folder / package).touch()
    return python


def counted(plugin, command):
    """Instructions of a picture: `command` gives one for a number of pictures."""
    counts = [int(COUNT.search(run(*command(pictures)))[1]) for pictures in (1, 3)]
    return (counts[1] - counts[0]) // 2


#===-----------------------------------------------------------------------===
# vitq
#===-----------------------------------------------------------------------===

FREESTANDING = ["-std=c99", "-O2", "-ffreestanding", "-nostdlib"]


def elf_for(kind, folder, pictures):
    """Builds examples/microcontroller with so many pictures; the file, and how QEMU runs it with a plugin."""
    run(sys.executable, BOARD / "pictures.py", folder / "images.npy", pictures, folder / "pictures.bin")
    elf = folder / f"{kind}-{pictures}.elf"
    sources = [BOARD / "main.c", folder / "classifier.c"]
    if kind == "Cortex-M4":
        run("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft", *FREESTANDING, "-I.", "-T",
            BOARD / "cortex-m.ld", *sources, BOARD / "cortex-m.c", "-lgcc", "-o", elf, cwd=folder)
        return elf, ["qemu-system-arm", "-machine", "mps2-an386", "-nographic", "-semihosting-config",
                     "enable=on,target=native", "-kernel", elf]
    if kind == "RV32IM":
        run("riscv64-unknown-elf-gcc", "-march=rv32im", "-mabi=ilp32", *FREESTANDING, "-I.", *sources,
            BOARD / "riscv-linux.c", "-lgcc", "-o", elf, cwd=folder)
        return elf, ["qemu-riscv32", elf]
    run("gcc", "-std=c99", "-O2", "-static", "-I.", *sources, BOARD / "stdio.c", "-o", elf, cwd=folder)
    return elf, ["qemu-x86_64", elf]


def size_of(object_file):
    """Bytes of machine code and constants."""
    sections = re.findall(r"^\.(?:text|rodata)\S*\s+(\d+)", run("size", "-A", object_file), re.M)
    return sum(map(int, sections))


def with_plugin(plugin, command):
    return [command[0], "-plugin", plugin, "-d", "plugin", *command[1:]]


def measure_vitq(model, tools, plugin):
    """Rows for each processor."""
    folder = model.folder
    link = folder / "images.npy"
    if not link.exists():
        link.symlink_to(model.images)
    program = [model.onnx, "--compile", f"--calibration-data={model.calibration}", "--preprocess=mean=0.5,std=0.5"]
    report = folder / "report.json"
    run(tools / "vitq-opt", *program, "--target=c", "--emit=c", f"--report={report}", "-o", folder / "classifier.c")
    run("gcc", "-std=c99", "-O2", "-fPIC", "-shared", "-DVITQ_PROGRAM", folder / "classifier.c", "-o",
        folder / "classifier.so")
    figures = folder / "figures.json"
    run(tools / "vitq-run", folder / "classifier.so", f"--images={model.images}", f"--labels={model.labels}",
        f"--json={figures}")
    ram, top1 = json.loads(report.read_text())["ram_bytes"], json.loads(figures.read_text())["top1"]
    compilers = {"Cortex-M4": ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"],
                 "RV32IM": ["riscv64-unknown-elf-gcc", "-march=rv32im", "-mabi=ilp32"], "x86-64": ["gcc"]}
    for kind, compiler in compilers.items():
        try:
            run(*compiler, "-std=c99", "-O2", "-ffreestanding", "-c", folder / "classifier.c", "-o",
                folder / "classifier.o")
            count = counted(plugin, lambda pictures: with_plugin(plugin, elf_for(kind, folder, pictures)[1]))
            yield [f"vitq, C on {kind}", size_of(folder / "classifier.o"), ram, count, top1]
        except (Failed, OSError) as error:
            yield [f"vitq, C on {kind}", str(error)]


#===-----------------------------------------------------------------------===
# Peers
#===-----------------------------------------------------------------------===

CALIBRATE = "import numpy, sys; x = numpy.load(sys.argv[1]); " \
            "numpy.save(sys.argv[2], (x.reshape(*x.shape[:3], -1) / 255).astype(numpy.float32))"
INPUT_NAME = "import onnx, sys; print(onnx.load(sys.argv[1]).graph.input[0].name)"


def tflite_of(model, work):
    """An int8 file, made once; its calibration images are those that vitq gets."""
    done = sorted(model.folder.glob("tflite/*_full_integer_quant.tflite"))
    if done:
        return done[0]
    python = python_with(work, CONVERTER)
    images = model.folder / "calibration-float.npy"
    run(python, "-c", CALIBRATE, model.calibration, images)
    name = run(python, "-c", INPUT_NAME, model.onnx).split()[-1]
    # onnx2tf writes what it simplified over its input.
    copy = model.folder / "simplified.onnx"
    shutil.copyfile(model.onnx, copy)
    run(python, "-m", "onnx2tf", "-i", copy, "-o", model.folder / "tflite", "-oiqt", "-b", "1", "-cind", name,
        images, "[[[[0.5]]]]", "[[[[0.5]]]]", "-rtpo", "Erf", "GeLU", cwd=model.folder, path=python.parent)
    done = sorted(model.folder.glob("tflite/*_full_integer_quant.tflite"))
    if not done:
        raise Failed("onnx2tf wrote no file of int8")
    return done[0]


def measure_tflite(model, work, plugin, package, engine):
    python, file = python_with(work, package), tflite_of(model, work)
    runner = [python, HERE / "run_tflite.py", engine, file, model.images, model.labels]
    top1, ram = run(*runner, 0).split()[-2:]
    count = counted(plugin, lambda pictures: with_plugin(plugin, ["qemu-x86_64", "-cpu", "max", *runner, pictures]))
    return [file.stat().st_size, int(ram) or None, count, float(top1)]


def measure_deeploy(model, work):
    run(python_with(work, PEERS["Deeploy"]), HERE / "run_deeploy.py", model.onnx, model.folder / "deeploy.c")
    raise Failed("C was written, which this script does not compile")


def measure_onnx2c():
    raise Failed("in neither PyPI nor Debian 12: sources only")


def measure_peer(name, model, work, plugin):
    if name == "Deeploy":
        return measure_deeploy(model, work)
    if name == "onnx2c":
        return measure_onnx2c()
    return measure_tflite(model, work, plugin, PEERS[name], {"LiteRT": "litert", "TFLite Micro": "micro"}[name])


def show(row):
    name, *values = row
    if len(values) == 1:
        return f"| {name} | {values[0][:200]} | | | |"
    size, ram, count, top1 = values
    return f"| {name} | {size / 1000:.0f} | {f'{ram / 1000:.0f}' if ram else '?'} | {count / 1e6:.1f} | {top1:.2f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "portable")
    parser.add_argument("--vitq-build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--peers", default=",".join([*PEERS, "onnx2c"]))
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    plugin = work / "instructions.so"
    run("gcc", "-shared", "-fPIC", "-O2", HERE / "instructions.c", "-o", plugin)
    for model in models(arguments.shared.resolve(), work):
        print(f"\n{model.name}\n\n| | size, kB | RAM, kB | M instructions | top-1, % |\n|---|---|---|---|---|")
        for row in measure_vitq(model, arguments.vitq_build.resolve() / "bin", plugin):
            print(show(row), flush=True)
        for name in filter(None, arguments.peers.split(",")):
            try:
                print(show([name, *measure_peer(name, model, work, plugin)]), flush=True)
            except (Failed, OSError) as error:
                print(show([name, str(error)]), flush=True)


if __name__ == "__main__":
    main()
