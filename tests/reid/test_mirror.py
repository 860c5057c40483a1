import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.masks import Masks
from reid.data.dataset import read_input
from reid.data.locate import locate
from reid.data.mirror import mirror
from reid.embedding import embed
from reid.methods import build_model
from reid.parts.located import Located
from reid.recipe import parse_recipe
from reid.run import Run

HANDED = """
parts:
  - {name: left light, colour: "#111111", partner: right light}
  - {name: plate, colour: "#222222"}
  - {name: right light, colour: "#333333", partner: left light}
"""
PARTNER = {"left light": "right light", "right light": "left light"}
CASES = [("prn", "global"), ("prn", "global+parts"), ("eianet", "global"), ("eianet", "parts")]


@given(st.integers(0, 10**6), st.integers(0, 4))
def test_a_mirror_image_is_torchvisions_with_its_parts_renamed(seed, count):
    random = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 255, (2, 3, 8, 16), generator=random, dtype=torch.uint8)
    boxes = torch.rand(2, count, 2, 2, generator=random).sort(2).values.flatten(2)
    parts = torch.randint(-1, 3, (2, count), generator=random)
    partners = torch.tensor([2, 1, 0])
    flipped, where = mirror(images, Located.by_boxes(boxes, parts), partners)
    moved, renamed, masks = where
    assert masks.shape == (2, 0, 1, 1)
    assert torch.equal(flipped, F.horizontal_flip(images))
    scale = torch.tensor([16.0, 8, 16, 8])
    framed = tv_tensors.BoundingBoxes(
        (boxes * scale).flatten(0, 1), format="XYXY", canvas_size=(8, 16)
    )
    expected = F.horizontal_flip(framed).as_subclass(torch.Tensor).view(2, count, 4) / scale
    torch.testing.assert_close(moved, expected)
    names = [{0: 2, 1: 1, 2: 0, -1: -1}[part] for part in parts.flatten().tolist()]
    assert renamed.flatten().tolist() == names


def test_a_network_without_parts_has_nothing_to_rename():
    none = torch.zeros(0, dtype=torch.int64)
    _, where = mirror(torch.zeros(2, 3, 4, 4), Located.nowhere(2), none)
    assert where.boxes.shape == (2, 0, 4)
    assert where.parts.shape == (2, 0)
    assert where.masks.shape == (2, 0, 1, 1)


@pytest.fixture
def images(tmp_path):
    """Seven images of coarse random blocks, darker to the right; their size is not the input's."""
    random = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    shade = np.linspace(1, 0.2, 48)[:, None]
    for number in range(7):
        blocks = random.integers(0, 255, (5, 6, 3)).repeat(8, 0).repeat(8, 1)
        pixels = (blocks * shade).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
    names = pd.DataFrame({"image": [f"{number}.png" for number in range(7)]})
    return Images(names, tmp_path / "images", "images")


@pytest.fixture
def boxes(images):
    """A left light everywhere, a right one on most images and a plate off the middle on some."""
    rows = []
    for number, name in enumerate(images.frame["image"]):
        rows.append((name, "left light", 0.02, 0.55, 0.2, 0.9))
        if number:
            rows.append((name, "right light", 0.7, 0.3, 0.97, 0.8))
        if number % 2:
            rows.append((name, "plate", 0.3, 0.6, 0.45, 0.95))
    frame = pd.DataFrame(rows, columns=["image", "part", "x1", "y1", "x2", "y2"])
    return Boxes(frame.assign(score=0.9, source="detector"))


@pytest.fixture
def copies(images, tmp_path):
    """The images mirrored, as files."""
    root = tmp_path / "mirrored"
    root.mkdir()
    for path in images.paths:
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / path.name)
    return Images(images.frame, root, "mirrored")


@pytest.fixture
def turned(boxes):
    """The boxes that a person would draw on the mirrored files."""
    frame = boxes.frame
    return Boxes(frame.assign(x1=1 - frame["x2"], x2=1 - frame["x1"],
                              part=frame["part"].replace(PARTNER)))  # fmt: skip


def untrained(method, folder, **more):
    path = folder / "handed.yaml"
    path.write_text(HANDED)
    recipe = parse_recipe(
        {
            "method": method,
            "backbone": {"name": "resnet10t", "weights": None, "output_stride": 16},
            "image": {"height": 64, "width": 64},
            "parts": {"vocabulary": str(path), "use": ["right light", "left light", "plate"]},
            "dimension": 8,
            "part_based": method == "eianet",
            "batch": {"size": 8, "per_identity": 2},
            **more,
        },
        "test",
    )
    torch.manual_seed(0)
    return Run(build_model(recipe, 2, start=False).eval(), recipe, ("0", "1"), "0", folder)


def vectors(run, images, boxes, branches="global", **more):
    found = embed(run, images, boxes, branches=branches, device="cpu", precision="float32",
                  batch=3, progress=False, **more)  # fmt: skip
    return found.vectors


def alike(one, other):
    return np.allclose(one, other, rtol=1e-4, atol=1e-5 * np.abs(one).max())


@pytest.mark.parametrize(("method", "branches"), CASES)
def test_an_embedding_is_the_mean_with_that_of_the_mirrored_file(
    images, boxes, copies, turned, tmp_path, method, branches
):
    run = untrained(method, tmp_path)
    found = vectors(run, images, boxes, branches, mirror=True)
    plain = vectors(run, images, boxes, branches)
    other = vectors(run, copies, turned, branches)
    assert alike(found, (plain + other) / 2)
    assert not alike(plain, other)
    if (method, branches) != ("prn", "global"):
        unmoved = Boxes(boxes.frame.assign(part=turned.frame["part"]))
        unnamed = Boxes(turned.frame.assign(part=boxes.frame["part"]))
        for wrong in (unmoved, unnamed):
            assert not alike(vectors(run, copies, wrong, branches), other)


@pytest.mark.parametrize(("method", "branches"), CASES)
def test_left_and_right_are_all_the_same(images, boxes, copies, turned, tmp_path, method, branches):
    run = untrained(method, tmp_path)
    here = vectors(run, images, boxes, branches, mirror=True)
    assert alike(here, vectors(run, copies, turned, branches, mirror=True))


@pytest.mark.parametrize("method", ["prn", "eianet"])
def test_the_recipe_says_and_the_caller_overrides(images, boxes, tmp_path, method):
    plain, mirrored = untrained(method, tmp_path), untrained(method, tmp_path, mirror=True)
    yes, no = (vectors(plain, images, boxes, mirror=asked) for asked in (True, False))
    assert not alike(yes, no)
    for run, own in ((plain, no), (mirrored, yes)):
        np.testing.assert_array_equal(vectors(run, images, boxes), own)
        np.testing.assert_array_equal(vectors(run, images, boxes, mirror=False), no)
        found = embed(run, images, boxes, device="cpu", progress=False)
        assert found.mirror is run.recipe.mirror
        assert found.take(np.arange(2)).mirror is run.recipe.mirror


def test_only_what_looks_at_parts_needs_their_vocabulary(images, boxes, tmp_path):
    prn, eianet = (untrained(method, tmp_path, mirror=True) for method in ("prn", "eianet"))
    (tmp_path / "handed.yaml").unlink()
    assert len(vectors(prn, images, None)) == len(images)
    with pytest.raises(InputError, match=r"no vocabulary .*handed.yaml"):
        vectors(eianet, images, boxes)


def test_images_that_cannot_be_read_leave_the_others_theirs(images, boxes, tmp_path):
    run = untrained("eianet", tmp_path, mirror=True)
    whole = vectors(run, images, boxes)
    images.paths[1].write_text("broken")
    left = vectors(run, images, boxes)
    assert alike(left, np.delete(whole, 1, axis=0))


@pytest.mark.parametrize("method", ["composed", "span"])
def test_cpdm_averages_each_part_with_its_own_mirror_image(images, boxes, tmp_path, method):
    """A left light stands in the right one's place in a mirrored image (SPAN, section 3.3)."""
    run = untrained(method, tmp_path, join="views", distance="cpdm", view_dimension=4)
    used = run.recipe.parts.use
    if method == "span":
        values = np.zeros((len(images), 3, 8, 8), np.uint8)
        for row in boxes.frame.itertuples():
            x1, y1, x2, y2 = (round(8 * each) for each in (row.x1, row.y1, row.x2, row.y2))
            values[int(row.image[0]), used.index(row.part), y1:y2, x1:x2] = 255
        boxes = Masks.from_values(list(images.frame["image"]), values, used, {})
    found = vectors(run, images, boxes, mirror=True)
    # What an image shows of a vehicle is as much in its mirror image: ratios stay.
    assert alike(found[:, -4:], vectors(run, images, boxes)[:, -4:])
    pixels = torch.stack([read_input(path, (64, 64)) for path in images.paths])
    where, partners = locate(boxes, images, used), torch.tensor([1, 0, 2])
    with torch.inference_mode():
        plain = run.model.describe(pixels, where)
        flipped = run.model.describe(*mirror(pixels, where, partners))
    mean = (plain.parts + flipped.parts[:, partners]) / 2
    assert alike(found[:, 8:20], mean.flatten(1).numpy())
    assert not alike(mean.numpy(), (plain.parts + flipped.parts).numpy() / 2)
    # The first image shows no right light.
    assert found[0, -3] == 0
