# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Several processes, of which one is lost; skipped without Dask."""
import os
import pathlib
import signal
import threading
import time

import numpy
import pytest

import vitq

distributed = pytest.importorskip("distributed")

import vitq.distributed  # noqa: E402  (needs the package above)

DIGITS = pathlib.Path(__file__).resolve().parents[2] / "models" / "digits"
MODEL, CALIBRATION = DIGITS / "digits.onnx", DIGITS / "calibration.npy"
PREPROCESS = "mean=0.5,std=0.5"


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(cluster):
    with distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def images():
    return numpy.load(DIGITS / "images.npy")


@pytest.fixture(scope="module")
def labels():
    return numpy.load(DIGITS / "labels.npy")


@pytest.fixture(scope="module")
def program():
    return vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS)


def kill_a_worker(cluster, client):
    """Ends a process while it works, in a thread; returns the thread and what it found."""
    killed = []

    def work():
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            busy = [address for address, tasks in client.processing().items() if tasks]
            for worker in cluster.workers.values():
                if worker.worker_address in busy:
                    killed.append(worker.process.pid)
                    os.kill(worker.process.pid, signal.SIGKILL)
                    return
            time.sleep(0.002)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, killed


@pytest.mark.parametrize("kind", ["array", "file"])
def test_calibrates_as_one_process(client, kind):
    images = CALIBRATION if kind == "file" else numpy.load(CALIBRATION)
    expected = vitq.calibrate(MODEL, CALIBRATION, preprocess=PREPROCESS)
    parts = vitq.distributed.calibrate(MODEL, images, client=client, part=9, preprocess=PREPROCESS)
    assert bytes(parts) == bytes(expected)


def test_a_worker_that_is_lost(cluster, client, images, program):
    expected = vitq.calibrate(MODEL, images, preprocess=PREPROCESS)
    thread, killed = kill_a_worker(cluster, client)
    found = vitq.distributed.calibrate(MODEL, images, client=client, part=4, preprocess=PREPROCESS)
    thread.join()
    assert killed and bytes(found) == bytes(expected)
    numpy.testing.assert_array_equal(vitq.distributed.run(program, images, client=client, part=5), program(images))


def test_folders(client, tmp_path):
    picture = pytest.importorskip("PIL.Image")
    images = numpy.load(CALIBRATION)[:10]
    for number, pixels in enumerate(images):
        picture.fromarray(pixels).save(tmp_path / f"{number}.PNG")
    (tmp_path / "readme.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_text("none either")
    (tmp_path / "folder.png").mkdir()
    whole = vitq.calibrate(MODEL, tmp_path, preprocess=PREPROCESS)
    assert vitq.distributed.calibrate(MODEL, tmp_path, client=client, part=3, preprocess=PREPROCESS) == whole
    program = vitq.compile(MODEL, whole)
    numpy.testing.assert_array_equal(vitq.distributed.run(program, tmp_path, client=client, part=4), program(images))


def test_evaluates(client, program, images, labels):
    result = vitq.distributed.evaluate(program, images, labels, client=client, part=100)
    numpy.testing.assert_array_equal(result.classes, program(images).argmax(axis=1))
    assert result.top1 == (program(images).argmax(axis=1) == labels).mean()
    assert vitq.distributed.evaluate(program, images[:3], client=client).top1 is None
    with pytest.raises(ValueError, match=r"there are 540 images, but the labels are \[539\]"):
        vitq.distributed.evaluate(program, images, labels[1:], client=client)


@pytest.mark.parametrize("labels", [["3"] * 540, "labels.csv", [0.5] * 540])
def test_labels_are_integers(client, program, images, labels):
    with pytest.raises(TypeError, match="labels are integers, one for each image, not"):
        vitq.distributed.evaluate(program, images, labels, client=client)


def test_sweeps(client, images, labels):
    configurations = [{}, {"weight_bits": 4}, {"nonlinear": "nothing"}, {"output": "/blocks.1/Add_1"}, {"target": "aarch64"}]
    trials = vitq.distributed.sweep(MODEL, CALIBRATION, configurations, images, labels, client=client,
                                    preprocess=PREPROCESS)
    for trial, configuration in zip(trials[:2], configurations):
        own = vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS, **configuration)
        numpy.testing.assert_array_equal(trial.evaluation.classes, own(images).argmax(axis=1))
        assert trial.evaluation.top1 > 0.9 and trial.options["preprocess"] == PREPROCESS
    assert trials[2].program is None and "nonlinear" in str(trials[2].error)
    assert trials[3].program and trials[3].evaluation is None and "classes are found" in str(trials[3].error)
    assert trials[4].program is None and isinstance(trials[4].error, vitq.CompileError)


def test_sensitivity(client, images):
    layers = ["/blocks.0/mlp/fc1/Add", "/head/Gemm"]
    found = vitq.distributed.sensitivity(MODEL, CALIBRATION, images[:100], bits=3, client=client, layers=layers,
                                         preprocess=PREPROCESS, rotate_residual="off", rotate_heads="off",
                                         rotate_hidden="off")
    assert sorted(each.layer for each in found) == sorted(layers)
    assert found[0].sqnr_db <= found[1].sqnr_db < 40 and all(each.agreement > 0.8 for each in found)


def test_local_processes(program, images):
    """Without a client."""
    numpy.testing.assert_array_equal(vitq.distributed.run(program, images[:20], part=10), program(images[:20]))


def test_bad_images(client, program, tmp_path):
    with pytest.raises(ValueError, match="there is no picture"):
        vitq.distributed.run(program, tmp_path, client=client)
    with pytest.raises(ValueError, match="a folder of pictures, a .npy of pixels, or an array"):
        vitq.distributed.run(program, tmp_path / "images.npz", client=client)
    with pytest.raises(ValueError, match="at least one image"):
        vitq.distributed.run(program, numpy.zeros((3, 8, 8), numpy.uint8), client=client, part=0)
    with pytest.raises(ValueError, match="there are no images"):
        vitq.distributed.run(program, numpy.zeros((0, 8, 8), numpy.uint8), client=client)
