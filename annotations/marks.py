"""Pairs that people marked as the same vehicle or not, as images to train on."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs

TRAIN = "train"


@dataclass(frozen=True)
class Marked:
    """A data set with what was marked.

    Attributes:
        images: the data set's images, and the marked ones among or behind them.
        added: those that the data set did not have.
        notes: lines for people: what was added, what was left out, and what is assumed.
    """

    images: Images
    added: tuple[str, ...]
    notes: tuple[str, ...]


def with_marks(images: Images, pairs: Pairs, root: Path) -> Marked:
    """Add marked images to the training images of a data set.

    Images that marks join, directly or through others, are one vehicle. Where one of them is in
    the data set, that is its vehicle, and the others get its identity; else it is a new one. Every
    other marked image is a vehicle of its own: what nothing joins is taken as different, as it is
    in any data set. Files of the same content are one image.

    Of an added image nothing is known but its identity: its camera, track, time and so on stay
    empty. A vehicle that the data set has for its test alone is left out, with all its images.

    Args:
        images: the data set; where it has splits, what is added is of the training split.
        pairs: what was marked.
        root: the folder that their paths start from, where they are not absolute.

    Raises:
        InputError: an image is not there; marks contradict each other or the data set, whose rows
            are named; or nothing is left to train on.
    """
    table = _Table(images)
    files = _Files(pairs, root, table)
    joins = _joins(pairs, files)
    vehicles = _vehicles(files, joins, table, pairs)
    named = {file: vehicle.identity for vehicle in vehicles for file in vehicle.files}
    _require_apart(pairs, files, joins, named)
    left_out = [vehicle for vehicle in vehicles if vehicle.tested]
    rows, known = [], {}
    for vehicle in vehicles:
        if vehicle.tested:
            continue
        for file in vehicle.files:
            name = table.name_of(file)
            if name is None:
                rows.append((table.new_name(file), vehicle.identity))
            elif table.free(name):
                known[name] = vehicle.identity
    if not rows and not known:
        raise InputError(
            f"{pairs.source}: none of its images can be trained on: their vehicles are those that "
            f"{images.source} tests on, or its training images already"
        )
    added = tuple(name for name, _ in rows)
    new = sum(table.identities.isdisjoint({v.identity}) for v in vehicles if not v.tested)
    notes = [
        f"marks: {len(added)} images are added to {len(images.training())} training images, "
        f"{len(known)} more of {images.source} are trained on now; {new} vehicles are new, and "
        "whatever no mark joins is taken as different vehicles"
    ]
    if left_out:
        notes.append(
            f"marks: {sum(len(vehicle.files) for vehicle in left_out)} images are left out: their "
            f"{len(left_out)} vehicles are those that {images.source} tests on"
        )
    return Marked(_joined(images, rows, known), added, tuple(notes))


def _joined(images: Images, rows: list[tuple[str, str]], known: dict[str, str]) -> Images:
    frame = images.frame
    told = frame["image"].map(known).astype("string")
    frame = frame.assign(identity=frame["identity"].fillna(told))
    more = pd.DataFrame(rows, columns=["image", "identity"], dtype="string")
    if _has_splits(frame):
        frame = frame.assign(split=frame["split"].mask(told.notna(), TRAIN))
        more = more.assign(split=TRAIN)
    whole = pd.concat([frame, more], ignore_index=True) if rows else frame
    return Images(whole, images.root, images.source)


def _has_splits(frame: pd.DataFrame) -> bool:
    return "split" in frame and bool(frame["split"].notna().any())


class _Table:
    """A data set, asked about files."""

    def __init__(self, images: Images) -> None:
        frame = images.frame
        self.source = images.source
        self._root = images.root.resolve()
        self._identity = dict(zip(frame["image"], frame["identity"], strict=True))
        splits = frame["split"] if _has_splits(frame) else pd.Series(TRAIN, index=frame.index)
        self._split: dict[str, Any] = dict(zip(frame["image"], splits, strict=True))
        self.identities = set(frame["identity"].dropna())
        self.trained = set(frame.loc[splits == TRAIN, "identity"].dropna())
        tests = splits.notna() & (splits != TRAIN)
        self.tested = set(frame.loc[tests, "identity"].dropna()) - self.trained

    def name_of(self, file: Path) -> str | None:
        """Return what the data set calls a file; None where it has not."""
        for path in (file, file.resolve()):
            for name in (self.new_name(path), str(path)):
                if name in self._split:
                    return name
        return None

    def new_name(self, file: Path) -> str:
        """Return what the data set would call a file."""
        if file.is_relative_to(self._root):
            return file.relative_to(self._root).as_posix()
        return str(file)

    def original_of(self, file: Path, content: bytes) -> Path:
        """Return the data set's file that another is a copy of; itself where there is none."""
        if self.name_of(file) is None:
            for path in self._by_size.get(file.stat().st_size, []):
                if _content(path) == content:
                    return path
        return file

    @cached_property
    def _by_size(self) -> dict[int, list[Path]]:
        found = defaultdict(list)
        for path in (self._root / name for name in self._split):
            if path.is_file():
                found[path.stat().st_size].append(path)
        return found

    def identity_of(self, file: Path) -> str | None:
        name = self.name_of(file)
        told = None if name is None else self._identity[name]
        return None if pd.isna(told) else str(told)

    def of_test(self, file: Path) -> bool:
        name = self.name_of(file)
        return name is not None and not self.free(name) and self._split[name] != TRAIN

    def free(self, name: str) -> bool:
        """Whether an image of the data set is not used yet: in no split, or without identity."""
        split = self._split[name]
        unknown = bool(pd.isna(self._identity[name]))
        return bool(pd.isna(split)) or (split == TRAIN and unknown)


def _content(file: Path) -> bytes:
    return hashlib.blake2b(file.read_bytes()).digest()


class _Files:
    """The files of pairs; of several with the same content the data set's, or the first, is it."""

    def __init__(self, pairs: Pairs, root: Path, table: _Table) -> None:
        self._pairs = pairs
        self._one: dict[str, Path] = {}
        contents: dict[bytes, Path] = {}
        given: dict[str, bytes] = {}
        for row, (first, second) in enumerate(
            zip(pairs.frame["first"], pairs.frame["second"], strict=True)
        ):
            for name in (first, second):
                if name in given:
                    continue
                file = (root / name).absolute()
                try:
                    content = _content(file)
                except OSError:
                    raise InputError(
                        f"{pairs.source}: row {self.line(row)}: no image '{name}'; give --root if "
                        "paths start elsewhere, or take the row out"
                    ) from None
                given[name] = content
                there = contents.get(content)
                if there is None or (table.name_of(there) is None and table.name_of(file)):
                    contents[content] = table.original_of(file, content)
        self._one = {name: contents[content] for name, content in given.items()}

    def line(self, row: int) -> int:
        """Return the row of a pair as people count it."""
        return self._pairs.lines[row] if self._pairs.lines else row + 2

    def pair(self, row: int) -> tuple[Path, Path]:
        frame = self._pairs.frame
        return self._one[frame["first"].iloc[row]], self._one[frame["second"].iloc[row]]

    def unique(self) -> list[Path]:
        return list(dict.fromkeys(self._one.values()))


_Joins = dict[Path, list[tuple[Path, int]]]
"""Of each file those that right marks join it with, and the row of each mark."""


def _joins(pairs: Pairs, files: _Files) -> _Joins:
    found: _Joins = defaultdict(list)
    for row, same in enumerate(pairs.frame["same"]):
        if same:
            one, other = files.pair(row)
            found[one].append((other, row))
            found[other].append((one, row))
    return found


@dataclass(frozen=True)
class _Vehicle:
    """Files of one vehicle; ``tested``: the data set has it for its test."""

    identity: str
    files: tuple[Path, ...]
    tested: bool


def _vehicles(files: _Files, joins: _Joins, table: _Table, pairs: Pairs) -> list[_Vehicle]:
    made, seen = [], set[Path]()
    names = (name for number in count(1) if (name := f"marked-{number}") not in table.identities)
    for start in files.unique():
        if start in seen:
            continue
        mine = list(_ways(joins, start))
        seen |= set(mine)
        told = {file: identity for file in mine if (identity := table.identity_of(file))}
        if len(set(told.values())) > 1:
            one = next(iter(told))
            other = next(file for file in told if told[file] != told[one])
            raise InputError(
                f"{pairs.source}: {_rows(joins, files, one, other)} that '{one}' and '{other}' "
                f"are one vehicle, which have the identities {told[one]} and {told[other]} in "
                f"{table.source}; correct one of the two"
            )
        identity = next(iter(told.values()), None)
        tested = identity in table.tested if identity else any(map(table.of_test, mine))
        made.append(_Vehicle(identity or next(names), tuple(mine), tested))
    return made


def _require_apart(pairs: Pairs, files: _Files, joins: _Joins, named: dict[Path, str]) -> None:
    """Demand that no two images are marked as different that are one vehicle."""
    for row, same in enumerate(pairs.frame["same"]):
        one, other = files.pair(row)
        if same or named[one] != named[other]:
            continue
        first, second = pairs.frame["first"].iloc[row], pairs.frame["second"].iloc[row]
        if one == other:
            why = "they are the same picture"
        elif other in _ways(joins, one):
            why = f"{_rows(joins, files, one, other)} that they are the same"
        else:
            why = f"the data set has both as identity {named[one]}"
        raise InputError(
            f"{pairs.source}: row {files.line(row)} says that '{first}' and '{second}' are "
            f"different vehicles, but {why}; take the wrong one of these back"
        )


def _ways(joins: _Joins, start: Path) -> dict[Path, tuple[Path, int] | None]:
    """Return what is joined with a file, by the fewest marks, and from where it was reached."""
    found: dict[Path, tuple[Path, int] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there, row in joins.get(here, []):
            if there not in found:
                found[there] = (here, row)
                waiting.append(there)
    return found


def _rows(joins: _Joins, files: _Files, start: Path, end: Path) -> str:
    """Say which rows join two files: ``rows 2 and 5 say``."""
    ways, rows = _ways(joins, start), []
    while (step := ways[end]) is not None:
        end, row = step
        rows.append(files.line(row))
    told = [str(line) for line in sorted(rows)]
    if len(told) == 1:
        return f"row {told[0]} says"
    return f"rows {', '.join(told[:-1])} and {told[-1]} say"
