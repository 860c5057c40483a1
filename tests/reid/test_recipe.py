from pathlib import Path

import pytest

from annotations.errors import InputError
from pipelines.recipes import RECIPES, load_recipe
from reid.recipe import Recipe, parse_recipe, read_recipe


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"optimizer": {}}, ["unknown key 'optimizer'", "did you mean 'optimiser'"]),
        ({"backbone": {"nme": "x"}}, ["unknown key 'backbone.nme'", "did you mean 'name'"]),
        ({"epochs": 0}, ["'epochs'", "greater than or equal to 1"]),
        ({"optimiser": {"lr": float("inf")}}, ["'optimiser.lr'", "finite"]),
        ({"loss": {"triplet": float("inf")}}, ["'loss.triplet'", "finite"]),
        ({"loss": {"margin": float("inf")}}, ["'loss.margin'", "finite"]),
        ({"loss": {"circle": {"scale": float("nan")}}}, ["'loss.circle.scale'"]),
        ({"parts": {"weight": float("inf")}}, ["'parts.weight'", "finite"]),
        ({"parts": {"use": ["light"], "weight": {"light": float("inf")}}}, ["finite", "'light'"]),
        ({"parts": {"use": ["light"], "weight": {"lihgt": 1.0}}}, ["exactly the parts in 'use'"]),
        ({"batch": {"size": 30, "per_identity": 4}}, ["multiple of per_identity"]),
        ([1, 2], ["YAML mapping"]),
        ({"loss": {"global_weight": 0}, "parts": {"use": []}}, ["needs part branches"]),
        ({"loss": {"triplet": 1.0}}, ["loss.triplet needs pairs", "batch.per_identity"]),
        ({"loss": {"triplet": 1.0}, "batch": {"per_identity": 1}}, ["loss.triplet needs pairs"]),
        ({"method": "span", "loss": {"triplet": 1.0}}, ["loss.triplet needs pairs"]),
        (
            {"method": "span", "parts": {"weight": 0.3}},
            ["parts.weight is not of the method span"],
        ),
        (
            {"method": "eianet", "parts": {"weight": 0.3}, "batch": {"per_identity": 2}},
            ["parts.weight is not of the method eianet"],
        ),
    ],
)
def test_a_wrong_recipe_is_named(content, words):
    with pytest.raises(InputError) as caught:
        parse_recipe(content, "my.yaml")
    for word in ["my.yaml", *words]:
        assert word in str(caught.value)


VIEWS = "'loss.viewpoint.classes': Input should be 2, 4 or 8; or"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"stripes": 99}, "my.yaml: stripes is not of the method prn"),
        ({"batch": {"size": 30, "per_identity": 4}}, "'batch': size must be a multiple"),
        ({"loss": {"viewpoint": {"classes": 3}}}, f"{VIEWS} a mapping of names to lists"),
        (
            {"loss": {"viewpoint": {"classes": {"a": ["front"], "b": "rear"}}}},
            f"{VIEWS} a list in 'b' of a mapping",
        ),
        ({"parts": {"weight": "x"}}, "'parts.weight': Input should be a valid number"),
        ({"parts": {"weight": {"window": -1}}}, "or greater than or equal to 0 in 'window'"),
        ({"parts": {"use": "window"}}, "'parts.use': Input should be a list"),
        ({"parts": 3}, "'parts': Input should be a mapping"),
        ({"iterations": 0}, "'iterations': Input should be greater"),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_a_recipe(content, words):
    with pytest.raises(InputError) as caught:
        parse_recipe(content, "my.yaml")
    told = str(caught.value)
    assert words in told
    for foreign in ("''", "Value error", "literal", "dict", "constrained", "tuple"):
        assert foreign not in told


def test_a_recipe_survives_its_yaml(tmp_path):
    recipe = parse_recipe(
        {"parts": {"use": ["light"], "weight": {"light": 0.3}}, "epochs": 3}, "test"
    )
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe.to_yaml())
    assert read_recipe(path) == recipe


def test_mirroring_is_written_down_where_it_is_set(tmp_path):
    plain, mirrored = parse_recipe({}, "test"), parse_recipe({"mirror": True}, "test")
    assert not plain.mirror
    assert "mirror" not in plain.to_yaml()  # as in records from before there was the key
    path = tmp_path / "recipe.yaml"
    path.write_text(mirrored.to_yaml())
    assert read_recipe(path) == mirrored
    papers = {name for name in RECIPES if load_recipe(name).mirror}
    assert papers == {"eianet-veri776", "eianet-vehicleid"}


def test_overrides_change_one_key(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("epochs: 5\n")
    recipe = read_recipe(path, ["optimiser.lr=0.5", "parts.use=[]", "backbone.weights=null"])
    assert (recipe.epochs, recipe.optimiser.lr, recipe.parts.use) == (5, 0.5, ())
    assert recipe.backbone.weights is None
    with pytest.raises(InputError, match="key=value"):
        read_recipe(path, ["epochs"])
    with pytest.raises(InputError, match="not a section"):
        read_recipe(path, ["epochs.more=1"])


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_that_comes_along_is_valid(name):
    assert isinstance(load_recipe(name), Recipe)


def test_prn_has_the_papers_numbers():
    recipe = load_recipe("prn")
    assert recipe.backbone.name == "resnet50"
    assert recipe.backbone.weights == "imagenet"
    assert (recipe.image.height, recipe.image.width) == (256, 256)
    assert recipe.optimiser.lr == 0.01
    assert recipe.dimension == 256
    assert recipe.loss.triplet == 0
    assert recipe.parts.use == ("window", "light", "brand")


def test_an_unknown_recipe_is_suggested():
    with pytest.raises(InputError, match="did you mean 'prn-small'"):
        load_recipe("prn-smal")
    with pytest.raises(InputError, match="no such recipe file"):
        load_recipe(str(Path("nowhere.yaml")))
