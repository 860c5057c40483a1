"""A labelling project: a folder that says what is labelled, and the journal of who labelled it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

import pandas as pd
import yaml

from annotations.boxes import CORNERS, LABEL, NAMES, Boxes
from annotations.errors import InputError
from annotations.files import read_yaml, write_text
from annotations.geometry import BRAND, LIGHT
from annotations.images import Images
from annotations.labelling.deriving import derive_prn
from annotations.labelling.journal import Journal
from annotations.labelling.record import Change, DrawnBox, ImageLabels
from annotations.labels import ABOUT, JOURNAL, OWN_VOCABULARY, LabelledSet
from annotations.vocabulary import Vocabulary, built_in_vocabularies, load_vocabulary

DERIVE: dict[str, Callable[[ImageLabels], ImageLabels]] = {"prn": derive_prn}
"""Geometry that completes the boxes of an image as they are drawn."""


class Project:
    """Labels in the making.

    A project's folder is a labelled set (`annotations.labels.LabelledSet.read`): its images are
    those that are finished, so a detector can be trained on it at any moment.

    Args:
        folder: of the project; made where it is not there.
        vocabulary: the parts to label.
        root: the folder that image names start from.
        derive: a key of `DERIVE`, or None.

    Attributes:
        folder: as given.
        vocabulary: as given.
        root: as given.
        derive: as given.
        journal: the changes.
    """

    def __init__(
        self, folder: Path, vocabulary: Vocabulary, root: Path, derive: str | None = None
    ) -> None:
        if derive is not None and not {LIGHT, BRAND} <= set(vocabulary.names):
            raise InputError(
                f"{folder}: only a vocabulary with '{LIGHT}' and '{BRAND}' can derive parts"
            )
        self.folder, self.vocabulary, self.root, self.derive = folder, vocabulary, root, derive
        self.journal = Journal(folder)

    @staticmethod
    def is_at(folder: Path) -> bool:
        """Say whether ``folder`` is a labelling project."""
        return (folder / ABOUT).is_file() and (folder / JOURNAL).is_file()

    @classmethod
    def open(cls, folder: Path) -> Project:
        """Open a project.

        Raises:
            InputError: the folder is none, or its ``labels.yaml`` was damaged.
        """
        path = folder / ABOUT
        about = read_yaml(path)
        if not isinstance(about, dict) or {"vocabulary", "root"} - set(about):
            raise InputError(f"{path}: must have the keys 'vocabulary' and 'root'")
        name, derive = str(about["vocabulary"]), about.get("derive")
        if derive is not None and derive not in DERIVE:
            raise InputError(f"{path}: derive is '{derive}'; known: {', '.join(DERIVE)}")
        if name == OWN_VOCABULARY:
            name = str(folder / name)
        return cls(folder, load_vocabulary(name), folder / str(about["root"]), derive)

    @classmethod
    def create(
        cls, folder: Path, vocabulary: Vocabulary, root: Path, derive: str | None = None
    ) -> Project:
        """Begin a project.

        Raises:
            InputError: the folder holds something already, or cannot be written.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"{folder}: holds something else; label into a new folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / JOURNAL).touch()
            made = cls(folder, vocabulary, root, derive)
            made._write(cls._own(folder, vocabulary))
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be written ({error.strerror}); choose another with --labels"
            ) from None
        return made

    def follow(self, root: Path) -> None:
        """Remember that the images were moved to ``root``, under the names that they had."""
        self.root = root
        self._write(str(read_yaml(self.folder / ABOUT)["vocabulary"]))

    def _write(self, vocabulary: str) -> None:
        about = {
            "vocabulary": vocabulary,
            "labelled": list(self.vocabulary.names),
            "root": _root_from(self.folder, self.root),
            "derive": self.derive,
        }
        write_text(self.folder / ABOUT, yaml.safe_dump(about, sort_keys=False))

    @staticmethod
    def _own(folder: Path, vocabulary: Vocabulary) -> str:
        name = vocabulary.name
        if name in built_in_vocabularies() and vocabulary == load_vocabulary(name):
            return name
        record = {key: value for key, value in vocabulary.record().items() if key != "name"}
        write_text(folder / OWN_VOCABULARY, yaml.safe_dump(record, sort_keys=False))
        return OWN_VOCABULARY

    def save(
        self,
        labels: ImageLabels,
        follows: int,
        *,
        layer: str = "",
        by: str = "",
        actions: int = 0,
        seconds: float = 0.0,
    ) -> Change:
        """Complete labels by the project's geometry, and write them to disk.

        Args:
            labels: what is to hold.
            follows: revision that the person saw; 0 for an image never touched.
            layer: whose labels these are.
            by: who says so.
            actions: keys, clicks and drags that it took.
            seconds: time that it took.

        Returns:
            What was written.

        Raises:
            ConflictError: someone else changed the image meanwhile.
            InputError: a part is not in the vocabulary, or the disk does not take it.
        """
        for part in (*(box.part for box in labels.boxes), *labels.hidden):
            self.vocabulary.index(part)
        if self.derive is not None:
            labels = DERIVE[self.derive](labels)
        change = Change(
            labels=labels,
            revision=follows + 1,
            layer=layer,
            by=by,
            at=datetime.now().astimezone(),
            actions=actions,
            seconds=seconds,
        )
        self.journal.add(change)
        return change

    def finished(self, layer: str = "") -> list[ImageLabels]:
        """Return the labels of every finished image."""
        every = (change.labels for change in self.journal.all_latest(layer))
        return [labels for labels in every if labels.state == "done"]

    def boxes(self, layer: str = "", only: Collection[str] | None = None) -> Boxes:
        """Return the boxes of the finished images, or of those among ``only``, source label."""
        rows = [
            (labels.image, box.part, *box.corners, 1.0, LABEL)
            for labels in self.finished(layer)
            if only is None or labels.image in only
            for box in labels.boxes
        ]
        return Boxes(pd.DataFrame(rows, columns=NAMES), {}, str(self.journal.path))

    def labelled(self, layer: str = "") -> LabelledSet:
        """Return the finished images and their boxes as a labelled set.

        Raises:
            InputError: no image is finished.
        """
        names = [labels.image for labels in self.finished(layer)]
        if not names:
            raise InputError(f"{self.folder}: no image is labelled to the end yet")
        images = Images(pd.DataFrame({"image": names}), self.root, str(self.journal.path))
        return LabelledSet(
            images, self.boxes(layer), self.vocabulary, frozenset(self.vocabulary.names)
        )

    def take_over(self, labels: LabelledSet, by: str) -> int:
        """Begin with labels made elsewhere: every image of them is finished.

        Images that the project knows already are left as they are.

        Args:
            labels: a labelled set with images of this project.
            by: who they are from, for the history.

        Returns:
            How many images were taken.

        Raises:
            InputError: a part is not in the project's vocabulary.
        """
        for part in labels.labelled:
            self.vocabulary.index(part)
        root = self.root.resolve()
        taken: list[Change] = []
        frames = dict(list(labels.boxes.frame.groupby("image")))
        for name, path in zip(labels.images.frame["image"], labels.images.paths, strict=True):
            whole = path.resolve()
            if not whole.is_relative_to(root):
                raise InputError(f"{labels.images.source}: '{path}' is not under {self.root}")
            image = whole.relative_to(root).as_posix()
            if self.journal.latest(image) is not None:
                continue
            rows = frames[name][["part", *CORNERS]] if name in frames else pd.DataFrame()
            boxes = tuple(
                DrawnBox(part=row[0], x1=row[1], y1=row[2], x2=row[3], y2=row[4], source="imported")
                for row in rows.itertuples(index=False)
            )
            whole_image = ImageLabels(image=image, boxes=boxes, state="done")
            now = datetime.now().astimezone()
            taken.append(Change(labels=whole_image, revision=1, by=by, at=now))
        self.journal.add(*taken)
        return len(taken)


def _root_from(folder: Path, root: Path) -> str:
    """Write a root near the folder relative to it, so that both can be moved together."""
    root, folder = root.resolve(), folder.resolve()
    near = root.is_relative_to(folder.parent) or root.is_relative_to(folder.parent.parent)
    return (Path(os.path.relpath(root, folder)) if near else root).as_posix()
