import numpy as np
import pandas as pd
import pytest
import torch
from lightning.fabric.utilities import move_data_to_device
from PIL import Image
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.masks import Masks
from annotations.vocabulary import load_vocabulary
from pipelines.recipes import load_recipe
from reid.data.augment import Augment
from reid.data.dataset import Batch, TrainingSet
from reid.data.locate import locate
from reid.data.mirror import mirror
from reid.methods import lacking_parts
from reid.parts.located import Located
from reid.recipe import AugmentSettings

SIZE, CELL = (64, 96), 4
GRID = (16, 24)
BOX = torch.tensor([0.25, 0.25, 0.5, 0.75])
MOVES = [
    {"flip": 1.0},
    {"flip": 0.5, "pad": 12},
    {"flip": 0.5, "zoom": 0.2},
    {"flip": 0.5, "pad": 8, "zoom": 0.1, "rotate": 10.0},
]


def by_masks(masks):
    return Located.nowhere(len(masks))._replace(masks=masks)


def drawn(box, size):
    """A mask, (1, h, w), of a box that ends where cells do."""
    height, width = size
    mask = torch.zeros(1, height, width, dtype=torch.uint8)
    x1, y1, x2, y2 = (box * torch.tensor([width, height, width, height])).round().int().tolist()
    mask[:, y1:y2, x1:x2] = 255
    return mask


def reduced(pixels):
    return interpolate(pixels[None].float(), GRID, mode="area")[0]


def extent(mask):
    """The edges of what is covered by half, in cells."""
    rows, columns = torch.nonzero(mask >= 128, as_tuple=True)
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_fields_go_together():
    boxes, parts = torch.rand(3, 2, 4), torch.tensor([[0, 1], [1, -1], [-1, -1]])
    where = Located.by_boxes(boxes, parts)
    assert where.masks.shape == (3, 0, 1, 1) and where.masks.dtype == torch.uint8
    sample = where.take(1)
    assert all(map(torch.equal, sample, Located.by_boxes(boxes[1], parts[1])))
    turned = Located.by_boxes(boxes[[2, 0]], parts[[2, 0]])
    for rows in (np.array([2, 0]), torch.tensor([2, 0])):
        assert all(map(torch.equal, where.take(rows), turned))
    masks = torch.randint(0, 255, (3, 2, 4, 5), dtype=torch.uint8)
    assert torch.equal(by_masks(masks).take(np.array([1])).masks, masks[1:2])
    assert all(field.is_meta for field in by_masks(masks).to("meta"))
    assert [field.dtype for field in Located.nowhere(3)] == [field.dtype for field in where]


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("views", [0, 2])
def test_samples_are_collated_and_moved(tmp_path, views, workers):
    masks = torch.randint(0, 255, (4, views, 8, 8), dtype=torch.uint8)
    boxes = BOX * torch.tensor([0.5, 1, 1.5, 2])[:, None, None]
    by_boxes = Located.by_boxes(boxes, torch.arange(4)[:, None])
    where = by_masks(masks) if views else by_boxes
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for path in paths:
        Image.new("RGB", (20, 20)).save(path)
    labels = torch.arange(4)
    augment = Augment(AugmentSettings(flip=0.0), (16, 16), (1, 0))
    samples = TrainingSet(paths, where, labels, labels, labels, (16, 16), augment)
    loader = DataLoader(samples, 2, sampler=[(3, 0), (1, 0)], num_workers=workers)
    (batch,) = loader
    assert isinstance(batch, Batch) and isinstance(batch.where, Located)
    assert all(map(torch.equal, batch.where, where.take(torch.tensor([3, 1]))))
    moved = move_data_to_device(batch, torch.device("meta"))
    assert isinstance(moved.where, Located) and moved.where.boxes.is_meta


def test_masks_are_mirrored_and_swapped_between_partners():
    masks = torch.randint(0, 255, (2, 3, 4, 6), dtype=torch.uint8)
    images = torch.randint(0, 255, (2, 3, 8, 12), dtype=torch.uint8)
    partners = torch.tensor([2, 1, 0])
    flipped, where = mirror(images, by_masks(masks), partners)
    assert torch.equal(flipped, images.flip(3))
    for view, partner in enumerate(partners):
        assert torch.equal(where.masks[:, view], masks[:, partner].flip(2))
    _, alone = mirror(images[0], by_masks(masks).take(0), partners)
    assert all(map(torch.equal, alone, where.take(0)))
    assert all(map(torch.equal, mirror(flipped, where, partners)[1], by_masks(masks)))


def test_a_flip_and_other_looks_leave_masks_exact():
    settings = AugmentSettings(flip=1.0, colour=0.5, blur=1.0, erase=1.0)
    masks = torch.randint(0, 255, (2, *GRID), dtype=torch.uint8)
    image = torch.randint(0, 255, (3, *SIZE), dtype=torch.uint8)
    looks, found = Augment(settings, SIZE, (1, 0))(image, by_masks(masks[None]).take(0))
    assert not torch.equal(looks, image.flip(2))
    assert torch.equal(found.masks, masks.flip(0, 2))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("settings", MOVES)
def test_a_mask_moves_as_its_box_and_its_pixels_do(settings, seed):
    augment = Augment(AugmentSettings(**settings), SIZE, (0, 1))
    whole = torch.full((1, *GRID), 255, dtype=torch.uint8)
    # Both at once, so that one draw moves them.
    where = Located(BOX[None], torch.tensor([0]), torch.cat([drawn(BOX, GRID), whole]))
    torch.manual_seed(seed)
    image, found = augment(drawn(BOX, SIZE).expand(3, *SIZE), where)
    assert found.masks.shape == (2, *GRID) and found.masks.dtype == torch.uint8
    edges = found.boxes[0] * torch.tensor([24, 16, 24, 16])
    # The box around a turned box has empty corners, so it reaches further than half a cell's cover.
    assert (extent(found.masks[0]) - edges).abs().max() <= (1.5 if "rotate" in settings else 1)
    # Only the white box is above 200; grey is what moved in from outside.
    white = reduced(255 * (image[:1] > 200))[0]
    inside = reduced(255 * ((image[:1] > 200) | (image[:1] < 50)))[0]
    # An edge is drawn out over a cell, half of it on either side.
    assert (found.masks[0] - white).abs().max() <= 0.3 * 255
    assert (found.masks[0] - white).abs().mean() <= 0.02 * 255
    if "pad" in settings and "zoom" not in settings:
        assert (found.masks[1] - inside).abs().max() <= 0.5
    else:
        assert (found.masks[1] - inside).abs().mean() <= 0.02 * 255


@pytest.mark.parametrize("settings", MOVES)
def test_masks_draw_nothing_and_leave_the_image_and_boxes_as_they_were(settings):
    augment = Augment(AugmentSettings(**settings, colour=0.3, blur=0.5, erase=0.5), SIZE, (1, 0))
    image = torch.randint(0, 255, (3, *SIZE), dtype=torch.uint8)
    boxes = Located.by_boxes(BOX[None], torch.tensor([0]))
    both = boxes._replace(masks=torch.randint(0, 255, (2, *GRID), dtype=torch.uint8))
    for seed in range(8):
        made = []
        for where in (boxes, both):
            torch.manual_seed(seed)
            looks, found = augment(image, where)
            made.append((looks, found.boxes, found.parts, torch.get_rng_state()))
        assert all(map(torch.equal, *made))


def test_masks_may_be_as_large_as_the_image():
    augment = Augment(AugmentSettings(flip=0.0, pad=6), SIZE, (0,))
    masks = torch.randint(0, 127, (1, *SIZE), dtype=torch.uint8)
    torch.manual_seed(0)
    image, found = augment(masks.expand(3, *SIZE), by_masks(masks[None]).take(0))
    assert torch.equal(found.masks[0], image[0].where(image[0] != 128, 0))


def test_a_piece_without_a_readable_image_has_no_masks(tmp_path):
    (tmp_path / "bad.png").write_text("no image")
    rows = [{"image": "bad.png"}]
    images = Images.from_rows(rows, tmp_path, "piece")
    masks = Masks.from_values(
        ["other.png"], np.full((1, 2, 4, 4), 255, np.uint8), ("front", "rear"), {}
    )
    where = locate(masks, images, ("front", "rear"))
    assert where.masks.shape[:2] == (1, 2)
    assert not where.masks.any()


def test_boxes_of_another_vocabulary_lack_parts_and_few_parts_of_ones_own_do_not():
    def table(parts, about):
        rows = {"image": "1.jpg", "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.5, "score": 1.0}
        frame = pd.DataFrame({"part": parts}).assign(**rows, source="label")
        return Boxes(frame, about)

    chosen = load_recipe("eianet-small", ["parts.use=[paper box, anu sign]"])
    for about in ({}, {"vocabulary": load_vocabulary("eia").record()}):
        assert lacking_parts(chosen, table(["plate"], about))[0] == []
    assert lacking_parts(chosen, table(["window"], {}))[0] == ["paper box", "anu sign"]
    windows = {"vocabulary": load_vocabulary("prn").record()}
    for parts in (["window"], []):
        lacking, known = lacking_parts(chosen, table(parts, windows))
        assert lacking == ["paper box", "anu sign"] and known == ["brand", "light", "window"]
