"""Answering one query image after another."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.contents import FileState, content_of
from annotations.errors import InputError
from annotations.images import Images
from annotations.spelling import shortest_endings
from reid.data.locate import Found
from reid.embedding import embed
from reid.methods import check_branches
from reid.retrieval.certainty import calibration_for, with_probabilities
from reid.retrieval.evidence import Compared, Comparer
from reid.retrieval.manifest import Manifest
from reid.retrieval.question import Question
from reid.retrieval.results import search
from reid.retrieval.segment import CONTENT, SIZE, TIME
from reid.retrieval.several import Galleries
from reid.run import Run

_STATES = 4
"""States of the galleries of which what was found can still be looked at."""


class GoneError(InputError):
    """Something that was there is no longer."""


@dataclass(frozen=True)
class Answer:
    """What was found.

    Attributes:
        query: the file that was asked with.
        found: as `reid.retrieval.results.search` has it, with ``item``, by which `Searcher.item`
            finds the image again.
        seconds: that it took, and of them ``embedding``.
        embedding: that the network took.
        folders: what the folders that images come from are called, by path; see `folder_names`.
    """

    query: Path
    found: pd.DataFrame
    seconds: float
    embedding: float
    folders: Mapping[str, str] = field(default_factory=dict)

    def folder(self, image: str, file: str) -> str:
        """Return what the folder of an image found is called; empty where it has a whole path."""
        return self.folders.get(file[: -len(image) - 1], "")


class Searcher:
    """Searches galleries with single images, one at a time; galleries may grow meanwhile.

    Args:
        paths: of the galleries.
        run: the network that made them; None for the one that they remember.
        unknown: below which probability a query is unknown.
        device: ``auto``, ``cpu``, ``cuda``.

    Attributes:
        run: the network.
        locate: finds the parts of images, for a network that needs them; None for others.
        comparer: compares the parts of a query and a match; None where that cannot be done.
        without_parts: why it cannot.
        names: what the galleries are called, by their paths as given: the shortest endings that
            tell them apart.

    Raises:
        InputError: galleries or the run cannot be opened, or do not belong together.
    """

    locate: Callable[[Images], Found | None] | None
    comparer: Comparer | None

    def __init__(
        self,
        paths: Sequence[Path],
        run: Path | None = None,
        unknown: float = 0.5,
        device: str = "auto",
    ) -> None:
        self._paths = tuple(paths)
        places = list(dict.fromkeys(path.resolve() for path in paths))
        called = dict(zip(places, shortest_endings(places), strict=True))
        self.names = {str(path): called[path.resolve()] for path in paths}
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._states: OrderedDict[int, Galleries] = OrderedDict()
        self.locate = self.comparer = None
        self.without_parts = "nothing finds parts here"
        self._unknown = unknown
        self._device = device
        # A browser that was open before a restart must not take one image for another.
        self._first = secrets.randbelow(10**12)
        opened = self.galleries()
        remembered = Path(opened.about.run)
        if run is None and not remembered.is_dir():
            raise InputError(f"{paths[0]}: made by the run {remembered}, which is gone; give --run")
        self.run = Run.load(run or remembered)
        opened.each[0].require_model(self.run.hash)

    @property
    def apart(self) -> bool:
        """Whether there are several galleries, so that each match is to be told with its own."""
        return len(self._paths) > 1

    def galleries(self) -> Galleries:
        """Return the galleries in their last state."""
        return self._current()[1]

    def find(self, query: Path, question: Question) -> Answer:
        """Find what is like one image.

        Args:
            query: its file.
            question: what to find.

        Raises:
            InputError: the image cannot be used, or what is asked cannot be answered.
        """
        start = time.perf_counter()
        state, galleries = self._current()
        question.check(galleries.about.distance)
        images = Images.from_rows([{"image": query.name}], query.parent, "query")
        about = galleries.about
        with self._lock:
            located = self.locate(images) if self.locate else None
            made = embed(
                self.run, images, located, branches=check_branches(about.branches),
                mirror=about.mirror, device=self._device, workers=1, progress=False,
            )  # fmt: skip
        embedded = time.perf_counter()
        found = search(galleries, made.vectors, made.images, question)
        calibration = calibration_for(self.run, about, question)
        if calibration is not None:
            found = with_probabilities(found, calibration, self._unknown)
        found["item"] = [f"{state}-{row}" for row in found["row"]]
        end = time.perf_counter()
        return Answer(query, found, end - start, embedded - start, folder_names(galleries))

    def item(self, name: str) -> tuple[Galleries, int]:
        """Return where an image found before is: galleries and its row.

        Raises:
            GoneError: the galleries have changed since, or there never was such an image.
        """
        state, _, row = name.partition("-")
        if state.isdecimal() and row.isdecimal():
            galleries = self._states.get(int(state))
            if galleries is not None and int(row) < int(galleries.starts[-1]):
                return galleries, int(row)
        raise GoneError(f"no image '{name[:40]}' any more; search again")

    def file(self, name: str) -> Path:
        """Return the file of an image found before.

        Raises:
            GoneError: it is not there any more, or leads out of the gallery's folders to what is
                not the file that the gallery knows.
        """
        galleries, row = self.item(name)
        frame = galleries.table(np.array([row]), [])
        path = Path(frame["file"].iloc[0])
        roots = [root for gallery in galleries.each for root in gallery.roots]
        resolved = path.resolve()
        # A table may name files beside its folder; a link leads out of it only to what was read
        # there when the gallery grew, not to what somebody has put in its place since.
        own = resolved == Path(os.path.normpath(path))
        own = own or any(resolved.is_relative_to(root) for root in roots)
        if not path.is_file() or not (own or _is_known(galleries, row, resolved)):
            raise GoneError(f"the file of '{name}' is not there any more")
        return path

    def compare(self, query: Path, name: str) -> Compared:
        """Compare the parts of a query and of an image found for it: one pair.

        Args:
            query: the file that was asked with.
            name: of an image found before.

        Raises:
            InputError: parts cannot be compared here.
            GoneError: as `file`.
        """
        if self.comparer is None:
            raise InputError(f"no part evidence: {self.without_parts}")
        file = self.file(name)
        with self._lock:
            return self.comparer.compare([(query, file)])

    def _current(self) -> tuple[int, Galleries]:
        with self._opening:
            now = [Manifest.read(path) for path in self._paths]
            for state, galleries in reversed(self._states.items()):
                if [one.manifest for one in galleries.each] == now:
                    return state, galleries
            opened = Galleries.open(self._paths, self._device)
            if self._states:
                opened.each[0].require_model(self.run.hash)
            state = max(self._states, default=self._first) + 1
            self._states[state] = opened
            while len(self._states) > _STATES:
                self._states.popitem(last=False)
            return state, opened


def folder_names(galleries: Galleries) -> dict[str, str]:
    """Return what the folders that images come from are called, by path.

    They are the shortest endings that tell them apart.
    """
    roots = list(dict.fromkeys(root for gallery in galleries.each for root in gallery.roots))
    return dict(zip(map(str, roots), shortest_endings(roots), strict=True))


def _is_known(galleries: Galleries, row: int, file: Path) -> bool:
    """Return whether a file is still the one that a gallery has a row of.

    It is by its size and time; by its content, too, where it is only the time that differs.
    """
    which = int(np.searchsorted(galleries.starts, row, "right")) - 1
    gallery, row = galleries.each[which], row - int(galleries.starts[which])
    place = int(np.searchsorted(gallery.starts, row, "right")) - 1
    table = gallery.segments[place].table.select([SIZE, TIME, CONTENT])
    known = table.slice(row - int(gallery.starts[place]), 1).to_pylist()[0]
    state = FileState.of(file)
    # A gallery that was built without reading files knows nothing of them.
    if state is None or known[SIZE] is None or state.size != known[SIZE]:
        return False
    if state.time == known[TIME]:
        return True
    return known[CONTENT] is not None and content_of(file) == known[CONTENT]
