import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from reid.retrieval.gallery import Gallery
from reid.retrieval.selection import Condition, select
from reid.retrieval.several import Galleries
from tests.reid.retrieval.conftest import Made, images, vectors


@pytest.fixture
def galleries(tmp_path):
    one, other = (Made(tmp_path / name, tmp_path / "photos") for name in ("one", "other"))
    table = images(one.root, 4, camera=["a", "b", "b", None], time=[1.0, 2.5, None, 4.0],
                   note=["x,y", "", "bright", "dim"], seats=[2, 4, 5, 5])  # fmt: skip
    one.append(table, vectors(4))
    one.append(images(one.root, 2, first=4, camera=["a", "c"], seats=["many", "2"]), vectors(2))
    other.append(images(one.root, 2, first=9, camera=["a", "d"], year=[2012, 2015]), vectors(2))
    one.writer.remove(np.array([4]))
    return Galleries.open([one.folder, other.folder])


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("camera=a", [0, 6]),
        ("camera = a , d", [0, 6, 7]),
        ("camera!=a", [1, 2, 3, 5, 7]),
        ("camera!=a,b", [3, 5, 7]),
        ("time>=2.5", [1, 3]),
        ("time<2.5", [0]),
        ("time=4", [3]),
        ("time!=4", [0, 1, 2, 5, 6, 7]),
        ("year>2012", [7]),
        ("seats=2", [0, 5]),
        ("image<=1.jpg", [0, 1]),
        ("camera==a", [0, 6]),
    ],
)
def test_conditions(galleries, words, rows):
    assert np.flatnonzero(select(galleries, [Condition.parse(words)])).tolist() == rows


def test_dates_and_truths_are_asked_as_people_write_them(tmp_path):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    noon = 1714564800
    table = images(made.root, 3, time=[noon, noon + 60, None], frame=[noon, None, noon + 1],
                   occluded=[True, False, None])  # fmt: skip
    made.append(table, vectors(3))
    galleries = Galleries.open([made.folder])
    for words, rows in {
        "time>=2024-05-01T12:00:30": [1],
        "time=2024-05-01 12:00": [0],
        "time<2024-05-01 14:01:00+02:00": [0],
        "frame=2024-05-01 12:00:00": [0],
        "frame>2024-05-01 12:00:00": [2],
        "occluded=True": [0],
        "occluded=true": [0],
        "occluded!=False": [0, 2],
    }.items():
        assert np.flatnonzero(select(galleries, [Condition.parse(words)])).tolist() == rows, words


LARGE = [2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, -(2**53) - 1, None]


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("stamp>=5", [0, 1, 2, 3]),
        (f"stamp={2**53 + 1}", [1]),
        (f"stamp={2**53}.0, {2**53 + 2},0.5,nan", [0, 2, 6]),
        (f"stamp!={2**53 + 1},1e300,inf", [0, 2, 3, 4, 5, 6, 7]),
        (f"stamp>{2**53}", [1, 2, 3]),
        (f"stamp>={2**53}.5", [1, 2, 3]),
        (f"stamp<{2**53 + 1}.5", [0, 1, 4, 6, 7]),
        (f"stamp<=-{2**53}.5", [4]),
        (f"stamp>{2**63 - 2}", [3]),
        ("stamp<1e300", [0, 1, 2, 3, 4, 6, 7]),
        ("stamp>-inf", [0, 1, 2, 3, 4, 6, 7]),
        ("stamp<=2.5", [4, 6, 7]),
        ("id>=18446744073709551615", [1]),
        ("id>-1e-9", [0, 1]),
    ],
)
def test_whole_numbers_are_compared_exactly(tmp_path, words, rows):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    ids = pd.array([0, 2**64 - 1, *[None] * 4], dtype="UInt64")
    table = images(made.root, 6, stamp=pd.array(LARGE, dtype="Int64"), id=ids)
    made.append(table, vectors(6))
    # Of another segment, where the same column has fractions.
    made.append(images(made.root, 2, first=6, stamp=[0.5, 2.5]), vectors(2))
    galleries = Galleries.open([made.folder])
    keep = select(galleries, [Condition.parse(words)])
    assert np.flatnonzero(keep).tolist() == rows


def test_whole_numbers_stand_beside_fractions(tmp_path):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(made.root, 1, stamp=[2**53 + 1]), vectors(1))
    made.append(images(made.root, 1, first=1, stamp=[0.5]), vectors(1))
    gallery = Gallery.open(made.folder)
    assert gallery.table(gallery.rows)["stamp"].tolist() == [2.0**53, 0.5]
    made.writer.compact()
    assert Gallery.open(made.folder).segments[0].table["stamp"].to_pylist() == [2.0**53, 0.5]


def test_all_conditions_hold_together(galleries):
    conditions = [Condition.parse("camera=a,b"), Condition.parse("time>1")]
    assert np.flatnonzero(select(galleries, conditions)).tolist() == [1]
    assert select(galleries, []) is None


def test_a_value_with_a_comma_is_quoted(galleries):
    chosen = np.flatnonzero(select(galleries, [Condition.parse('note="x,y"')]))
    assert len(chosen) and Condition.parse('note="x,y", dim').values == ("x,y", "dim")
    both = np.flatnonzero(select(galleries, [Condition.parse('note="x,y",dim')]))
    assert set(chosen) < set(both)
    again = str(Condition.parse('note="x,y",dim'))
    assert Condition.parse(again).values == ("x,y", "dim")
    for values in (('a "b", c',), ('"quoted"', "plain")):
        told = str(Condition("note", "=", values))
        assert Condition.parse(told).values == values
    for odd in ("note=a\nb", "note=" + "x" * 200_000):
        with pytest.raises(InputError, match="condition 'note="):
            Condition.parse(odd)


def test_dates_that_a_gallery_holds_are_told_as_dates(tmp_path):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(made.root, 2, time=[1777624200.0, 1777595400.0]), vectors(2))
    with pytest.raises(InputError, match=r"its time is 2026-05-01 00:30:00, 2026-05-01 08:30:00\)"):
        select(Galleries.open([made.folder]), [Condition.parse("time=2026-05-02")])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("camera", "write it as column=value"),
        ("camera=", "write it as column=value"),
        ("time>1,2", "takes one value"),
        ("camra=a", "no column 'camra'; did you mean 'camera'"),
        ("time>noon", "time holds numbers, and 'noon' is none"),
        ("camera=z", r"no image fulfils camera=z \(its camera is a, b, c, d\)"),
        ("note=z", r"no image fulfils note=z \(its note is bright, dim, x,y\)"),
        ("identity=z", r"no image fulfils identity=z \(identity is empty everywhere\)"),
        ("time>9", "no image fulfils time>9$"),
        ('note="x,z"', r"no image fulfils note=\"x,z\" \(its note"),
    ],
)
def test_what_is_no_condition(galleries, words, said):
    with pytest.raises(InputError, match=said):
        select(galleries, [Condition.parse(words)])


def test_several_galleries_are_searched_as_one(galleries, tmp_path):
    one, other = galleries.each
    assert len(galleries) == 7 and galleries.rows.tolist() == [0, 1, 2, 3, 5, 6, 7]
    frame = galleries.table(np.array([7, 0]))
    assert frame["image"].tolist() == ["10.jpg", "0.jpg"]
    assert frame["gallery"].tolist() == [str(other.path), str(one.path)]
    assert frame["year"].tolist() == [2015, pd.NA]
    query = vectors(3, seed=5)
    distances, rows = galleries.search(query, 7)
    everything = galleries.vectors(galleries.rows)
    expected = np.linalg.norm(query[:, None] - everything, axis=2)
    assert rows.tolist() == galleries.rows[expected.argsort(1, kind="stable")].tolist()
    np.testing.assert_allclose(distances, np.sort(expected), rtol=1e-4, atol=1e-4)
    with pytest.raises(InputError, match="is given twice"):
        Galleries.open([one.path, tmp_path / "other" / ".." / "one"])
    about = one.about.model_copy(update={"model": "fff"})
    third = Made(tmp_path / "third", tmp_path, about)
    third.append(images(tmp_path, 1), vectors(1))
    with pytest.raises(InputError, match=r"third: was made with the model fff .*, not abc123"):
        Galleries((one, Gallery.open(third.folder)))
