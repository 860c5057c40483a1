"""Networks put together from a recipe: what each branch, pooling and loss of one is."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

import reid.training.fit as fitting
import reid.training.loop as loop
from annotations.errors import InputError
from annotations.masks import Masks
from pipelines.recipes import load_recipe
from reid.data.dataset import Batch
from reid.embedding import embed
from reid.evaluation.report import evaluate
from reid.methods import build_criterion, build_model
from reid.models.pooling import GeneralisedMeanPool
from reid.parts.located import Located
from reid.parts.maximum import maximum_over_parts
from reid.parts.pooling import average_over_parts
from reid.parts.projection import mark_cells
from reid.recipe import parse_recipe
from reid.recipe.losses import LossSettings
from reid.run import Run, save_model
from reid.training.fit import fit

SETTINGS = {
    "method": "composed",
    "backbone": {"name": "resnet10t", "weights": None, "output_stride": 16},
    "image": {"height": 64, "width": 64},
    "parts": {"use": []},
    "dimension": 8,
    "view_dimension": 6,
    "loss": {"triplet": 1.0},
    "augment": {"flip": 0.5},
    "optimiser": {"name": "adamw", "lr": 0.002},
    "batch": {"size": 8, "per_identity": 2},
    "precision": "float32",
    "epochs": 2,
}
PARTS = {"use": ["window", "light", "brand"]}
LABELS = torch.tensor([0, 0, 1, 1])


def recipe(**changes):
    return parse_recipe({**SETTINGS, **changes}, "test")


def inputs():
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (4, 3, 64, 64), generator=random, dtype=torch.uint8)
    boxes = torch.tensor([[0.1, 0.1, 0.6, 0.5], [0.5, 0.5, 1.0, 1.0]]).repeat(4, 1, 1)
    parts = torch.tensor([[0, 2]]).repeat(4, 1)
    parts[-1] = -1
    return images, Located.by_boxes(boxes, parts)


def terms_of(chosen, shown=None, viewpoints=None):
    model = build_model(chosen, 3, start=False)
    criterion = build_criterion(chosen, model, shown)
    images, where = inputs()
    output = model(images, where)
    return output, criterion(output, Batch(images, where, LABELS, LABELS, viewpoints))


def test_the_neck_stands_between_what_triplets_measure_and_what_is_classified_and_compared():
    model = build_model(recipe(neck=True, distance="cosine"), 3, start=False).eval()
    model.neck.running_mean.fill_(0.5)
    images, where = inputs()
    with torch.no_grad():
        output = model(images, where)
        maps = model.backbone(images)
        whole = model.reduce(maps.mean((2, 3)))
        necked = (whole - 0.5) / (1 + model.neck.eps) ** 0.5
        torch.testing.assert_close(output.compared, whole)
        torch.testing.assert_close(model.describe(images, where).embedding, necked)
        torch.testing.assert_close(output.scores, necked @ model.classifier.weight.T)
    assert not model.neck.bias.requires_grad


def test_a_global_vector_as_long_as_the_map_is_deep_is_not_shortened():
    model = build_model(recipe(dimension=512), 3, start=False)
    assert model.backbone.channels == 512
    assert isinstance(model.reduce, torch.nn.Identity)


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize("join", ["global", "concat"])
def test_parts_are_pooled_shortened_and_joined(pool, join):
    chosen = recipe(parts={**PARTS, "pool": pool}, join=join, stripes=2)
    model = build_model(chosen, 3, start=False).eval()
    images, where = inputs()
    with torch.no_grad():
        maps = model.backbone(images)
        if pool == "max":
            vectors, seen = maximum_over_parts(maps, where.boxes, where.parts, 3)
        else:
            cells = mark_cells(where.boxes, where.parts, 3, (4, 4))
            vectors, seen = average_over_parts(maps, cells)
        found = model.describe(images, where)
        assert torch.equal(found.visible, seen)
        each = []
        for number in range(3):
            shorter = vectors[:, number] @ model.reduce_each.weight[number]
            shorter = (shorter + model.reduce_each.bias[number]) * seen[:, number, None]
            torch.testing.assert_close(found.parts[:, number], shorter)
            each.append(F.normalize(shorter))
        whole = model.reduce(maps.mean((2, 3)))
        if join == "global":
            torch.testing.assert_close(found.embedding, whole)
            return
        for number in range(2):
            rows = maps[:, :, 2 * number : 2 * number + 2].mean((2, 3))
            shorter = rows @ model.reduce_each.weight[3 + number]
            each.append(F.normalize(shorter + model.reduce_each.bias[3 + number]))
        torch.testing.assert_close(found.embedding, torch.cat([*each, F.normalize(whole)], 1))


def test_nothing_is_classified_that_has_no_weight():
    chosen = recipe(parts=PARTS, loss={"global_weight": 0, "triplet": 1.0})
    model = build_model(chosen, 3, start=False)
    assert model.classifier is None
    images, where = inputs()
    output = model(images, where)
    assert output.scores.shape == (len(images), 0)
    terms = build_criterion(chosen)(output, Batch(images, where, LABELS, LABELS))
    assert set(terms) == {"branches", "triplet"}
    sum(terms.values()).backward()
    assert all(weight.grad is not None for weight in model.parameters() if weight.requires_grad)


def test_the_generalised_mean_is_the_mean_at_power_1_and_tends_to_the_maximum():
    maps = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(GeneralisedMeanPool(1.0)(maps), maps.mean((2, 3)))
    torch.testing.assert_close(
        GeneralisedMeanPool(200.0)(maps), maps.amax((2, 3)), rtol=0.02, atol=0
    )
    pool = GeneralisedMeanPool()
    expected = torch.stack([(row.double() ** 3).mean() ** (1 / 3) for row in maps.flatten(2)[0]])
    torch.testing.assert_close(pool(maps)[0].double(), expected, rtol=1e-5, atol=1e-7)
    silent = torch.zeros(1, 2, 3, 3, requires_grad=True)
    pool(silent).sum().backward()
    assert pool.power.grad.isfinite() and silent.grad.isfinite().all()


def test_every_loss_with_a_weight_is_a_term():
    everything = {
        "global_weight": 0.5,
        "triplet": 1.0,
        "circle": {"weight": 0.3},
        "cluster": {"weight": 0.7, "margin": 0.4},
        "alignment": {"weight": 0.1},
        "viewpoint": {"weight": 0.2, "classes": 2},
    }
    chosen = recipe(parts=PARTS, stripes=2, loss=everything, distance="cosine")
    shown = torch.tensor([[True, True], [True, False], [True, True]])
    output, terms = terms_of(chosen, shown, torch.tensor([0, 1, 0, 0]))
    assert set(terms) == {
        "global", "branches", "triplet", "circle", "cluster", "alignment", "partition", "reunion",
    }  # fmt: skip
    torch.testing.assert_close(terms["global"], 0.5 * F.cross_entropy(output.scores, LABELS))
    expected = []
    seen = torch.cat([output.vectors.visible, torch.ones(4, 2, dtype=torch.bool)], 1)
    for number in range(5):
        mine = seen[:, number]
        if mine.any():
            expected.append(F.cross_entropy(output.branch_scores[mine, number], LABELS[mine]))
    torch.testing.assert_close(terms["branches"], sum(expected))
    assert all(term.isfinite() for term in terms.values())
    unit = F.normalize(output.vectors.parts, dim=2)
    both = output.vectors.visible[0] & output.vectors.visible[1]
    aligned = (unit[0] - unit[1]).square().sum(1)[both].sum()
    torch.testing.assert_close(terms["alignment"], 0.1 * aligned)


def test_views_are_learned_by_what_compares_them():
    views = {"vocabulary": "views", "use": ["front", "rear", "side"], "pool": "mask"}
    chosen = recipe(parts=views, join="views", distance="cpdm")
    model, criterion = build_model(chosen, 3, start=False), build_criterion(chosen)
    images, where = inputs()
    masks = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    where = Located.nowhere(4)._replace(masks=masks)
    terms = criterion(model(images, where), Batch(images, where, LABELS, LABELS))
    assert set(terms) == {"global", "branches", "triplet"}
    assert criterion.whole.triplet.loss.distance.distance.name == "cpdm:8,6,6,6"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stripes": 5}, "stripes 5: the feature map has 4 rows"),
        ({"stripes": 2, "parts": PARTS, "join": "views", "distance": "cpdm"}, "nothing to weigh"),
        ({"parts": PARTS, "join": "views", "distance": "cpdm", "neck": True}, "neck: the distance"),
        ({"join": "views", "distance": "cpdm"}, "it needs parts.use"),
        ({"join": "views"}, "need each other"),
        ({"join": "fc"}, "join: fc is not of the method composed"),
        ({"distance": "shared"}, "compares the parts that both images show"),
        ({"distance": "shared", "parts": PARTS}, "not one that loss.triplet"),
        ({"batch": {"size": 8}}, "loss.triplet needs pairs"),
        ({"loss": {"cluster": {"weight": 1.0}}, "batch": {"size": 8}}, "needs pairs"),
        ({"loss": {"global_weight": 0}}, "nothing to learn"),
        (
            {"loss": {"global_weight": 0, "triplet": 1.0, "label_smoothing": 0.1}},
            "no cross-entropy has a weight that it would smooth",
        ),
        ({"method": "eianet", "loss": {"cluster": {"weight": 0.0}}}, "nothing to learn"),
        (
            {"parts": PARTS, "join": "global", "loss": {"global_weight": 0}},
            "the global vector is compared, and no loss trains it",
        ),
        (
            {"parts": PARTS, "join": "concat", "loss": {"global_weight": 0}},
            "the global vector is compared, and no loss trains it",
        ),
        ({"stripes": 2, "loss": {"stripes": 0, "triplet": 0}}, "stripes are compared, and no loss"),
        (
            {"parts": PARTS | {"weight": 0.0}, "loss": {"triplet": 0}},
            "is compared, and no loss trains its vector: give parts.weight",
        ),
        (
            {"method": "mfgnet", "stripes": 2, "loss": {"global_weight": 0, "triplet": 0}},
            "the global vector is compared, and no loss trains it",
        ),
        ({"loss": {"triplet": 1.0, "margin": -0.1}}, "'loss.margin'"),
        ({"loss": {"alignment": {"weight": 1.0}}}, "loss.alignment needs parts.use"),
        ({"method": "mfgnet", "parts": PARTS}, "MFG-Net looks at stripes"),
        ({"method": "prn", "parts": PARTS, "stripes": 2}, "stripes is not of the method prn"),
        ({"method": "prn", "neck": True}, "neck is not of the method prn"),
        ({"optimiser": {"schedule": "cosine", "drop_every": 5}}, "the rate falls in one way"),
        ({"optimiser": {"drop_after": [9, 4]}}, "must rise"),
        ({"loss": {"cluster": {"weight": 1.0, "branches": 0.1}}}, "cluster.branches"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(changes, words):
    with pytest.raises(InputError, match=words):
        recipe(**({"view_dimension": 512} if "method" in changes else {}), **changes)


@pytest.mark.parametrize("join", ["global", "concat"])
@pytest.mark.parametrize("whole", ["none", "global_weight", "triplet"])
@pytest.mark.parametrize("each", list(itertools.product([0.0, 1.0], repeat=3)))
def test_what_is_compared_is_learned_or_the_recipe_is_refused(join, whole, each):
    """What a recipe is refused for is what gets no gradient, and nothing else."""
    part, stripe, aligned = each
    loss = {"global_weight": 0, "stripes": stripe, "alignment": {"weight": aligned}}
    loss |= {} if whole == "none" else {whole: 1.0}
    changes = {"join": join, "stripes": 2, "parts": PARTS | {"weight": part}, "loss": loss}
    learning = recipe(**{**changes, "loss": {**loss, "global_weight": 1.0, "triplet": 1.0}})
    blind = learning.model_copy(update={"loss": LossSettings(**loss)})
    try:
        recipe(**changes)
        accepted = True
    except InputError as error:
        assert "compared, and no loss trains" in str(error) or "nothing to learn" in str(error)
        accepted = False
    model = build_model(blind, 3, start=False)
    images, (boxes, _, _) = inputs()
    boxes = torch.cat([boxes, boxes[:, :1]], 1)
    where = Located.by_boxes(boxes, torch.tensor([[0, 1, 2]]).repeat(4, 1))
    terms = build_criterion(blind, model, None)(
        model(images, where), Batch(images, where, LABELS, LABELS, None)
    )
    if terms and sum(terms.values()).requires_grad:
        sum(terms.values()).backward()
    compared = [model.reduce.weight.grad]
    if join == "concat":
        grad = model.reduce_each.weight.grad
        compared += [None] * 5 if grad is None else list(grad)
    assert accepted == all(grad is not None and bool(grad.any()) for grad in compared)


@pytest.mark.parametrize("distance", ["euclidean", "cosine", "shared"])
def test_parts_and_stripes_train_embed_and_are_compared(crops, part_boxes, tmp_path, distance):
    loss = {"cluster": {"weight": 1.0, "margin": 0.3}} if distance == "shared" else {"triplet": 1.0}
    chosen = recipe(parts=PARTS, stripes=2, loss=loss, distance=distance, neck=True)
    run = fit(chosen, crops, part_boxes, tmp_path / "r", device="cpu", workers=0, progress=False)
    embedded = embed(run, crops, part_boxes, progress=False, device="cpu")
    width = 5 * 6 + 8
    assert embedded.vectors.shape[1] == width + (4 if distance == "shared" else 0)
    expected = "shared:6,6,6,20" if distance == "shared" else distance
    assert embedded.distance == expected
    scored = evaluate(run, crops, part_boxes, progress=False, device="cpu")
    assert 0 < scored.table.set_index("metric").loc["mAP", "value"] <= 1
    with pytest.raises(InputError, match="has its parts already"):
        evaluate(run, crops, part_boxes, branches="views", progress=False, device="cpu")
    with pytest.raises(InputError, match="give --boxes"):
        evaluate(run, crops, progress=False, device="cpu")


def test_masks_of_views_train_and_are_compared_by_cpdm(crops, tmp_path):
    values = np.zeros((len(crops), 3, 8, 8), dtype=np.uint8)
    second = (crops.frame["camera"] == "2").to_numpy()
    values[~second, 0], values[second, 1] = 255, 200
    names = ("front", "rear", "side")
    values[:, 2, :, :4] = 90
    masks = Masks.from_values(list(crops.frame["image"]), values, names, {})
    views = {"vocabulary": "views", "use": list(names), "pool": "mask"}
    chosen = recipe(parts=views, join="views", distance="cpdm")
    run = fit(chosen, crops, masks, tmp_path / "r", device="cpu", workers=0, progress=False)
    assert embed(run, crops, masks, progress=False, device="cpu").distance == "cpdm:8,6,6,6"
    evaluate(run, crops, masks, progress=False, device="cpu")


def with_viewpoints(images):
    words = np.where(images.frame["camera"] == "1", "front", "rear-left")
    return type(images)(images.frame.assign(viewpoint=words), images.root, images.source)


def test_identities_are_shown_in_the_order_of_their_class_numbers(crops):
    images = with_viewpoints(crops).split("train")
    frame = images.frame[~((images.frame["identity"] == "2") & (images.frame["camera"] == "2"))]
    images = type(images)(frame, images.root, images.source)
    chosen = recipe(loss={"global_weight": 0, "viewpoint": {"weight": 1.0}})
    prepared = fitting.prepare(chosen, images, None, progress=False)
    assert prepared.identities == ("0", "1", "2", "3")
    expected = torch.ones(4, 2, dtype=torch.bool)
    expected[2, 1] = False
    assert torch.equal(prepared.shown, expected)
    for label, viewpoint, name in zip(
        prepared.samples.labels, prepared.samples.viewpoints, images.frame["image"], strict=True
    ):
        assert name.startswith(f"{int(label)}_c{int(viewpoint) + 1}")
    assert any("1 of 4 labels are seen from one viewpoint" in note for note in prepared.notes)


def test_a_mirrored_image_is_of_the_mirrored_viewpoint(crops):
    words = np.where(crops.frame["camera"] == "1", "left", "right")
    words[crops.frame["identity"] == "1"] = "front"
    sides = {"front": ["front", "rear"], "left": ["left"], "right": ["right"]}
    images = type(crops)(crops.frame.assign(viewpoint=words), crops.root, crops.source)
    loss = {"global_weight": 0, "viewpoint": {"weight": 1.0, "classes": sides}}
    for flip in (0.0, 1.0):
        chosen = recipe(loss=loss, augment={"flip": flip}, distance="cosine")
        samples = fitting.prepare(chosen, images, None, progress=False).samples
        for number, own in enumerate(samples.viewpoints.tolist()):
            expected = {0: 0, 1: 2, 2: 1}[own] if flip else own
            assert int(samples[number, 5].viewpoints) == expected
    only_left = images.frame[images.frame["viewpoint"] != "right"]
    fewer = type(images)(only_left, images.root, images.source)
    two = {"front": ["front"], "left": ["left"]}
    loss["viewpoint"]["classes"] = two
    with pytest.raises(InputError, match=r"'left': its mirrored images .* augment\.flip=0"):
        fitting.prepare(recipe(loss=loss, distance="cosine"), fewer, None, progress=False)


def test_mirrored_images_show_an_identity_from_its_other_side(crops):
    words = np.where(crops.frame["camera"] == "1", "left", "front")
    images = type(crops)(crops.frame.assign(viewpoint=words), crops.root, crops.source)
    images.frame.loc[images.frame["identity"] == "3", "viewpoint"] = "right"
    sides = {"front": ["front"], "left": ["left"], "right": ["right"]}
    loss = {"global_weight": 0, "viewpoint": {"weight": 1.0, "classes": sides}}
    for flip, expected in ((0.5, [True, True, True]), (0.0, [True, True, False])):
        chosen = recipe(loss=loss, augment={"flip": flip}, distance="cosine")
        shown = fitting.prepare(chosen, images, None, progress=False).shown
        assert shown[0].tolist() == expected


@pytest.mark.parametrize("method", ["composed", "prn"])
def test_val_trains_beside_any_method(crops, tmp_path, method):
    viewpoint = {"weight": 1.0, "classes": 2}
    changes = {"loss": {"global_weight": 0, "viewpoint": viewpoint}, "distance": "cosine"}
    if method == "prn":
        changes |= {"method": "prn", "view_dimension": 512}
    images = with_viewpoints(crops)
    out = tmp_path / "run"
    fit(recipe(**changes), images, None, out, device="cpu", workers=0, progress=False)
    log = pd.read_csv(out / "csv/version_0/metrics.csv")
    assert {"loss/partition", "loss/reunion"} <= set(log.columns)
    assert "images by viewpoint: front 8, rear 8" in (out / "notes.txt").read_text()
    turned = images.frame.assign(viewpoint="rear")
    turned.loc[::2, "viewpoint"] = "front"
    other = type(images)(turned, images.root, images.source)
    with pytest.raises(InputError, match="a run of another images"):
        fit(recipe(**changes), other, None, out, device="cpu", workers=0, progress=False)


def test_val_says_what_the_labels_lack_before_any_image_is_read(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "readable", lambda *_: pytest.fail("read images first"))
    chosen = recipe(loss={"global_weight": 0, "viewpoint": {"weight": 1.0}}, distance="cosine")
    with pytest.raises(InputError, match="viewpoint"):
        fit(chosen, crops, None, tmp_path / "a", device="cpu", workers=0, progress=False)
    frame = with_viewpoints(crops).frame
    frame["viewpoint"] = np.where(frame["identity"].astype(int) % 2, "front", "rear")
    apart = type(crops)(frame, crops.root, crops.source)
    with pytest.raises(InputError, match="viewpoint"):
        fit(chosen, apart, None, tmp_path / "b", device="cpu", workers=0, progress=False)


def test_the_average_of_the_weights_is_what_is_kept(crops, tmp_path):
    plain = recipe(optimiser={"name": "sgd", "lr": 0.05})
    averaged = recipe(optimiser={"name": "sgd", "lr": 0.05, "average": 0.9})
    runs = [
        fit(each, crops, None, tmp_path / name, device="cpu", workers=0, progress=False)
        for name, each in (("plain", plain), ("averaged", averaged))
    ]
    pairs = zip(*(run.model.parameters() for run in runs), strict=True)
    assert not all(torch.equal(one, other) for one, other in pairs)


def test_an_average_forgets_what_it_began_with():
    mean, count = torch.zeros(1), 0
    for count in range(60):
        mean = loop._moved(0.999, mean, torch.ones(1), count)
    assert mean > 0.95  # of a plain average with 0.999 it would be 0.06
    late = loop._moved(0.9, torch.zeros(1), torch.ones(1), 10_000)
    torch.testing.assert_close(late, torch.full((1,), 0.1))


def test_the_circle_loss_is_as_exact_in_mixed_precision():
    chosen = recipe(loss={"circle": {"weight": 1.0}}, distance="cosine")
    output, terms = terms_of(chosen)
    criterion = build_criterion(chosen)
    with torch.autocast("cpu", torch.bfloat16):
        batch = Batch(*inputs(), LABELS, LABELS)
        mixed = criterion(output, batch)["circle"]
    torch.testing.assert_close(mixed, terms["circle"])


def test_val_recipes_have_the_papers_numbers():
    for name in ("val-veri776", "val-vehicleid"):
        found = load_recipe(name)
        about = found.loss.viewpoint
        assert (about.scale, about.margin, about.reunion, about.classes) == (48, 0.5, 1, 2)
        assert (found.image.height, found.backbone.name) == (256, "resnet50")
        assert found.augment.colour and found.augment.flip
        assert not found.loss.global_weight


def test_a_transformer_gives_a_map_of_its_patches():
    chosen = recipe(
        backbone={"name": "vit_tiny_patch16_224", "weights": None, "output_stride": 16},
        image={"height": 64, "width": 32},
        dimension=192,
        stripes=4,
    )
    model = build_model(chosen, 3, start=False).eval()
    images = torch.randint(0, 255, (2, 3, 64, 32), dtype=torch.uint8)
    with torch.no_grad():
        tokens = model.backbone.network.forward_features(model.backbone.normalise(images))
        maps = model.backbone(images)
    assert maps.shape == (2, 192, 4, 2)
    torch.testing.assert_close(maps.flatten(2).transpose(1, 2), tokens[:, 1:])
    with pytest.raises(InputError, match="whole multiples"):
        changed = {**SETTINGS["image"], "height": 72}
        odd = recipe(backbone=chosen.backbone.model_dump(), image=changed)
        build_model(odd, 3, start=False)


def test_a_network_that_an_earlier_version_trained_is_taken_as_it_is(tmp_path):
    """It may have a vector that nothing trained; new trainings are refused."""
    content = {**SETTINGS, "parts": PARTS, "join": "global", "loss": {"global_weight": 0}}
    with pytest.raises(InputError, match="no loss trains it"):
        parse_recipe(content, "test")
    earlier = parse_recipe(content, "test", trained=True)
    save_model(tmp_path / "model.pt", build_model(earlier, 3, start=False), earlier, tuple("abc"))
    assert Run.load(tmp_path).recipe == earlier
