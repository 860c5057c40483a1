"""Building galleries and searching them."""

from __future__ import annotations

from pathlib import Path

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from pipelines.jobs.detector import vocabulary_of
from pipelines.jobs.found import found_at
from pipelines.tables import say, written
from reid.data.locate import Found
from reid.embedding import embed
from reid.methods import check_branches
from reid.reranking.refinement import Refinement
from reid.retrieval.gallery import Gallery, GalleryAbout
from reid.retrieval.page import write_results
from reid.retrieval.results import search as find
from reid.run import Run


def build(
    data: Path,
    dataset: str | None,
    run: Path,
    out: Path,
    boxes: Path | None,
    branches: str,
    device: str,
    mirror: bool | None = None,
) -> Gallery:
    """Embed a data set into a gallery."""
    found = found_at(boxes) if boxes else None
    images = read_images(data, dataset)
    return build_from(images, Run.load(run), out, found, branches, device, mirror)


def build_from(
    images: Images,
    run: Run,
    out: Path,
    boxes: Found | None,
    branches: str,
    device: str,
    mirror: bool | None = None,
) -> Gallery:
    """Embed images into a gallery."""
    chosen = check_branches(branches)
    Gallery.require_replaceable(out)
    embedded = embed(run, images, boxes, branches=chosen, mirror=mirror, device=device)
    about = GalleryAbout(
        model=run.hash,
        run=str(run.source.resolve()),
        branches=chosen,
        distance=embedded.distance,
        mirror=embedded.mirror,
    )
    gallery = Gallery.build(embedded.vectors, embedded.images, out, about)
    for problem in embedded.problems:
        say(problem)
    written(out, f"gallery of {len(gallery)} images:")
    return gallery


def search(
    queries: Path,
    dataset: str | None,
    gallery: Path,
    run: Path | None,
    out: Path,
    top: int,
    boxes: Path | None,
    cross_camera: bool,
    device: str,
    refine: Refinement | None = None,
) -> Path:
    """Search a gallery for every image of a data set."""
    opened = Gallery.open(gallery)
    remembered = Path(opened.about.run)
    if run is None and not remembered.is_dir():
        raise InputError(f"{gallery}: made by the run {remembered}, which is gone; give --run")
    loaded = Run.load(run or remembered)
    found = found_at(boxes) if boxes else None
    return search_in(
        read_images(queries, dataset), opened, loaded, out, top, found, cross_camera, device, refine
    )


def search_in(
    images: Images,
    gallery: Gallery,
    run: Run,
    out: Path,
    top: int,
    boxes: Found | None,
    cross_camera: bool,
    device: str,
    refine: Refinement | None = None,
) -> Path:
    """Search an opened gallery, and write ``results.csv`` and ``results.html``."""
    gallery.require_model(run.hash)
    about = gallery.about
    branches = check_branches(about.branches)
    if refine:
        refine.check(about.distance)
    embedded = embed(run, images, boxes, branches=branches, mirror=about.mirror, device=device)
    if embedded.distance != about.distance:
        raise InputError(
            f"{gallery.path}: holds embeddings for the distance {about.distance}, where its "
            f"network is compared by {embedded.distance} now; build the gallery again"
        )
    for problem in embedded.problems:
        say(problem)
    found = find(
        gallery,
        embedded.vectors,
        embedded.images,
        top,
        drop_self=True,
        drop_same_camera=cross_camera,
        refine=refine,
    )
    if refine:
        say(refine.words)
    drawn = boxes if isinstance(boxes, Boxes) else None
    page = write_results(
        found,
        gallery,
        embedded.images,
        out,
        boxes=drawn,
        query_boxes=drawn,
        vocabulary=None if drawn is None else vocabulary_of(drawn),
    )
    written(out / "results.csv", f"rank lists of {len(embedded.images)} queries:")
    written(page, "page:")
    return page
