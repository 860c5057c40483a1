"""Searching galleries on a page and by programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import require_writable
from annotations.images import Images
from annotations.web.serve import address, bind, serve, token_for
from detection.detect import detect_few
from detection.detector import Detector
from pipelines.jobs.part_boxes import detector_for
from pipelines.tables import say, written
from reid.methods import Branches, check_branches, located_by, needs_boxes
from reid.retrieval.evidence import Comparer, without_parts
from reid.retrieval.service.app import make_app
from reid.retrieval.service.searcher import Searcher
from reid.run import Run

_REMEMBERED = 256
"""Images whose parts need not be looked at again when a match is opened."""


def serve_galleries(
    galleries: Sequence[Path],
    *,
    run: Path | None = None,
    detector: Path | None = None,
    out: Path = Path("runs/search"),
    host: str = "127.0.0.1",
    port: int = 8091,
    token: str | None = None,
    unknown: float = 0.5,
    seconds: float = 60,
    device: str = "auto",
) -> None:
    """Open the page, until Ctrl-C.

    Args:
        galleries: folders.
        run: whose network embeds; None for the one that the galleries remember.
        detector: finds the parts of query images, for a network that needs them, and those of
            matches that are looked at; None for the one beside the run.
        out: folder for query images and marks.
        host: to listen on.
        port: to listen on; 0 for a free one.
        token: that requests must know; None for the usual.
        unknown: below which probability a query is unknown.
        seconds: that a search may take.
        device: ``auto``, ``cpu``, ``cuda``.

    Raises:
        InputError: something given is wrong.
    """
    taken = bind(host, port)
    searcher = Searcher(galleries, run, unknown=unknown, device=device)
    require_writable(out)
    branches = check_branches(searcher.galleries().about.branches)
    found = _finder(searcher.run, branches, detector, device)
    if isinstance(found, str):
        searcher.without_parts = found
        say(f"no part evidence: {found}")
    else:
        searcher.locate = found if needs_boxes(searcher.run.recipe, branches) else None
        searcher.comparer = Comparer(
            searcher.run, found, device=device, keep=_REMEMBERED, progress=False
        )
    known = token_for(host, token)
    app = make_app(searcher, out, token=known, seconds=seconds)
    say(f"{len(searcher.galleries()):,} images in {len(galleries)} galleries")

    def started() -> None:
        say(f"open {address(host, taken, known)} (Ctrl-C ends)")

    serve(app, taken, started)
    if (out / "marks.jsonl").is_file():
        written(out / "marks.jsonl", "marks:")


def _finder(
    run: Run, branches: Branches, detector: Path | None, device: str
) -> Callable[[Images], Boxes] | str:
    """Return what finds the parts of images; or why none are found, for a network that can do so.

    Raises:
        InputError: the network's embedding is made of parts, and they cannot be found.
    """
    needed = needs_boxes(run.recipe, branches)
    if needed and located_by(run.recipe) == "masks":
        raise InputError(
            f"{run.source}: looks through masks of views, which a single image has none of; serve "
            "galleries of another method"
        )
    if why := without_parts(run):
        return why
    try:
        place = detector_for(run, detector, branches)
    except InputError as error:
        if needed or detector is not None:
            raise
        return str(error)
    if place is None:
        return f"there is no detector at {run.source.parent / 'detector'}; give --detector"
    given = None if device == "auto" else device
    load = cache(lambda: Detector.load(place, given))
    if needed or detector is not None:
        load()  # what is wrong with it is said before the page opens

    return lambda images: detect_few(load(), images)
