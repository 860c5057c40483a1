from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.data.labels import labels_of
from reid.data.sampler import EpochSampler
from reid.embedding import embed
from reid.evaluation.report import evaluate
from reid.methods import build_criterion, build_model
from reid.models.eianet import EIANet
from reid.models.part_based import PartBasedCNN
from reid.parts.located import Located
from reid.recipe import parse_recipe
from reid.training.fit import fit, prepare

SETTINGS = {
    "method": "eianet",
    "backbone": {"name": "resnet10t", "weights": None, "output_stride": 16},
    "image": {"height": 64, "width": 64},
    "dimension": 8,
    "part_based": True,
    "loss": {"cluster": {"margin": 0.5}, "alignment": {"weight": 0.1}},
    "augment": {"flip": 0.0},
    "optimiser": {"name": "adamw", "lr": 0.002},
    "batch": {"size": 8, "per_identity": 2},
    "distance": "cosine",
    "epochs": 2,
}


def recipe(**changes):
    return parse_recipe({**SETTINGS, **changes}, "test")


def draw(batch=4):
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 255, (batch, 3, 64, 64), generator=random, dtype=torch.uint8)
    boxes = torch.tensor([[0.1, 0.1, 0.6, 0.5], [0.5, 0.5, 1.0, 1.0]]).expand(batch, 2, 4)
    parts = torch.tensor([[0, 2]]).expand(batch, 2).clone()
    parts[-1] = -1
    return pixels, Located.by_boxes(boxes, parts)


def test_the_embedding_is_the_parts_maxima_and_the_part_based_vector():
    pixels, where = draw()
    model = EIANet(Backbone("resnet10t", None, 16), 3, 8, (64, 64)).eval()
    with torch.no_grad():
        found = model.describe(pixels, where)
        maps = model.local(model.backbone(pixels))
        lower = model.part_based(model.backbone.normalise(pixels))
    assert maps.shape == (4, 8, 4, 4)
    assert found.embedding.shape == (4, 3 * 8 + 600)
    torch.testing.assert_close(found.embedding[:, :24].view(4, 3, 8), found.parts)
    torch.testing.assert_close(found.embedding[:, 24:], lower)
    # The first box reaches from cell 0.4 to 2.4 across and from 0.4 to 2 down.
    torch.testing.assert_close(found.parts[0, 0], maps[0, :, :2, :3].amax((1, 2)))
    assert found.visible.tolist() == [[True, False, True]] * 3 + [[False] * 3]
    assert not found.parts[:, 1].any()
    assert not found.parts[3].any()


def test_variants_of_table_2_are_parts_of_it():
    pixels, where = draw()
    plain = EIANet(Backbone("resnet10t", None, 16), 0, 8).eval()
    with torch.no_grad():
        found = plain.describe(pixels, Located.nowhere(len(pixels)))
        mean = plain.local(plain.backbone(pixels)).mean((2, 3))
    torch.testing.assert_close(found.embedding, mean)
    local = EIANet(Backbone("resnet10t", None, 16), 3, 8).eval()
    with torch.no_grad():
        found = local.describe(pixels, where)
        maps = local.local(local.backbone(pixels))
    assert torch.equal(found.embedding[:3], found.parts[:3].flatten(1))
    # The last image shows no part: with nothing else to compare, each is taken to be anywhere.
    assert torch.equal(found.embedding[3].view(3, 8), maps[3].amax((1, 2)).expand(3, 8))
    assert not found.parts[3].any()
    assert not found.visible[3].any()


def test_images_without_parts_can_be_compared(crops, part_boxes, tmp_path):
    run = fit(recipe(part_based=False), crops, part_boxes, tmp_path / "run", device="cpu",
              workers=0, progress=False)  # fmt: skip
    kept = part_boxes.frame[part_boxes.frame["image"] != crops.frame["image"].iloc[-1]]
    few = Boxes(kept, part_boxes.about, "few")
    found = embed(run, crops, few, device="cpu", progress=False)
    assert np.isfinite(found.vectors).all()
    assert found.vectors[-1].any()
    with pytest.raises(InputError, match="has its parts already; use 'global'"):
        embed(run, crops, part_boxes, branches="global+parts", device="cpu", progress=False)


def test_halves_see_their_half_alone():
    network = PartBasedCNN((64, 96)).eval()
    pixels = torch.rand(1, 3, 64, 96)
    changed = pixels.clone()
    changed[:, :, :20] += 1
    with torch.no_grad():
        one, other = network(pixels), network(changed)
    assert one.shape == (1, 600)
    same = torch.isclose(one, other)
    assert not same[:, :500].all()
    assert same[:, 500:].all()


def batch_of(labels, models):
    return Batch(*draw(len(labels)), torch.tensor(labels), torch.tensor(models))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_the_loss_is_sections_3_and_4s(distance):
    chosen = recipe(
        distance=distance,
        label="year",
        loss={
            "cluster": {"margin": 0.5, "year_margin": 0.3, "branches": 0.25},
            "alignment": {"weight": 2.0, "pairs": None, "parts": ["window"]},
        },
    )
    batch = batch_of([0, 0, 1, 1], [0, 0, 0, 0])
    output = build_model(chosen, 2, start=False).eval()(batch.images, batch.where)
    terms = build_criterion(chosen)(output, batch)
    assert set(terms) == {"cluster", "upper", "lower", "alignment"}

    def unit(rows):
        return torch.nn.functional.normalize(rows) if distance == "cosine" else rows

    visible = output.vectors.visible
    assert not visible[-1].any() and visible[:-1].any(1).all()
    shown = visible.repeat_interleave(output.upper.shape[1] // 3, 1)
    always = torch.ones_like(output.lower, dtype=torch.bool)

    def equation_5(rows, seen):
        rows = rows.masked_fill(~seen, torch.nan)  # what neither adds to a mean nor to a sum

        def apart(row, centre):
            common = ~(row.isnan() | centre.isnan())
            one, other = (
                side[common] * (side.nan_to_num().norm() / side[common].norm())
                for side in (row, centre)
            )
            return (one - other).square().sum() if common.any() else None

        total = 0.0
        for own, others in ((rows[:2], rows[2:]), (rows[2:], rows[:2])):
            centre = own.nanmean(0)
            far = [found for row in others if (found := apart(row, centre)) is not None]
            for row in own:
                spread = apart(row, centre)
                over = (0 if spread is None else spread) + 0.5 - (min(far) - 0.3)
                total += max(over, torch.zeros(())) / 2
        return total / 2

    whole = output.vectors.embedding
    for name, rows, weight, seen in (
        ("cluster", whole, 1, torch.cat([shown, always], 1)),
        ("upper", output.upper, 0.25, shown),
        ("lower", output.lower, 0.25, always),
    ):
        torch.testing.assert_close(terms[name], weight * equation_5(unit(rows), seen))
    length = output.upper.shape[1] // 3
    windows = unit(whole)[:, :length]
    # The last image shows no part, so the second pair shares none.
    expected = 2.0 * (windows[0] - windows[1]).square().sum()
    torch.testing.assert_close(terms["alignment"], expected)


def test_training_and_embedding_look_at_boxes(crops, part_boxes, tmp_path):
    run = fit(recipe(), crops, part_boxes, tmp_path / "run", device="cpu", workers=0,
              progress=False)  # fmt: skip
    with pytest.raises(InputError, match="looks at parts: give --boxes"):
        embed(run, crops, device="cpu", progress=False)
    found = embed(run, crops, part_boxes, device="cpu", progress=False)
    other = part_boxes.frame.assign(x2=part_boxes.frame["x1"] + 0.01)
    moved = Boxes(other, part_boxes.about, "moved")
    again = embed(run, crops, moved, device="cpu", progress=False)
    assert (found.vectors != again.vectors).any()
    scored = evaluate(run, crops, part_boxes, progress=False, device="cpu")
    assert scored.table["value"].between(0, 1).all()


def test_labels_are_models_and_years(tmp_path):
    frame = pd.DataFrame(
        {
            "image": ["a", "b", "c", "d"],
            "identity": ["1", "2", "3", "4"],
            "make": ["X", "X", "Y", "X"],
            "model": ["s", "s", "s", "t"],
            "year": [2001, 2002, 2001, 2001],
        }
    )
    images = Images(frame, tmp_path, "cars")
    labels, models = labels_of(recipe(label="year"), images)
    assert labels.tolist() == ["X s, 2001", "X s, 2002", "Y s, 2001", "X t, 2001"]
    assert models.tolist() == ["X s", "X s", "Y s", "X t"]
    labels, _ = labels_of(recipe(label="model"), images)
    assert labels.tolist() == models.tolist()


def test_years_of_a_model_follow_each_other():
    labels = torch.arange(48).numpy() // 4  # twelve labels of four images
    models = labels // 3
    rows = [row for row, _ in EpochSampler(labels, 2, 0, lambda: 0, models, 2)]
    assert len(rows) == 48
    drawn = labels[rows][::2][:12]
    assert sorted(drawn.tolist()) == list(range(12))
    runs = sum(models[a * 4] == models[b * 4] for a, b in pairwise(drawn))
    assert runs >= 4  # each of the four models has a pair


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": {"size": 8}}, "per_identity to 2"),
        ({"loss": {"cluster": {"year_margin": 0.1}}}, "needs label: year"),
        ({"loss": {"triplet": 1.0}}, "loss.triplet is not of the method eianet"),
        ({"method": "prn"}, "loss.cluster|loss.alignment|part_based"),
        ({"loss": {"alignment": {"weight": 1, "parts": ["hood"]}}}, "hood is not in parts.use"),
        ({"parts": {"use": []}}, "loss.alignment needs parts.use"),
    ],
)
def test_settings_that_do_nothing_or_cannot_be_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        recipe(**changes)


def labelled(crops, years):
    frame = crops.frame.assign(model=crops.frame["identity"])
    return Images(frame.assign(year=pd.array(years, "Int64")), crops.root, crops.source)


def test_images_without_a_year_are_left_out_and_noted(crops, part_boxes):
    train = (crops.frame["split"] == "train").to_numpy()
    years = np.where(train, 2001.0, np.nan)
    years[np.flatnonzero(train)[:3]] = np.nan
    images = labelled(crops, pd.array(years).astype("Int64"))
    prepared = prepare(recipe(label="year"), images, part_boxes, progress=False)
    assert len(prepared.samples) == train.sum() - 3
    assert f"3 of {train.sum()} training images have no year and are left out" in prepared.notes
    nothing = labelled(crops, pd.array([pd.NA] * len(crops), "Int64"))
    with pytest.raises(InputError, match="images have no 'year', which training by year needs"):
        prepare(recipe(label="year"), nothing, part_boxes, progress=False)


def test_an_identity_that_is_missing_is_still_an_error(crops, part_boxes):
    frame = crops.frame.copy()
    lost = frame.index[frame["split"] == "train"][0]
    frame.loc[lost, "identity"] = None
    images = Images(frame, crops.root, crops.source)
    with pytest.raises(InputError, match=r"1 of .* images have no 'identity'"):
        prepare(recipe(), images, part_boxes, progress=False)


def test_a_table_without_years_is_said_before_training(crops, part_boxes, tmp_path):
    with pytest.raises(InputError, match="year"):
        fit(recipe(label="year"), crops, part_boxes, tmp_path, device="cpu", progress=False)
