"""Learning viewpoints from a few hundred labels, and filling the column of the images table.

VAL's authors labelled 300 images by hand and let a classifier do the rest; so does this.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

from annotations.errors import InputError
from annotations.images import Images
from annotations.reading import in_batches
from annotations.viewpoint_words import class_of, mirrored_class
from annotations.viewpoints import shown_by_word
from annotations.vocabulary import Vocabulary, load_vocabulary
from reid.attention.learning import Batch, Samples, learn
from reid.attention.settings import ViewpointSettings
from reid.backbones import Backbone
from reid.data.dataset import InputReader
from reid.data.readable import readable
from reid.device import autocast, keep_freed_memory, pick_device
from reid.saving import fill_in, weights_of, write_saved
from reid.training.work import (
    begin,
    digest_rows,
    digest_text,
    digest_weights,
    require_same,
)

MODEL = "viewpoints.pt"
SCORE = "viewpoint_score"
"""The column that holds how sure the classifier is; empty where a person gave the viewpoint."""
TOLD_BEFORE = (
    f"{{}} viewpoints were told before and are not learned from: empty '{SCORE}' where you "
    "corrected one"
)


class ViewpointNetwork(nn.Module):
    """A backbone, its mean, and a fully-connected layer.

    Args:
        backbone: timm's name.
        weights: see `reid.backbones.Backbone`.
        count: number of viewpoints.
    """

    def __init__(self, backbone: str, weights: str | None, count: int) -> None:
        super().__init__()
        self.backbone = Backbone(backbone, weights)
        self.classifier = nn.Linear(self.backbone.channels, count)

    def forward(self, images: Tensor) -> Tensor:
        """Return the log-odds (B, viewpoints) of images (B, 3, H, W) uint8."""
        scores: Tensor = self.classifier(self.backbone(images).mean((2, 3)))
        return scores.float()


@dataclass(frozen=True)
class ViewpointFinder:
    """Tells viewpoints.

    Attributes:
        network: in evaluation mode.
        viewpoints: the words that it knows, in order.
        settings: how it was trained.
        tested: the images held out: ``image``, ``viewpoint``, ``found`` and `SCORE`.
    """

    network: ViewpointNetwork
    viewpoints: tuple[str, ...]
    settings: ViewpointSettings
    tested: pd.DataFrame

    @classmethod
    def load(cls, folder: Path) -> ViewpointFinder:
        """Load what `train_viewpoints` wrote.

        Raises:
            InputError: the folder has none, it is damaged, or its weights are not those of its
                settings.
        """
        path = folder / MODEL
        if not path.is_file():
            raise InputError(f"{folder}: no {MODEL} in it; make one with 'partreid views learn'")
        try:
            stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            settings = ViewpointSettings.model_validate(stored["settings"])
            words, weights = tuple(stored["viewpoints"]), stored["weights"]
            tested = pd.DataFrame(stored["tested"])
        except Exception as error:  # torch raises many kinds for a damaged file
            raise InputError(
                f"{path}: not a viewpoint network, or damaged ({type(error).__name__})"
            ) from None
        network = ViewpointNetwork(settings.backbone, None, len(words))
        fill_in(network, weights, f"{path}: its weights are of other settings")
        return cls(network.eval(), words, settings, tested)

    def tell(
        self,
        images: Images,
        *,
        device: str = "auto",
        batch: int = 64,
        workers: int | None = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Tell the viewpoint of every image.

        Returns:
            ``found`` (text; empty where an image cannot be read) and `SCORE` (float64, its
            probability), a row per image.
        """
        target = pick_device(device)
        keep_freed_memory(target)
        network = self.network.to(target).to(memory_format=torch.channels_last)

        words: list[str | None] = []
        scores: list[float] = []
        read_batches = in_batches(
            InputReader((self.settings.size, self.settings.size)),
            images.paths,
            batch,
            workers=workers,
            ahead=target.type != "cpu",
        )
        steps = range(0, len(images), batch)
        for _, read in zip(
            track(steps, "telling viewpoints", transient=True, disable=not progress),
            read_batches,
            strict=True,
        ):
            good = [item for item in read if isinstance(item, Tensor)]
            told: Iterator[tuple[int, float]] = iter(())
            if good:
                pixels = torch.stack(good).to(target)
                with torch.inference_mode(), autocast(self.settings.precision, target):
                    sure, which = network(pixels).softmax(1).max(1)
                told = zip(which.tolist(), sure.tolist(), strict=True)
            for item in read:
                which_one, score = next(told) if isinstance(item, Tensor) else (None, math.nan)
                words.append(None if which_one is None else self.viewpoints[which_one])
                scores.append(score)
        return pd.DataFrame({"found": pd.array(words, dtype="string"), SCORE: scores})


def fill_viewpoints(
    finder: ViewpointFinder, images: Images, *, least: float = 0.0, device: str = "auto",
    progress: bool = True,
) -> Images:  # fmt: skip
    """Give every image without a viewpoint the one that the classifier tells.

    Args:
        finder: the classifier.
        images: the table; viewpoints that are there stay.
        least: a viewpoint that is less sure is left empty.
        device: ``auto``, ``cpu``, ``cuda``.
        progress: whether to show a bar.

    Returns:
        The table, with `SCORE` where a viewpoint was told.
    """
    frame = images.frame
    known = frame["viewpoint"] if "viewpoint" in frame else pd.Series(pd.NA, frame.index)
    empty = known.isna()
    score = pd.Series(np.nan, frame.index, dtype=float)
    if SCORE in frame:
        score = frame[SCORE].copy()
    words = known.astype("string")
    if empty.any():
        told = finder.tell(images.where(empty), device=device, progress=progress)
        sure = (told[SCORE] >= least).to_numpy()
        words[empty] = told["found"].where(sure, pd.NA).to_numpy()
        score[empty] = told[SCORE].where(sure).to_numpy()
    return Images(frame.assign(viewpoint=words, **{SCORE: score}), images.root, images.source)


def train_viewpoints(
    images: Images,
    out: Path,
    settings: ViewpointSettings | None = None,
    *,
    device: str = "auto",
    workers: int = 2,
    progress: bool = True,
) -> ViewpointFinder:
    """Train the classifier on the images that have a viewpoint, or return it where it is trained.

    Args:
        images: some with a viewpoint.
        out: its folder.
        settings: the numbers; a share of the labelled images is held out to test with.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images.
        progress: whether to show bars.

    Raises:
        InputError: no image has a viewpoint, one is neither of the vocabulary nor names its views,
            there are fewer than two, also among the images that are learned from, an image file is
            missing, none can be read, or ``out`` holds something else.
    """
    settings = settings or ViewpointSettings()
    target = pick_device(device)
    vocabulary = load_vocabulary(settings.vocabulary)
    labelled = _labelled(images, vocabulary)
    work = {
        "settings": digest_text(settings.model_dump_json()),
        "start weights": digest_weights(settings.weights),
        "vocabulary": digest_text(str(vocabulary.record())),
        "labels": digest_rows(labelled.frame[["image", "viewpoint"]]),
    }
    require_same(out, work)
    if (out / MODEL).is_file():
        return ViewpointFinder.load(out)
    rows, lines = readable(labelled, progress)
    labelled = labelled.where(rows)
    words, classes = _words(labelled, vocabulary)
    held = _held_out(labelled, settings)
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    network = ViewpointNetwork(settings.backbone, settings.weights, len(words))
    begin(out, work, lines)
    learnt, labels = labelled.where(~held), classes[~held]
    mirrored = [words.index(mirrored_class(word, vocabulary)) for word in words]
    learn(
        network,
        _losses,
        Samples(learnt.paths, None, torch.from_numpy(labels), torch.tensor(mirrored), settings),
        labels,
        settings,
        out,
        target=target,
        workers=workers,
        progress=progress,
    )
    finder = ViewpointFinder(network.eval(), tuple(words), settings, pd.DataFrame())
    tested = pd.DataFrame()
    if held.any():
        test = labelled.where(held)
        told = finder.tell(test, device=device, progress=progress)
        tested = test.frame[["image", "viewpoint"]].reset_index(drop=True).join(told)
    _save(finder, tested, out)
    return ViewpointFinder.load(out)


def told_before(images: Images) -> npt.NDArray[np.bool_]:
    """Return which images have a viewpoint that was told, not given by a person, bool (N,)."""
    frame = images.frame
    if "viewpoint" not in frame or SCORE not in frame:
        return np.zeros(len(images), dtype=bool)
    told: npt.NDArray[np.bool_] = (frame["viewpoint"].notna() & frame[SCORE].notna()).to_numpy(bool)
    return told


def _labelled(images: Images, vocabulary: Vocabulary) -> Images:
    """Return the images that a person gave a viewpoint, not those that were told before.

    Their viewpoints are classes, see `annotations.viewpoint_words.class_of`.

    Raises:
        InputError: there is none, or one is neither of the vocabulary nor names its views.
    """
    column = images.frame.get("viewpoint")
    told = told_before(images)
    if column is not None:
        column = column.mask(told)
    if column is None or not column.notna().any():
        how = f"; {TOLD_BEFORE.format(told.sum())}" if told.any() else ""
        raise InputError(
            f"{images.source}: no image has a 'viewpoint' that a person gave; fill that column for "
            f"a few hundred, which 'partreid views sample' draws for you{how}"
        )
    labelled = images.where(column.notna())
    classes = {word: class_of(word, vocabulary) for word in shown_by_word(labelled, vocabulary)}
    words = labelled.frame["viewpoint"].map(classes)
    return replace(labelled, frame=labelled.frame.assign(viewpoint=words))


def _words(images: Images, vocabulary: Vocabulary) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the viewpoints there are, with those of mirrored images, and each image's number."""
    there = set(images.frame["viewpoint"])
    if len(there) < 2:
        raise InputError(
            f"{images.source}: every label is '{next(iter(there))}'; a classifier needs two"
        )
    wanted = there | {mirrored_class(word, vocabulary) for word in there}
    words = [each.name for each in vocabulary.viewpoints if each.name in wanted]
    words += sorted(wanted - set(words))
    return words, pd.Index(words).get_indexer(pd.Index(images.frame["viewpoint"])).astype(np.int64)


def _held_out(images: Images, settings: ViewpointSettings) -> npt.NDArray[np.bool_]:
    """Draw the images that are kept to test with, bool (N,).

    Raises:
        InputError: the others are of fewer than two viewpoints.
    """
    held = np.zeros(len(images), dtype=bool)
    order = np.random.default_rng(settings.seed).permutation(len(images))
    held[order[: round(settings.hold_out * len(images))]] = True
    left = images.frame["viewpoint"][~held].unique()
    if len(left) < 2:
        every = f", all of viewpoint '{left[0]}'" if len(left) else ""
        raise InputError(
            f"{images.source}: hold_out={settings.hold_out:g} keeps {held.sum()} of {len(images)} "
            f"labelled images to test with and leaves {(~held).sum()} to learn from{every}; a "
            "classifier needs images of two viewpoints: set hold_out lower, or label more images"
        )
    return held


def _losses(scores: Tensor, batch: Batch) -> dict[str, Tensor]:
    return {"viewpoint": F.cross_entropy(scores, batch.labels)}


def _save(finder: ViewpointFinder, tested: pd.DataFrame, out: Path) -> None:
    write_saved(
        {
            "viewpoints": list(finder.viewpoints),
            "settings": finder.settings.model_dump(mode="json"),
            "tested": {name: tested[name].astype(object).tolist() for name in tested},
            "weights": weights_of(finder.network),
        },
        out / MODEL,
    )
