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
    return Images(frame.assign(**columns), ".", "table")


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


def test_drawn_pairs_are_half_same_and_of_two_images():
    images = table(5, 300, model=np.random.default_rng(0).integers(4, size=300).astype(str))
    pairs = draw_pairs(images, ["model"], 2000).frame
    model = images.frame.set_index("image")["model"]
    same = model[pairs["first"]].to_numpy() == model[pairs["second"]].to_numpy()
    assert (pairs["same"] == same).all()
    assert (pairs["first"] != pairs["second"]).all()
    assert 0.45 < same.mean() < 0.55
    # Every image of a group, and every other group, has its turn.
    assert set(pairs["first"]) | set(pairs["second"]) == set(images.frame["image"])
    with pytest.raises(InputError, match="no column 'year'"):
        draw_pairs(images, ["model", "year"], 10)
    with pytest.raises(InputError, match="two images of one identity"):
        draw_pairs(table(identity="1"), ["identity"], 10)


def test_unknown_protocols_are_suggested():
    assert isinstance(protocol_for(table()), ImageToImage)
    with pytest.raises(InputError, match="did you mean 'track'"):
        protocol_for(table(), "tracks")
