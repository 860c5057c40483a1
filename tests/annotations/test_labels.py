from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.labels import LabelledSet, label_rows
from annotations.vocabulary import load_vocabulary


def test_set_survives_writing(labels: LabelledSet, tmp_path: Path) -> None:
    labels.write(tmp_path / "set")
    again = LabelledSet.read(tmp_path / "set")
    pd.testing.assert_frame_equal(again.boxes.frame, labels.boxes.frame)
    pd.testing.assert_frame_equal(again.images.frame, labels.images.frame)
    assert (again.labelled, again.vocabulary) == (labels.labelled, labels.vocabulary)
    again.write(tmp_path / "set")
    assert len(LabelledSet.read(tmp_path / "set")) == len(labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "set"]


def test_own_vocabulary_goes_with_the_set(labels: LabelledSet, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("parts: [{name: plate, colour: '#000000'}, {name: wheel, colour: '#ff0000'}]")
    own = LabelledSet(labels.images, labels.boxes, load_vocabulary(str(mine)), labels.labelled)
    own.write(tmp_path / "set")
    mine.unlink()
    shutil.move(tmp_path / "set", tmp_path / "moved")
    assert LabelledSet.read(tmp_path / "moved").vocabulary.parts == own.vocabulary.parts


def test_part_of_a_built_in_vocabulary_stays_that(labels: LabelledSet, tmp_path: Path) -> None:
    few = labels.vocabulary.only(["wheel", "plate"])
    LabelledSet(labels.images, labels.boxes, few, labels.labelled).write(tmp_path / "set")
    assert LabelledSet.read(tmp_path / "set").vocabulary.names == ("wheel", "plate")


def test_writing_never_takes_the_images_or_other_files(labels: LabelledSet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the images are in it"):
        labels.write(labels.images.root)
    with pytest.raises(InputError, match="the images are in it"):
        labels.write(tmp_path)
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday.txt").touch()
    with pytest.raises(InputError, match=r"holds something else \(no labels.yaml\)"):
        labels.write(tmp_path / "diary")
    labels.images.require_files()
    assert (tmp_path / "diary" / "monday.txt").is_file()


def test_contradictions_are_refused(labels: LabelledSet) -> None:
    with pytest.raises(InputError, match="does not label"):
        LabelledSet(labels.images, labels.boxes, labels.vocabulary, frozenset({"wheel"}))
    with pytest.raises(InputError, match="no part 'door'"):
        LabelledSet(labels.images, labels.boxes, labels.vocabulary, frozenset({"door"}))
    stray = Boxes(label_rows([("c.jpg", "plate", 0.1, 0.1, 0.2, 0.2)]))
    with pytest.raises(InputError, match=r"'c.jpg' is not in the set"):
        LabelledSet(labels.images, stray, labels.vocabulary, labels.labelled)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), amount=st.sampled_from([0.2, 0.5, 1, 2]))
def test_holding_out_divides_the_set(labels: LabelledSet, seed: int, amount: float) -> None:
    kept, held = labels.hold_out(amount, seed)
    names = [set(part.images.frame["image"]) for part in (kept, held)]
    assert not names[0] & names[1]
    assert names[0] | names[1] == set(labels.images.frame["image"])
    assert len(kept.boxes) + len(held.boxes) == len(labels.boxes)
    same = labels.hold_out(amount, seed)[1].images.frame
    pd.testing.assert_frame_equal(same, held.images.frame)


def test_holding_out_everything_is_refused(labels: LabelledSet) -> None:
    with pytest.raises(InputError, match="cannot hold out 3 of 3"):
        labels.hold_out(3)


def test_folder_that_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a labelled set"):
        LabelledSet.read(tmp_path)
    (tmp_path / "labels.yaml").write_text("vocabulary: prn")
    with pytest.raises(InputError, match="must have the keys"):
        LabelledSet.read(tmp_path)
