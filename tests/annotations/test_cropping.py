import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.cropping import crop_images
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images


@pytest.fixture
def photographs(tmp_path):
    """A red vehicle in a blue street, twice; one without a box, one broken, one box outside."""
    root = tmp_path / "photographs"
    (root / "deep").mkdir(parents=True)
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[..., 2] = 255
    pixels[10:40, 20:70] = (255, 0, 0)
    for name in ("deep/a.png", "b.png", "whole.png", "outside.png", "before.png"):
        Image.fromarray(pixels).save(root / name)
    (root / "broken.png").write_bytes(b"no image")
    frame = pd.DataFrame(
        {
            "image": [
                "deep/a.png",
                "b.png",
                "whole.png",
                "outside.png",
                "before.png",
                "broken.png",
            ],
            "identity": ["1", "2", "3", "4", "5", "6"],
            "left": [20, -5, np.nan, 90, -30, 0],
            "top": [10, 10, np.nan, 0, -30, 0],
            "right": [70, 40, np.nan, 99, -5, 20],
            "bottom": [40, 999, np.nan, 50, -5, 20],
        }
    )
    return Images(frame, root, "photographs")


def test_crops_are_the_boxes_cut_at_the_edges(photographs, tmp_path):
    crops, problems = crop_images(photographs, tmp_path / "crops", progress=False)
    assert crops.frame["image"].tolist() == ["deep/a.png", "b.png", "whole.png"]
    assert crops.frame["identity"].tolist() == ["1", "2", "3"]
    whole = np.asarray(Image.open(tmp_path / "crops/deep/a.png"))
    assert whole.shape == (30, 50, 3)
    assert (whole == (255, 0, 0)).all()
    assert Image.open(tmp_path / "crops/b.png").size == (40, 50)
    assert Image.open(tmp_path / "crops/whole.png").size == (80, 60)
    assert len(problems) == 3
    assert "outside.png: the box 90, 0, 99, 50 leaves less than 8 pixels of 80 x 60" in problems[0]
    assert "before.png: the box -30, -30, -5, -5 leaves" in problems[1]
    assert "broken.png: not a readable image" in problems[2]
    assert (tmp_path / "crops/problems.txt").read_text().splitlines() == problems
    again = read_images(tmp_path / "crops")
    pd.testing.assert_frame_equal(again.frame, crops.frame)
    assert "left" not in again.frame


def test_what_is_cut_already_is_left_alone(photographs, tmp_path):
    crop_images(photographs, tmp_path / "crops", progress=False)
    (tmp_path / "crops/images.parquet").unlink()
    (tmp_path / "crops/b.png").unlink()
    before = (tmp_path / "crops/deep/a.png").stat().st_mtime_ns
    crops, _ = crop_images(photographs, tmp_path / "crops", progress=False)
    assert len(crops) == 3
    crops.require_files()
    assert (tmp_path / "crops/deep/a.png").stat().st_mtime_ns == before


def test_bad_folders_and_tables_are_refused(photographs, tmp_path):
    with pytest.raises(InputError, match="holds the photographs"):
        crop_images(photographs, photographs.root)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x").touch()
    with pytest.raises(InputError, match="holds something else than crops"):
        crop_images(photographs, tmp_path / "other")
    bare = Images(photographs.frame.drop(columns="left"), photographs.root, "bare")
    with pytest.raises(InputError, match="bare: no vehicle boxes"):
        crop_images(bare, tmp_path / "crops")
