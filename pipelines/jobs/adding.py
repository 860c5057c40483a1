"""Adding folders of images to a gallery."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from annotations.boxes import Boxes
from annotations.datasets import detect_dataset, read_images
from annotations.datasets.folder import in_words
from annotations.errors import InputError
from annotations.images import Images
from engines.choice import AUTO, TORCH
from pipelines.jobs.embedders import RAY, Manner, open_embedder
from pipelines.jobs.found import found_at
from pipelines.jobs.growing import Growing
from pipelines.jobs.unreadable import Looked, renew_unreadable
from pipelines.tables import console, in_one_line, say, written
from reid.methods import Branches, check_branches
from reid.retrieval.choice import advice
from reid.retrieval.gallery import Gallery
from reid.retrieval.lock import writing
from reid.retrieval.manifest import Manifest, is_gallery
from reid.retrieval.writer import require_replaceable
from reid.run import Run

CHUNK = 8192
"""Images that are committed together: what is done of a long job is not lost when it is stopped."""


def add(
    gallery: Path,
    folders: Sequence[Path],
    run: Path | None,
    *,
    dataset: str | None = None,
    boxes: Path | None = None,
    branches: str | None = None,
    mirror: bool | None = None,
    half: bool = True,
    thumbnails: bool = False,
    keep_gone: bool = False,
    wait: bool = False,
    device: str = "auto",
    engine: str = AUTO,
    ray_address: str | None = None,
    chunk: int = CHUNK,
) -> Gallery:
    """Make a gallery hold what folders do: new, changed and removed files alone are work.

    Args:
        gallery: its folder, which is made where it is not there.
        folders: data sets.
        run: whose network embeds; None for the one that the gallery remembers.
        dataset: the kind of the folders, or None.
        boxes: where parts are, for a network that needs it.
        branches: of the network; None for the gallery's, or ``global``.
        mirror: whether to average with the mirror image; None for the gallery's, or the recipe's.
        half: store embeddings of a new gallery in half precision.
        thumbnails: keep small pictures of the images, for pages without the files.
        keep_gone: leave images in the gallery whose file is no longer there.
        wait: wait for another writer.
        device: ``auto``, ``cpu``, ``cuda``.
        engine: what computes the network in this process, see `engines.choice.NAMES`; ``ray``
            embeds on a Ray cluster, by PyTorch.
        ray_address: HOST:PORT of the cluster's head; None for one that Ray finds or starts here.
        chunk: images that are committed together.

    Raises:
        InputError: something given is wrong, or another process writes the gallery.
    """
    require_replaceable(gallery)
    for folder in folders:
        # Of one image nothing is known; a gallery would forget what the folder's table says of it.
        if detect_dataset(folder) == "image":
            raise InputError(f"{folder}: is an image; give its folder")
    before = Manifest.read(gallery) if is_gallery(gallery) else None
    if before is not None and before.half and not half:
        raise InputError(
            f"{gallery}: is stored in half precision; --single is for a gallery that is made"
        )
    bare = sum(each.count for each in before.segments if each.thumbnails is None) if before else 0
    if thumbnails and bare:
        say(f"{gallery}: {bare:,} images of before have no thumbnails, and get none; make the "
            "gallery again for them")  # fmt: skip
    loaded = _run(gallery, before, run)
    about = before.about if before else None
    asked = check_branches(branches or (about.branches if about else "global"))
    mirrored = mirror if mirror is not None else about.mirror if about else loaded.recipe.mirror
    _require_same(gallery, loaded, asked, mirrored)
    found = found_at(boxes) if boxes else None
    manner = Manner(asked, mirrored, device, TORCH if engine == RAY else engine)
    looked: list[Looked] = []
    with open_embedder(engine, ray_address, gallery, loaded, found, manner) as embedder:
        tables = [_checked(read_images(folder, dataset)) for folder in folders]
        for images in tables:
            # Before the long part: that folders were taken for what they are not shows here.
            many = "image" if len(images) == 1 else "images"
            say(f"{images.source}: {len(images):,} {many} ({in_words(images)})")
        if isinstance(found, Boxes):
            for images in tables:
                found.of(images)  # are of another data set if of none of its images
        try:
            with writing(gallery, wait), _bar() as bar:
                # Another may have begun it meanwhile.
                _require_same(gallery, loaded, asked, mirrored)
                growing = Growing(gallery, loaded, embedder, manner, half, thumbnails, bar)
                for folder, images in zip(folders, tables, strict=True):
                    done = growing.take(images, keep_gone, chunk)
                    looked.append(Looked(folder, images, done.unreadable))
                    say(f"{images.source}: {done.words()}")
                if not is_gallery(gallery):
                    raise InputError(f"{tables[0].source}: none of its images could be read")
                listed, others = renew_unreadable(gallery, looked)
        except OSError as error:
            raise InputError(f"{gallery}: {_stopped(error)}") from None
    lines = [line for each in looked for line in each.lines]
    for line in lines[:10]:
        say(in_one_line(line))
    if lines:
        more = f" ({others} more of what was added before)" if others else ""
        written(listed, f"{len(lines)} files and folders that cannot be used{more}:")
    opened = Gallery.open(gallery)
    written(gallery, f"gallery of {len(opened):,} images:")
    if hint := advice(opened.manifest):
        say(hint)
    return opened


def _require_same(gallery: Path, run: Run, branches: Branches, mirror: bool) -> None:
    """Refuse another network than a gallery was made by, or the same in another manner."""
    if not is_gallery(gallery):
        return
    about = Manifest.read(gallery).about
    given = about.model_copy(update={"model": run.hash, "branches": branches, "mirror": mirror})
    if why := about.differs(given):
        raise InputError(
            f"{gallery}: was made with {why}; add with the same, or make another gallery"
        )


def _checked(images: Images) -> Images:
    """Refuse columns whose names a gallery has for its own."""
    for name in images.frame:
        if str(name).startswith("file"):
            raise InputError(
                f"{images.source}: column '{name}': names that begin with 'file' are the "
                "gallery's; rename it"
            )
    return images


def _stopped(error: OSError) -> str:
    """Say what a system's error stopped, and what to do."""
    full = error.errno == errno.ENOSPC
    why = f"{os.strerror(errno.ENOSPC)}; make room" if full else str(error.strerror or error)
    return f"{why}; what was added before is kept, and the same command goes on from there"


def _run(gallery: Path, before: Manifest | None, run: Path | None) -> Run:
    if run is not None:
        return Run.load(run)
    if before is None:
        raise InputError(f"{gallery}: is to be made; say by which network, with --run")
    if not Path(before.run).is_dir():
        raise InputError(f"{gallery}: made by the run {before.run}, which is gone; give --run")
    return Run.load(Path(before.run))


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True,
    )  # fmt: skip
