"""Embedding on the machines of a Ray cluster, one network per GPU."""

from __future__ import annotations

import hashlib
import json
import pickle
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from pipelines.jobs.cluster import Cluster
from pipelines.jobs.embedders import Advance, Manner
from pipelines.tables import say
from reid.data.locate import Found
from reid.embedding import Embedded, NothingReadError
from reid.methods import needs_boxes
from reid.retrieval.pieces import PIECES, SCHEMA, Pieces
from reid.run import MODEL, Run

LEAST, MOST = 32, 1024
"""Images of a piece: no less than a pass of the network, no more than may be lost by a kill."""
_PIECES_EACH = 8
"""Pieces of each network at least, so that fast machines do more of them than slow ones."""
_ANSWER = SCHEMA.append(pa.field("problem", pa.string()))
"""What comes back for each image: an embedding, or a problem; a problem without a content is one of
the machine and not of an image."""


class OnRay:
    """Embeds on a cluster, and keeps what is finished beside the gallery until it is added.

    The images and the run must be at the same path on every machine. The gallery need not: only
    this process writes it.

    Args:
        cluster: has been joined.
        gallery: what the images will be added to.
        run: whose network embeds.
        boxes: where parts are, for a network that needs it.
        manner: how.
    """

    def __init__(
        self, cluster: Cluster, gallery: Path, run: Run, boxes: Found | None, manner: Manner
    ) -> None:
        self._cluster = cluster
        self._gallery = gallery
        self._run = run
        self._boxes = boxes if needs_boxes(run.recipe, manner.branches) else None
        self._manner = manner
        self._problems: dict[bytes, str] = {}
        """What is wrong with a content, without the path of the file that was looked at."""
        self._root = Path()
        """Where machines look for images."""
        self._opened: Pieces | None = None

    @property
    def _pieces(self) -> Pieces:
        # Not before the gallery is locked, as opening tidies up.
        if self._opened is None:
            made_by = _made_by(self._run, self._boxes, self._manner)
            self._opened = Pieces(self._gallery / PIECES, made_by)
        return self._opened

    def begin(self, images: Images, contents: Sequence[bytes], advance: Advance) -> None:
        """See `pipelines.jobs.embedders.Embedder.begin`; everything is embedded.

        Raises:
            InputError: a machine lacks the images or the run, or the cluster fails.
        """
        self._root = images.root.resolve()
        lacking = np.array([content not in self._pieces for content in contents])
        there = int((~lacking).sum())
        advance(there)
        nodes: set[str] = set()
        count = 0
        if lacking.any():
            todo = images.where(lacking)
            wanted = [content for content, new in zip(contents, lacking, strict=True) if new]
            for made in self._made(todo, wanted):
                count += self._keep(made)
                nodes |= set(made["node"].to_pylist())
                advance(len(made))
        say(
            f"{count:,} images embedded by the cluster {self._cluster.address}, nodes at work: "
            f"{len(nodes)}; embedded before: {there:,}"
        )

    def embed(self, images: Images, contents: Sequence[bytes], advance: Advance) -> Embedded:
        """See `pipelines.jobs.embedders.Embedder.embed`; ``advance`` was called in `begin`."""
        kept = np.array([content in self._pieces for content in contents])
        problems = tuple(
            f"{images.root / image}{self._problems[content]}"
            for image, content, good in zip(images.frame["image"], contents, kept, strict=True)
            if not good
        )
        if not kept.any():
            said = f"{images.source}: none of {len(images)} images could be read"
            raise NothingReadError(said, problems)
        vectors, distance = self._pieces.take(list(np.array(contents, object)[kept]))
        return Embedded(vectors, images.where(kept), problems, self._manner.mirror, distance)

    def end(self, contents: Sequence[bytes]) -> None:
        """See `pipelines.jobs.embedders.Embedder.end`."""
        self._pieces.remove(contents)

    def _keep(self, made: pa.Table) -> int:
        """Write what a machine has made where it outlives this process; return how many."""
        refused = made.filter(pc.is_null(made["content"]))
        if len(refused):
            raise InputError(refused["problem"][0].as_py())
        bad = made.filter(pc.is_valid(made["problem"]))
        self._problems |= {
            row["content"]: row["problem"].removeprefix(str(self._root / row["image"]))
            for row in bad.select(["image", "content", "problem"]).to_pylist()
        }
        good = made.filter(pc.is_null(made["problem"])).drop_columns(["problem"])
        if len(good):
            self._pieces.add(good)
        return len(good)

    def _made(self, images: Images, contents: Sequence[bytes]) -> Iterator[pa.Table]:
        """Embed on the cluster; yield `_ANSWER` tables as machines finish them."""
        import ray
        from ray.data import ActorPoolStrategy

        cluster = self._cluster
        task, shares = self._divided(images, contents)
        try:
            # A block is a row and a row is a piece, so that each is handed over when it is done.
            made = ray.data.from_arrow(shares).map_batches(
                _OnNode, fn_constructor_args=(task,), batch_size=1, batch_format="pyarrow",
                compute=ActorPoolStrategy(size=min(cluster.networks, len(shares))),
                num_cpus=cluster.cpus, num_gpus=cluster.gpus,
            )  # fmt: skip
            yield from made.iter_batches(
                batch_size=None, batch_format="pyarrow", prefetch_batches=0
            )
        except ray.exceptions.RayError as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
            raise InputError(
                f"the Ray cluster {cluster.address} did not finish: {said}; what is embedded is "
                "kept, and the same command goes on (every machine needs the same partreid[ray])"
            ) from None

    def _divided(self, images: Images, contents: Sequence[bytes]) -> tuple[_Task, list[pa.Table]]:
        """Return what machines are to do, and the pieces to do it with."""
        cluster = self._cluster
        size = -(-len(images) // (_PIECES_EACH * cluster.networks))
        shares = list(_shares(images, contents, self._boxes, min(max(size, LEAST), MOST)))
        manner = replace(self._manner, device=cluster.device)
        run, root = self._run.source.resolve(), images.root.resolve()
        return _Task(run, self._run.hash, root, images.source, manner, cluster.cpus), shares


@dataclass(frozen=True)
class _Task:
    """What a machine is to do with pieces.

    Attributes:
        run: folder of the network.
        hash: of its weights.
        root: folder that the images' paths start from.
        source: of the images, as errors name it.
        manner: how to embed.
        cpus: processors of this network.
    """

    run: Path
    hash: str
    root: Path
    source: str
    manner: Manner
    cpus: int


class _OnNode:
    """A network on one machine of the cluster, which embeds piece after piece."""

    def __init__(self, task: _Task) -> None:
        self._task = task
        self._run: Run | None = None
        self._node = _name_of_node()
        if task.manner.device == "cpu":
            torch.set_num_threads(max(1, task.cpus))

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Embed one piece, a row of `_shares`; return `_ANSWER`."""
        (piece,) = batch.to_pylist()
        try:
            return self._embed(piece["images"], piece["contents"], pickle.loads(piece["boxes"]))
        except InputError as error:
            # Raised, Ray would wrap it in its own and in pages of traceback.
            row = {"problem": f"machine {self._node}: {error}", "node": self._node}
            return pa.Table.from_pylist([row], _ANSWER)

    def _embed(self, names: list[str], contents: list[bytes], boxes: Found | None) -> pa.Table:
        task = self._task
        images = Images(pd.DataFrame({"image": names}), task.root, task.source)
        self._require_images(images)
        read: frozenset[str] = frozenset()
        vectors: Iterator[Any] = iter(())
        distance = None
        try:
            made = task.manner.embed(
                self._loaded(), images, boxes, progress=False, workers=max(1, task.cpus)
            )
            read, distance = frozenset(made.images.frame["image"]), made.distance
            vectors, problems = iter(made.vectors), iter(made.problems)
        except NothingReadError as error:
            problems = iter(error.problems)
        rows = [
            {
                "image": name,
                "content": content,
                "vector": next(vectors) if name in read else None,
                "problem": None if name in read else next(problems),
                "distance": distance,
                "node": self._node,
            }
            for name, content in zip(names, contents, strict=True)
        ]
        return pa.Table.from_pylist(rows, _ANSWER)

    def _loaded(self) -> Run:
        if self._run is None:
            task = self._task
            if not (task.run / MODEL).is_file():
                raise InputError(
                    f"cannot see the run {task.run}; runs and images must be at the same path on "
                    "every machine, as on a shared file system"
                )
            run = Run.load(task.run)
            if run.hash != task.hash:
                raise InputError(f"{task.run}: is another network there; copy the run anew")
            self._run = run
        return self._run

    def _require_images(self, images: Images) -> None:
        """Demand that one image is there; others that are not are problems of their own."""
        if not any(path.is_file() for path in images.paths):
            raise InputError(
                f"cannot see images such as {images.paths[0]}; runs and images must be at the same "
                "path on every machine, as on a shared file system"
            )


def _name_of_node() -> str:
    """Return the host's name and, as one host may be several nodes, the beginning of Ray's."""
    import ray

    name = socket.gethostname()
    if not ray.is_initialized():
        return name
    return f"{name} ({ray.get_runtime_context().get_node_id()[:8]})"


def _shares(
    images: Images, contents: Sequence[bytes], boxes: Found | None, size: int
) -> Iterator[pa.Table]:
    """Divide the work: tables of one row, a piece's ``images``, ``contents`` and ``boxes``.

    Boxes are divided once, as looking for every piece's among all would take the square of their
    number.
    """
    names = images.frame["image"].tolist()
    if isinstance(boxes, Boxes):
        boxes = boxes.of(images)  # fails where they are of other images
    starts = range(0, len(names), size)
    mine: list[Found | None] = [None] * len(starts)
    if boxes is not None:
        place = pd.Index(names).get_indexer(boxes.frame["image"])
        order = np.argsort(place, kind="stable")
        cuts = np.searchsorted(place[order], [*starts, len(names)])
        mine = [
            replace(boxes, frame=boxes.frame.iloc[order[low:high]]) for low, high in pairwise(cuts)
        ]
    for start, found in zip(starts, mine, strict=True):
        end = start + size
        yield pa.table(
            {
                "images": pa.array([names[start:end]]),
                "contents": pa.array([list(contents[start:end])], pa.list_(pa.binary(16))),
                "boxes": pa.array([pickle.dumps(found)], pa.binary()),
            }
        )


def _made_by(run: Run, boxes: Found | None, manner: Manner) -> str:
    """Return what stands for everything that makes an embedding, apart from the image."""
    digest = hashlib.sha256(json.dumps([run.hash, manner.branches, manner.mirror]).encode())
    if boxes is not None:
        digest.update(pd.util.hash_pandas_object(boxes.frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()
