"""Where the images of a gallery are embedded: here, or on the machines of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from annotations.boxes import Boxes
from annotations.errors import InputError, suggest
from annotations.images import Images
from engines import choice
from reid.data.locate import Found
from reid.device import pick_device
from reid.embedding import Embedded, embed
from reid.methods import Branches
from reid.run import Run

RAY = "ray"
ENGINES = (*choice.NAMES, RAY)
Advance = Callable[[int], None]
"""Is called with how many more images are done."""


@dataclass(frozen=True)
class Manner:
    """How images are embedded, wherever that is done; see `reid.embedding.embed`."""

    branches: Branches
    mirror: bool
    device: str = "auto"
    engine: str = choice.TORCH

    def embed(
        self,
        run: Run,
        images: Images,
        boxes: Found | None,
        *,
        progress: bool | Advance,
        workers: int | None = None,
        expected: int = 0,
    ) -> Embedded:
        """Embed images in this process; they may be a piece of a data set on which no box is."""
        if isinstance(boxes, Boxes):
            boxes = boxes.among(images)
        return embed(
            run, images, boxes, branches=self.branches, mirror=self.mirror, device=self.device,
            progress=progress, workers=workers, engine=self.engine, expected=expected,
        )  # fmt: skip


class Embedder(Protocol):
    """Embeds what is added to a gallery."""

    def begin(self, images: Images, contents: Sequence[bytes], advance: Advance) -> None:
        """Learn of everything that one data set has to be embedded; may embed it at once.

        Args:
            images: N images; none where nothing is to be embedded.
            contents: of each, `annotations.contents.content_of`.
            advance: called with how many are done.
        """

    def embed(self, images: Images, contents: Sequence[bytes], advance: Advance) -> Embedded:
        """Return the embeddings of some of these images.

        Raises:
            reid.embedding.NothingReadError: no image could be read.
            InputError: see `reid.embedding.embed`.
        """

    def end(self, contents: Sequence[bytes]) -> None:
        """Learn that the gallery has what there was to embed of one data set."""


class Here:
    """Embeds in this process.

    Args:
        run: whose network embeds.
        boxes: where parts are, for a network that needs it.
        manner: how.
    """

    def __init__(self, run: Run, boxes: Found | None, manner: Manner) -> None:
        self._run, self._boxes, self._manner = run, boxes, manner
        self._expected = 0

    def begin(self, images: Images, contents: Sequence[bytes], advance: Advance) -> None:
        """See `Embedder.begin`; what there is to do says which engine is worth looking for."""
        self._expected = len(images)

    def embed(self, images: Images, contents: Sequence[bytes], advance: Advance) -> Embedded:
        """See `Embedder.embed`."""
        return self._manner.embed(
            self._run, images, self._boxes, progress=advance, expected=self._expected
        )

    def end(self, contents: Sequence[bytes]) -> None:
        """See `Embedder.end`; nothing was kept."""


@contextmanager
def open_embedder(
    engine: str, address: str | None, gallery: Path, run: Run, boxes: Found | None, manner: Manner
) -> Iterator[Embedder]:
    """Get ready to embed.

    Args:
        engine: one of `ENGINES`.
        address: of a Ray cluster; None for the one that Ray finds, or starts on this machine.
        gallery: what the images will be added to.
        run: whose network embeds.
        boxes: where parts are, for a network that needs it.
        manner: how.

    Raises:
        InputError: there is no such engine or cluster, or Ray is not installed.
    """
    if engine not in ENGINES:
        raise InputError(f"--engine {engine}: no such engine; {suggest(engine, ENGINES)}")
    if engine != RAY:
        if address is not None:
            raise InputError(f"--ray-address {address}: is for --engine ray; give both or neither")
        choice.engine_named(engine, pick_device(manner.device))
        yield Here(run, boxes, manner)
        return
    from pipelines.jobs.cluster import joined_cluster  # Ray need not be installed
    from pipelines.jobs.embedding_on_ray import OnRay

    with joined_cluster(address, manner.device) as cluster:
        yield OnRay(cluster, gallery, run, boxes, manner)
