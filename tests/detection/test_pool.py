from __future__ import annotations

import json
import shutil

import pytest
import torch
from PIL import Image

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.pixels import read_image
from annotations.vocabulary import Part, Vocabulary, load_vocabulary
from detection.card import DetectorCard, digests
from detection.evaluate import evaluate_detector
from detection.pool import by_image, hold_out, pooled_vocabulary
from detection.settings import DetectorSettings, DetectSettings
from detection.train import train_detector
from detection.trainer import PartTraining

TINY = DetectorSettings(weights="yolo11n.yaml", image_size=32, epochs=2, batch=4, mosaic=1.0)


def of_parts(labels: LabelledSet, *parts: str) -> LabelledSet:
    """Forget that the other parts were looked for."""
    frame = labels.boxes.frame
    kept = Boxes(frame[frame["part"].isin(parts)])
    return LabelledSet(labels.images, kept, labels.vocabulary, frozenset(parts))


@pytest.fixture(scope="module")
def lights(labels):
    return of_parts(labels, "light")


@pytest.fixture(scope="module")
def windows(draw, tmp_path_factory):
    return of_parts(draw(tmp_path_factory.mktemp("windows"), 6, seed=1), "window")


def train(sets, out, **changes):
    settings = TINY.model_copy(update=changes)
    return train_detector(sets, out, settings, device="cpu", progress=False)


@pytest.fixture
def batches(monkeypatch):
    """Keep what every training step sees."""
    seen = []
    prepare = PartTraining.preprocess_batch

    def remember(self, batch):
        prepared = prepare(self, batch)
        seen.append({k: v.clone() for k, v in prepared.items() if isinstance(v, torch.Tensor)})
        return prepared

    monkeypatch.setattr(PartTraining, "preprocess_batch", remember)
    return seen


def test_two_sets_of_other_parts_make_one_detector(lights, windows, tmp_path, batches):
    detector = train([lights, windows], tmp_path / "out", hold_out=2)
    assert detector.vocabulary.names == ("window", "light")
    card = json.loads((tmp_path / "out" / "detector.json").read_text())
    assert card["sets"] == {"1": ["light"], "2": ["window"]}
    names = {f"1/{n}" for n in lights.images.frame["image"]}
    names |= {f"2/{n}" for n in windows.images.frame["image"]}
    assert set(card["trained_on"]) | set(card["held_out"]) == names
    assert sorted(name[0] for name in card["held_out"]) == ["1", "1", "2", "2"]
    for labels, part, images in ((lights, "light", 2), (windows, "window", 2)):
        scores = evaluate_detector(detector, labels, progress=False)
        assert scores.images == images
        assert list(scores.table["part"]) == [part, "all"]
    patterns = torch.cat([batch["known"] for batch in batches])
    assert patterns.sum(dim=1).tolist() == [1] * (2 * (8 + 4))
    assert patterns.sum(dim=0).tolist() == [2 * 4, 2 * 8]
    for batch in batches:
        for image, part in zip(batch["batch_idx"].long(), batch["cls"].long(), strict=True):
            assert batch["known"][image, part]


def test_the_order_of_sets_and_what_they_label_make_another_training(lights, windows, tmp_path):
    first = train([lights, windows], tmp_path, epochs=1)
    assert train([lights, windows], tmp_path, epochs=1).hash == first.hash
    with pytest.raises(InputError, match="other boxes, sets, trained_on"):
        train([windows, lights], tmp_path, epochs=1)
    everywhere = LabelledSet(
        windows.images, windows.boxes, windows.vocabulary, frozenset({"window", "light"})
    )
    with pytest.raises(InputError, match="other sets;"):
        train([lights, everywhere], tmp_path, epochs=1)


def test_a_killed_training_on_two_sets_goes_on(lights, windows, tmp_path, monkeypatch):
    save = PartTraining.save_model

    def save_and_die(self):
        save(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PartTraining, "save_model", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            train([lights, windows], tmp_path)
    criteria = []
    step = PartTraining.optimizer_step
    monkeypatch.setattr(
        PartTraining,
        "optimizer_step",
        lambda self: criteria.append(type(self.model.criterion).__name__) or step(self),
    )
    train([lights, windows], tmp_path)
    assert set(criteria) == {"KnownPartsLoss"}


def test_every_part_of_a_single_set_is_known(windows, tmp_path, batches):
    detector = train(windows, tmp_path, epochs=1)
    assert detector.vocabulary.names == ("window",)
    assert detector.card.sets == {}
    assert all(batch["known"].shape[1] == 1 and batch["known"].all() for batch in batches)


def test_no_mosaic_joins_images_of_two_sets(lights, windows, tmp_path, batches):
    sets = []
    for labels, colour in ((lights, "red"), (windows, "blue")):
        root = tmp_path / colour
        for name in labels.images.frame["image"]:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (60, 60), colour).save(root / name)
        images = Images(labels.images.frame, root)
        sets.append(LabelledSet(images, labels.boxes, labels.vocabulary, labels.labelled))
    train(sets, tmp_path / "out", epochs=3, degrade=0.0)
    seen = set()
    for batch in batches:
        for image, known in zip(batch["img"], batch["known"], strict=True):
            # Ultralytics pads with grey, and leaves a colour at least 0.3 of its saturation.
            difference = image[0] - image[2]
            red, blue = (difference > 0.1).any().item(), (difference < -0.1).any().item()
            seen.add((red, blue, *known.tolist()))
    assert {sample for sample in seen if any(sample[:2])} == {
        (True, False, False, True),
        (False, True, True, False),
    }


def test_vocabularies_must_agree_in_their_parts(lights, windows):
    elsewhere = Vocabulary("/another/place/vocabulary.yaml", windows.vocabulary.parts)
    moved = LabelledSet(windows.images, windows.boxes, elsewhere, windows.labelled)
    assert pooled_vocabulary([lights, moved]).name == "prn"
    assert pooled_vocabulary([lights, moved]).names == ("window", "light")
    eia = load_vocabulary("eia")
    plates = LabelledSet(
        Images(windows.images.frame, windows.images.root, "plates/images.parquet"),
        Boxes.none(), eia, frozenset({"plate"}),
    )  # fmt: skip
    with pytest.raises(InputError, match=r"plates/images.*'eia' is not that of .*, 'prn'; import"):
        pooled_vocabulary([lights, plates])


def test_sides_are_kept_where_two_sets_look_for_one_each(draw, tmp_path):
    parts = (
        Part(name="left", colour="#000000", partner="right"),
        Part(name="right", colour="#ffffff", partner="left"),
    )
    drawn = draw(tmp_path, 2)
    sets = [
        LabelledSet(drawn.images, Boxes.none(), Vocabulary("own", parts), frozenset({side}))
        for side in ("right", "left")
    ]
    assert pooled_vocabulary(sets).mirrored == (1, 0)
    assert pooled_vocabulary(sets[:1]).mirrored == (0,)


def test_an_image_held_out_by_one_set_is_trained_on_by_none(labels, tmp_path):
    names = list(labels.images.frame["image"])
    rows = [f"copy-{name.replace('/', '-')}" for name in names]
    for name, copy in zip(names, rows, strict=True):
        shutil.copy(labels.images.root / name, tmp_path / copy)
    frame = labels.images.frame.assign(image=rows[::-1])
    copied = LabelledSet(
        Images(frame, tmp_path), Boxes.none(), labels.vocabulary, frozenset({"brand"})
    )
    training, held_out = hold_out([labels, copied], 0.2, seed=0)
    learned, kept = (
        {code for each in sets for code in digests(each.images).values()}
        for sets in (training, held_out)
    )
    assert [len(each) for each in held_out] == [2, 2]
    assert not learned & kept
    assert learned | kept == set(digests(labels.images).values())
    assert hold_out([labels, copied], 0.0, seed=0) == ([labels, copied], [])


def test_no_box_in_any_set_is_an_error(lights, windows, tmp_path):
    none = LabelledSet(windows.images, Boxes.none(), windows.vocabulary, windows.labelled)
    with pytest.raises(InputError, match="no box"):
        train([none, none], tmp_path)
    # Photographs on which a part was looked for and is nowhere teach what is not that part.
    assert train([lights, none], tmp_path, epochs=1).vocabulary.names == ("window", "light")


def test_a_card_written_before_there_were_several_sets_is_read(trained):
    card = json.loads((trained / "detector.json").read_text())
    del card["sets"]
    assert DetectorCard.model_validate(card).sets == {}


def test_names_are_numbered_only_where_there_are_several_sets():
    assert by_image([{"a": 1}]) == {"a": 1}
    assert by_image([{"a": 1}, {"a": 2}]) == {"1/a": 1, "2/a": 2}


@pytest.mark.slow
def test_a_part_unknown_on_half_the_images_is_found_as_surely_as_any(draw, tmp_path):
    drawn = [draw(tmp_path / str(seed), 32, seed=seed) for seed in (0, 1)]
    testing = draw(tmp_path / "2", 16, seed=2)
    sets = [of_parts(each, part) for each, part in zip(drawn, ("window", "light"), strict=True)]
    every = frozenset({"window", "light"})
    taught = [LabelledSet(s.images, s.boxes, s.vocabulary, every) for s in sets]
    plain = {"image_size": 96, "batch": 8, "mosaic": 0.0, "degrade": 0.0, "crop_to_vehicle": 0.0}
    photos = [read_image(path) for path in testing.images.paths]
    sure = {}
    for name, given in (("unknown", sets), ("background", taught)):
        detector = train(given, tmp_path / name, epochs=40, **plain)
        found = detector.detect(photos, DetectSettings(confidence=0.05))
        sure[name] = found.groupby("part")["score"].mean()
    assert (sure["unknown"] > 0.5).all()
    assert (sure["unknown"] > sure["background"] + 0.2).all()
