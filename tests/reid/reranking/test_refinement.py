from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import DISTANCES
from reid.embedding import Embedded
from reid.reranking.expansion import expand_queries
from reid.reranking.k_reciprocal import k_reciprocal
from reid.reranking.refinement import Refinement
from reid.reranking.travel_times import TravelTimes
from reid.retrieval.gallery import Gallery, GalleryAbout
from reid.retrieval.question import Question
from reid.retrieval.results import search
from reid.retrieval.several import Galleries


@pytest.fixture
def sides(tmp_path):
    random = np.random.default_rng(0)
    made = []
    centres = random.standard_normal((8, 12))
    for name, count in (("q", 10), ("g", 60)):
        ids = random.integers(8, size=count)
        frame = pd.DataFrame(
            {
                "image": [f"{name}{n}.jpg" for n in range(count)],
                "identity": ids.astype(str),
                "camera": random.integers(3, size=count).astype(str),
                "time": random.uniform(0, 100, count),
            }
        )
        vectors = centres[ids] + random.standard_normal((count, 12))
        made.append(Embedded(vectors.astype(np.float32), Images(frame, tmp_path), ()))
    return made


def everything(comparison):
    return comparison.values(torch.arange(comparison.shape[0])).numpy()


def test_steps_are_taken_one_after_the_other(sides):
    query, gallery = sides
    cameras = [side.images.frame["camera"].tolist() for side in sides]
    asked = expand_queries(
        query.vectors, gallery.vectors, top=3, distance="cosine",
        query_cameras=cameras[0], gallery_cameras=cameras[1],
    )  # fmt: skip
    expected = everything(k_reciprocal(asked, gallery.vectors, k1=5, k2=2, distance="cosine"))
    both = Refinement(expand=3, rerank=True, k1=5, k2=2)
    np.testing.assert_array_equal(everything(both.compare(*sides, "cosine")), expected)
    assert both.words.startswith("queries expanded by 3 ")
    assert both.words.endswith(", k-reciprocal re-ranking (k1 5, k2 2, 0.3)")
    assert not Refinement()
    # Expansion alone ranks by the plain distance.
    alone = everything(Refinement(expand=3).compare(*sides, "cosine"))
    plain = everything(DISTANCES["cosine"].compare(asked, gallery.vectors))
    np.testing.assert_array_equal(alone, plain)
    assert (asked != query.vectors).any()


def test_expansion_is_not_lost_where_there_is_one_camera(sides):
    alone = [
        Embedded(side.vectors, Images(side.images.frame.assign(camera="north"), Path()), ())
        for side in sides
    ]
    expanded = Refinement(expand=3).expanded(*alone, "euclidean")
    expected = expand_queries(alone[0].vectors, alone[1].vectors, top=3)
    np.testing.assert_array_equal(expanded, expected)
    assert (expanded != alone[0].vectors).any()


def test_travel_times_need_similarities(sides):
    times = TravelTimes.fit(sides[1].images, width=5.0, bins=20, smooth=2.0)
    with pytest.raises(InputError, match="the euclidean distance has none: re-rank too"):
        Refinement(times=times).compare(*sides, "euclidean")
    untimed = Images(sides[0].images.frame.drop(columns="time"), Path(), "queries")
    with pytest.raises(InputError, match="queries: no image has a 'time'"):
        Refinement(times=times).check("cosine", [untimed])
    for how in ({"rerank": True}, {}):
        found = everything(Refinement(times=times, **how).compare(*sides, "cosine"))
        looks = everything(Refinement(**how).compare(*sides, "cosine"))
        assert found.shape == (10, 60)
        assert ((found > 0) & (found < 1)).all()
        assert np.abs(found.argsort(1) - looks.argsort(1)).any()


def with_hidden(side, random):
    """Hide one of the views of 7 and 5 dimensions on some images."""
    shown = np.stack([np.ones(len(side.images)), random.random(len(side.images)) < 0.7], 1)
    vectors = side.vectors * shown.repeat([7, 5], 1)
    return replace(side, vectors=np.hstack([vectors, shown]).astype(np.float32))


@pytest.mark.parametrize("distance", ["cosine", "shared:7,5"])
def test_search_finds_what_evaluation_ranks(sides, tmp_path, distance):
    query, gallery = sides
    about = GalleryAbout(model="m", run="r", distance=distance)
    if distance != "cosine":
        random = np.random.default_rng(1)
        query, gallery = (with_hidden(side, random) for side in sides)
    built = Gallery.build(gallery.vectors, gallery.images, tmp_path / "gallery", about, half=False)
    for refine in (Refinement(rerank=True, k1=6), Refinement(expand=4), Refinement()):
        question = Question(top=60, refine=refine)
        found = search(Galleries((built,)), query.vectors, query.images, question)
        values = everything(refine.compare(query, gallery, distance))
        if distance != "cosine" and refine:
            plain = [replace(side, vectors=side.vectors[:, :12]) for side in (query, gallery)]
            expected = everything(refine.compare(*plain, "cosine"))
            np.testing.assert_array_equal(values, expected)
        for q, name in enumerate(query.images.frame["image"]):
            order = found[found["query"] == name]["image"].str[1:-4].astype(int).to_numpy()
            assert len(order) == 60
            assert (np.diff(values[q][order]) > -1e-6).all()
