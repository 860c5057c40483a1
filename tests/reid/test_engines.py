"""Every method's network gives the same by another engine, and a folder is embedded by it."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image

import engines.choice as choice
import reid.engine_choice as engine_choice
import reid.faster as faster
from annotations.errors import InputError
from annotations.images import Images
from engines.choice import ENGINES, SINGLE, TORCH, Tried
from reid.data.dataset import InputReader
from reid.data.locate import locate
from reid.embedding import embed
from reid.faster import trunks
from reid.methods import build_model
from reid.parts.located import Located
from reid.recipe import parse_recipe
from reid.run import Run

SIDE = 64
BASE = {
    "backbone": {"name": "resnet10t", "weights": None, "output_stride": 32},
    "image": {"height": SIDE, "width": SIDE},
    "dimension": 8,
}
METHODS = {
    "prn": {"method": "prn"},
    "eianet": {
        "method": "eianet",
        "parts": {"vocabulary": "eia", "use": ["wheel", "logo"]},
        "part_based": True,
        "batch": {"size": 8, "per_identity": 2},
    },
    "span": {
        "method": "span",
        "backbone": {"name": "resnet18", "weights": None, "output_stride": 32},
        "parts": {"vocabulary": "views", "use": ["front", "rear"]},
        "join": "concat",
    },
    "mfgnet": {"method": "mfgnet", "parts": {"use": []}, "stripes": 2},
    "composed": {"method": "composed", "parts": {"use": []}, "pooling": "gem"},
    "convnext": {
        "method": "composed",
        "backbone": {"name": "convnext_atto", "weights": None, "output_stride": 16},
        "parts": {"use": []},
    },
}
TRUNKS = {"prn": 1, "eianet": 2, "span": 4, "mfgnet": 1, "composed": 1, "convnext": 1}


def run_of(name, tmp_path):
    torch.manual_seed(0)
    recipe = parse_recipe({**BASE, **METHODS[name]}, name)
    model = build_model(recipe, 5, start=False).eval()
    return Run(model, recipe, tuple("abcde"), "0" * 64, tmp_path)


def where_of(name, count):
    if name == "span":
        masks = torch.randint(0, 256, (count, 2, 8, 8), dtype=torch.uint8)
        return Located.nowhere(count)._replace(masks=masks)
    boxes = torch.tensor([[0.1, 0.1, 0.6, 0.5], [0.5, 0.5, 1.0, 1.0]]).repeat(count, 1, 1)
    return Located.by_boxes(boxes, torch.tensor([[0, 1]]).repeat(count, 1))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_the_same_by_another_engine(name, tmp_path):
    engine = ENGINES["openvino"]
    if why := engine.lacks(torch.device("cpu")):
        pytest.skip(why)
    pixels = torch.randint(0, 256, (3, 3, SIDE, SIDE), dtype=torch.uint8)
    where = where_of(name, 3)
    run = run_of(name, tmp_path)
    model = run.model
    assert len(trunks(model)) == TRUNKS[name]
    cpu = torch.device("cpu")
    passes = engine_choice.Passes(run.recipe, model, "global", None, cpu, "bf16")
    sample = engine_choice.Sample([tmp_path] * 3, where, InputReader((SIDE, SIDE)), 3)
    with torch.inference_mode():
        exact = model.describe(pixels, where)
        # Made while the network computes in bf16, as it does where the processor has that.
        with engine_choice._computing("openvino", passes, sample):
            found = model.describe(pixels, where)
        again = model.describe(pixels, where)
    for one, other, last in zip(exact, found, again, strict=True):
        near = {"atol": 0.05, "rtol": 0.05}  # OpenVINO may compute in bf16, too
        torch.testing.assert_close(other, one, **near)
        assert torch.equal(one, last)  # the network is what it was


class Doubling:
    """Computes what PyTorch does, and counts."""

    name = "doubling"

    def __init__(self) -> None:
        self.made = self.passes = 0

    def lacks(self, device):
        return None

    def make(self, network, example, half):
        self.made += 1

        def computed(inputs):
            self.passes += 1
            return network(inputs)

        return computed


@pytest.fixture
def doubling(monkeypatch):
    engine = Doubling()
    monkeypatch.setitem(ENGINES, "doubling", engine)
    monkeypatch.setattr(choice, "NAMES", (*choice.NAMES, "doubling"))
    return engine


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    rows = []
    for number in range(11):
        name = f"{number}.png"
        if number == 4:
            (tmp_path / name).write_text("no image")
        else:
            pixels = random.integers(0, 256, (20, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name)
        rows.append({"image": name, "identity": "a", "camera": "c"})
    return Images.from_rows(rows, tmp_path, "folder")


def test_a_folder_is_embedded_by_an_engine_made_once(folder, doubling, tmp_path):
    run = run_of("composed", tmp_path)
    exact = embed(run, folder, batch=4, engine=TORCH, precision="float32", progress=False)
    found = embed(run, folder, batch=4, engine="doubling", precision="float32", progress=False)
    np.testing.assert_allclose(found.vectors, exact.vectors, atol=1e-5)
    assert found.images.frame["image"].tolist() == exact.images.frame["image"].tolist()
    assert doubling.passes == 3
    embed(run, folder, batch=4, engine="doubling", precision="float32", progress=False)
    assert doubling.made == 1
    with torch.no_grad():
        for weight in run.model.parameters():
            weight.mul_(1.001)
    embed(run, folder, batch=4, engine="doubling", precision="float32", progress=False)
    assert doubling.made == 2  # of other weights


def test_many_images_are_embedded_by_the_fastest_engine(
    folder, doubling, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("PARTREID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(choice, "candidates", lambda count: [TORCH, SINGLE, "doubling"])
    rates = {TORCH: 10.0, SINGLE: 5.0, "doubling": 90.0}
    measured = []

    def measure(names, using, exact, device):
        for name in names:
            with using(name) as compute:
                torch.testing.assert_close(compute(), exact, atol=1e-2, rtol=1e-2)
            measured.append(name)
        return [Tried(name, rates[name], 1.0) for name in names]

    monkeypatch.setattr(engine_choice, "measure", measure)
    run = run_of("composed", tmp_path)
    with caplog.at_level(logging.INFO):
        embed(run, folder, batch=4, engine="auto", progress=False)
    assert measured == [TORCH, SINGLE, "doubling"]
    assert "engine doubling: 90 images a second" in caplog.text
    passes = doubling.passes
    embed(run, folder, batch=4, engine="auto", progress=False)
    assert len(measured) == 3  # remembered
    assert doubling.passes == passes + 3


def test_nothing_is_measured_where_no_image_can_be_read(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PARTREID_CACHE", str(tmp_path / "cache"))
    run = run_of("composed", tmp_path)
    where = locate(None, folder, ())
    sample = engine_choice.Sample([folder.paths[4]], where, lambda path: "bad", 1)
    passes = engine_choice.Passes(
        run.recipe, run.model, "global", None, torch.device("cpu"), "float32"
    )
    assert engine_choice.tried_on([TORCH], passes, sample) == []


def test_what_was_made_goes_with_the_model(folder, doubling, tmp_path):
    run = run_of("composed", tmp_path)
    before = len(faster._made)
    embed(run, folder, batch=4, engine="doubling", precision="float32", progress=False)
    assert len(faster._made) == before + 1
    del run
    assert len(faster._made) == before


class Unable(Doubling):
    name = "unable"

    def make(self, network, example, half):
        raise RuntimeError("no such operator\nand more")


def test_an_engine_that_cannot_compute_a_network_says_so(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(ENGINES, "unable", Unable())
    monkeypatch.setattr(choice, "NAMES", (*choice.NAMES, "unable"))
    run = run_of("composed", tmp_path)
    said = r"engine 'unable' cannot compute this network \(RuntimeError: no such operator\); take"
    with pytest.raises(InputError, match=said):
        embed(run, folder, batch=4, engine="unable", progress=False)


def test_pieces_of_a_job_have_one_engine(folder, doubling, tmp_path):
    run = run_of("composed", tmp_path)
    for start, stop in ((0, 4), (5, 8), (8, 10)):
        some = folder.where(np.isin(np.arange(len(folder)), np.arange(start, stop)))
        embed(run, some, batch=4, engine="doubling", expected=11, progress=False)
    assert doubling.made == 1
