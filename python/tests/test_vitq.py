# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The package on the embedded model."""
import logging
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading

import numpy
import pytest

import vitq
import vitq.__main__

DIGITS = pathlib.Path(__file__).resolve().parents[2] / "models" / "digits"
PREPROCESS = "mean=0.5,std=0.5"
MODEL, CALIBRATION = DIGITS / "digits.onnx", DIGITS / "calibration.npy"


@pytest.fixture(scope="module")
def images():
    return numpy.load(DIGITS / "images.npy")[..., None]


@pytest.fixture(scope="module")
def program():
    return vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS)


def test_classifies(program, images):
    integers = program(images)
    assert integers.dtype == numpy.int32 and integers.shape == (len(images), 10)
    labels = numpy.load(DIGITS / "labels.npy")
    assert (integers.argmax(axis=1) == labels).mean() > 0.9
    assert program.input_shape == (1, 8, 8, 1)
    assert "float" not in program.manifest["output"]["dtype"]
    logits = program.logits(images[:3])
    assert logits.dtype == numpy.float32
    numpy.testing.assert_array_equal(logits, integers[:3].astype(numpy.float32)
                                  * numpy.float32(program.outputs[0].scale))


def test_same_however_it_is_called(program, images):
    expected = program(images)
    numpy.testing.assert_array_equal(program(images, threads=3), expected)
    numpy.testing.assert_array_equal(program(images[5]), expected[5])
    numpy.testing.assert_array_equal(program(images[..., 0]), expected)
    numpy.testing.assert_array_equal(program(images[5, ..., 0]), expected[5])
    numpy.testing.assert_array_equal(program(images[::2]), expected[::2])
    assert program(images[:0]).shape == (0, 10)
    results = {}
    threads = [threading.Thread(target=lambda i=i: results.__setitem__(i, program(images))) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        numpy.testing.assert_array_equal(results[i], expected)


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "proto"])
def test_models(program, images, kind):
    if kind == "proto":
        model = pytest.importorskip("onnx").load(MODEL)
    else:
        model = {"path": MODEL, "text": str(MODEL), "bytes": MODEL.read_bytes()}[kind]
    other = vitq.compile(model, CALIBRATION, preprocess=PREPROCESS, name="other")
    assert other.name == "other"
    numpy.testing.assert_array_equal(other(images), program(images))


def test_calibration_in_memory(program, images):
    pixels = numpy.load(CALIBRATION)
    for calibration in (pixels, pixels[..., None], list(pixels), (image for image in pixels)):
        other = vitq.compile(MODEL, calibration, preprocess=PREPROCESS)
        numpy.testing.assert_array_equal(other(images), program(images))


@pytest.mark.parametrize("suffix", [".so", ".o"])
def test_saved(program, images, tmp_path, suffix):
    path = tmp_path / f"digits{suffix}"
    program.save(path)
    if suffix == ".o":
        assert "digits_run" in path.with_suffix(".h").read_text()
        assert path.with_suffix(".json").read_text() == program._program.manifest
    loaded = vitq.load(path)
    assert loaded.name == program.name and loaded.outputs == program.outputs
    assert loaded.report == {}
    numpy.testing.assert_array_equal(loaded(images), program(images))
    if suffix == ".so":
        with pytest.raises(ValueError, match="has no object; copy the library"):
            loaded.to_bytes()
        with pytest.raises(vitq.CompileError, match="has no object; copy the library"):
            loaded.save(tmp_path / "again.so")


def test_pickled(program, images):
    numpy.testing.assert_array_equal(pickle.loads(pickle.dumps(program))(images), program(images))
    with pytest.raises(ValueError, match="FILE.so, FILE.o or FILE.onnx, not as digits.bin"):
        program.save("digits.bin")


def test_batches(images, program):
    batched = vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS, batch=4)
    assert batched.input_shape[0] == 4 and batched.outputs[0].shape == (4, 10)
    for count in (1, 4, 7):
        numpy.testing.assert_array_equal(batched(images[:count]), program(images[:count]))


def test_report(program):
    assert program.report["float_instructions"] == 0 and program.report["macs"] == program.manifest["macs"]
    assert program.report["logits_sqnr_db"] is None
    measured = vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS, report="measured")
    assert measured.report["logits_sqnr_db"] > 20
    assert measured.to_bytes() == program.to_bytes()


def test_options(images, program):
    narrow = vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS, weight_bits=4, rotate_residual=True)
    assert narrow.report["options"]["rotate-residual"] == "on"
    assert narrow.report["options"]["bits"] == "weights=4"
    assert (narrow(images) != program(images)).any()


def test_quantize():
    onnx = pytest.importorskip("onnx")
    model = vitq.quantize(MODEL, CALIBRATION, preprocess=PREPROCESS)
    onnx.checker.check_model(model)
    kinds = {node.op_type for node in model.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "MatMul"} <= kinds


def test_errors_name_nodes(program, images, tmp_path):
    with pytest.raises(vitq.CompileError, match="calibration images in memory, or the option 'data'"):
        vitq.compile(MODEL)
    with pytest.raises(vitq.CompileError, match="unknown option 'weight-bit'"):
        vitq.compile(MODEL, CALIBRATION, weight_bit=4)
    with pytest.raises(vitq.CompileError, match="option 'report' cannot be 'all': it must be facts or measured"):
        vitq.compile(MODEL, CALIBRATION, report="all")
    with pytest.raises(vitq.CompileError, match="needs a float model, and images in the option 'data'"):
        ranges = tmp_path / "ranges.json"
        vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS, save_ranges=ranges)
        vitq.compile(MODEL, load_ranges=ranges, report="measured")
    with pytest.raises(FileNotFoundError):
        vitq.compile("nothing.onnx", CALIBRATION)
    with pytest.raises(vitq.CompileError):
        vitq.compile(b"no model", CALIBRATION)
    with pytest.raises(ValueError, match="must be uint8 pixels"):
        vitq.compile(MODEL, numpy.zeros((4, 8, 8, 1), numpy.float32))
    onnx = pytest.importorskip("onnx")
    model = onnx.load(MODEL)
    model.graph.node[0].op_type = "Unheard"
    model.graph.node[0].name = "first"
    with pytest.raises(vitq.CompileError) as caught:
        vitq.compile(model, CALIBRATION, preprocess=PREPROCESS)
    assert "first" in caught.value.node or "first" in str(caught.value)
    assert caught.value.diagnostics[0].severity == "error"
    assert pickle.loads(pickle.dumps(caught.value)).diagnostics == caught.value.diagnostics


def test_errors_of_programs(program, images, tmp_path):
    with pytest.raises(ValueError, match=r"the shape \[N, 8, 8, 1\], but have \[2, 8, 4, 1\]"):
        program(images[:2, :, :4])
    with pytest.raises(ValueError, match="must be uint8 pixels, but are float32"):
        program(images.astype(numpy.float32))
    with pytest.raises(ValueError, match="threads must be at least 1"):
        program(images, threads=0)
    with pytest.raises(vitq.CompileError, match="the object cannot be loaded"):
        vitq.load(b"no object")
    with pytest.raises(vitq.CompileError, match="the object is null, or empty"):
        vitq.load(b"")
    text = tmp_path / "text.so"
    text.write_text("no library")
    with pytest.raises(vitq.CompileError, match="text.so"):
        vitq.load(text)
    with pytest.raises(vitq.CompileError, match="is no shared library made by vitq"):
        vitq.load(MODEL)
    foreign = vitq.compile(MODEL, CALIBRATION, preprocess=PREPROCESS, target="aarch64")
    with pytest.raises(RuntimeError, match="is for another processor"):
        foreign(images)
    with pytest.raises(vitq.CompileError, match="the object"):
        vitq.load(foreign.to_bytes())


def test_remarks_are_logged(caplog):
    with caplog.at_level(logging.INFO, logger="vitq"):
        vitq.compile(MODEL, numpy.load(CALIBRATION)[:1], preprocess=PREPROCESS, weight_bits=4)
    assert caplog.records


def test_command_line(tmp_path, capsys, program, images, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [str(MODEL), f"--images={CALIBRATION}", f"--preprocess={PREPROCESS}"]
    assert vitq.__main__.main(arguments) == 0
    said = capsys.readouterr().out
    assert said.startswith("digits.so: digits_run, for ") and "no float instruction" in said
    numpy.testing.assert_array_equal(vitq.load("digits.so")(images), program(images))
    assert vitq.__main__.main([*arguments, "--measure", "--option=bits=norm=16"]) == 0
    assert "SQNR of the logits" in capsys.readouterr().out
    assert vitq.__main__.main([*arguments, "--option=batch"]) == 1
    assert "--option=batch has no value" in capsys.readouterr().err
    assert vitq.__main__.main(["nothing.onnx", "--images=nowhere"]) == 1
    assert "nothing.onnx" in capsys.readouterr().err
    help_text = subprocess.run([sys.executable, "-m", "vitq", "--help"], capture_output=True, text=True).stdout
    assert len(help_text.splitlines()) <= 50
    if shutil.which("vitq"):
        assert subprocess.run(["vitq", "--version"], capture_output=True, text=True).stdout.startswith("vitq ")
