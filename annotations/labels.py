"""A labelled set: images, the part boxes a person drew on them, and which parts were looked for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from annotations.boxes import LABEL, Boxes
from annotations.errors import InputError
from annotations.files import read_yaml, whole_folder
from annotations.images import Images
from annotations.vocabulary import Vocabulary, built_in_vocabularies, load_vocabulary

ABOUT, OWN_VOCABULARY = "labels.yaml", "vocabulary.yaml"
JOURNAL = "journal.jsonl"
"""In the folder of a labelling project (`annotations.labelling`), which is read as a set, too."""


@dataclass(frozen=True)
class LabelledSet:
    """Labelled part boxes, most often drawn by hand.

    Attributes:
        images: the images that were looked at, with or without a box.
        boxes: the boxes, ``source`` label where a person drew or accepted them; others, such
            as a detector's that are still to be looked through, keep their score and source.
        vocabulary: the parts that boxes name.
        labelled: the parts that this set labels at all. On its images a part in
            ``labelled`` without a box is absent; a part outside it is unknown.

    Raises:
        InputError: a box names an image or part that is not there, a labelled part is not
            in the vocabulary, or a box is of a part that is said not to be labelled.
    """

    images: Images
    boxes: Boxes
    vocabulary: Vocabulary
    labelled: frozenset[str]

    def __post_init__(self) -> None:
        for part in self.labelled:
            self.vocabulary.index(part)
        stray = set(self.boxes.frame["image"]) - set(self.images.frame["image"])
        if stray:
            raise InputError(f"{self.boxes.source}: image '{min(stray)}' is not in the set")
        for part in self.boxes.frame["part"].unique():
            self.vocabulary.index(part)
            if part not in self.labelled:
                raise InputError(
                    f"{self.boxes.source}: there are boxes of '{part}', which the set says it "
                    f"does not label (labelled: {', '.join(sorted(self.labelled))})"
                )

    def __len__(self) -> int:
        return len(self.images)

    def only(self, names: Iterable[str]) -> LabelledSet:
        """Keep the images named."""
        images = self.images.where(self.images.frame["image"].isin(list(names)))
        keep = self.boxes.frame["image"].isin(images.frame["image"])
        boxes = Boxes(self.boxes.frame[keep], self.boxes.about, self.boxes.source)
        return LabelledSet(images, boxes, self.vocabulary, self.labelled)

    def hold_out(self, amount: float, seed: int = 0) -> tuple[LabelledSet, LabelledSet]:
        """Divide the images at random into those to train on and those to test on.

        Args:
            amount: images to hold out: a share below 1, or a number of images.
            seed: the same seed divides the same set the same way.

        Raises:
            InputError: nothing would be left on one of the sides.
        """
        count = math.ceil(amount * len(self)) if amount < 1 else int(amount)
        if not 0 < count < len(self):
            raise InputError(
                f"{self.images.source}: cannot hold out {count} of {len(self)} labelled images"
            )
        names = np.sort(self.images.frame["image"].to_numpy(dtype=str))
        order = np.random.default_rng(seed).permutation(names)
        return self.only(order[count:]), self.only(order[:count])

    def require_replaceable(self, folder: Path, marker: str) -> None:
        """Demand that ``folder`` can be written over without losing anything of the person's.

        Args:
            folder: where the set is to be written, as a whole.
            marker: the file or folder inside that shows it to hold such a set already.

        Raises:
            InputError: the set's own images are in it, or it holds something else.
        """
        if not folder.exists():
            return
        if self.images.root.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{folder}: the images are in it; write the labels to another folder")
        if not folder.is_dir() or (any(folder.iterdir()) and not (folder / marker).exists()):
            raise InputError(
                f"{folder}: holds something else (no {marker}); write the labels to a new folder"
            )

    def write(self, folder: Path) -> None:
        """Write ``labels.yaml``, ``images.parquet`` and ``boxes.parquet`` into ``folder``.

        A vocabulary that is not one of the built-in ones goes with them, as
        ``vocabulary.yaml``, so that the set can be read where the user's file is not.

        Raises:
            InputError: ``folder`` holds the images or something else, see
                `require_replaceable`.
        """
        self.require_replaceable(folder, ABOUT)
        if (folder / JOURNAL).exists():
            raise InputError(
                f"{folder}: is a labelling project, whose history would be lost; write the labels "
                f"to another folder"
            )
        name = self.vocabulary.name
        own = name not in built_in_vocabularies() or self.vocabulary != load_vocabulary(name)
        with whole_folder(folder) as aside:
            self.images.write(aside / "images.parquet")
            self.boxes.write(aside / "boxes.parquet")
            about = {
                "vocabulary": OWN_VOCABULARY if own else name,
                "labelled": [name for name in self.vocabulary.names if name in self.labelled],
            }
            (aside / ABOUT).write_text(yaml.safe_dump(about, sort_keys=False), "utf-8")
            if own:
                record = {k: v for k, v in self.vocabulary.record().items() if k != "name"}
                (aside / OWN_VOCABULARY).write_text(
                    yaml.safe_dump(record, sort_keys=False), "utf-8"
                )

    @staticmethod
    def is_at(folder: Path) -> bool:
        """Say whether ``folder`` is a labelled set."""
        return (folder / ABOUT).is_file()

    @classmethod
    def read(cls, folder: Path) -> LabelledSet:
        """Read what `write` wrote, or the finished images of a labelling project.

        Raises:
            InputError: the folder is not a labelled set.
        """
        from annotations.labelling.project import Project  # which is made of labelled sets

        path = folder / ABOUT
        if Project.is_at(folder):
            return Project.open(folder).labelled()
        if not cls.is_at(folder):
            raise InputError(
                f"{folder}: not a labelled set (no {ABOUT}); make one with 'partreid parts import'"
            )
        about = read_yaml(path)
        if not isinstance(about, dict) or {"vocabulary", "labelled"} - set(about):
            raise InputError(f"{path}: must have the keys 'vocabulary' and 'labelled'")
        name = str(about["vocabulary"])
        return cls(
            Images.read(folder / "images.parquet"),
            Boxes.read(folder / "boxes.parquet"),
            load_vocabulary(str(folder / name) if name == OWN_VOCABULARY else name),
            frozenset(about["labelled"]),
        )


def label_rows(rows: Iterable[tuple[str, str, float, float, float, float]]) -> pd.DataFrame:
    """Make a boxes frame from ``(image, part, x1, y1, x2, y2)`` rows, fractions, source label."""
    frame = pd.DataFrame(list(rows), columns=["image", "part", "x1", "y1", "x2", "y2"])
    return frame.assign(score=1.0, source=LABEL)
