"""Building galleries and searching them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import require_writable
from annotations.images import Images
from engines.choice import AUTO
from pipelines.jobs.boxes_drawn import boxes_drawn
from pipelines.jobs.detector import vocabulary_of
from pipelines.jobs.found import found_at
from pipelines.jobs.part_boxes import detect_in, detector_for
from pipelines.jobs.parts_compared import compare_found, comparer_for
from pipelines.jobs.unreadable import UNREADABLE, write_unreadable
from pipelines.tables import in_one_line, say, written
from reid.data.locate import Found
from reid.embedding import NothingReadError, embed
from reid.methods import check_branches, needs_boxes
from reid.retrieval.about import GalleryAbout
from reid.retrieval.certainty import UNKNOWN, calibration_for, with_probabilities
from reid.retrieval.evidence import Comparer, without_parts
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import is_gallery
from reid.retrieval.milvus.store import MilvusStore
from reid.retrieval.page import write_results
from reid.retrieval.question import Question
from reid.retrieval.results import search as find
from reid.retrieval.searched import Searched
from reid.retrieval.several import Galleries
from reid.retrieval.writer import require_replaceable
from reid.run import Run


def build_from(
    images: Images,
    run: Run,
    out: Path,
    boxes: Found | None,
    branches: str,
    device: str,
    mirror: bool | None = None,
) -> Gallery:
    """Embed images into a gallery, which replaces an earlier one."""
    chosen = check_branches(branches)
    require_replaceable(out)
    embedded = embed(run, images, boxes, branches=chosen, mirror=mirror, device=device)
    about = GalleryAbout(
        model=run.hash,
        run=str(run.source.resolve()),
        branches=chosen,
        distance=embedded.distance,
        mirror=embedded.mirror,
    )
    made_by = run.recipe.model_dump(mode="json")
    gallery = Gallery.build(embedded.vectors, embedded.images, out, about, recipe=made_by)
    for problem in embedded.problems:
        say(problem)
    written(out, f"gallery of {len(gallery)} images:")
    return gallery


def search(
    queries: Path,
    galleries: Sequence[Path],
    question: Question,
    out: Path,
    *,
    store: str | None = None,
    run: Path | None = None,
    dataset: str | None = None,
    boxes: Path | None = None,
    detector: Path | None = None,
    evidence: int | None = None,
    unknown: float | None = None,
    device: str = "auto",
    engine: str = AUTO,
) -> Path:
    """Search galleries for every image of a data set.

    Args:
        queries: the data set.
        galleries: folders.
        question: what to find.
        out: the folder for results.
        store: an address, see `reid.retrieval.milvus.address`, in place of folders.
        run: whose network embeds; None for the one that the galleries remember.
        dataset: the kind of the data set, or None.
        boxes: where parts are, for a network that needs it, to compare and to draw.
        detector: finds them where no boxes are given.
        evidence: images of each list whose parts are compared with the query's, see
            `pipelines.jobs.parts_compared.comparer_for`.
        unknown: queries whose best match is less probable are called unknown; None for one half
            where the run is calibrated.
        device: ``auto``, ``cpu``, ``cuda``.
        engine: what computes the network, see `engines.choice.NAMES`.

    Returns:
        The page.

    Raises:
        InputError: something given is wrong.
    """
    opened = _opened(galleries, store, device)
    remembered = Path(opened.about.run)
    if run is None and not remembered.is_dir():
        raise InputError(f"{opened.name}: made by the run {remembered}, which is gone; give --run")
    loaded = Run.load(run or remembered)
    if boxes is not None and detector is not None:
        raise InputError("--detector: finds boxes, and --boxes are given; give one of the two")
    if detector is not None and (why := without_parts(loaded)):
        raise InputError(f"--detector: {why}")
    found = found_at(boxes) if boxes else None
    images = read_images(queries, dataset)
    opened.require_model(loaded.hash)
    branches = check_branches(opened.about.branches)
    require_writable(out)
    if is_gallery(out):
        raise InputError(f"{out}: is a gallery; give another folder for results, by --out")
    comparer = comparer_for(loaded, found, detector, evidence, branches, out, device)
    if detector is not None and needs_boxes(loaded.recipe, branches):
        place = detector_for(loaded, detector, branches)
        assert place is not None
        found = detect_in(place, images, out, device)
    return search_in(
        images, opened, loaded, out, question, found, device, unknown,
        comparer=comparer, evidence=evidence, engine=engine,
    )  # fmt: skip


def _opened(galleries: Sequence[Path], store: str | None, device: str) -> Searched[Any]:
    if bool(galleries) == (store is not None):
        raise InputError("say where to search: --gallery FOLDER, once or more, or --store ADDRESS")
    return Galleries.open(galleries, device) if store is None else MilvusStore.open(store)


def search_in(
    images: Images,
    galleries: Searched[Any],
    run: Run,
    out: Path,
    question: Question,
    boxes: Found | None,
    device: str,
    unknown: float | None = None,
    *,
    comparer: Comparer | str = "",
    evidence: int | None = None,
    engine: str = AUTO,
) -> Path:
    """Search opened galleries, and write results as CSV, Parquet, JSON lines and a page.

    Queries that cannot be read are listed in ``unreadable.csv`` beside them.

    What compares parts is ``comparer``, of `pipelines.jobs.parts_compared.comparer_for`; or why
    nothing does.
    """
    galleries.require_model(run.hash)
    about = galleries.about
    branches = check_branches(about.branches)
    question.check(about.distance)
    calibration = calibration_for(run, about, question, demanded=unknown is not None)
    try:
        embedded = embed(
            run, images, boxes, branches=branches, mirror=about.mirror, device=device, engine=engine
        )
    except NothingReadError as error:
        _list_unreadable(out, [*images.closed, *error.problems])
        raise
    if embedded.distance != about.distance:
        raise InputError(
            f"{galleries.name}: holds embeddings for the distance {about.distance}, where its "
            f"network is compared by {embedded.distance} now; make the gallery again"
        )
    _list_unreadable(out, [*images.closed, *embedded.problems])
    found = find(galleries, embedded.vectors, embedded.images, question)
    if calibration is not None:
        found = with_probabilities(found, calibration, UNKNOWN if unknown is None else unknown)
    if question.refine:
        say(question.refine.words)
    told = compare_found(comparer, found, embedded.images, evidence)
    drawn = boxes if isinstance(boxes, Boxes) else None
    page = write_results(
        found,
        galleries,
        embedded.images,
        out,
        boxes=None if drawn is None else boxes_drawn(drawn, found, galleries, embedded.images),
        query_boxes=drawn,
        vocabulary=None if drawn is None else vocabulary_of(drawn),
        evidence=told,
    )
    names = ", ".join(f"results.{kind}" for kind in ("csv", "parquet", "jsonl"))
    written(out, f"rank lists of {found['query'].nunique():,} queries ({names}):")
    written(page, "page:")
    return page


def _list_unreadable(out: Path, lines: Sequence[str]) -> None:
    """Say which queries cannot be read, and write their list, or remove an earlier search's."""
    if not lines:
        (out / UNREADABLE).unlink(missing_ok=True)
        return
    for line in lines[:10]:
        say(in_one_line(line))
    place = write_unreadable(out, lines)
    written(place, f"{len(lines)} files and folders that cannot be used:")
