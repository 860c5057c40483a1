from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.jobs.methods import BRANCHES, DISTANCES, LOSSES, takers
from reid.methods import METHODS
from reid.recipe import TAKES, Recipe, parse_recipe
from reid.recipe.losses import LossSettings


def test_the_command_tells_of_every_method_and_recipe(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    told = CliRunner().invoke(app, ["methods"])
    assert told.exit_code == 0
    for word in (*METHODS, "val-veri776", "baseline-vit", "loss.viewpoint", "cpdm"):
        assert word in told.output


def test_everything_that_some_methods_take_is_told():
    own = set().union(*TAKES.values()) - {"loss.label_smoothing", "loss.margin", "view_dimension"}
    assert own <= {*BRANCHES, *LOSSES}
    assert {f"loss.{name}" for name in LossSettings.model_fields} - {
        "loss.label_smoothing", "loss.margin"
    } <= set(LOSSES)  # fmt: skip
    assert set(DISTANCES) == set(Recipe.model_fields["distance"].annotation.__args__)


def test_a_key_is_taken_by_the_methods_that_are_told():
    values = {"pooling": "gem", "neck": True, "stripes": 2, "attention": True, "part_based": True}
    for key, value in values.items():
        for method in METHODS:
            content = {"method": method, key: value, "batch": {"per_identity": 2}}
            if method == "mfgnet":
                content["parts"] = {"use": []}
            taken = True
            try:
                parse_recipe(content, "test")
            except Exception as error:
                taken = f"{key} is not of the method" not in str(error)
            assert taken == (method in takers(key).split(", ")), (key, method)
