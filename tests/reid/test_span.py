"""SPAN as a re-ID method: section 3.2, and CPDM in its losses and in its embeddings."""

import numpy as np
import pandas as pd
import pytest
import torch

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.masks import Masks
from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.distances import CoOccurrence, distance_named
from reid.embedding import embed
from reid.methods import build_criterion, build_model
from reid.models.views import as_views
from reid.parts.located import Located
from reid.recipe import parse_recipe
from reid.run import save_model
from reid.training.fit import fit
from reid.training.module import Training

VIEWS = ("front", "rear", "side")


def recipe(**changes):
    content = {
        "method": "span",
        "backbone": {"name": "mobilenetv3_small_050", "weights": None},
        "image": {"height": 32, "width": 32},
        "parts": {"vocabulary": "views", "use": list(VIEWS)},
        "dimension": 12,
        "view_dimension": 6,
        "join": "views",
        "distance": "cpdm",
        "loss": {"triplet": 1.0},
        "batch": {"size": 8, "per_identity": 2},
        "optimiser": {"lr": 0.003},
        "precision": "float32",
        "epochs": 2,
    }
    return parse_recipe(content | changes, "tiny")


@pytest.fixture
def masks(crops):
    """Front and side on the first camera, rear on the second; nothing on the first image."""
    values = np.zeros((len(crops), 3, 8, 8), dtype=np.uint8)
    second = (crops.frame["camera"] == "2").to_numpy()
    values[~second, 0, :, :3], values[~second, 2, :, 3:], values[second, 1] = 255, 255, 200
    values[0] = 0
    return Masks.from_values(list(crops.frame["image"]), values, VIEWS, {})


def inputs(count=4, seed=0):
    random = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=random)
    masks = torch.randint(0, 256, (count, 3, 8, 8), dtype=torch.uint8, generator=random)
    return pixels, Located.nowhere(count)._replace(masks=masks)


def test_each_view_sees_the_shared_map_under_its_mask():
    model = build_model(recipe(), 5, start=False).eval()
    pixels, where = inputs()
    with torch.no_grad():
        found = model.describe(pixels, where)
        shared = model.first(pixels)
        assert torch.allclose(
            found.embedding, model.reduce[0](model.seconds[0](shared).mean((2, 3)))
        )
        for view in range(3):
            # 8 x 8 cells onto 4 x 4: the mean of each square of four.
            cells = where.masks[:, view].float().reshape(4, 4, 2, 4, 2).mean((2, 4)) / 255
            masked = model.seconds[1 + view](shared * cells[:, None]).mean((2, 3))
            expected = model.reduce[1 + view](masked)
            torch.testing.assert_close(found.parts[:, view], expected)
    assert (found.embedding.shape, found.parts.shape) == ((4, 12), (4, 3, 6))
    conv5 = [next(second.parameters()) for second in model.seconds]
    assert len({each.data_ptr() for each in conv5}) == 4
    assert model.classifier.in_features == 12 + 3 * 6


@pytest.mark.parametrize(("join", "width"), [("concat", 30), ("fc", 12)])
def test_the_rows_of_table_2(join, width):
    chosen = recipe(join=join, distance="euclidean")
    model = build_model(chosen, 5, start=False).eval()
    pixels, where = inputs()
    with torch.no_grad():
        found = model.describe(pixels, where)
        assert found.embedding.shape == (4, width)
        assert model(pixels, where).scores.shape == (4, 5)
        if join == "concat":  # the same network, but for what it calls its embedding
            views = build_model(recipe(), 5, start=False).eval()
            views.load_state_dict(model.state_dict())
            apart = views.describe(pixels, where)
            expected = torch.cat([apart.embedding, apart.parts.flatten(1)], 1)
            torch.testing.assert_close(found.embedding, expected)


def test_without_views_it_is_the_baseline():
    chosen = recipe(parts={"vocabulary": "views", "use": []}, join="concat", distance="euclidean")
    model = build_model(chosen, 5, start=False).eval()
    pixels, _ = inputs()
    with torch.no_grad():
        found = model.describe(pixels, Located.nowhere(4))
    assert (found.embedding.shape, found.parts.shape[1]) == ((4, 12), 0)
    assert len(model.seconds) == 1


def test_without_views_cpdm_is_the_distance_of_the_whole():
    chosen = recipe(parts={"vocabulary": "views", "use": []})
    model = build_model(chosen, 5, start=False).eval()
    pixels, _ = inputs()
    with torch.no_grad():
        output = model(pixels, Located.nowhere(4))
    views, distance = as_views(output.vectors, output.areas, scaled=False)
    assert views.shape == (4, 13)
    whole = output.vectors.embedding
    apart = torch.cdist(whole, whole)
    torch.testing.assert_close(distance.pairwise(views, views), apart, atol=1e-4, rtol=1e-4)
    labels = torch.tensor([0, 0, 1, 1])
    batch = Batch(pixels, Located.nowhere(4), labels, labels)
    assert all(term.isfinite() for term in build_criterion(chosen)(output, batch).values())


def test_triplets_are_batch_hard_by_cpdm():
    """Equation (7): its two terms by plain loops, and the gradient of the sum."""
    torch.manual_seed(0)
    chosen = recipe()
    model = build_model(chosen, 3, start=False)
    pixels, where = inputs(6)
    where.masks[0, 0] = where.masks[1, 1:] = where.masks[2] = 0
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    output = model(pixels, where)
    terms = build_criterion(chosen)(output, Batch(pixels, where, labels, labels))
    areas = where.masks.double().sum((2, 3))
    ratios = torch.cat([torch.ones(6, 1), areas / areas.sum(1, keepdim=True).clamp(min=1)], 1)
    vectors = [output.vectors.embedding, *output.vectors.parts.unbind(1)]

    def apart(a, b):
        weights = [float(ratios[a, i] * ratios[b, i]) for i in range(4)]
        return sum(
            w / sum(weights) * torch.linalg.vector_norm(f[a] - f[b])
            for w, f in zip(weights, vectors, strict=True)
        )

    losses = []
    for anchor in range(6):
        far = max(apart(anchor, i) for i in range(6) if i != anchor and labels[i] == labels[anchor])
        near = min(apart(anchor, i) for i in range(6) if labels[i] != labels[anchor])
        losses.append((far - near + 0.3).clamp(min=0))
    positive = [loss for loss in losses if loss > 0]
    triplet = sum(positive) / len(positive)
    torch.testing.assert_close(terms["triplet"], triplet)
    identity = torch.nn.functional.cross_entropy(output.scores, labels)
    torch.testing.assert_close(terms["identity"], identity)
    weight = model.reduce[2].weight
    ours = torch.autograd.grad(terms["triplet"], weight, retain_graph=True)[0]
    plain = torch.autograd.grad(triplet, weight)[0]
    torch.testing.assert_close(ours, plain, atol=1e-6, rtol=1e-4)
    assert ours.abs().sum() > 0


def test_training_and_embedding(crops, masks, tmp_path):
    run = fit(recipe(), crops, masks, tmp_path / "run", device="cpu", workers=0, progress=False)
    notes = (tmp_path / "run" / "notes.txt").read_text()
    assert "front: " in notes
    assert "of a vehicle" in notes
    found = embed(run, crops, masks, device="cpu", progress=False)
    assert found.distance == "cpdm:12,6,6,6"
    assert found.vectors.shape == (len(crops), 12 + 18 + 4)
    ratios = found.vectors[:, -4:]
    assert (ratios[:, 0] == 1).all()
    np.testing.assert_allclose(ratios[1:, 1:].sum(1), 1, atol=1e-5)
    assert not ratios[0, 1:].any()
    # Views of the two cameras are disjoint, so f_0 alone decides; so it does without any view.
    distance = distance_named(found.distance)
    rows = torch.from_numpy(found.vectors)
    cameras = crops.frame["camera"].to_numpy()
    pairs = distance.pairwise(rows, rows)
    whole = torch.cdist(rows[:, :12], rows[:, :12])
    across = torch.from_numpy(cameras[:, None] != cameras[None])
    across[0] = True
    torch.testing.assert_close(pairs[across], whole[across], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(pairs[~across], whole[~across], atol=1e-4)
    again = fit(recipe(), crops, masks, tmp_path / "run", device="cpu", workers=0, progress=False)
    assert again.hash == run.hash
    with pytest.raises(InputError, match="run of another boxes"):
        other = Masks.from_values(
            list(crops.frame["image"]), masks.of(crops)[::-1].copy(), VIEWS, {}
        )
        fit(recipe(), crops, other, tmp_path / "run", device="cpu", workers=0, progress=False)


def test_an_unreadable_image_costs_a_line_and_a_missing_mask_the_run(crops, masks, tmp_path):
    run = fit(recipe(epochs=1), crops, masks, tmp_path / "run", device="cpu", workers=0,
              progress=False)  # fmt: skip
    torn, name = crops.paths[3], crops.frame["image"][3]
    frame = masks.frame[masks.frame["image"] != name]
    fewer = Masks(frame, masks.views, masks.size, source="fewer")
    with pytest.raises(InputError, match=f"have no mask; the first is '{name}'"):
        embed(run, crops, fewer, device="cpu", progress=False)
    torn.write_bytes(b"torn")
    found = embed(run, crops, fewer, device="cpu", progress=False)
    assert len(found.vectors) == len(crops) - 1
    assert len(found.problems) == 1


def test_the_mirror_image_has_mirrored_masks(crops, masks, tmp_path):
    run = fit(recipe(epochs=1), crops, masks, tmp_path / "run", device="cpu", workers=0,
              progress=False)  # fmt: skip
    with_mirror = embed(run, crops, masks, mirror=True, device="cpu", progress=False)
    flipped = Masks.from_values(
        list(crops.frame["image"]), masks.of(crops)[..., ::-1].copy(), VIEWS, {}
    )
    alone = embed(run, crops, masks, device="cpu", progress=False)
    assert not np.allclose(with_mirror.vectors, alone.vectors, atol=1e-4)
    assert np.allclose(with_mirror.vectors[:, -4:], alone.vectors[:, -4:])
    assert not np.allclose(
        embed(run, crops, flipped, device="cpu", progress=False).vectors, alone.vectors, atol=1e-4
    )


def test_boxes_are_not_masks(crops, part_boxes, masks, tiny_recipe, tmp_path):
    with pytest.raises(InputError, match=r"give --masks.*has no masks"):
        fit(recipe(), crops, part_boxes, tmp_path / "run", device="cpu", progress=False)
    with pytest.raises(InputError, match=r"give --boxes.*has no boxes"):
        fit(tiny_recipe, crops, masks, tmp_path / "run", device="cpu", progress=False)
    assert isinstance(part_boxes, Boxes)


def test_iterations_are_counted_in_batches(crops, masks, tmp_path):
    chosen = recipe(iterations=5, optimiser={"lr": 0.01, "warmup": 1, "decay_to": 0.01})
    fit(chosen, crops, masks, tmp_path / "run", device="cpu", workers=0, progress=False)
    logged = pd.read_csv(next((tmp_path / "run").glob("csv/*/metrics.csv")))
    assert logged["step"].max() == 4
    steps = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=False)["global_step"]
    assert steps == 5
    # Two batches an epoch: the rate has risen after the first, and falls to its share in the end.
    rates = logged["lr"].dropna()
    assert rates.max() == pytest.approx(0.01 * 0.01 ** (2 / 5))
    assert rates.iloc[-1] == pytest.approx(0.01 * 0.01)


def test_iterations_go_on_with_the_same_batches(crops, masks, tmp_path, monkeypatch):
    chosen = recipe(iterations=5)
    whole = fit(chosen, crops, masks, tmp_path / "whole", device="cpu", workers=0, progress=False)

    stops = iter([True])
    after = Training.on_train_epoch_end

    def die(self):
        after(self)
        if self.trainer.current_epoch == 1 and next(stops, False):
            raise RuntimeError("killed")

    monkeypatch.setattr(Training, "on_train_epoch_end", die)
    with pytest.raises(RuntimeError, match="killed"):
        fit(chosen, crops, masks, tmp_path / "parts", device="cpu", workers=0, progress=False)
    again = fit(chosen, crops, masks, tmp_path / "parts", device="cpu", workers=0, progress=False)
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[name], value)
    assert again.hash == whole.hash


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"join": "concat"}, "need each other"),
        ({"distance": "cosine"}, "need each other"),
        ({"method": "prn"}, "join is not of the method prn"),
        ({"method": "prn", "join": "concat", "distance": "euclidean"}, "view_dimension is not of"),
        ({"loss": {"global_weight": 0, "triplet": 0}}, "nothing to learn"),
        ({"loss": {"alignment": {"weight": 1}}}, "loss.alignment is not of the method span"),
    ],
)
def test_recipes_that_make_no_sense(changes, words):
    with pytest.raises(InputError, match=words):
        recipe(**changes)


@pytest.mark.parametrize("name", ["resnet18", "tf_efficientnet_lite0"])
def test_another_training_starts_from_the_branch_that_sees_everything(name, tmp_path):
    chosen = recipe(backbone={"name": name, "weights": None, "output_stride": 16})
    model = build_model(chosen, 5, start=False).eval()
    for parameter in model.seconds[1].parameters():
        torch.nn.init.zeros_(parameter)  # so that branches can be told apart
    save_model(tmp_path / "model.pt", model, chosen, ("a", "b", "c", "d", "e"))
    backbone = Backbone(name, str(tmp_path), 16).eval()
    pixels, _ = inputs()
    with torch.no_grad():
        torch.testing.assert_close(backbone(pixels), model.seconds[0](model.first(pixels)))
    with pytest.raises(InputError, match="run of SPAN has no whole backbone, and its pieces are"):
        Backbone("resnet34", str(tmp_path), partial=True)


def test_views_keep_their_lengths_where_cpdm_was_trained():
    model = build_model(recipe(), 5, start=False).eval()
    pixels, where = inputs()
    with torch.no_grad():
        found = model.describe(pixels, where)
    packed, distance = as_views(found, torch.ones(4, 3), scaled=False)
    assert isinstance(distance, CoOccurrence)
    torch.testing.assert_close(packed[:, :12], found.embedding)
    scaled, _ = as_views(found, torch.ones(4, 3))
    torch.testing.assert_close(scaled[:, :12].norm(dim=1), torch.ones(4))


def test_a_transformer_has_no_last_stage_to_divide():
    backbone = {"name": "vit_tiny_patch16_224", "weights": None, "output_stride": 16}
    with pytest.raises(InputError, match="no conv5 to divide"):
        build_model(recipe(backbone=backbone), 5, start=False)
