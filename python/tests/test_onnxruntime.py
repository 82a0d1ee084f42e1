# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs as operators of ONNX Runtime; skipped where it is not installed."""
import pathlib
import threading

import numpy
import pytest

import vitq

onnxruntime = pytest.importorskip("onnxruntime")

DIGITS = pathlib.Path(__file__).resolve().parents[2] / "models" / "digits"
MODEL, CALIBRATION = DIGITS / "digits.onnx", DIGITS / "calibration.npy"


def compile_digits(**options):
    return vitq.compile(MODEL, CALIBRATION, preprocess="mean=0.5,std=0.5", **options)


def open_session(path, model=None):
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(str(path.with_suffix(".so")))
    return onnxruntime.InferenceSession(model or path, options)


@pytest.fixture(scope="module")
def images():
    return numpy.load(DIGITS / "images.npy")[..., None]


@pytest.fixture(scope="module")
def program():
    return compile_digits()


def test_same_integers(program, images, tmp_path):
    path = tmp_path / "digits.onnx"
    program.save(path)
    session = open_session(path)
    expected = program(images)
    for count in (1, 2, len(images)):
        numpy.testing.assert_array_equal(session.run(None, {"pixels": images[:count]})[0], expected[:count])
    assert session.run(None, {"pixels": images[:0]})[0].shape == (0, 10)
    # The library is that of FILE.so, too.
    numpy.testing.assert_array_equal(vitq.load(path.with_suffix(".so"))(images), expected)
    metadata = session.get_modelmeta().custom_metadata_map
    assert float(metadata["vitq.digits.scale:logits"]) == program.outputs[0].scale
    assert metadata["vitq.digits.preprocess"] == "mean=0.5,std=0.5"


def test_threads(program, images, tmp_path):
    path = tmp_path / "digits.onnx"
    program.save(path)
    session, expected, results = open_session(path), program(images), {}

    def work(index):
        for _ in range(5):
            results[index] = session.run(None, {"pixels": images[index:]})[0]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(8):
        numpy.testing.assert_array_equal(results[index], expected[index:])


def test_batches_and_outputs(images, tmp_path):
    """Images that fill no batch, and outputs that lie apart."""
    program = compile_digits(batch=4, output="logits,/blocks.0/Add_1")
    program.save(tmp_path / "batched.onnx")
    session = open_session(tmp_path / "batched.onnx")
    names = [output.name for output in session.get_outputs()]
    assert program.input_shape[0] == 4 and names == [output.name for output in program.outputs] and len(names) == 2
    for count in (1, 4, 7, 30):
        expected = program(images[:count])
        for name, result in zip(names, session.run(names, {"pixels": images[:count]})):
            numpy.testing.assert_array_equal(result, expected[name])


def test_two_programs_in_one_session(program, images, tmp_path):
    onnx = pytest.importorskip("onnx")
    other = compile_digits(name="other", weight_bits=4)
    for saved, name in ((program, "digits"), (other, "other")):
        saved.save(tmp_path / f"{name}.onnx")
    both = onnx.compose.merge_models(
        onnx.compose.add_prefix(onnx.load(tmp_path / "digits.onnx"), "a."),
        onnx.compose.add_prefix(onnx.load(tmp_path / "other.onnx"), "b."), io_map=[])
    options = onnxruntime.SessionOptions()
    for name in ("digits", "other"):
        options.register_custom_ops_library(str(tmp_path / f"{name}.so"))
    session = onnxruntime.InferenceSession(both.SerializeToString(), options)
    first, second = session.run(None, {"a.pixels": images[:9], "b.pixels": images[:9]})
    numpy.testing.assert_array_equal(first, program(images[:9]))
    numpy.testing.assert_array_equal(second, other(images[:9]))


def test_wrong_sizes(program, images, tmp_path):
    """ONNX Runtime refuses what the model says; what it lets through, the operator does."""
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "digits.onnx"
    program.save(path)
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.ClearField("shape")
    session = open_session(path, model.SerializeToString())
    for wrong, said in ((images[:3, :7], r"\[3, 7, 8, 1\]"), (images[0], r"\[8, 8, 1\]")):
        with pytest.raises(Exception, match=r"vitq program 'digits' takes uint8 \[N, 8, 8, 1\], but is given " + said):
            session.run(None, {"pixels": wrong})


def test_the_library_of_another_program(program, tmp_path):
    """Both are called digits."""
    program.save(tmp_path / "digits.onnx")
    compile_digits(weight_bits=4).save(tmp_path / "other.onnx")
    with pytest.raises(Exception, match="vitq.digits:Program_[0-9a-f]{16}.* is not a registered function/op"):
        open_session(tmp_path / "other.onnx", str(tmp_path / "digits.onnx"))


def test_another_processor(tmp_path):
    """One of Intel's with AMX, unless this is one."""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    if "amx_int8" in flags or "x86" not in _machine():
        pytest.skip("no processor is known that this is not")
    program = compile_digits(target="sapphirerapids", name="rapids")
    program.save(tmp_path / "rapids.onnx")
    with pytest.raises(Exception, match="vitq program 'rapids' is for another processor"):
        open_session(tmp_path / "rapids.onnx")


def _machine():
    import platform

    return platform.machine()


def test_errors(program, tmp_path):
    with pytest.raises(vitq.CompileError, match="no/such/digits"):
        program.save(tmp_path / "no/such/digits.onnx")
    assert not list(tmp_path.iterdir())
