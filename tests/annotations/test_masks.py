from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from annotations.images import Images
from annotations.masks import Masks, pack

VIEWS = ("front", "rear", "side")


@pytest.fixture
def values():
    return np.random.default_rng(0).integers(0, 256, (4, 3, 6, 8), dtype=np.uint8)


@pytest.fixture
def masks(values):
    return Masks.from_values(["a.jpg", "b.jpg", "c.jpg", "d.jpg"], values, VIEWS, {"network": "x"})


def images(*names):
    return Images(pd.DataFrame({"image": names}), root=Path())


def test_a_file_holds_what_was_written(masks, values, tmp_path):
    masks.write(tmp_path / "masks.parquet")
    for path in (tmp_path, tmp_path / "masks.parquet"):
        read = Masks.read(path)
        assert (read.views, read.size, read.about["network"]) == (VIEWS, (6, 8), "x")
        assert (read.of(images("a.jpg", "b.jpg", "c.jpg", "d.jpg")) == values).all()


def test_masks_line_up_with_images_and_views(masks, values):
    found = masks.of(images("c.jpg", "new.jpg", "a.jpg"), ("side", "front"))
    assert (found[0] == values[2][[2, 0]]).all()
    assert (found[2] == values[0][[2, 0]]).all()
    assert not found[1].any()
    assert masks.names == {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}


def test_smooth_masks_take_little_room():
    slope = np.linspace(0, 255, 32 * 32).reshape(1, 32, 32).astype(np.uint8)
    assert len(pack(np.repeat(slope, 3, 0))) < 0.2 * 3 * 32 * 32


def test_what_is_wrong_is_said(masks, tmp_path):
    with pytest.raises(InputError, match="masks of another data set"):
        masks.of(images("x/a.jpg"))
    with pytest.raises(InputError, match="has masks of front, rear, side, and none of top"):
        masks.of(images("a.jpg"), ("front", "top"))
    torn = Masks(masks.frame.assign(mask=[b"torn"] * 4), VIEWS, (6, 8), source="torn")
    with pytest.raises(InputError, match=r"torn: the mask of 'b\.jpg' is damaged"):
        torn.of(images("b.jpg"))
    with pytest.raises(InputError, match="twice"):
        Masks(pd.concat([masks.frame, masks.frame]), VIEWS, (6, 8))
    images("a.jpg").write(tmp_path / "table.parquet")
    with pytest.raises(InputError, match="not a masks table"):
        Masks.read(tmp_path / "table.parquet")
    with pytest.raises(InputError, match=r"no masks\.parquet in it"):
        Masks.read(tmp_path)
