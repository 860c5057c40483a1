import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from pipelines.cli.main import main
from pipelines.jobs.adding import add
from pipelines.jobs.retrieval import build_from, search
from pipelines.recipes import load_recipe
from pipelines.report.explain import Explainer
from pipelines.report.material import PLAIN, Network
from reid.embedding import embed
from reid.methods import build_model
from reid.retrieval.gallery import Gallery
from reid.retrieval.question import Question
from reid.run import Run, save_model


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code


@pytest.fixture(params=[True, False])
def run(request, tmp_path):
    """An untrained network, whose recipe mirrors or does not."""
    torch.manual_seed(0)
    changes = ["image.height=32", "image.width=32", "parts.use=[]", f"mirror={request.param}"]
    recipe = load_recipe("prn-demo", changes)
    (tmp_path / "run").mkdir()
    model = build_model(recipe, 2, start=False)
    save_model(tmp_path / "run" / "model.pt", model, recipe, ("0", "1"))
    return Run.load(tmp_path / "run")


@pytest.fixture
def folder(tmp_path):
    """Images of coarse random blocks, darker to the right."""
    random = np.random.default_rng(0)
    (tmp_path / "items").mkdir()
    shade = np.linspace(1, 0.1, 32)[:, None]
    for number in range(5):
        blocks = random.integers(0, 255, (4, 4, 3)).repeat(8, 0).repeat(8, 1)
        pixels = (blocks * shade).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "items" / f"{number}.png")
    return tmp_path / "items"


@pytest.mark.parametrize("asked", [True, False, None])
def test_a_gallery_remembers_mirroring_and_is_searched_alike(
    monkeypatch, run, folder, tmp_path, asked
):
    place = tmp_path / "gallery"
    option = {True: ["--mirror"], False: ["--no-mirror"], None: []}[asked]
    command(monkeypatch, "gallery", "add", place, folder, "--run", run.source, "--device", "cpu",
            *option)  # fmt: skip
    mirror = run.recipe.mirror if asked is None else asked
    built = Gallery.open(place)
    assert built.about.mirror is mirror
    made = embed(run, built.images, mirror=mirror, device="cpu", progress=False).vectors
    other = embed(run, built.images, mirror=not mirror, device="cpu", progress=False).vectors
    np.testing.assert_allclose(built.embeddings, made, rtol=1e-3, atol=1e-4)
    apart = np.linalg.norm(made - other, axis=1).min()

    # Copies of the gallery's images, which find themselves if they are embedded as these were.
    copies = shutil.copytree(folder, tmp_path / "copies")
    out = tmp_path / "results"
    command(monkeypatch, "search", copies, "--gallery", place, "--out", out, "--top", 1,
            "--device", "cpu")  # fmt: skip
    found = pd.read_csv(out / "results.csv")
    assert found["query"].tolist() == found["image"].tolist()
    assert found["distance"].max() < 0.1 * apart


@pytest.mark.parametrize("mirror", [True, False])
def test_explanations_are_of_what_the_gallery_holds(run, folder, tmp_path, mirror):
    gallery = add(tmp_path / "g", [folder], run.source, mirror=mirror, device="cpu")
    network = Network(PLAIN, run, None, gallery, None)
    explainer = Explainer(network, gallery.images, Boxes.none(), (), "cpu")
    cells = explainer.cells(gallery.images.frame["image"].tolist())
    other = embed(run, gallery.images, mirror=not mirror, device="cpu", progress=False).vectors
    apart = np.linalg.norm(gallery.embeddings - other, axis=1).min()
    # Cells are float32, embeddings bf16 where the processor has it.
    off = np.linalg.norm(gallery.embeddings - cells.mean((2, 3)).numpy(), axis=1).max()
    assert off < 0.3 * apart


def test_results_that_cannot_be_written_are_said_before_any_work(
    monkeypatch, run, folder, tmp_path
):
    build_from(read_images(folder), run, tmp_path / "gallery", None, "global", "cpu")
    monkeypatch.setattr("pipelines.jobs.retrieval.search_in", None)
    with pytest.raises(InputError, match=r"0\.png: cannot be written to"):
        search(folder, [tmp_path / "gallery"], Question(top=1), folder / "0.png", run=run.source)


@pytest.mark.parametrize("run", [False], indirect=True)
def test_options_that_would_do_nothing_are_refused(monkeypatch, run, folder, tmp_path, capsys):
    place = tmp_path / "gallery"
    build_from(read_images(folder), run, place, None, "global", "cpu")
    (place / "unreadable.csv").write_text("of the gallery")
    monkeypatch.setattr("pipelines.jobs.retrieval.embed", None)
    for more, words in (
        (["--candidates", 5], "--candidates: is what --rerank, --expand and --pool sets look at"),
        (["--candidates", 5, "--rerank", "--top", 7], "5 are fewer than the 7 to be found"),
        (["--detector", tmp_path], "--detector: "),
        (["--out", place], f"{place}: is a gallery; give another folder for results"),
    ):
        asked = ["search", folder, "--gallery", place, "--out", tmp_path / "out", *more]
        monkeypatch.setattr(sys, "argv", ["partreid", *map(str, asked)])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 2
        assert words in " ".join(capsys.readouterr().err.split())
    assert (place / "unreadable.csv").read_text() == "of the gallery"


@pytest.mark.parametrize("run", [False], indirect=True)
def test_queries_are_embedded_by_the_engine_asked_for(monkeypatch, run, folder, tmp_path):
    place, engines = tmp_path / "gallery", []
    build_from(read_images(folder), run, place, None, "global", "cpu")

    def told(*given, engine, **more):
        engines.append(engine)
        return embed(*given, engine=engine, **more)

    monkeypatch.setattr("pipelines.jobs.retrieval.embed", told)
    for more in ([], ["--engine", "torch-float32"]):
        command(monkeypatch, "search", folder, "--gallery", place, "--out", tmp_path / "out",
                "--device", "cpu", *more)  # fmt: skip
    assert engines == ["auto", "torch-float32"]
    found = Gallery.open(place)
    assert found.manifest.recipe["backbone"]["name"] == run.recipe.backbone.name
