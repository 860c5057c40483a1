"""Loading networks of this room whose file does not fit."""

import pandas as pd
import pytest
import torch

from annotations.errors import InputError
from annotations.vocabulary import load_vocabulary
from reid.attention.finder import MODEL, MaskFinder
from reid.attention.network import MaskNetwork
from reid.attention.settings import ForegroundSettings, SpanSettings, ViewpointSettings
from reid.attention.viewpoints import MODEL as VIEWPOINTS
from reid.attention.viewpoints import ViewpointFinder, ViewpointNetwork
from reid.saving import weights_of, write_saved


def masks(folder):
    settings = SpanSettings(backbone="resnet10t", weights=None)
    network = MaskNetwork("resnet10t", None, 2, settings.cell)
    vocabulary = load_vocabulary("views").only(("front", "rear"))
    MaskFinder(network, "views", vocabulary.names, settings, vocabulary).save(folder)
    return folder / MODEL, MaskFinder.load


def viewpoints(folder):
    settings = ViewpointSettings(backbone="resnet10t", weights=None)
    network = ViewpointNetwork("resnet10t", None, 2)
    write_saved(
        {
            "settings": settings.model_dump(mode="json"),
            "viewpoints": ["front", "rear"],
            "weights": weights_of(network),
            "tested": pd.DataFrame({"image": ["a"]}).to_dict("list"),
        },
        folder / VIEWPOINTS,
    )
    return folder / VIEWPOINTS, ViewpointFinder.load


@pytest.mark.parametrize("make", [masks, viewpoints])
def test_every_key_that_does_not_fit_is_named(make, tmp_path):
    path, load = make(tmp_path)
    load(tmp_path)
    stored = torch.load(path, weights_only=True)
    names = list(stored["weights"])
    gone, narrow = names[:2], names[-1]
    for name in gone:
        stored["weights"][f"other.{name}"] = stored["weights"].pop(name)
    stored["weights"][narrow] = torch.zeros(7)
    torch.save(stored, path)
    with pytest.raises(InputError, match="its weights are of other settings") as caught:
        load(tmp_path)
    told = str(caught.value)
    assert str(path) in told and "\n" not in told
    for name in (*gone, *(f"other.{name}" for name in gone), narrow):
        assert name in told


@pytest.mark.parametrize("make", [masks, viewpoints])
@pytest.mark.parametrize("weights", [None, {"a": 1}])
def test_weights_that_are_none_are_refused(make, weights, tmp_path):
    path, load = make(tmp_path)
    stored = torch.load(path, weights_only=True)
    stored["weights"] = weights
    torch.save(stored, path)
    with pytest.raises(InputError, match="its weights are of other settings"):
        load(tmp_path)


@pytest.mark.parametrize("make", [masks, viewpoints])
def test_a_network_that_timm_lacks_is_named(make, tmp_path):
    path, load = make(tmp_path)
    stored = torch.load(path, weights_only=True)
    stored["settings"]["backbone"] = "resnet10x"
    torch.save(stored, path)
    with pytest.raises(InputError, match="'resnet10x': timm has no such network"):
        load(tmp_path)


@pytest.mark.parametrize("kind", [ForegroundSettings, SpanSettings, ViewpointSettings])
def test_numbers_are_finite(kind):
    with pytest.raises(ValueError, match="finite"):
        kind(lr=float("inf"))
