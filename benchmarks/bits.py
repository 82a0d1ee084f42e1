#!/usr/bin/env python3
"""What few bits keep of trained models: classes lost, classes kept, and the noise of the logits.

Compiles each model for each number of bits and each seed of the rotations, and with parts of the recipe left out, runs the
programs on labelled images that no compilation sees, and compares them with the float model. Each row is kept in a JSON
file as soon as it is measured; what is there already is not measured again. README.md says how to read the table.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = {
    "vit_tiny": {
        "onnx": "models/vit_tiny_in1k/vit_tiny_dynamo_op17.onnx", "calibration": "images/imagenet/calibration",
        "preprocess": "resize=248,crop=224,mean=0.5,std=0.5",
        "sets": [("images/imagenet/samples", "labels.csv"), ("images/imagenet/val", "labels.csv")]},
    "cifar10": {
        "onnx": "models/cifar10_vit/cifar10_vit_op14.onnx", "calibration": "images/cifar10/calibration.npy",
        "preprocess": "mean=0.4914:0.4822:0.4465,std=0.2023:0.1994:0.2010",
        "sets": [("images/cifar10/images.npy", "images/cifar10/labels.npy")]},
    "mnist": {
        "onnx": "models/mnist_vit/mnist_vit_op14.onnx", "calibration": "images/mnist/calibration.npy",
        "preprocess": "mean=0.5,std=0.5", "sets": [("images/mnist/images.npy", "images/mnist/labels.npy")]},
}
PARTS = ["rotate-residual", "rotate-heads", "rotate-hidden", "shift-channels", "center-channels", "fit-code-ranges",
         "fit-weights"]


def flags_of(config):
    """Of "W4A8", "best", or flags after a colon ("big:--bits=auto:size=3MB")."""
    if ":" in config:
        return config.split(":", 1)[1].split()
    if config == "best":
        return ["--recipe=best"]
    match = re.fullmatch(r"W(\d)A(\d)", config)
    if not match:
        sys.exit(f"bits.py: '{config}' is neither WxAy, best nor NAME:FLAGS")
    return [f"--{kind}-bits={bits}" for kind, bits in zip(("weight", "activation"), match.groups()) if bits != "8"]


def log_softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - numpy.log(numpy.exp(x).sum(axis=1, keepdims=True))


def judge(exact, logits, labels):
    """Of logits in a unit of their own: first comes the factor of least squares."""
    logits = logits * ((logits * exact).sum() / (logits * logits).sum())
    lost = (exact.argmax(axis=1) == labels).astype(float) - (logits.argmax(axis=1) == labels)
    p, q = log_softmax(exact), log_softmax(logits)
    return {"points_lost": 100 * lost.mean(), "standard_error": 100 * lost.std() / len(lost) ** 0.5,
            "agreement": 100 * (exact.argmax(axis=1) == logits.argmax(axis=1)).mean(),
            "sqnr_db": 10 * numpy.log10((exact ** 2).sum() / ((exact - logits) ** 2).sum()),
            "kl": (numpy.exp(p) * (p - q)).sum(axis=1).mean()}


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.tools = arguments.vitq_build / "bin"
        self.work = arguments.work
        self.work.mkdir(parents=True, exist_ok=True)
        self.version = hashlib.sha256((self.tools / "vitq-opt").read_bytes()).hexdigest()[:16]
        self.rows = json.loads(arguments.out.read_text())["rows"] if arguments.out.exists() else []

    def save(self):
        partial = self.arguments.out.with_suffix(".partial")
        partial.write_text(json.dumps({"rows": self.rows}, indent=1))
        partial.replace(self.arguments.out)

    def find(self, key):
        return next((row for row in self.rows if all(row.get(name) == value for name, value in key.items())), None)

    def labels(self, model):
        found = []
        for images, labels in MODELS[model]["sets"]:
            if labels.endswith(".npy"):
                found.append(numpy.load(self.arguments.shared / labels).astype(int))
                continue
            folder = self.arguments.shared / images
            pairs = (line.rpartition(",") for line in (folder / labels).read_text().splitlines())
            classes = {name: int(label) for name, _, label in pairs if label.strip().isdigit()}
            found.append(numpy.array([classes[name] for name in sorted(classes)]))
        return numpy.concatenate(found)

    def logits(self, model, program, *flags):
        """[images, classes] of all sets, in the order of the files' names."""
        found = []
        for images, _ in MODELS[model]["sets"]:
            to = self.work / "logits.npy"
            subprocess.run([self.tools / "vitq-run", program, f"--images={self.arguments.shared / images}",
                            f"--dump-outputs={to}", *flags], check=True, stdout=subprocess.DEVNULL)
            values = numpy.load(to).astype(numpy.float64)
            found.append(values.reshape(len(values), -1))
        return numpy.concatenate(found)

    def exact(self, model):
        path = self.work / f"{model}.float.npy"
        if not path.exists():
            entry = MODELS[model]
            numpy.save(path, self.logits(model, self.arguments.shared / entry["onnx"],
                                         f"--preprocess={entry['preprocess']}"))
        return numpy.load(path)

    def compile(self, model, flags, to):
        """Seconds, those of the processor, and the peak of memory in MB."""
        entry = MODELS[model]
        command = [self.tools / "vitq-opt", self.arguments.shared / entry["onnx"], "--compile", "--target=native",
                   f"--calibration-data={self.arguments.shared / entry['calibration']}",
                   f"--preprocess={entry['preprocess']}", "--emit=so", "-o", to, *flags]
        begin = time.monotonic()
        with open(self.work / "log", "w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"bits.py: {' '.join(map(str, command))} failed:\n" + (self.work / "log").read_text()[-2000:])
        return {"compile_seconds": time.monotonic() - begin, "compile_cpu_seconds": usage.ru_utime + usage.ru_stime,
                "compile_mb": usage.ru_maxrss / 1024}

    def measure(self, model, config, seed, without):
        key = {"model": model, "config": config, "flags": flags_of(config), "seed": seed, "without": without,
               "vitq": self.version}
        row = self.find(key)
        if row is None:
            flags = flags_of(config) + ([f"--seed={seed}"] if seed else []) + ([f"--{without}=off"] if without else [])
            program = self.work / "program.so"
            row = {**key, **self.compile(model, flags, program)}
            row.update(judge(self.exact(model), self.logits(model, program), self.labels(model)))
            self.rows.append(row)
            self.save()
        print(f"| {model} | {config}{' without ' + without if without else ''} | {seed} | {row['points_lost']:.2f} ± "
              f"{row['standard_error']:.2f} | {row['agreement']:.1f} % | {row['sqnr_db']:.1f} dB | {row['kl']:.4f} | "
              f"{row['compile_seconds']:.0f} s, {row['compile_cpu_seconds']:.0f} s, {row['compile_mb']:.0f} MB |",
              flush=True)


def main():
    def words(text):
        return [word for word in text.split(",") if word]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=words, default=["vit_tiny"], help="of " + ",".join(MODELS))
    parser.add_argument("--configs", type=words, default=words("best,W6A6,W4A8,W4A6,W4A4,W3A8"),
                        help="WxAy, best, or NAME:FLAGS")
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in words(text)], default=[0])
    parser.add_argument("--without", type=words, default=[""],
                        help="leave out one part at a time: all, or of " + ",".join(PARTS))
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared", help="folder of models and images")
    parser.add_argument("--vitq-build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "benchmarks" / "bits")
    parser.add_argument("--out", type=pathlib.Path, help="JSON of all rows (bits.json in --work)")
    arguments = parser.parse_args()
    arguments.out = arguments.out or arguments.work / "bits.json"
    bench = Bench(arguments)
    print("| model | bits | seed | points lost | same class | logits | KL, nats | compile: wall, CPU, memory |\n"
          "|---|---|---|---|---|---|---|---|")
    for without in PARTS if arguments.without == ["all"] else arguments.without:
        for seed in arguments.seeds:
            for model in arguments.models:
                for config in arguments.configs:
                    bench.measure(model, config, seed, without)


if __name__ == "__main__":
    main()
