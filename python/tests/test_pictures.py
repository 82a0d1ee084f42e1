# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pictures, and ranges of parts of them."""
import json
import pathlib

import numpy
import pytest

import vitq

DIGITS = pathlib.Path(__file__).resolve().parents[2] / "models" / "digits"
MODEL, CALIBRATION = DIGITS / "digits.onnx", DIGITS / "calibration.npy"
PREPROCESS = "mean=0.5,std=0.5"


@pytest.fixture(scope="module")
def images():
    return numpy.load(CALIBRATION)


@pytest.fixture(scope="module")
def whole(images):
    return vitq.calibrate(MODEL, images, preprocess=PREPROCESS)


def test_pictures_of_an_array(images):
    pictures = vitq.Pictures(CALIBRATION, "resize=8,crop=6", channels=1)
    assert len(pictures) == len(images) and pictures.size == (6, 6, 1)
    numpy.testing.assert_array_equal(pictures[-1][..., 0], images[-1, 1:7, 1:7])
    numpy.testing.assert_array_equal(pictures.array(2, 5)[..., 0], images[2:5, 1:7, 1:7])
    assert [picture.shape for picture in pictures[:2]] == [(6, 6, 1)] * 2
    assert pictures.names[:2] == ["#0", "#1"]
    with pytest.raises(IndexError, match=f"there are {len(images)} pictures, no picture {len(images)}"):
        pictures[len(images)]


def test_pictures_are_checked(tmp_path):
    with pytest.raises(vitq.CompileError, match="the folder holds no"):
        vitq.Pictures(tmp_path)
    with pytest.raises(vitq.CompileError, match="preprocess|resize"):
        vitq.Pictures(CALIBRATION, "resize=much", channels=1)
    with pytest.raises(vitq.CompileError, match="channels are neither 1 nor 3"):
        vitq.Pictures(CALIBRATION, channels=2)


def test_pictures_of_a_program(images, tmp_path):
    program = vitq.compile(MODEL, images, preprocess=PREPROCESS)
    numpy.testing.assert_array_equal(program(program.pictures(CALIBRATION).array()), program(images))
    numpy.save(tmp_path / "large.npy", numpy.zeros((2, 9, 9), numpy.uint8))
    with pytest.raises(ValueError, match=r"come out as \[9, 9, 1\] .*, the program takes \[8, 8, 1\]"):
        program.pictures(tmp_path / "large.npy")


@pytest.mark.parametrize("size", [1, 7, 40])
def test_ranges_of_parts_are_those_of_the_whole(images, whole, size):
    parts = [vitq.calibrate(MODEL, images[first:first + size], preprocess=PREPROCESS)
             for first in range(0, min(len(images), 3 * size), size)]
    expected = vitq.calibrate(MODEL, images[:3 * size], preprocess=PREPROCESS) if 3 * size < len(images) else whole
    assert bytes(vitq.calibrate(MODEL, parts)) == bytes(expected)
    assert bytes(vitq.calibrate(MODEL, parts[::-1])) == bytes(expected)


def test_ranges_are_a_calibration(images, whole, tmp_path):
    whole.save(tmp_path / "ranges.json")
    assert vitq.Ranges.load(tmp_path / "ranges.json") == whole and whole.images == len(images)
    program = vitq.compile(MODEL, images, preprocess=PREPROCESS)
    for calibration in (whole, vitq.Ranges.load(tmp_path / "ranges.json")):
        numpy.testing.assert_array_equal(vitq.compile(MODEL, calibration)(images), program(images))


def test_ranges_that_do_not_fit(images, whole):
    def changed(**keys):
        return vitq.Ranges(json.dumps({**json.loads(bytes(whole)), **keys}).encode())

    with pytest.raises(vitq.CompileError, match="1.json: is of another model than the ranges before it"):
        vitq.calibrate(MODEL, [whole, changed(fingerprint="0" * 32)])
    with pytest.raises(vitq.CompileError, match="was measured with preprocess 'mean=0.1', the ranges before it with"):
        vitq.calibrate(MODEL, [whole, changed(preprocess="mean=0.1")])
    channels = json.loads(bytes(whole))["channels"]
    older = {name: {key: value for key, value in entry.items() if key not in ("rows", "sum")}
             for name, entry in channels.items()}
    with pytest.raises(vitq.CompileError, match="means without their sums, as earlier versions wrote them"):
        vitq.calibrate(MODEL, [whole, changed(channels=older)])
    name = next(iter(channels))
    ranges = json.loads(bytes(whole))["ranges"]
    with pytest.raises(vitq.CompileError, match="have not the same values: one says nothing of"):
        vitq.calibrate(MODEL, [whole, changed(ranges={key: ranges[key] for key in list(ranges)[1:]})])
    with pytest.raises(vitq.CompileError, match="does not go with --recipe=best, .* fewer than 8 bits"):
        vitq.compile(MODEL, whole, weight_bits=4)
    for key, wrong in (("rows", 0), ("rows", "1"), ("sum", ["1"]), ("sum", ["x"] * len(channels[name]["sum"])),
                       ("sum", ["9" * 39] * len(channels[name]["sum"]))):
        with pytest.raises(vitq.CompileError, match="finite numbers 'min', 'max', 'mean' and 'sum'"):
            vitq.compile(MODEL, changed(channels={**channels, name: {**channels[name], key: wrong}}))
