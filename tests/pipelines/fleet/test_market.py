import pytest

from annotations.errors import InputError
from pipelines.fleet.make import describe
from pipelines.fleet.market import make_vehicles
from pipelines.fleet.presets import PRESETS, Preset


def test_unseen_models_are_of_test_vehicles_alone():
    preset = PRESETS["models"]
    vehicles = make_vehicles(preset, 7)
    train, test = (
        {v.design.model for v in some}
        for some in (vehicles[: preset.train], vehicles[preset.train :])
    )
    assert (len(train), len(test)) == (preset.models - preset.unseen, preset.unseen)
    assert not train & test
    with pytest.raises(InputError, match="102 unseen of 102 models"):
        Preset(**{**vars(preset), "unseen": 102})


def test_fleets_without_unseen_models_say_of_themselves_what_they_always_did():
    assert "unseen" not in describe("demo", PRESETS["demo"], 7)
    assert "unseen: 18" in describe("models", PRESETS["models"], 7)
