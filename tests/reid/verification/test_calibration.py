from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from annotations.images import Images
from reid.embedding import Embedded
from reid.verification.calibration import Calibration, fit_parts
from reid.verification.curve import fit_curve
from reid.verification.described import Described
from reid.verification.judgement import NO_COMMON_PART, UNREADABLE, judge
from reid.verification.pair_distances import PairDistances

PARTS = ("window", "light", "brand", "wheel")


@pytest.fixture
def measured():
    """200 pairs: of the parts, one tells them apart, one misleads, one is rare, one unseen."""
    random = np.random.default_rng(0)
    same = np.arange(200) % 2 == 0
    whole = np.where(same, 0.0, 1.0) + random.random(200)
    parts = np.stack([whole * 3, -whole, whole, np.full(200, np.nan)], axis=1)
    parts[8:, 2] = np.nan
    parts[::5, 0] = np.nan
    return PairDistances(whole, parts), same


@pytest.fixture
def calibration(measured):
    distances, same = measured
    return Calibration(
        model="a" * 64, same=("model", "year"), branches="global", distance="euclidean",
        compared="euclidean",
        source="here", whole=fit_curve(distances.whole, same),
        parts=fit_parts(distances, same, PARTS),
    )  # fmt: skip


def test_each_part_is_learned_where_both_images_show_it(measured, calibration):
    distances, same = measured
    seen = np.arange(200) % 5 > 0
    assert calibration.parts["window"] == fit_curve(distances.parts[seen, 0], same[seen])
    counts = {name: (curve.same, curve.different) for name, curve in calibration.parts.items()}
    assert counts == {"window": (80, 80), "light": (100, 100), "brand": (4, 4), "wheel": (0, 0)}
    assert [bool(curve.slope) for curve in calibration.parts.values()] == [True] + 3 * [False]
    assert calibration.pairs == 200


def test_what_is_written_is_read_again_to_the_byte(calibration, tmp_path):
    calibration.write(tmp_path / "a")
    again = Calibration.read(tmp_path / "a")
    assert again == calibration
    again.write(tmp_path / "b")
    one, other = ((tmp_path / name / Calibration.FILE).read_bytes() for name in "ab")
    assert one == other
    assert not list(tmp_path.glob("*/.*"))


def test_the_question_reads_as_words(calibration):
    asked = {
        ("identity",): "same vehicle",
        ("make", "model"): "same model",
        ("make", "model", "year"): "same model and released year",
        ("make", "colour"): "same make and colour",
    }
    for columns, words in asked.items():
        assert calibration.model_copy(update={"same": columns}).question == words


def test_what_is_refused_is_named(calibration, tmp_path):
    with pytest.raises(InputError, match=f"run 'partreid calibrate {tmp_path} DATA' first"):
        Calibration.read(tmp_path)
    run = SimpleNamespace(hash="b" * 64, source=tmp_path)
    with pytest.raises(InputError, match=r"of other weights \(aaaaaaaaaaaa\) than this run's"):
        calibration.require_model(run)
    calibration.require_model(SimpleNamespace(hash="a" * 64, source=tmp_path))
    rising = calibration.model_dump_json().replace('"slope":-', '"slope":', 1)
    for text in ("{}", "nonsense", rising, '{"format": 2}'):
        (tmp_path / Calibration.FILE).write_text(text)
        with pytest.raises(InputError, match="not a calibration"):
            Calibration.read(tmp_path)


def test_the_whole_decides_and_the_parts_explain(calibration):
    # Images 0, 1 and 2 in a row; 1 shows a window like 0's, 2 nothing.
    vectors = np.array([[0.0], [2.0], [0.3]], np.float32)
    parts = np.zeros((3, 4, 1), np.float32)
    visible = np.zeros((3, 4), bool)
    visible[:2, 0] = True
    images = Images(pd.DataFrame({"image": ["0", "1", "2"]}), Path())
    described = Described(Embedded(vectors, images, ()), parts, visible)
    found = judge(calibration, described, ["0", "0", "0"], ["1", "2", "lost"])
    table = found.table
    assert table["distance"].tolist()[:2] == pytest.approx([2.0, 0.3])
    np.testing.assert_allclose(table["probability"][:2], calibration.whole.probability([2.0, 0.3]))
    # The windows are alike and speak for it, and yet the whole says no.
    assert found.evidence.says[0, 0] > 0
    assert table["same"].tolist()[:2] == [False, True]
    assert np.isnan(found.evidence.says[1:]).all()
    assert table["note"].tolist() == ["", NO_COMMON_PART, UNREADABLE]
    assert table.loc[2, ["distance", "probability", "same"]].isna().all()
    assert found.evidence.seen[0, 0].tolist() == [True, True]
    assert found.evidence.seen[1, 0].tolist() == [True, False]
    assert not found.evidence.seen[2].any()
