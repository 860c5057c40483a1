import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.table import write_table
from pipelines.jobs.part_boxes import named_as

COLUMNS = {"part": "window", "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.5, "score": 0.9,
           "source": "detector"}  # fmt: skip


@pytest.fixture
def cache(tmp_path):
    """Boxes of ``one/car.png`` and ``two/car.png``, as a cache keeps them, and these images."""
    data, folder = tmp_path / "data", tmp_path / "cache"
    names = ["one/car.png", "two/car.png"]
    for number, name in enumerate(names):
        path = data / name
        path.parent.mkdir(parents=True)
        pixels = np.random.default_rng(number).integers(256, size=(9, 9 + number, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    frame = pd.DataFrame({"image": names, **COLUMNS})
    Boxes(frame).write(folder / "boxes.parquet")
    sizes = [(data / name).stat().st_size for name in names]
    write_table(pd.DataFrame({"image": names, "bytes": sizes}), folder / "images.parquet")
    return data, folder / "boxes.parquet"


def asked(*paths):
    """Name images as a person does, by their whole paths."""
    return Images(pd.DataFrame({"image": [str(path) for path in paths]}), paths[0].parent, "asked")


def test_boxes_are_found_by_the_end_of_a_path(cache):
    data, path = cache
    images = asked(data / "one/car.png", data / "two/car.png")
    found = named_as(Boxes.read(path), images).frame
    assert found["image"].to_list() == images.frame["image"].to_list()
    frame = Boxes.read(path).frame
    frame["image"] = ["car.png", "far/car.png"]
    found = named_as(Boxes(frame.assign(x2=[0.3, 0.7])), asked(data / "one/car.png")).frame
    assert found["x2"].to_list() == [0.3]


def test_another_image_of_the_same_name_is_refused(cache, tmp_path):
    data, path = cache
    other = tmp_path / "elsewhere/one/car.png"
    other.parent.mkdir(parents=True)
    other.write_bytes((data / "two/car.png").read_bytes())
    with pytest.raises(InputError, match=r"its 'one/car.png' is another file than .*elsewhere"):
        named_as(Boxes.read(path), asked(other, data / "two/car.png"))
    path.with_name("images.parquet").unlink()
    with pytest.raises(InputError, match=r"'one/car.png' can be .*data.* or .*elsewhere"):
        named_as(Boxes.read(path), asked(data / "one/car.png", other))


def test_an_image_on_which_nothing_was_found_has_no_boxes(cache):
    data, path = cache
    inner = data / "two/one/car.png"
    inner.parent.mkdir()
    inner.write_bytes((data / "one/car.png").read_bytes())
    states = pd.read_parquet(path.with_name("images.parquet"))
    more = pd.DataFrame({"image": ["two/one/car.png"], "bytes": [inner.stat().st_size]})
    write_table(pd.concat([states, more]), path.with_name("images.parquet"))
    images = asked(inner, data / "one/car.png")
    found = named_as(Boxes.read(path), images).frame
    assert found["image"].to_list() == [images.frame["image"].iloc[1]]


def test_a_data_sets_own_table_is_no_table_of_sizes(cache):
    data, path = cache
    table = pd.DataFrame({"image": ["one/car.png"], "identity": ["a"]})
    write_table(table, path.with_name("images.parquet"))
    assert len(named_as(Boxes.read(path), asked(data / "one/car.png"))) == 1
