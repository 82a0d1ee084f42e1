# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Large image sets, and many compilations, on several machines: by Dask (the package distributed).

Every function takes a `client` (distributed.Client) of a cluster whose workers have this package; without it one of local
processes is made for the call. Results do not depend on the number of workers, nor on workers that are lost on the way:
their parts are done again.

Images are an array, a folder or a .npy; of the latter two workers read their own part, so that the path must be theirs too.
"""
from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import tempfile
import typing

import numpy

import vitq

from ._compile import _read

if typing.TYPE_CHECKING:
    import distributed

#: About so many bytes of pixels are sent to a worker at once.
PART_BYTES = 8 << 20
PICTURES = (".jpg", ".jpeg", ".png")


class Evaluation(typing.NamedTuple):
    """What a program makes of labelled images."""

    classes: numpy.ndarray  #: [N], of each image
    labels: numpy.ndarray | None  #: [N], or None

    @property
    def top1(self) -> float | None:
        """The share of images whose class is their label; None without labels."""
        return None if self.labels is None else float((self.classes == self.labels).mean())


class Trial(typing.NamedTuple):
    """One compilation of a sweep."""

    options: dict  #: those it was compiled with
    program: vitq.Program | None  #: None where it failed
    evaluation: Evaluation | None
    error: Exception | None  #: why it failed: a CompileError; or a ValueError, of a program that has no classes


class Sensitivity(typing.NamedTuple):
    """What the program loses if one layer's weights have few bits."""

    layer: str  #: the ONNX node
    sqnr_db: float  #: of the integers, against those of the program with 8 bits
    agreement: float  #: the share of images that keep their class


def calibrate(model, images, *, client: distributed.Client | None = None, part: int = 32, preprocess: str = "",
              **options) -> vitq.Ranges:
    """vitq.calibrate on parts of `part` images: the same result, to the last digit."""
    content, file = _read(model)
    with _client(client) as workers:
        shipped = workers.submit(_keep, content, pure=False)
        futures = [workers.submit(_calibrate, shipped, file, chosen, preprocess, options, pure=False)
                   for chosen in _parts(images, part)]
        parts = workers.gather(futures)
    return vitq.calibrate(content, parts)


def run(program: vitq.Program, images, *, client: distributed.Client | None = None, part: int | None = None):
    """`program(images)` on parts of `part` images: int32 [N, ...], or a dict of them."""
    with _client(client) as workers:
        results = workers.gather(_submit_runs(workers, program, images, part, _all))
    if isinstance(results[0], dict):
        return {name: numpy.concatenate([result[name] for result in results]) for name in results[0]}
    return numpy.concatenate(results)


def evaluate(program: vitq.Program, images, labels=None, *, client: distributed.Client | None = None,
             part: int | None = None) -> Evaluation:
    """The classes that the program gives images, and how many are right.

    labels: [N] integers in the order of the images, for a folder that of its files' names.
    Raises ValueError where the program's first output is not [N, classes] or there are more or fewer labels.
    """
    with _client(client) as workers:
        classes = workers.gather(_submit_runs(workers, program, images, part, _classes))
    return _evaluation(classes, labels)


def sweep(model, calibration, configurations: typing.Iterable[dict], images, labels=None, *,
          client: distributed.Client | None = None, part: int | None = None, **options) -> list[Trial]:
    """Compiles a model once for each configuration, and evaluates what comes out.

    configurations: options of `vitq.compile`, each over `options`, which are common to all.
    calibration: as of `vitq.compile`; a folder or a file must be there on every worker. One that cannot be compiled is a
        Trial with an error, and ends nothing.
    """
    labels = None if labels is None else _labels(labels)
    content, file = _read(model)
    chosen = [{**options, **configuration} for configuration in configurations]
    with _client(client) as workers:
        shipped = workers.submit(_keep, content, pure=False)
        compiled = workers.gather([workers.submit(_compile, shipped, file, calibration, each, pure=False)
                                   for each in chosen])
        programs = [_loaded(each) for each in compiled]
        runs = [_submit_runs(workers, program, images, part, _classes) if isinstance(program, vitq.Program) else None
                for program in programs]
        return [_trial(workers, each, program, futures, labels)
                for each, program, futures in zip(chosen, programs, runs)]


def _loaded(compiled: bytes | vitq.CompileError) -> vitq.Program | vitq.CompileError:
    try:
        return compiled if isinstance(compiled, vitq.CompileError) else vitq.load(compiled)
    except vitq.CompileError as error:
        return error


def _trial(workers, options: dict, program, futures, labels) -> Trial:
    if futures is None:
        return Trial(options, None, None, program)
    try:
        return Trial(options, program, _evaluation(workers.gather(futures), labels), None)
    except ValueError as error:
        return Trial(options, program, None, error)


def sensitivity(model, calibration, images, *, bits: int = 4, layers: typing.Iterable[str] | None = None,
                client: distributed.Client | None = None, part: int | None = None, **options) -> list[Sensitivity]:
    """What a program loses if the weights of one layer after the other have `bits` bits, the most sensitive first.

    layers: names of ONNX nodes; all layers with weights if it is not given.
    options: of `vitq.compile`, for the program that is compared with as well.
    """
    with _client(client) as workers:
        reference = vitq.compile(model, calibration, **options)
        expected = run(reference, images, client=workers, part=part)
        if isinstance(expected, dict):
            raise ValueError("the sensitivity is that of a program with one output")
        names = list(layers) if layers is not None else _layers(reference)
        trials = sweep(model, calibration, [{"bits": {"layers": {name: {"weights": bits}}}} for name in names], images,
                       client=workers, part=part, **options)
        results = []
        for name, trial in zip(names, trials):
            if trial.error:
                raise trial.error
            found = run(trial.program, images, client=workers, part=part) * trial.program.outputs[0].scale
            results.append(_compare(name, expected * reference.outputs[0].scale, found))
    return sorted(results, key=lambda each: (each.sqnr_db, each.layer))


def _compare(name: str, expected: numpy.ndarray, found: numpy.ndarray) -> Sensitivity:
    noise = float(((found - expected) ** 2).sum())
    signal = float((expected ** 2).sum())
    sqnr = numpy.inf if noise == 0 else 10 * numpy.log10(signal / noise)
    return Sensitivity(name, float(sqnr), float((expected.argmax(axis=1) == found.argmax(axis=1)).mean()))


def _layers(program: vitq.Program) -> list[str]:
    """The layers with weights that are products, in the order of the program."""
    names = [op["node"] for op in program.report["ops"] if op["macs"] and op["constant_bytes"]]
    return list(dict.fromkeys(names))


# Parts of image sets


class _Part(typing.NamedTuple):
    """Some images: pixels, or where a worker finds them."""

    pixels: numpy.ndarray | None
    path: str | None = None
    first: int = 0
    last: int = 0
    files: tuple[str, ...] = ()


def _parts(images, part: int | None) -> list[_Part]:
    """The images in order, `part` at a time, or as many as PART_BYTES have."""
    if part is not None and part < 1:
        raise ValueError("a part must have at least one image")
    if isinstance(images, (str, os.PathLike)):
        path = pathlib.Path(images).resolve()
        return _folder_parts(path, part or 64) if path.is_dir() else _file_parts(path, part)
    pixels = images if isinstance(images, numpy.ndarray) else numpy.stack([numpy.asarray(image) for image in images])
    return [_Part(numpy.ascontiguousarray(pixels[first:last])) for first, last in _cuts(pixels, part)]


def _cuts(pixels: numpy.ndarray, part: int | None) -> list[tuple[int, int]]:
    if len(pixels) == 0:
        raise ValueError("there are no images")
    step = part or max(1, PART_BYTES // max(1, pixels[0].nbytes))
    return [(first, min(first + step, len(pixels))) for first in range(0, len(pixels), step)]


def _file_parts(path: pathlib.Path, part: int | None) -> list[_Part]:
    if path.suffix != ".npy":
        raise ValueError(f"{path}: images are a folder of pictures, a .npy of pixels, or an array")
    pixels = numpy.load(path, mmap_mode="r")
    return [_Part(None, os.fspath(path), first, last) for first, last in _cuts(pixels, part)]


def _folder_parts(path: pathlib.Path, part: int) -> list[_Part]:
    # Those that the compiler reads, in its order.
    files = sorted((entry.path for entry in os.scandir(path) if entry.is_file() and not entry.name.startswith(".")
                    and entry.name.lower().endswith(PICTURES)), key=os.fsencode)
    if not files:
        raise ValueError(f"{path}: there is no picture (.jpg, .jpeg, .png)")
    return [_Part(None, files=tuple(files[first:first + part])) for first in range(0, len(files), part)]


@contextlib.contextmanager
def _folder(files: tuple[str, ...]):
    """A folder with just these pictures."""
    with tempfile.TemporaryDirectory(prefix="vitq-") as folder:
        for file in files:
            os.symlink(file, os.path.join(folder, os.path.basename(file)))
        yield folder


def _stored(part: _Part) -> numpy.ndarray:
    return part.pixels if part.path is None else numpy.load(part.path, mmap_mode="r")[part.first:part.last]


# What workers do


def _keep(content: bytes) -> bytes:
    """The model, once for each worker that needs it, and again where one is lost."""
    return content


def _calibrate(content: bytes, file: str, part: _Part, preprocess: str, options: dict) -> vitq.Ranges:
    with _folder(part.files) as folder:
        images = folder if part.files else _stored(part)
        return vitq.calibrate(content, images, preprocess=preprocess, **options)


def _compile(content: bytes, file: str, calibration, options: dict) -> bytes | vitq.CompileError:
    try:
        return vitq.compile(content, calibration, **{"name": "program", **options}).to_bytes()
    except vitq.CompileError as error:
        return error


@functools.lru_cache(maxsize=4)
def _load(program: bytes) -> vitq.Program:
    return vitq.load(program)


def _pixels(program: vitq.Program, part: _Part) -> numpy.ndarray:
    if not part.files:
        return _stored(part)
    with _folder(part.files) as folder:
        return program.pictures(folder).array()


def _run(content: bytes, part: _Part, select: typing.Callable):
    program = _load(content)
    return select(program(_pixels(program, part)))


def _all(results):
    return results


def _classes(results) -> numpy.ndarray:
    first = next(iter(results.values())) if isinstance(results, dict) else results
    if first.ndim != 2:
        raise ValueError(f"classes are found in an output [N, classes], not {list(first.shape)}")
    return first.argmax(axis=1)


def _submit_runs(workers, program: vitq.Program, images, part: int | None, select: typing.Callable) -> list:
    shipped = workers.submit(_keep, program.to_bytes(), pure=False)
    return [workers.submit(_run, shipped, chosen, select, pure=False) for chosen in _parts(images, part)]


def _labels(labels) -> numpy.ndarray:
    if isinstance(labels, (str, os.PathLike)):
        raise TypeError("labels are integers, one for each image, not a path")
    known = numpy.asarray(labels)
    if not numpy.issubdtype(known.dtype, numpy.integer):
        raise TypeError(f"labels are integers, one for each image, not {known.dtype}")
    return known


def _evaluation(classes: list[numpy.ndarray], labels) -> Evaluation:
    found = numpy.concatenate(classes)
    known = None if labels is None else _labels(labels)
    if known is not None and known.shape != found.shape:
        raise ValueError(f"there are {len(found)} images, but the labels are {list(known.shape)}")
    return Evaluation(found, known)


@contextlib.contextmanager
def _client(client):
    """The one that was given, or one of local processes for the time of the call."""
    if client is not None:
        yield client
        return
    import distributed

    cores = os.cpu_count() or 1
    with distributed.LocalCluster(n_workers=cores, threads_per_worker=1, dashboard_address=":0") as cluster, \
            distributed.Client(cluster) as local:
        yield local
