import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

import pipelines.jobs.shortcut as job
from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import read_image
from pipelines.shortcut.checks import Galleries, by_place, by_share, by_vector
from pipelines.shortcut.hide import GREY, HIDDEN, MARGIN, hidden_copies, hide
from pipelines.shortcut.verdict import OUTLINE, SHAPE, compare_all, learned, shortcuts_in
from reid.evaluation.rank import rank

TINY = ["epochs=1", "image.height=32", "image.width=32", "batch.size=8", "batch.per_identity=2"]


def a_world(identities=40, cameras=3, seed=0):
    """Two images of each identity by each camera; four identities share a look."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "image": f"{identity}-{camera}-{split}.jpg",
            "identity": str(identity),
            "camera": str(camera),
            "split": split,
            "model": str(identity // 4),
            "colour": "red",
        }
        for identity in range(identities)
        for camera in range(cameras)
        for split in ("query", "gallery")
    ]
    order = random.permutation(len(rows))
    return Images(pd.DataFrame([rows[i] for i in order]), Path(), "world")


@pytest.fixture
def masked(fleet, tmp_path) -> Path:
    """The fleet, with a disc as every mask, and with files that are named by identity."""
    copy = tmp_path / "copy"
    (copy / "masks").mkdir(parents=True)
    (copy / "images").mkdir()
    images = Images.read(fleet / "images.parquet")
    frame = images.frame
    names = frame["identity"] + "_" + frame["camera"] + "_" + frame["image"]
    for name, path in zip(names, images.paths, strict=True):
        shutil.copy(path, copy / "images" / name)
        height, width = cv2.imread(str(path)).shape[:2]
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (width // 2, height // 2), min(width, height) // 4, 3, -1)
        cv2.imwrite(str(copy / "masks" / f"{Path(name).stem}.png"), mask)
    named = frame.assign(image=names).sort_values("image")
    Images(named, copy / "images", "copy").write(copy / "images.parquet")
    return copy


def test_hiding_leaves_what_it_says():
    pixels = np.random.default_rng(0).integers(0, 100, (60, 80, 3), dtype=np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    cv2.circle(mask, (30, 25), 15, 2, -1)
    assert HIDDEN == ("box", "outline", "surroundings")
    boxed, seen = hide(pixels, mask, "box")
    expected = np.ones((60, 80), bool)
    expected[10 - MARGIN : 40 + MARGIN + 1, 15 - MARGIN : 45 + MARGIN + 1] = False
    assert np.array_equal(seen, expected)
    assert (boxed[~seen] == GREY).all()
    assert np.array_equal(boxed[seen], pixels[seen])

    cut, around = hide(pixels, mask, "outline")
    rows, columns = np.nonzero(mask)
    for y, x in np.ndindex(60, 80):
        nearest = np.hypot(rows - y, columns - x).min()
        if nearest <= MARGIN - 0.5:
            assert not around[y, x]
        if nearest > MARGIN + 0.5:
            assert around[y, x]
    assert around.sum() > seen.sum()
    assert np.array_equal(cut[around], pixels[around])
    assert (cut[~around] == GREY).all()

    shape, left = hide(pixels, mask, "surroundings")
    assert not left.any()
    assert np.array_equal(shape[..., 0] == GREY, ~around)
    assert (shape[around] == 0).all()


def test_a_box_at_the_edge_stays_inside():
    mask = np.zeros((20, 20), np.uint8)
    mask[0, 0] = mask[19, 19] = 1
    assert not hide(np.zeros((20, 20, 3), np.uint8), mask, "box")[1].any()


def test_copies_keep_the_surroundings_and_are_written_once(masked, tmp_path):
    images = Images.read(masked / "images.parquet")
    copies, seen = hidden_copies(images, masked / "masks", "outline", tmp_path / "out")
    assert copies.frame["identity"].equals(images.frame["identity"])
    before, after = (read_image(side.paths[3]) for side in (images, copies))
    mask = cv2.imread(str(masked / "masks" / f"{images.paths[3].stem}.png"), 0)
    kept = cv2.dilate(mask, np.ones((3 * MARGIN, 3 * MARGIN))) == 0
    assert np.array_equal(after[kept], before[kept])
    assert (after[mask > 0] == GREY).all()
    left = hide(before, mask, "outline")[1]
    assert seen["seen"][3] == pytest.approx(left.mean())
    assert seen["mean g"][3] == pytest.approx(before[left][:, 1].mean())
    when = copies.paths[3].stat().st_mtime_ns
    again, same = hidden_copies(images, masked / "masks", "outline", tmp_path / "out")
    assert again.paths[3].stat().st_mtime_ns == when
    pd.testing.assert_frame_equal(same, seen)


@pytest.mark.parametrize("spoil", ["missing", "empty", "small"])
def test_a_mask_that_cannot_be_used_is_named(masked, tmp_path, spoil):
    images = Images.read(masked / "images.parquet")
    path = masked / "masks" / f"{images.paths[4].stem}.png"
    if spoil == "missing":
        path.unlink()
    else:
        cv2.imwrite(str(path), np.zeros((160, 160 if spoil == "empty" else 80), np.uint8))
    with pytest.raises(InputError, match=path.name):
        hidden_copies(images, masked / "masks", "box", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_scores_are_those_of_the_evaluator():
    random = np.random.default_rng(1)
    galleries = Galleries.of(a_world())
    vectors = [random.normal(size=(120, 6)).astype(np.float32) for _ in range(2)]
    scores = galleries.score(by_vector(*(side.astype(np.float64) for side in vectors)))
    sides = [galleries.query, galleries.gallery]
    ranking = rank(
        *vectors,
        *(side["identity"].tolist() for side in sides),
        *(side["camera"].tolist() for side in sides),
    )
    assert scores["mAP"].to_numpy() == pytest.approx(ranking.per_query["ap"].to_numpy())
    assert scores["rank-1"].mean() == ranking.cmc[1]
    assert scores["matches"].eq(2).all()
    assert scores["items"].eq(119).all()


def test_look_alikes_are_of_other_cameras():
    galleries = replace(Galleries.of(a_world()), strict=True)
    assert galleries.look == ("model", "colour")
    scores = galleries.score(by_vector(np.zeros((120, 1)), np.zeros((120, 1))))
    # Four identities of a look, seen by two other cameras.
    assert scores["items"].eq(8).all()
    assert scores["matches"].eq(2).all()


def test_equal_distances_score_as_chance():
    galleries = Galleries.of(a_world())
    nothing = np.zeros((120, 1))
    table = galleries.compare(galleries.score(by_vector(nothing, nothing)))
    assert (table["low"] < 0).all()
    assert (table["high"] > 0).all()


def vectors_of(galleries, column, noise, seed=0):
    """Vectors that tell the value of a column, more or less."""
    random = np.random.default_rng(seed)
    codes = {value: random.normal(size=8) for value in sorted(set(galleries.query[column]))}
    return by_vector(
        *(
            np.array([codes[value] for value in side[column]])
            + random.normal(size=(len(side), 8)) * noise
            for side in (galleries.query, galleries.gallery)
        )
    )


def test_what_gives_identities_away_is_found_and_what_does_not_is_not():
    galleries = Galleries.of(a_world())
    place = np.arange(120, dtype=np.float64)
    checks = {
        "camera": vectors_of(galleries, "camera", 0.1),
        "shuffled": by_place(place, place + 120),
        "weak": vectors_of(galleries, "identity", 1.5),
    }
    assert shortcuts_in(compare_all(checks, galleries)) == ["weak"]


def test_a_model_is_no_identity_among_look_alikes():
    galleries = Galleries.of(a_world())
    table = compare_all({"model": vectors_of(galleries, "model", 0.1)}, galleries)
    above = table[table["low"] > 0]
    assert set(above["gallery"]) == {"all"}


def test_sorted_lists_are_found_wherever_they_stand():
    frame = a_world().frame.sort_values(["split", "identity"], ignore_index=True)
    galleries = Galleries.of(Images(frame, Path(), "sorted"))
    places = [
        np.flatnonzero(frame["split"] == name).astype(np.float64) for name in ("query", "gallery")
    ]
    checks = {"place": by_place(*places), "share": by_share(*places)}
    assert "share" in shortcuts_in(compare_all(checks, galleries))


def test_the_outline_is_a_shortcut_only_beyond_its_shape():
    galleries = Galleries.of(a_world())
    knows = vectors_of(galleries, "identity", 1.0)
    same = {OUTLINE: knows, SHAPE: knows}
    assert shortcuts_in(compare_all(same, galleries)) == []
    nothing = vectors_of(galleries, "camera", 1.0)
    assert shortcuts_in(compare_all({OUTLINE: knows, SHAPE: nothing}, galleries)) == [OUTLINE]
    assert shortcuts_in(compare_all({OUTLINE: nothing, SHAPE: knows}, galleries)) == []


def test_networks_that_learned_nothing_prove_nothing():
    galleries = Galleries.of(a_world())
    for column, enough in (("model", True), ("camera", False)):
        table = compare_all({SHAPE: vectors_of(galleries, column, 0.3)}, galleries)
        assert learned(table) == enough
        assert shortcuts_in(table) == []


def test_the_job_hides_trains_and_tells(masked, tmp_path, capsys, monkeypatch):
    real, shown = job._network, []

    def network(base, what, copies, *others):
        shown.append((what, read_image(copies.paths[0])))
        if what == "box":
            return real(base, what, copies, *others)
        random = np.random.default_rng(len(shown))
        return by_vector(random.normal(size=(8, 3)), random.normal(size=(8, 3)))

    monkeypatch.setattr(job, "_network", network)
    table = job.shortcut(masked, "prn-demo", tmp_path / "w", TINY, "cpu", 0)
    assert [what for what, _ in shown] == list(HIDDEN)
    middles = [pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] for _, pixels in shown]
    assert all((middle == GREY).all() for middle in middles)
    told = capsys.readouterr().out
    # The copies are named by identity and in that order, which this must find.
    assert "SHORTCUT: name order" in told
    assert "SHORTCUT: table order" in told
    assert "network, box hidden" in told
    assert "train longer" in told
    assert "no shortcut found" not in told
    written = pd.read_csv(tmp_path / "w/copy/shortcut/shortcut.csv")
    pd.testing.assert_frame_equal(written, table)
    with pytest.raises(InputError, match="holds results of another recipe"):
        job.shortcut(masked, "prn-demo", tmp_path / "w", [*TINY, "epochs=2"], "cpu", 0)
    min((masked / "masks").iterdir()).unlink()
    with pytest.raises(InputError, match="1 of 40 images have no mask"):
        job.shortcut(masked, "prn-demo", tmp_path / "w2", TINY, "cpu", 0)
    assert not (tmp_path / "w2/copy/shortcut").exists()
