from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from reid.distances import DISTANCES
from reid.embedding import Embedded
from reid.evaluation.groups import scores_by
from reid.evaluation.protocols import (
    ImageToImage,
    ImageToTrack,
    PairVerification,
    RandomGallery,
    protocol_for,
)
from reid.evaluation.protocols.own_picture import own_pictures
from reid.evaluation.protocols.pairs import draw_pairs
from reid.evaluation.rank import rank
from reid.evaluation.verification import best_threshold

EUCLIDEAN = DISTANCES["euclidean"]


def table(seed=0, count=120, cameras=3, **columns):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(count)],
            "identity": random.integers(10, size=count).astype(str),
            "camera": random.integers(cameras, size=count).astype(str),
            "split": np.where(np.arange(count) < count // 4, "query", "gallery"),
        }
    )
    frame["track"] = frame["identity"] + "-" + frame["camera"]
    return Images(frame.assign(**columns), Path(), "table")


def embedded(parts, seed=0, dimensions=6):
    """Vectors that follow from an image's name alone."""
    made = []
    for part in parts:
        names = part.frame["image"].str.removesuffix(".jpg").astype(int)
        drawn = np.random.default_rng(seed).standard_normal((1000, dimensions))
        made.append(Embedded(drawn[names].astype(np.float32), part, ()))
    return made


def run(protocol, images, **how):
    parts = protocol.divide(images)
    return protocol.score(embedded(parts, **how), EUCLIDEAN)


def value(scores, metric):
    return scores.table.set_index("metric").loc[metric, "value"]


def test_image_to_image_is_rank_with_cameras():
    images = table()
    parts = embedded(ImageToImage().divide(images))
    sides = [part.images.frame for part in parts]
    for leave_out in ("identity-camera", "camera", None):
        scores = ImageToImage(leave_out).score(parts, EUCLIDEAN)
        cameras = [side["camera"] for side in sides] if leave_out else [None, None]
        expected = rank(
            *(part.vectors for part in parts),
            *(side["identity"] for side in sides),
            *cameras,
            leave_out=leave_out or "identity-camera",
        )
        assert value(scores, "mAP") == pytest.approx(expected.mAP)
        assert value(scores, "rank-5") == pytest.approx(expected.cmc[5])
        assert scores.curve.set_index("rank")["share"][5] == pytest.approx(expected.cmc[5])
        assert scores.per_query["ap"].tolist() == expected.per_query["ap"].tolist()


def test_leaving_out_a_camera_is_ranking_the_other_cameras():
    images = table()
    parts = embedded(ImageToImage().divide(images))
    query, gallery = (part.images.frame for part in parts)
    scores = ImageToImage("camera").score(parts, EUCLIDEAN).per_query.set_index("image")["ap"]
    for camera in query["camera"].unique():
        mine, others = query["camera"] == camera, gallery["camera"] != camera
        alone = rank(
            parts[0].vectors[mine], parts[1].vectors[others],
            query["identity"][mine], gallery["identity"][others],
        )  # fmt: skip
        names = query["image"][mine].iloc[alone.per_query["query"]]
        np.testing.assert_allclose(scores[names], alone.per_query["ap"])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"camera": pd.NA}, "no camera known, so nothing left out"),
        ({"camera": "north"}, "all images are from one camera, so nothing left out"),
    ],
)
def test_without_cameras_it_works_and_says_what_it_assumed(columns, words):
    scores = run(ImageToImage(), table(**columns))
    assert words in scores.statement
    assert value(scores, "mAP") == pytest.approx(value(run(ImageToImage(None), table()), "mAP"))


def test_tracks_of_one_camera_work_and_say_what_they_assumed():
    scores = run(ImageToTrack(), table(camera="north", track=[f"t{n}" for n in range(120)]))
    assert "all images are from one camera, so nothing left out" in scores.statement


def test_missing_cameras_are_counted():
    camera = pd.Series(np.arange(120) % 3, dtype="string").where(np.arange(120) % 4 > 0)
    statement = run(ImageToImage(), table(camera=camera)).statement
    assert "8 queries and 22 gallery images without a camera stay in" in statement


def slow_tracks(parts):
    """Rank tracks by the least distance to their images, one query after another."""
    query, gallery = (part.images.frame for part in parts)
    found = []
    for row, vector in zip(query.itertuples(), parts[0].vectors, strict=True):
        distances = np.linalg.norm(parts[1].vectors.astype(float) - vector.astype(float), axis=1)
        tracks = gallery.assign(distance=distances).groupby("track")
        tracks = tracks.agg({"distance": "min", "identity": "first", "camera": "first"})
        mine = tracks["identity"] == row.identity
        tracks = tracks[~(mine & (tracks["camera"] == row.camera))].sort_values("distance")
        places = np.flatnonzero(tracks["identity"] == row.identity) + 1
        if len(places):
            precision = (np.arange(1, len(places) + 1) / places).mean()
            found.append((row.image, precision, places[0], len(places)))
    return pd.DataFrame(found, columns=["image", "ap", "first", "matches"])


def test_image_to_track_is_the_nearest_image_of_each_track():
    images = table(1, 200)
    parts = embedded(ImageToTrack().divide(images))
    scores = ImageToTrack().score(parts, EUCLIDEAN)
    expected = slow_tracks(parts)
    found = scores.per_query[["image", "ap", "first", "matches"]]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert value(scores, "HIT@1") == pytest.approx((expected["first"] == 1).mean())
    assert "30 tracks of 150 gallery images" in scores.statement


def test_a_track_of_two_vehicles_is_refused():
    images = table(track="all-one")
    with pytest.raises(InputError, match="track 'all-one' has images of more than one identity"):
        ImageToTrack().divide(images)


def test_random_gallery_has_one_image_of_each_identity_and_every_image_its_turn():
    identities = pd.Series(np.random.default_rng(2).integers(8, size=60).astype(str))
    drawn = list(RandomGallery(repeats=400).draws(identities))
    counts = np.zeros(60)
    for query, gallery in drawn:
        assert sorted([*query, *gallery]) == list(range(60))
        assert sorted(identities[gallery]) == sorted(identities.unique())
        counts[gallery] += 1
    expected = 400 / identities.map(identities.value_counts())
    assert (np.abs(counts - expected) < 6 * np.sqrt(expected)).all()


def test_random_gallery_repeats_itself_and_its_first_draws_stay():
    pool = table(3, split="test")
    assert isinstance(protocol_for(pool), RandomGallery)
    once, again = run(RandomGallery(4), pool), run(RandomGallery(4), pool)
    pd.testing.assert_frame_equal(once.table, again.table)
    more = run(RandomGallery(6), pool).per_query
    pd.testing.assert_frame_equal(more[more["repeat"] < 4], once.per_query)
    assert not run(RandomGallery(4, seed=1), pool).per_query.equals(once.per_query)
    each = once.per_query.groupby("repeat")["ap"].mean()
    table_ = once.table.set_index("metric")
    assert table_.loc["mAP", "value"] == pytest.approx(each.mean())
    assert table_.loc["mAP", "spread"] == pytest.approx(each.std())
    # One true match each: AP is the reciprocal of its rank.
    np.testing.assert_allclose(once.per_query["ap"], 1 / once.per_query["first"])


def with_copies(tmp_path):
    """Two queries whose own picture is in the gallery, and one whose namesake is another."""
    rows = []
    for split, name, identity, content in (
        ("query", "a.jpg", "1", "A"), ("query", "b.jpg", "2", "B"), ("query", "c.jpg", "2", "C"),
        ("gallery", "a.jpg", "1", "A"), ("gallery", "b.jpg", "2", "B"),
        ("gallery", "c.jpg", "2", "another"), ("gallery", "d.jpg", "1", "D"),
    ):  # fmt: skip
        image = f"{split}/{name}"
        (tmp_path / image).parent.mkdir(exist_ok=True)
        (tmp_path / image).write_text(content)
        rows.append({"image": image, "identity": identity, "split": split})
    return Images(pd.DataFrame(rows), tmp_path, "table")


def test_a_query_does_not_find_its_own_picture(tmp_path):
    images = with_copies(tmp_path)
    parts = ImageToImage(None).divide(images)
    assert own_pictures(*parts).fillna("none").tolist() == [
        "gallery/a.jpg",
        "gallery/b.jpg",
        "none",
    ]
    vectors = [np.eye(3, 4, dtype=np.float32), np.eye(4, dtype=np.float32)]
    sides = [Embedded(*side, ()) for side in zip(vectors, parts, strict=True)]
    scores = ImageToImage(None).score(sides, EUCLIDEAN)
    assert scores.per_query["matches"].tolist() == [1, 1, 2]
    assert "nothing left out, but 2 queries' own pictures" in scores.statement
    pool = RandomGallery().divide(images)[0].frame["image"].tolist()
    assert pool == ["query/c.jpg", *(f"gallery/{name}.jpg" for name in "abcd")]


def test_lists_are_what_is_ranked():
    images = table()
    parts = embedded(ImageToImage().divide(images))
    scores = ImageToImage().score(parts, EUCLIDEAN).per_query.set_index("image")
    lists = ImageToImage().lists(parts, EUCLIDEAN, list(scores.index), 90)
    for name, found in lists.groupby("query"):
        assert found["rank"].tolist() == list(range(1, len(found) + 1))
        places = found.loc[found["match"], "rank"].to_numpy()
        precision = (np.arange(1, len(places) + 1) / places).mean()
        assert precision == pytest.approx(scores.loc[name, "ap"])
    assert len(ImageToImage().lists(parts, EUCLIDEAN, ["absent.jpg"], 5)) == 0
    short = ImageToImage().lists(parts, EUCLIDEAN, list(scores.index), 3)
    long = lists[lists["rank"] <= 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(short, long)


def test_lists_put_equal_non_matches_first_as_the_score_does():
    images = table(count=40)
    parts = [
        Embedded(np.ones_like(part.vectors), part.images, ())
        for part in embedded(ImageToImage().divide(images))
    ]
    scores = ImageToImage().score(parts, EUCLIDEAN).per_query.set_index("image")
    lists = ImageToImage().lists(parts, EUCLIDEAN, list(scores.index), 30)
    first = lists[lists["match"]].groupby("query")["rank"].min()
    assert first[scores.index].tolist() == scores["first"].tolist()
    short = ImageToImage().lists(parts, EUCLIDEAN, list(scores.index), 4)
    pd.testing.assert_frame_equal(short, lists[lists["rank"] <= 4].reset_index(drop=True))


def test_scores_by_camera_are_means_of_its_queries():
    images = table(viewpoint="front", model=pd.NA)
    scores = run(ImageToImage(), images)
    groups = scores_by(scores.per_query, images.frame)
    assert set(groups["column"]) == {"camera", "viewpoint"}
    for row in groups[groups["column"] == "camera"].itertuples():
        mine = scores.per_query[scores.per_query["camera"] == row.group]
        assert (row.queries, row.mAP) == (len(mine), pytest.approx(mine["ap"].mean()))
    assert groups[groups["column"] == "viewpoint"]["mAP"].item() == pytest.approx(
        value(scores, "mAP")
    )


def pairs_of(images, split):
    frame = images.frame[images.frame["split"] == split].reset_index(drop=True)
    first, second = np.triu_indices(len(frame), 1)
    same = frame["identity"].to_numpy()[first] == frame["identity"].to_numpy()[second]
    image = frame["image"].to_numpy()
    table_ = {"first": image[first], "second": image[second], "same": same.astype(int)}
    return Pairs(pd.DataFrame(table_), f"{split} pairs")


def test_verification_takes_its_threshold_from_training_pairs():
    images = table()
    protocol = PairVerification({"hard": pairs_of(images, "query")}, pairs_of(images, "gallery"))
    parts = embedded(protocol.divide(images))
    scores = protocol.score(parts, EUCLIDEAN)
    frame = scores.per_query
    vectors = embedded([images])[0].vectors.astype(float)
    places = [frame[side].str.removesuffix(".jpg").astype(int) for side in ("first", "second")]
    expected = np.linalg.norm(vectors[places[0]] - vectors[places[1]], axis=1)
    np.testing.assert_allclose(frame["distance"], expected, rtol=1e-5)
    right = frame["right"]
    assert value(scores, "accuracy") == pytest.approx(right.mean())
    training = pairs_of(images, "gallery").frame
    sides = [training[side].str.removesuffix(".jpg").astype(int) for side in ("first", "second")]
    distances = np.linalg.norm(vectors[sides[0]] - vectors[sides[1]], axis=1)
    threshold = best_threshold(distances, training["same"])
    assert (right == ((frame["distance"] <= threshold) == frame["same"])).mean() > 0.99
    assert f"threshold {threshold:.4g} chosen on 4,005 training pairs" in scores.statement


def test_training_pairs_must_be_of_other_images():
    images = table()
    pairs = pairs_of(images, "query")
    with pytest.raises(InputError, match=r"are in test pairs, too, such as '0\.jpg'"):
        PairVerification({"hard": pairs}, pairs).divide(images)


@pytest.mark.parametrize(("count", "kinds", "asked"), [(300, 4, 2000), (200, 100, 20_000)])
def test_drawn_pairs_are_half_same_and_distinct(count, kinds, asked):
    images = table(5, count, model=(np.arange(count) % kinds).astype(str))
    pairs = draw_pairs(images, ["model"], asked).frame
    model = images.frame.set_index("image")["model"]
    same = model[pairs["first"]].to_numpy() == model[pairs["second"]].to_numpy()
    assert (pairs["same"] == same).all()
    assert same.mean() == 0.5
    # Of 100 pairs of images there are 100 same pairs, and no more than there are.
    assert same.sum() == min(asked // 2, kinds * (count // kinds) * (count // kinds - 1) // 2)
    assert (pairs["first"] != pairs["second"]).all()
    assert len({frozenset(pair) for pair in zip(pairs["first"], pairs["second"], strict=True)}) == (
        len(pairs)
    )


def test_every_same_pair_is_drawn_as_often_as_every_other():
    images = table(0, 12, identity=["a"] * 3 + ["b"] * 4 + ["c"] * 5)
    drawn = [draw_pairs(images, ["identity"], 8, seed).frame for seed in range(600)]
    same = pd.concat([frame[frame["same"]] for frame in drawn])
    counts = same.groupby(["first", "second"]).size()
    assert len(counts) == 3 + 6 + 10
    expected = 600 * 4 / 19
    assert (abs(counts - expected) < 6 * expected**0.5).all()


def test_pairs_that_cannot_be_drawn_are_explained():
    images = table(model="m")
    with pytest.raises(InputError, match="no column 'year'"):
        draw_pairs(images, ["model", "year"], 10)
    with pytest.raises(InputError, match="two images of one identity"):
        draw_pairs(table(identity="1"), ["identity"], 10)


def test_unknown_protocols_are_suggested():
    assert isinstance(protocol_for(table()), ImageToImage)
    with pytest.raises(InputError, match="did you mean 'track'"):
        protocol_for(table(), "tracks")


@pytest.mark.parametrize("protocol", [ImageToImage(), ImageToTrack()])
def test_matches_of_the_own_camera_alone_are_found_out_before_embedding(protocol):
    images = table()
    camera = images.frame["identity"] + "'s"
    lonely = table(camera=camera, track=images.frame["identity"])
    with pytest.raises(InputError, match=r"no query has a true match \(.* left out\).*no-camera"):
        protocol.divide(lonely)
