import numpy as np
import pandas as pd
import pytest
import torch

from reid.attention.finder import MaskFinder
from reid.attention.settings import SpanSettings
from reid.attention.span import train_span
from reid.distances import distance_named
from reid.embedding import Embedded, embed
from reid.evaluation.on_device import compare_on
from reid.evaluation.rank import rank_compared
from reid.evaluation.truth import Truth
from reid.recipe import parse_recipe
from reid.training.fit import fit

TINY = SpanSettings(
    backbone="resnet18", weights=None, size=64, steps=20, batch=14, precision="float32"
)
RECIPE = {
    "method": "span",
    "backbone": {"name": "resnet18", "weights": None},
    "image": {"height": 64, "width": 64},
    "parts": {"vocabulary": "views", "use": ["front", "rear", "side"]},
    "dimension": 16,
    "view_dimension": 8,
    "join": "views",
    "distance": "cpdm",
    "loss": {"triplet": 1.0},
    "batch": {"size": 8, "per_identity": 2},
    "precision": "float32",
    "epochs": 1,
}


@pytest.mark.gpu
def test_masks_and_embeddings_are_those_of_the_processor(street, foreground, tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    images, _ = street
    train_span(images, foreground, tmp_path / "net", TINY, device="cuda", workers=0, progress=False)
    masks = {}
    for device in ("cpu", "cuda"):
        finder = MaskFinder.load(tmp_path / "net")
        found = finder.find(images, tmp_path / device, device=device, progress=False).found
        masks[device] = found.of(images).astype(int)
    assert np.abs(masks["cpu"] - masks["cuda"]).max() <= 2
    recipe = parse_recipe(RECIPE, "tiny")
    run = fit(recipe, images, found, tmp_path / "run", device="cuda", workers=0, progress=False)
    vectors = [
        embed(run, images, found, device=device, precision="float32", progress=False).vectors
        for device in ("cpu", "cuda")
    ]
    np.testing.assert_allclose(*vectors, atol=2e-3, rtol=2e-2)


def test_single_vectors_and_processors_compare_by_themselves():
    cuda = torch.device("cuda")
    assert compare_on(torch.device("cpu"), distance_named("cpdm:4,2")) is None
    assert compare_on(cuda, distance_named("euclidean")) is None
    assert compare_on(cuda, distance_named("cpdm:4,2")) is not None


@pytest.mark.gpu
def test_scores_by_views_are_those_of_the_processor(street):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    images, _ = street
    random = np.random.default_rng(0)
    rows = np.concatenate([random.normal(size=(56, 6)), np.ones((56, 1)),
                           random.random((56, 1)) * (random.random((56, 1)) > 0.5)], 1)  # fmt: skip
    by = distance_named("cpdm:4,2")
    half = np.arange(56) % 2 == 0
    sides = [
        Embedded(rows[some].astype(np.float32), images.where(some), (), False, by.name)
        for some in (half, ~half)
    ]
    compare = compare_on(torch.device("cuda"), by)
    found = compare(*sides)
    assert found.device.type == "cuda"
    identities = [side.images.frame["identity"] for side in sides]
    plain = by.compare(*(side.vectors for side in sides))
    scores = [
        rank_compared(each, Truth(*identities, device=each.device)).per_query
        for each in (found, plain)
    ]
    pd.testing.assert_frame_equal(*scores)
