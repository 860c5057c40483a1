"""Train a recipe on an images table, into a run folder, able to go on after a stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import write_text
from annotations.images import Images
from reid.data.augment import Augment
from reid.data.dataset import TrainingSet
from reid.data.labels import label_columns, labels_of, with_labels
from reid.data.locate import Found, locate
from reid.data.readable import readable
from reid.data.sampler import EpochSampler
from reid.device import pick_device
from reid.methods import build_criterion, build_model, require_found
from reid.parts.areas import as_ratios, part_areas
from reid.parts.located import Located
from reid.recipe import Recipe
from reid.run import MODEL, Run, save_model
from reid.training.loop import run_training
from reid.training.module import Training
from reid.training.schedule import out_of_reach
from reid.training.viewpoints import divide_identities
from reid.training.work import begin, digest_rows, digest_text, digest_weights, require_same

_log = logging.getLogger(__name__)
_START = "start weights"
"""What start weights from a file are called where a run's work is written down."""


@dataclass(frozen=True)
class Prepared:
    """Training data after every check.

    Attributes:
        samples: what the network is trained on.
        identities: or whatever the recipe's label is, in the order of their class numbers.
        shown: (C, V) bool, which identities have images of which viewpoint class; None where no
            loss looks at viewpoints.
        notes: lines for people: what was left out and what may hurt.
    """

    samples: TrainingSet
    identities: tuple[str, ...]
    shown: Tensor | None
    notes: tuple[str, ...]


def prepare(recipe: Recipe, images: Images, boxes: Found | None, progress: bool) -> Prepared:
    """Check everything that can be wrong before training starts.

    Args:
        recipe: the recipe.
        images: the table; its training split is taken, or all of it where it has no splits.
        boxes: boxes of these images; needed where the recipe has part branches.
        progress: whether to show a bar while every image is decoded once.

    Raises:
        InputError: a label is missing, there are fewer than two, boxes are needed and not
            given or are of another data set, a part of the recipe has no box at all, or the
            batch does not fit the labels.
    """
    given = images.training()
    images = with_labels(recipe, given)
    notes = []
    if len(images) < len(given):
        notes.append(
            f"{len(given) - len(images)} of {len(given)} training images have no {recipe.label} "
            "and are left out"
        )
    images.require_files()
    if recipe.loss.viewpoint.weight:  # what is wrong with viewpoints is said before all are read
        divide_identities(recipe, images)
    rows, unreadable = readable(images, progress)
    notes += unreadable
    images = images.where(rows)
    wanted, models = labels_of(recipe, images)
    names = tuple(sorted(wanted.unique()))
    counts = wanted.value_counts()
    what = {"identity": "identities", "model": "models", "year": "years of models"}[recipe.label]
    if len(names) < 2:
        raise InputError(f"{images.source}: training needs two {what}; there is one")
    if (alone := int((counts == 1).sum())) > 0:
        notes.append(f"{alone} of {len(names)} {what} have one image, which gives no positive pair")
    if alone == len(names) and recipe.method == "eianet":
        raise InputError(
            f"{images.source}: all {what} have one image: no positive pair to learn from"
        )
    if recipe.batch.per_identity * len(names) < recipe.batch.size * bool(recipe.batch.per_identity):
        raise InputError(
            f"batch.size {recipe.batch.size} with batch.per_identity {recipe.batch.per_identity} "
            f"needs {recipe.batch.size // recipe.batch.per_identity} {what}; there are "
            f"{len(names)}: set batch.size smaller"
        )
    vocabulary = recipe.parts.load()
    if vocabulary.names:
        require_found(
            recipe, boxes, "this recipe", ", or train without parts by --set 'parts.use=[]'"
        )
        boxes = boxes.of(images) if isinstance(boxes, Boxes) else boxes
    where = locate(boxes, images, vocabulary.names)
    if boxes is not None and vocabulary.names:
        notes += _shown(where, vocabulary.names, boxes)
    size = (recipe.image.height, recipe.image.width)
    labels = torch.from_numpy(pd.Index(names).get_indexer(wanted).astype(np.int64))
    divided = divide_identities(recipe, images) if recipe.loss.viewpoint.weight else None
    notes += divided.notes if divided else []
    samples = TrainingSet(
        images.paths,
        where,
        labels,
        torch.from_numpy(models.factorize(sort=True)[0].astype(np.int64)),
        divided.viewpoints if divided else torch.zeros_like(labels),
        size,
        Augment(recipe.augment, size, vocabulary.mirrored),
        divided.mirrored if divided else None,
    )
    notes += out_of_reach(recipe, len(_loader(recipe, samples, 0, lambda: 0)))
    return Prepared(samples, names, divided.shown if divided else None, tuple(notes))


def _shown(where: Located, parts: tuple[str, ...], found: Found) -> list[str]:
    """Say on how many images each part is, or how large each view is.

    Raises:
        InputError: a part is on none.
    """
    pieces = torch.split(torch.arange(len(where.parts)), 4096)  # as floats, masks are large
    areas = torch.cat([part_areas(where.take(rows), len(parts)) for rows in pieces])
    by_boxes = isinstance(found, Boxes)
    shares = (areas > 0).float().mean(0) if by_boxes else as_ratios(areas).mean(0)
    notes = []
    for part, share in zip(parts, shares.tolist(), strict=True):
        if not share:
            raise InputError(
                f"{found.source}: no {'box' if by_boxes else 'mask'} of '{part}' on any training "
                "image; leave it out by --set 'parts.use=[...]', or detect it"
            )
        shown = "visible on {:.0%} of the training images" if by_boxes else "{:.0%} of a vehicle"
        notes.append(f"{part}: {shown.format(share)}")
    return notes


def _loader(
    recipe: Recipe, samples: TrainingSet, workers: int, epoch: Callable[[], int]
) -> DataLoader[object]:
    return DataLoader(
        samples,
        batch_size=min(recipe.batch.size, len(samples)),
        sampler=EpochSampler(
            samples.labels.numpy(),
            recipe.batch.per_identity,
            recipe.seed,
            epoch,
            samples.models.numpy(),
            recipe.batch.per_model,
        ),
        # A last batch of one image would leave batch normalisation without a variance.
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def _fingerprint(recipe: Recipe, images: Images, boxes: Found | None) -> dict[str, str]:
    """Say what the work is, so that going on with other data or numbers is noticed."""
    images = with_labels(recipe, images.training())
    judged = ["viewpoint"] if recipe.loss.viewpoint.weight and "viewpoint" in images.frame else []
    rows = images.frame[["image", *label_columns(recipe), *judged]]
    seen = None if boxes is None else boxes.frame[boxes.frame["image"].isin(rows["image"])]
    work = {
        "recipe": digest_text(recipe.to_yaml()),
        "images": digest_rows(rows),
        "boxes": "none" if seen is None or not recipe.parts.use else digest_rows(seen),
    }
    weights = recipe.backbone.weights
    # A name is in the recipe. A file that is gone by now does not make a finished run another one,
    # and an unfinished one is told so where its network is built.
    if (start := digest_weights(weights)) != str(weights):
        work[_START] = start
    return work


def fit(
    recipe: Recipe,
    images: Images,
    boxes: Found | None,
    out: Path,
    *,
    device: str = "auto",
    workers: int = 2,
    progress: bool = True,
) -> Run:
    """Train, or go on where the same training was stopped, or return it if it is finished.

    Args:
        recipe: what to train.
        images: see `prepare`.
        boxes: see `prepare`.
        out: the run folder: ``model.pt``, ``recipe.yaml``, ``csv/``,
            ``tensorboard/``, ``checkpoints/``, ``notes.txt`` and ``seconds.txt``.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images.
        progress: whether to show bars.

    Raises:
        InputError: see `prepare` and `run_training`; or ``out`` holds a run of another recipe or
            data.
    """
    target = pick_device(device)
    work = _fingerprint(recipe, images, boxes)
    require_same(out, work, later=[_START])
    if (out / MODEL).is_file():
        _log.info("%s: already trained", out)
        return Run.load(out)
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    build_model(recipe, 2, start=True)  # a backbone or weights that are not there are said first
    prepared = prepare(recipe, images, boxes, progress)
    for note in prepared.notes:
        _log.info("%s", note)
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    model = build_model(recipe, len(prepared.identities), start=True)
    begin(out, work)
    write_text(out / "recipe.yaml", recipe.to_yaml())
    write_text(out / "notes.txt", "\n".join(prepared.notes) + "\n")
    criterion = build_criterion(recipe, model, prepared.shown)
    run_training(
        Training(model, criterion, recipe),
        lambda epoch: _loader(recipe, prepared.samples, workers, epoch),
        out,
        epochs=recipe.epochs,
        steps=recipe.iterations,
        target=target,
        precision=recipe.precision,
        average=recipe.optimiser.average,
        progress=progress,
    )
    save_model(out / MODEL, model, recipe, prepared.identities)
    return Run.load(out)
