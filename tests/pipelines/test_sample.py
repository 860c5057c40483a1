import filecmp

import pytest

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.labels import LabelledSet
from pipelines.sample import write_sample


def test_the_same_seed_draws_the_same_bytes(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample(tmp_path / name, train=2, test=1, seed=seed)
    names = sorted(path.name for path in (tmp_path / "a/images").iterdir())
    same, different, _ = filecmp.cmpfiles(
        tmp_path / "a/images", tmp_path / "b/images", names, shallow=False
    )
    assert (len(same), different) == (12, [])
    _, different, _ = filecmp.cmpfiles(
        tmp_path / "a/images", tmp_path / "c/images", names, shallow=False
    )
    assert len(different) == 12


def test_it_is_a_data_set_with_labels(sample):
    images = read_images(sample)
    assert images.frame["split"].value_counts().to_dict() == {"train": 24, "query": 6, "gallery": 6}
    images.require_files()
    labels = LabelledSet.read(sample / "labels")
    counts = labels.boxes.frame.groupby("part").size() / len(labels)
    assert counts.to_dict() == {"brand": 1.0, "light": 2.0, "window": 1.0}
    assert set(labels.images.frame["image"]) <= set(images.split("train").frame["image"])
    boxes = labels.boxes.frame.set_index("part")
    # PRN's definitions: lights and brand end at the vehicle's bottom, brand lies between lights.
    bottoms = boxes.groupby("image")["y2"].agg(["min", "max"])
    lights = boxes.loc["light"].groupby("image")["x2"].min().sort_index()
    brand = boxes.loc["brand"].set_index("image")["x1"].sort_index()
    assert (brand - lights).abs().max() < 0.02
    assert (boxes.loc["light"].groupby("image")["y2"].min() == bottoms["max"]).all()


def test_it_can_be_moved(sample, tmp_path):
    moved = tmp_path / "moved"
    moved.symlink_to(sample)
    read_images(moved).require_files()


def test_another_folder_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        write_sample(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
