import numpy as np
from PIL import Image

from pipelines.fleet.contact import _TILE, _duplicates, portrait
from pipelines.fleet.market import make_vehicles
from pipelines.fleet.presets import PRESETS
from pipelines.jobs.fleet import make


def test_the_command_makes_a_fleet_and_its_sheet(tmp_path, capsys):
    make(tmp_path / "fleet", "tiny", None, 1, tmp_path / "sheet.png")
    told = capsys.readouterr().out
    assert "40 images with masks, boxes, labels and pairs" in told
    assert "train" in told
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    assert sheet.shape[1] == 8 * _TILE
    # Six vehicles and the row of near-duplicates; every tile shows a vehicle.
    assert sheet.shape[0] // _TILE == 7
    for column in range(8):
        assert sheet[: 2 * _TILE, column * _TILE : (column + 1) * _TILE].std() > 10


def test_near_duplicates_share_all_but_their_marks():
    twins = _duplicates(make_vehicles(PRESETS["near-duplicate"], 7), 8)
    assert len(twins) == 8
    assert len({(twin.design, twin.paint) for twin in twins}) == 1
    assert len({twin.marks for twin in twins}) == 8


def test_a_portrait_turns_with_the_vehicle():
    vehicle = make_vehicles(PRESETS["tiny"], 7)[0]
    front, side = (portrait(vehicle, turn, 64) for turn in (0.0, 90.0))
    wide = [(picture != 158).any(-1).any(1).sum() for picture in (front, side)]
    assert front.shape == (64, 64, 3)
    # From the side a vehicle is longer than high: it takes fewer rows of a square.
    assert wide[1] < 0.7 * wide[0]
