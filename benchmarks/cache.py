"""Models, pictures and compiled programs, kept in a folder between runs.

An artifact is kept in a folder named after a hash of everything it was made of:
the model, the calibration images, the versions of the packages, vitq-opt, and this
folder's own code. What failed is tried again."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import measure
import models
import peers

HERE = pathlib.Path(__file__).parent


class ExportError(Exception):
    """A model could not be written; the text says why."""


def digest(*parts):
    """Of texts and of the contents of files (pathlib.Path)."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, pathlib.Path):
            with open(part, "rb") as file:
                while block := file.read(1 << 22):
                    sha.update(block)
        else:
            sha.update(str(part).encode())
        sha.update(b"\0")
    return sha.hexdigest()[:16]


def write(path, data):
    """The whole file or none."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)


class Cache:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name in ("models", "programs", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.code = digest(HERE / "models.py")
        self.hashes = {}

    def model(self, name, form, open_batch=False, trained=None):
        """Path of a model that models.py writes; `trained`: a file with its weights."""
        suffix = (".open" if open_batch else "") + ("." + digest(trained) if trained else "")
        path = self.folder / "models" / f"{name}.{form}{suffix}.{self.code}.onnx"
        if not path.exists():
            weights = models.trained_weights(trained) if trained else None
            write(path, models.build(name, form, open_batch, weights).SerializeToString())
        return path

    def hybrid(self, name, python):
        """Path of a model that hybrids.py writes, by an interpreter that has torch."""
        code = digest(HERE / "hybrids.py", HERE.parent / "test" / "zoo" / "exporting.py")
        path = self.folder / "models" / f"{name}.{code}.onnx"
        if not path.exists():
            folder = self.folder / "models" / "exporting"
            command = [str(python), str(HERE / "hybrids.py"), f"--out={folder}", name]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode:
                raise ExportError(result.stderr.strip()[-500:] or f"{command[1]} ended with {result.returncode}")
            (folder / f"{name}.onnx").replace(path)
        return path

    def fixed_batch(self, source, name):
        """A copy of a model with a batch of 1 where it leaves the batch open, and without
        the shapes of inner tensors, which may be of another batch."""
        path = self.folder / "models" / f"{name}.{digest(source)}.batch1.onnx"
        if not path.exists():
            import onnx

            model = onnx.load(str(source))
            for value in [*model.graph.input, *model.graph.output]:
                extent = value.type.tensor_type.shape.dim[0]
                if not extent.dim_value:
                    extent.dim_value = 1
            del model.graph.value_info[:]
            write(path, model.SerializeToString())
        return path

    def array(self, name, make):
        """Path of an .npy; make() gives the array."""
        path = self.folder / "models" / f"{name}.npy"
        if not path.exists():
            import io

            import numpy

            data = io.BytesIO()
            numpy.save(data, make())
            write(path, data.getvalue())
        return path

    def hash_of(self, path):
        path = pathlib.Path(path)
        status = path.stat()
        key = (str(path), status.st_mtime_ns, status.st_size)
        if key not in self.hashes:
            self.hashes[key] = digest(path)
        return self.hashes[key]

    def key(self, name, job):
        own = {"models", "calibration", "vitq_opt"}
        facts = {key: value for key, value in job.items() if key not in own}
        if name != "vitq":  # What only vitq sees does not make the others anew.
            facts = {key: value for key, value in facts.items() if key not in ("vitq_flags", "target", "preprocess")}
        else:
            facts["vitq_opt"] = self.hash_of(job["vitq_opt"])
        used = job["models"] if name != "vitq" else {"packed": job["models"]["packed"]}
        sources = [self.hash_of(path) for path in (*used.values(), job["calibration"])]
        code = [HERE / "peers" / f"{peers.PEERS[name][0]}.py", HERE / "peers" / "common.py"]
        return digest(json.dumps(facts, sort_keys=True), *sources, json.dumps(peers.versions(peers.get(name))), *code)

    def program(self, name, job, timeout=1800):
        """The artifact of a peer; measure.WorkerError if it cannot be made."""
        folder = self.folder / "programs" / job["name"] / f"{name}-{self.key(name, job)}"
        record = folder / "artifact.json"
        if record.exists():
            return {**json.loads(record.read_text()), "cached": True}
        missing = [package for package, version in peers.versions(peers.get(name)).items() if version is None]
        if missing:
            raise measure.WorkerError(f"not installed: pip install {' '.join(missing)}")
        shutil.rmtree(folder, ignore_errors=True)
        for old in folder.parent.glob(f"{name}-*"):
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(parents=True)
        worker = measure.Process(os.sched_getaffinity(0), self.folder / "logs" / job["name"] / f"{name}-prepare.log")
        try:
            artifact = worker.request(timeout, do="prepare", peer=name, job=job, folder=str(folder))["artifact"]
        except measure.WorkerError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            worker.close()
        artifact["peer"] = name
        write(record, json.dumps(artifact).encode())
        return artifact
