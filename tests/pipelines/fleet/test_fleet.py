import errno
import filecmp
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.pixels import read_image
from pipelines.fleet import make as making
from pipelines.fleet.make import boxes_of, make_fleet, vehicles_of
from pipelines.fleet.presets import PRESETS


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def same(a, b):
    """Return whether two folders hold the same bytes."""
    if files(a) != files(b):
        return False
    return filecmp.cmpfiles(a, b, files(a), shallow=False)[1:] == ([], [])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("fleet") / "tiny"
    make_fleet(out, "tiny", progress=False)
    return out


def test_the_same_seed_makes_the_same_bytes(tiny, tmp_path, monkeypatch):
    # Two processes instead of one: who takes a photograph must not matter.
    monkeypatch.setattr(making, "_ALONE", 0)
    make_fleet(tmp_path / "again", "tiny", 7, workers=2, progress=False)
    assert same(tiny, tmp_path / "again")
    make_fleet(tmp_path / "other", "tiny", 8, progress=False)
    pixels = [(folder / "images/000000.jpg").read_bytes() for folder in (tiny, tmp_path / "other")]
    assert pixels[0] != pixels[1]


def test_another_processor_makes_the_same_bytes(tiny, tmp_path):
    # numpy, OpenCV and the C library told to do without this processor's newer instructions.
    less = {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",
        "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2,FP16,AVX",
        "OPENCV_IPP": "disabled",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    }
    code = (
        "import sys; from pathlib import Path; from pipelines.fleet.make import make_fleet;"
        "make_fleet(Path(sys.argv[1]), 'tiny', workers=1, progress=False)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "again")]
    subprocess.run(command, env={**os.environ, **less}, check=True, capture_output=True)
    assert same(tiny, tmp_path / "again")


def test_a_stopped_fleet_goes_on_to_the_same_bytes(tiny, tmp_path, monkeypatch):
    out, taken = tmp_path / "fleet", []
    shoot = making.shoot

    def stopped(folder, *rest):
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(rest)
        shoot(folder, *rest)

    monkeypatch.setattr(making, "shoot", stopped)
    with pytest.raises(KeyboardInterrupt):
        make_fleet(out, "tiny", progress=False)
    assert not out.exists()
    taken.clear()
    make_fleet(out, "tiny", progress=False)
    assert len(taken) == 1
    assert same(tiny, out)


def test_a_full_disk_is_said_and_leaves_no_fleet(tmp_path, monkeypatch):
    write = Path.write_bytes

    def full(path, data):
        if path.parent.name == "masks" and path.stem > "000020":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="disk is full"):
        make_fleet(tmp_path / "fleet", "tiny", progress=False)
    assert not (tmp_path / "fleet").exists()


def test_a_disk_that_is_too_small_is_said_before_work(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError, match="MB are free"):
        make_fleet(tmp_path / "fleet", "large", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_is_refused(tiny, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        make_fleet(tmp_path, "tiny")
    with pytest.raises(InputError, match="another fleet"):
        make_fleet(tiny, "tiny", 8)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_fleet_that_is_there_is_left_alone(tiny):
    before = (tiny / "images.parquet").stat().st_mtime_ns
    assert len(make_fleet(tiny, "tiny")) == 40
    assert (tiny / "images.parquet").stat().st_mtime_ns == before


def test_an_unknown_preset_is_told_the_nearest(tmp_path):
    with pytest.raises(InputError, match="did you mean 'near-duplicate'"):
        make_fleet(tmp_path / "x", "near-duplicates")


def test_a_size_that_no_frame_holds_is_refused():
    with pytest.raises(InputError, match="size 400 is not from 32 to 256"):
        replace(PRESETS["tiny"], size=400)


def test_it_is_a_data_set_with_every_truth(tiny):
    images = read_images(tiny)
    images.require_files()
    frame = images.frame
    assert frame["split"].value_counts().to_dict() == {"train": 24, "query": 8, "gallery": 8}
    for column in ("identity", "camera", "track", "time", "viewpoint", "model", "year", "colour"):
        assert frame[column].notna().all()
    train, test = (
        set(frame.loc[frame["split"].isin(s), "identity"])
        for s in (["train"], ["query", "gallery"])
    )
    assert not train & test
    # Every query can be found from another camera.
    gallery = frame[frame["split"] == "gallery"]
    for query in frame[frame["split"] == "query"].itertuples():
        matches = gallery[gallery["identity"] == query.identity]
        assert (matches["camera"] != query.camera).any()
    for vocabulary, folder in (("prn", "labels"), ("eia", "labels-eia")):
        boxes = boxes_of(tiny, vocabulary).frame
        assert boxes["visible"].between(0, 1).all()
        labels = LabelledSet.read(tiny / folder)
        assert set(labels.images.frame["image"]) <= set(images.split("train").frame["image"])
        labels.images.require_files()
    assert set(vehicles_of(tiny)["identity"]) == set(frame["identity"])


def test_masks_fit_images_and_boxes(tiny):
    boxes = boxes_of(tiny, "eia").frame
    for name in read_images(tiny).frame["image"].head(12):
        pixels = read_image(tiny / "images" / name)
        mask = cv2.imread(str((tiny / "masks" / name).with_suffix(".png")), cv2.IMREAD_UNCHANGED)
        assert mask.shape == pixels.shape[:2]
        assert mask.dtype == np.uint8
        assert mask.max() <= 4
        height, width = mask.shape
        for box in boxes[boxes["image"] == name].itertuples():
            part = mask[int(box.y1 * height) : round(box.y2 * height + 0.5),
                        int(box.x1 * width) : round(box.x2 * width + 0.5)]  # fmt: skip
            assert (part > 0).any()
            if box.part == "frontal":
                assert (part == 1).any()


def test_images_are_about_as_large_as_asked(tiny):
    size = PRESETS["tiny"].size
    for path in sorted((tiny / "images").iterdir())[:10]:
        height, width = read_image(path).shape[:2]
        assert abs(height * width / size**2 - 1) < 0.03


def test_it_can_be_moved(tiny, tmp_path):
    moved = tmp_path / "moved"
    moved.symlink_to(tiny)
    read_images(moved).require_files()
    LabelledSet.read(moved / "labels").images.require_files()


def test_pairs_are_of_images_and_true(tiny):
    frame = read_images(tiny).frame.set_index("image")
    found = sorted((tiny / "pairs").iterdir())
    assert found
    for path in found:
        level = "year" if "year" in path.name else "model"
        pairs = pd.read_csv(path, sep=" ", names=["first", "second", "same"])
        for row in pairs.itertuples():
            a, b = frame.loc[row.first], frame.loc[row.second]
            same_model = a["model"] == b["model"] and (level == "model" or a["year"] == b["year"])
            assert row.same == int(same_model)
            assert a["identity"] != b["identity"]
