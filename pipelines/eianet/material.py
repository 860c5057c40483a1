"""The images and pairs that models are verified on, and those that judges learn from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from pipelines.eianet.ladder import Level
from reid.evaluation.protocols.pairs import draw_pairs

COLUMNS: dict[Level, tuple[str, ...]] = {"model": ("model",), "year": ("model", "year")}
"""What has to be equal for two images to be the same."""

_KNOWN_PAIRS, _DRAWN_PAIRS = 20_000, 3_000
_PLACES = ("pairs", "train_test_split/verification", "data/train_test_split/verification")
_NAME = re.compile(r"verification_pairs_(?:(?P<level>model|year)_)?(?P<name>\w+)\.(txt|csv)")


@dataclass(frozen=True)
class Material:
    """Everything that a comparison of verifiers needs.

    Attributes:
        images: all of them; networks train on its split train.
        known: images that judges learn from.
        tests: by level and difficulty, the pairs to judge.
        known_pairs: by level, pairs of known images.
    """

    images: Images
    known: Images
    tests: Mapping[Level, Mapping[str, Pairs]]
    known_pairs: Mapping[Level, Pairs]

    @property
    def tested(self) -> Images:
        """The images of test pairs."""
        names = {
            name
            for lists in self.tests.values()
            for pairs in lists.values()
            for side in ("first", "second")
            for name in pairs.frame[side]
        }
        return self.images.where(self.images.frame["image"].isin(names))

    def models(self) -> tuple[int, int]:
        """Return how many models are tested, and how many of these networks were trained on."""
        tested = set(self.tested.frame["model"].dropna())
        return len(tested), len(tested & set(self.images.training().frame["model"].dropna()))

    @property
    def held_out(self) -> tuple[str, ...]:
        """The images that judges learn from and networks do not."""
        return tuple(sorted(set(self.known.frame["image"]) - set(self.images.frame["image"])))

    def pairs_hash(self, level: Level) -> str:
        """Identify the test pairs of a level."""
        code = hashlib.sha256()
        for name, pairs in self.tests[level].items():
            code.update(name.encode())
            rows = pd.util.hash_pandas_object(pairs.frame[["first", "second", "same"]], index=False)
            code.update(rows.to_numpy().tobytes())
        return code.hexdigest()


def gather(
    images: Images, root: Path, levels: Sequence[Level], given: Sequence[Path], share: float
) -> Material:
    """Find or draw the pairs of every level, and hold out what judges learn from.

    Pairs are those given, or ``verification_pairs_[LEVEL_]NAME.txt`` in ``pairs/`` as the fleet has
    them, or where CompCars has them; a list that names no level is of models. Without a list of
    released years those of models are asked for years; without any, pairs are drawn from the test
    images.

    Args:
        images: the data set.
        root: its folder.
        levels: ``model``, ``year`` or both.
        given: files of test pairs.
        share: of the training models that no network is trained on; see `hold_out`.

    Raises:
        InputError: a column is missing, a list names another image, or there is nothing to draw.
    """
    for column in {column for level in levels for column in COLUMNS[level]}:
        if column not in images.frame:
            raise InputError(f"{images.source}: no column '{column}' to verify by")
    images = with_makes(images)
    training, known = hold_out(images, share)
    lists = _lists(given or _found(root))
    if given and (unasked := set(lists) - set(levels)):
        raise InputError(
            f"--pairs: a list of the level '{min(unasked)}' is given, which is not asked for; a "
            "list of released years has 'year' in its name: verification_pairs_year_NAME"
        )
    if "year" in levels and "year" not in lists and "model" in lists:
        lists["year"] = {name: _by_year(pairs, images) for name, pairs in lists["model"].items()}
    tests = {level: lists.get(level) or {"drawn": _drawn(images, level)} for level in levels}
    known_pairs = {level: draw_pairs(known, COLUMNS[level], _KNOWN_PAIRS) for level in levels}
    seen = set(images.training().frame["image"])
    for pairs in (each for level in tests.values() for each in level.values()):
        pairs.require_images(images)
        both = seen & {*pairs.frame["first"], *pairs.frame["second"]}
        if both:
            raise InputError(f"{pairs.source}: '{min(both)}' is a training image; test on others")
    return Material(training, known, tests, known_pairs)


def with_makes(images: Images) -> Images:
    """Put the maker before the model, as two makers may have models of one name."""
    if "make" not in images.frame:
        return images
    frame = images.frame
    makes = frame["make"].astype("string").fillna("")
    model = makes.str.cat(frame["model"].astype("string"), sep=" ")
    return Images(frame.assign(model=model), images.root, images.source)


def hold_out(images: Images, share: float, seed: int = 0) -> tuple[Images, Images]:
    """Divide training images by model into those for networks and those for judges.

    What a network was trained on lies closer together than anything it meets later, so that a
    threshold chosen there is too small. The paper has its extractors and its classifiers learn
    from different parts of CompCars, too (section 4.2: Part-I and Part-II); where the table tells
    Part-II by ``list``, that is what judges get, and ``share`` is not used.

    Args:
        images: with the split train.
        share: of the training models, from 0 to below 1; 0 lets judges learn from all images that
            networks learn from.
        seed: which ones.

    Returns:
        all images but those that were held out, and those; with 0 all, and the training images.

    Raises:
        InputError: fewer than two models are held out or left.
    """
    training = images.training()
    if "list" in training.frame and (training.frame["list"] == "verification").any():
        names = training.frame.loc[training.frame["list"] == "verification", "image"]
        chosen = images.frame["image"].isin(names)
        return images.where(~chosen), images.where(chosen)
    if not share:
        return images, training
    models = np.sort(training.frame["model"].dropna().unique().astype(str))
    count = round(share * len(models))
    if not 2 <= count <= len(models) - 2:
        raise InputError(
            f"{images.source}: --hold-out {share:g} of {len(models)} training models leaves "
            f"{len(models) - count} to train on and {count} for thresholds; both need two"
        )
    held = np.random.default_rng(seed).choice(models, count, replace=False)
    names = training.frame.loc[training.frame["model"].astype(str).isin(held), "image"]
    chosen = images.frame["image"].isin(names)
    return images.where(~chosen), images.where(chosen)


def _found(root: Path) -> list[Path]:
    start = root.parent if root.is_file() else root
    for place in _PLACES:
        if found := sorted(
            path for path in (start / place).glob("*") if _NAME.fullmatch(path.name)
        ):
            return found
    return []


_ORDER = ("easy", "medium", "hard")


def _lists(paths: Sequence[Path]) -> dict[Level, dict[str, Pairs]]:
    """Read lists by level and name, easy before medium before hard."""
    read: dict[Level, dict[str, Pairs]] = {}
    for path in paths:
        match = _NAME.fullmatch(path.name)
        level: Level = "year" if match and match["level"] == "year" else "model"
        name = match["name"] if match else path.stem
        if name in read.setdefault(level, {}):
            raise InputError(f"{path}: a second list of the level '{level}' called '{name}'")
        read[level][name] = Pairs.read(path)
    place = {name: number for number, name in enumerate(_ORDER)}
    return {
        level: dict(sorted(lists.items(), key=lambda item: place.get(item[0], len(place))))
        for level, lists in read.items()
    }


def _by_year(pairs: Pairs, images: Images) -> Pairs:
    """Ask of the pairs of a list of models whether they are of one released year, if known."""
    pairs.require_images(images)
    known = images.frame.set_index("image")[list(COLUMNS["year"])]
    a, b = (known.loc[pairs.frame[side]].reset_index(drop=True) for side in ("first", "second"))
    told = (a.notna() & b.notna()).all(axis=1)
    same = (a == b).fillna(False).all(axis=1)
    frame = pairs.frame[["first", "second"]].reset_index(drop=True).assign(same=same.astype(int))
    return Pairs(frame[told], f"{pairs.source}, by released years")


def _drawn(images: Images, level: Level) -> Pairs:
    splits = set(images.frame.get("split", []))
    names = [name for name in ("test", "query", "gallery") if name in splits]
    if not names:
        raise InputError(f"{images.source}: no test images to draw pairs from; give --pairs")
    tested = images.where(images.frame["split"].isin(names))
    return draw_pairs(tested, COLUMNS[level], _DRAWN_PAIRS)
