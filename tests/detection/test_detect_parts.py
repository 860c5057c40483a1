from __future__ import annotations

import os
import shutil

import pandas as pd
import pytest

from annotations import cache, looking
from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import find_images
from detection.detect import detect_few, detect_parts
from detection.settings import DetectSettings

LOW = DetectSettings(confidence=0.001)


@pytest.fixture
def folder(labels, tmp_path):
    shutil.copytree(labels.images.root, tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture
def looked_at(detector, monkeypatch):
    """Count the images that the network sees."""
    seen = []
    really = detector.detect_letterboxed

    def count(squares, *args, **options):
        seen.append(len(squares))
        return really(squares, *args, **options)

    monkeypatch.setattr(detector, "detect_letterboxed", count)
    return seen


def _images(folder):
    names = [str(path.relative_to(folder)) for path in find_images(folder)]
    return Images(pd.DataFrame({"image": names}), folder)


def _detect(detector, folder, out, settings=LOW, **options):
    return detect_parts(
        detector, _images(folder), out, settings, batch=4, progress=False, **options
    )


def test_boxes_are_those_of_the_detector(detector, folder, tmp_path):
    report = _detect(detector, folder, tmp_path / "out")
    stored = Boxes.read(tmp_path / "out" / "boxes.parquet")
    pd.testing.assert_frame_equal(stored.frame, report.boxes.frame)
    assert stored.about["detector"] == detector.hash
    assert stored.about["settings"]["confidence"] == 0.001
    assert [p["name"] for p in stored.about["vocabulary"]["parts"]] == ["window", "light"]
    assert set(stored.frame["source"]) == {"detector"}
    counts = stored.frame.groupby(["image", "part"]).size().unstack()
    assert counts["window"].max() == 1
    assert counts["light"].max() == 2
    assert (report.detected, report.reused) == (10, 0)
    table = report.parts.set_index("part")
    assert table.loc["window", "boxes"] == counts["window"].sum()
    assert table.loc["window", "images"] == counts["window"].notna().sum() / 10
    states = pd.read_parquet(tmp_path / "out" / "images.parquet").set_index("image")
    assert states["boxes"].sum() == len(stored)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "boxes.parquet", "images.parquet", "problems.csv",
    ]  # fmt: skip


def test_a_second_run_looks_only_at_what_is_new_or_changed(detector, folder, tmp_path, looked_at):
    out = tmp_path / "out"
    first = _detect(detector, folder, out)
    looked_at.clear()
    again = _detect(detector, folder, out)
    assert (sum(looked_at), again.reused) == (0, 10)
    pd.testing.assert_frame_equal(again.boxes.frame, first.boxes.frame)

    files = find_images(folder)
    files[0].unlink()
    shutil.copy(files[1], folder / "new.png")
    os.utime(files[2], ns=(1, 1))
    third = _detect(detector, folder, out)
    assert sum(looked_at) == 2
    assert (third.detected, third.reused) == (2, 8)
    assert "new.png" in set(third.boxes.frame["image"])
    assert str(files[0].relative_to(folder)) not in set(third.boxes.frame["image"])
    fresh = _detect(detector, folder, tmp_path / "other")
    order = ["image", "part", "score"]
    pd.testing.assert_frame_equal(
        third.boxes.frame.sort_values(order, ignore_index=True),
        fresh.boxes.frame.sort_values(order, ignore_index=True),
        atol=1e-3,
    )


def test_a_part_of_the_images_leaves_the_others_boxes_in_the_cache(
    detector, folder, tmp_path, looked_at
):
    out = tmp_path / "out"
    whole = _detect(detector, folder, out)
    names = [str(path.relative_to(folder)) for path in find_images(folder)]
    few = Images(pd.DataFrame({"image": names[:3]}), folder)
    report = detect_parts(detector, few, out, DetectSettings(confidence=0.001), progress=False)
    assert set(report.boxes.frame["image"]) <= set(names[:3])
    looked_at.clear()
    again = _detect(detector, folder, out)
    assert (sum(looked_at), again.reused) == (0, 10)
    assert len(again.boxes) == len(whole.boxes)


def test_a_killed_run_goes_on(detector, folder, tmp_path, looked_at, monkeypatch):
    monkeypatch.setattr(looking, "KEEP_EVERY", 0)
    counting = detector.detect_letterboxed

    def die(squares, *args, **options):
        if sum(looked_at) >= 8:
            raise KeyboardInterrupt
        return counting(squares, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(detector, "detect_letterboxed", die)
        with pytest.raises(KeyboardInterrupt):
            _detect(detector, folder, tmp_path / "out")
    assert not (tmp_path / "out" / "boxes.parquet").exists()
    other = DetectSettings(confidence=0.5)
    with pytest.raises(InputError, match="another settings"):
        _detect(detector, folder, tmp_path / "out", other)
    looked_at.clear()
    report = _detect(detector, folder, tmp_path / "out")
    assert sum(looked_at) == 2
    assert (report.detected, report.reused) == (2, 8)
    assert report.boxes.frame["image"].nunique() == 10


def test_a_run_killed_while_merging_counts_no_box_twice(detector, folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(cache.shutil, "rmtree", lambda *_, **__: None)
        whole = _detect(detector, folder, out)
    assert (out / ".shards").exists()
    again = _detect(detector, folder, out)
    assert again.detected == 0
    assert len(again.boxes) == len(whole.boxes)
    assert not (out / ".shards").exists()


def test_another_detector_or_other_settings_are_said(detector, folder, tmp_path):
    out = tmp_path / "out"
    _detect(detector, folder, out)
    with pytest.raises(InputError, match=r"another settings .*0\.001.*0\.3.*redo"):
        _detect(detector, folder, out, DetectSettings(confidence=0.3))
    before = detector.hash
    detector.card = detector.card.model_copy(update={"weights": "f" * 64})
    with pytest.raises(InputError, match=f"another detector .*{before}.*ffff"):
        _detect(detector, folder, out)
    assert _detect(detector, folder, out, redo=True).detected == 10


def test_an_unreadable_image_is_a_line_in_the_report(detector, folder, tmp_path, looked_at):
    (folder / "text.jpg").write_text("hello")
    report = _detect(detector, folder, tmp_path / "out")
    assert list(report.problems["image"]) == ["text.jpg"]
    assert "not a readable image" in report.problems["problem"][0]
    listed = pd.read_csv(tmp_path / "out" / "problems.csv")
    assert list(listed["image"]) == ["text.jpg"]
    looked_at.clear()
    again = _detect(detector, folder, tmp_path / "out")
    assert sum(looked_at) == 0
    assert list(again.problems["image"]) == ["text.jpg"]
    shutil.copy(find_images(folder)[0], folder / "text.jpg")
    mended = _detect(detector, folder, tmp_path / "out")
    assert sum(looked_at) == 1
    assert mended.problems.empty


def test_only_unreadable_images_are_an_error(detector, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "text.jpg").write_text("hello")
    for _ in range(2):
        with pytest.raises(InputError, match="no image can be read"):
            _detect(detector, tmp_path / "images", tmp_path / "out")


def test_boxes_from_elsewhere_are_not_overwritten(detector, folder, labels, tmp_path):
    (tmp_path / "out").mkdir()
    labels.boxes.write(tmp_path / "out" / "boxes.parquet")
    with pytest.raises(InputError, match="another detector"):
        _detect(detector, folder, tmp_path / "out")


def test_a_few_images_need_no_folder(detector, folder, tmp_path):
    images = _images(folder)
    found = detect_few(detector, images, LOW)
    kept = detect_parts(detector, images, tmp_path / "parts", LOW).boxes
    frames = [boxes.frame.sort_values(["image", "part", "score"]) for boxes in (found, kept)]
    pd.testing.assert_frame_equal(*(frame.reset_index(drop=True) for frame in frames))
    assert found.about == kept.about
    for path in images.paths:
        path.write_bytes(b"torn")
    assert detect_few(detector, images, LOW).frame.empty
