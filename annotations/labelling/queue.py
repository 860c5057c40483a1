"""Which image to label next."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.labelling.reasons import reasons
from annotations.labelling.signals import Found, Signal, disagreement, doubt, missing, rarity
from annotations.labelling.spread import few_in_a_row, turn
from annotations.vocabulary import Vocabulary

DETECTOR, VIEWPOINT, CAMERA = 0.5, 0.3, 0.2
"""What the detector, a fresh viewpoint and a fresh camera have of the priority."""
WEIGHTS = {"doubt": 0.8, "disagree": 0.9, "missing": 0.7, "rare": 0.5}
"""How much of the detector's share each of its signals can have alone."""
MIDDLING = 0.5
"""The detector's share where it has looked at nothing."""

Places = npt.NDArray[np.int64]


def plain_order(images: Images, done: Collection[str]) -> pd.DataFrame:
    """Return the images that are not done in the table's order; columns as `teaching_order`."""
    left = images.frame["image"][~images.frame["image"].isin(list(done))]
    priority = np.linspace(1, 0, len(left), endpoint=False)
    return pd.DataFrame({"image": left.to_numpy(), "priority": priority, "reason": "in order"})


def teaching_order(
    images: Images,
    done: Collection[str],
    vocabulary: Vocabulary,
    *,
    labels: Boxes,
    proposals: Boxes | None = None,
    earlier: Boxes | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the images that are not done, those first that teach a detector most.

    An image teaches by what the detector proposes (see `annotations.labelling.signals`): a score
    near even, a part missing that most images show, boxes that an earlier detector has not, parts
    rare among the labels. These count together as chances do, 1 - (1 - a)(1 - b). An image that
    the detector has no box of counts as the middle of the others, for nothing tells whether it
    has looked at it. A viewpoint and a camera count by 1 / (1 + images of it before). The sum is
    divided by 1 + the images of the same vehicle before it, done or in the order; and never do
    three of a vehicle come in a row while another is left. Chance settles the rest. All of it is
    O(N log N).

    Args:
        images: N images; ``identity``, ``camera`` and ``viewpoint`` count where known.
        done: images that have been labelled or set aside; those not in the table do not count.
        vocabulary: the parts to label.
        labels: the boxes drawn so far.
        proposals: the present detector's boxes; None before there is one.
        earlier: another detector's, to compare with.
        seed: same seed, same order; labelling an image does not draw the others anew.

    Returns:
        Every image that is not done once: ``image``, ``priority`` (float64, 0 to 1, falling) and
        ``reason``, a short sentence.
    """
    table = images.frame
    is_done = table["image"].isin(list(done)).to_numpy(bool)
    left = np.flatnonzero(~is_done)
    if proposals is None:
        signals: dict[str, Signal] = {}
        looked = np.zeros(len(table), bool)
    else:
        signals, looked = _signals(table["image"], is_done, vocabulary, labels, proposals, earlier)
    signals = {
        key: Signal(each.strength[left], each.part[left], each.score[left])
        for key, each in signals.items()
    }
    looked = looked[left]
    chance = np.random.default_rng(seed).permutation(len(table))[left]

    doubts = [1 - WEIGHTS[key] * each.strength for key, each in signals.items()]
    teaches = 1 - np.prod([np.ones(len(left)), *doubts], axis=0)
    teaches[~looked] = np.median(teaches[looked]) if looked.any() else MIDDLING
    vehicle, seen = _groups(table, "identity", is_done)
    camera, filmed = _groups(table, "camera", is_done)
    viewpoint, shown = _groups(table, "viewpoint", is_done)
    alone = teaches / (1 + turn(vehicle, teaches, chance, seen))
    fresh = VIEWPOINT * (viewpoint >= 0) / (1 + turn(viewpoint, alone, chance, shown))
    filming = CAMERA * (camera >= 0) / (1 + turn(camera, alone + fresh, chance, filmed))
    worth = DETECTOR * teaches + fresh + filming
    turns = turn(vehicle, worth, chance, seen)
    priority = worth / (1 + turns)
    order = list(few_in_a_row(np.lexsort([chance, -priority]).tolist(), vehicle))

    shares = {key: DETECTOR * WEIGHTS[key] * each.strength for key, each in signals.items()}
    known = pd.DataFrame(
        {
            "viewpoint": _column(table, "viewpoint").iloc[left],
            "vehicle": table["identity"].iloc[left],
            "of_viewpoint": np.append(shown, 0)[viewpoint],
            "turn": turns,
        }
    )
    said = reasons(signals, {**shares, "viewpoint": fresh}, looked, vocabulary.names, known)
    return pd.DataFrame(
        {
            "image": table["image"].iloc[left[order]].to_numpy(),
            "priority": np.minimum.accumulate(priority[order]),
            "reason": np.array(said, object)[order],
        }
    )


def _column(table: pd.DataFrame, name: str) -> pd.Series[str]:
    empty = pd.Series(pd.NA, index=table.index, dtype="string")
    found: pd.Series[str] = table.get(name, empty)
    return found


def _groups(
    table: pd.DataFrame, name: str, is_done: npt.NDArray[np.bool_]
) -> tuple[Places, Places]:
    """Number the groups of a column: of the images left, and how many of each are done."""
    number = pd.factorize(_column(table, name))[0]
    count = np.bincount(number[is_done & (number >= 0)], minlength=number.max(initial=-1) + 1)
    return number[~is_done], count


def _signals(
    names: pd.Series[str],
    is_done: npt.NDArray[np.bool_],
    vocabulary: Vocabulary,
    labels: Boxes,
    proposals: Boxes,
    earlier: Boxes | None,
) -> tuple[dict[str, Signal], npt.NDArray[np.bool_]]:
    """Return the signals of all images, and which the detector has boxes of."""
    words, parts = pd.Index(names), pd.Index(vocabulary.names, dtype="string")
    shape = (len(words), len(parts))
    found, drawn = Found.of(proposals, words, parts), Found.of(labels, words, parts)
    shows = found.shows(shape)
    looked = np.bincount(found.image, minlength=len(words)) > 0
    every = shows.sum(axis=0) + drawn.shows(shape)[is_done].sum(axis=0)
    usual = every / max(1, looked.sum() + is_done.sum())
    count = np.bincount(drawn.part, minlength=shape[1])
    signals = {
        "doubt": doubt(found, len(names)),
        "missing": missing(shows, looked, usual),
        "rare": rarity(found, len(names), count),
    }
    if earlier is not None:
        signals["disagree"] = disagreement(found, Found.of(earlier, words, parts), *shape)
    return signals, looked
