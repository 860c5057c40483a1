"""Searching galleries on a page and by programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from annotations.errors import InputError
from annotations.images import Images
from annotations.web.serve import address, bind, serve, token_for
from detection.detect import detect_parts
from detection.detector import Detector
from pipelines.jobs.part_boxes import detector_for
from pipelines.tables import say, written
from reid.data.locate import Found
from reid.methods import Branches, check_branches, located_by, needs_boxes
from reid.retrieval.service.app import make_app
from reid.retrieval.service.searcher import Searcher
from reid.run import Run


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
        detector: finds the parts of query images, for a network that needs them.
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
    branches = check_branches(searcher.galleries().about.branches)
    searcher.locate = _locator(searcher.run, branches, detector, out, device)
    known = token_for(host, token)
    app = make_app(searcher, out, token=known, seconds=seconds)
    say(f"{len(searcher.galleries()):,} images in {len(galleries)} galleries")

    def started() -> None:
        say(f"open {address(host, taken, known)} (Ctrl-C ends)")

    serve(app, taken, started)
    if (out / "marks.jsonl").is_file():
        written(out / "marks.jsonl", "marks:")


def _locator(
    run: Run, branches: Branches, detector: Path | None, out: Path, device: str
) -> Callable[[Images], Found] | None:
    """Return what finds the parts of query images; None for a network that needs none."""
    if not needs_boxes(run.recipe, branches):
        return None
    if located_by(run.recipe) == "masks":
        raise InputError(
            f"{run.source}: looks through masks of views, which a single image has none of; serve "
            "galleries of another method"
        )
    place = detector_for(run, detector, branches)
    assert place is not None
    loaded = Detector.load(place, None if device == "auto" else device)

    def locate(images: Images) -> Found:
        return detect_parts(loaded, images, out / f"parts-{loaded.hash[:8]}").boxes

    return locate
