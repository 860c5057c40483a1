"""Part evidence of what a search found: the parts of queries and found images, compared."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from reid.distances import distance_named
from reid.embedding import NothingReadError
from reid.explain.says import signed
from reid.methods import compared_by, located_by
from reid.run import Run
from reid.verification.calibration import Calibration
from reid.verification.curve import Curve
from reid.verification.described import describe
from reid.verification.part_evidence import PartEvidence, compare_parts

SHOWN = 5
"""Images of each query's list whose parts are compared, unless told otherwise."""
GONE, UNREADABLE = "file is gone", "file cannot be read"
NO_COMMON_PART = "no part is seen in both images"
_NAMED = 2
"""Parts that a sentence names from each end of many."""

Locate = Callable[[Images], Boxes]
"""Finds the parts of images, whose names are absolute paths."""


@dataclass(frozen=True)
class Compared:
    """What the parts of P pairs of images say.

    Attributes:
        evidence: of the pairs.
        files: (P, 2), the pairs' files.
        boxes: rows of the boxes table of each image that could be read, by its file.
        notes: of each pair why its parts say nothing; empty where they do.
        passes: images that went through the network for it.
    """

    evidence: PartEvidence
    files: tuple[tuple[Path, Path], ...]
    boxes: dict[Path, pd.DataFrame]
    notes: tuple[str, ...]
    passes: int

    def __len__(self) -> int:
        return len(self.files)

    def distances(self, row: int) -> str:
        """Return the parts of a pair, nearest first: ``light 0.213, window 0.804``."""
        return _listed(_ordered(self.evidence, self.evidence.distances, row), "{:.3f}")

    def says(self, row: int) -> str:
        """Return what they say, from for to against: ``light +1.2, window -0.9``."""
        evidence = self.evidence
        if evidence.curves is None:
            return ""
        return _listed(_ordered(evidence, -evidence.says, row), "{:+.1f}", -1.0)

    def sentence(self, row: int) -> str:
        """Say in words which parts decided, or why none did."""
        if self.notes[row]:
            return _begun(f"{self.notes[row]}.")
        evidence = self.evidence
        if evidence.curves is None:
            return _nearest(_ordered(evidence, evidence.distances, row))
        # What is told as 0.0 is neither for it nor against it.
        told = [
            (part, -say)
            for part, say in _ordered(evidence, -evidence.says, row)
            if float(f"{say:.1f}")
        ]
        both = [
            f"{words} {', '.join(f'{part} {signed(say)}' for part, say in some)}"
            for words, some in (
                ("for it:", [each for each in told if each[1] > 0]),
                ("against it:", [each for each in told[::-1] if each[1] < 0]),
            )
            if some
        ]
        return _begun(f"{'; '.join(both)}.") if both else "No part says anything."


class Comparer:
    """Compares the parts of pairs of images; an image goes through the network once.

    Args:
        run: the network.
        locate: finds the parts of images.
        device: ``auto``, ``cpu``, ``cuda``.
        keep: images that are remembered from one call to the next, the last ones.
        progress: whether to show bars.

    Raises:
        InputError: the network has no parts, or looks at them through masks; or the run's
            calibration is damaged or of another network.
    """

    def __init__(
        self, run: Run, locate: Locate, *, device: str = "auto", keep: int = 0,
        progress: bool = True,
    ) -> None:  # fmt: skip
        if why := without_parts(run):
            raise InputError(f"{run.source}: {why}")
        self.run = run
        self.curves = curves_of(run)
        self._locate, self._device = locate, device
        self._keep, self._progress = keep, progress
        self._known: OrderedDict[_Key, _Seen | str] = OrderedDict()

    def compare(self, pairs: Sequence[tuple[Path, Path]]) -> Compared:
        """Compare the parts of pairs of image files.

        Raises:
            InputError: where parts are cannot be said of these images.
        """
        files = list(dict.fromkeys(file.absolute() for pair in pairs for file in pair))
        keys = {file: _key(file) for file in files}
        new = [file for file in files if keys[file] is not None and keys[file] not in self._known]
        for file, seen in self._look(new).items():
            self._known[keys[file]] = seen  # type: ignore[index]
        found = {
            file: GONE if key is None else self._known[key] for file, key in keys.items()
        }  # fmt: skip
        for key in keys.values():
            if key is not None:
                self._known.move_to_end(key)
        while len(self._known) > self._keep:
            self._known.popitem(last=False)
        return self._compared([(a.absolute(), b.absolute()) for a, b in pairs], found, len(new))

    def _look(self, files: Sequence[Path]) -> dict[Path, _Seen | str]:
        """Send images through the network; of one that cannot be read say so."""
        if not files:
            return {}
        frame = pd.DataFrame({"image": pd.array([str(file) for file in files], dtype="string")})
        images = Images(frame, Path("/"), "images to compare by their parts")
        boxes = self._locate(images)
        told = dict(list(boxes.frame.groupby("image")))
        none = boxes.frame.head(0)
        looked: dict[Path, _Seen | str] = dict.fromkeys(files, UNREADABLE)
        try:
            made = describe(
                self.run, images, boxes, mirror=False, device=self._device, progress=self._progress
            )
        except NothingReadError:
            return looked
        names = made.embedded.images.frame["image"]
        for name, vectors, visible in zip(names, made.parts, made.visible, strict=True):
            looked[Path(name)] = _Seen(vectors, visible, told.get(name, none))
        return looked

    def _compared(
        self,
        pairs: Sequence[tuple[Path, Path]],
        found: dict[Path, _Seen | str],
        passes: int,
    ) -> Compared:
        seen = {file: one for file, one in found.items() if isinstance(one, _Seen)}
        place = {file: number for number, file in enumerate(seen)}
        parts = self.run.recipe.parts.use
        vectors = np.zeros((0, len(parts), 1), np.float32)
        visible = np.zeros((0, len(parts)), bool)
        if seen:
            vectors = np.stack([one.vectors for one in seen.values()])
            visible = np.stack([one.visible for one in seen.values()])
        first, second = (
            np.array([place.get(pair[side], -1) for pair in pairs], np.int64) for side in (0, 1)
        )
        by = distance_named(compared_by(self.run.recipe))
        evidence = compare_parts(vectors, visible, first, second, parts, by, self.curves)
        lonely = [bool(row.all()) for row in np.isnan(evidence.distances)]
        notes = [
            _lacking(pair, found) or (NO_COMMON_PART if alone else "")
            for pair, alone in zip(pairs, lonely, strict=True)
        ]
        boxes = {file: one.boxes for file, one in seen.items()}
        return Compared(evidence, tuple(pairs), boxes, tuple(notes), passes)


def without_parts(run: Run) -> str:
    """Say why the parts of a run's network cannot be compared; nothing where they can."""
    if not run.recipe.parts.use:
        return "the network was trained without parts"
    if located_by(run.recipe) == "masks":
        return "the network looks through masks of views, not at boxes of parts"
    return ""


def curves_of(run: Run) -> dict[str, Curve] | None:
    """Return by what a run's parts speak for or against; None where it is not calibrated.

    Raises:
        InputError: its calibration is damaged or of another network.
    """
    if not (run.source / Calibration.FILE).is_file():
        return None
    made = Calibration.read(run.source)
    made.require_model(run)
    return made.parts


@dataclass(frozen=True)
class ListEvidence:
    """What the parts say of the first images of some queries' lists.

    Attributes:
        compared: the pairs.
        rows: the label of each pair's row in the table of what was found.
    """

    compared: Compared
    rows: pd.Index[int]

    def beside(self, found: pd.DataFrame) -> pd.DataFrame:
        """Return the table with what parts say, as text, empty where they were not compared.

        Columns ``parts``, see `Compared.distances`, and of a calibrated run ``parts_say``, see
        `Compared.says`.
        """
        columns = {"parts": self.compared.distances}
        if self.compared.evidence.curves is not None:
            columns["parts_say"] = self.compared.says
        for name, tell in columns.items():
            told = [tell(row) or None for row in range(len(self.compared))]
            cells = pd.Series(told, index=self.rows, dtype="string")
            found = found.assign(**{name: cells.reindex(found.index)})
        return found


def compare_lists(
    comparer: Comparer, found: pd.DataFrame, queries: Mapping[str, Path], images: int
) -> ListEvidence:
    """Compare the parts of queries with those of the first images of their lists.

    Args:
        comparer: compares.
        found: as `reid.retrieval.results.search` has it.
        queries: the files of the queries to look at, by their names.
        images: of each list.

    Raises:
        InputError: as `Comparer.compare`.
    """
    some = found[(found["rank"] <= images) & found["query"].isin(list(queries))]
    pairs = [
        (queries[query], Path(file))
        for query, file in zip(some["query"], some["file"], strict=True)
    ]
    return ListEvidence(comparer.compare(pairs), some.index)


_Key = tuple[str, int, int]


@dataclass(frozen=True)
class _Seen:
    """An image that was read: (K, C) float32, (K,) bool, and rows of the boxes table."""

    vectors: npt.NDArray[np.float32]
    visible: npt.NDArray[np.bool_]
    boxes: pd.DataFrame


def _key(file: Path) -> _Key | None:
    try:
        told = file.stat()
    except OSError:
        return None
    return str(file), told.st_size, told.st_mtime_ns


def _lacking(pair: tuple[Path, Path], found: dict[Path, _Seen | str]) -> str:
    query, match = (found[file] for file in pair)
    if isinstance(match, str):
        return f"its {match}"
    return f"the query's {query}" if isinstance(query, str) else ""


def _ordered(
    evidence: PartEvidence, values: npt.NDArray[np.float64], row: int
) -> list[tuple[str, float]]:
    told = [
        (part, float(value))
        for part, value in zip(evidence.parts, values[row], strict=True)
        if not np.isnan(value)
    ]
    return sorted(told, key=lambda each: each[1])


def _listed(told: Iterable[tuple[str, float]], form: str, sign: float = 1.0) -> str:
    return ", ".join(f"{part} {form.format(sign * value)}" for part, value in told)


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _nearest(told: list[tuple[str, float]]) -> str:
    if len(told) == 1:
        return f"Only {told[0][0]} is seen in both: {told[0][1]:.3f} apart."
    ends = min(_NAMED, len(told) // 2)
    near, far = _listed(told[:ends], "{:.3f}"), _listed(told[: -ends - 1 : -1], "{:.3f}")
    return f"Nearest: {near}. Most different: {far}."
