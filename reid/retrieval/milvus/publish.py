"""Copying a gallery into a Milvus collection: only what is new there, and what is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from annotations.errors import InputError
from reid.distances import IndexedDistance, distance_named
from reid.retrieval.approximate import lists_for
from reid.retrieval.exact import Rows
from reid.retrieval.gallery import Gallery
from reid.retrieval.milvus.address import Address
from reid.retrieval.milvus.filters import quoted
from reid.retrieval.milvus.keys import keys_of
from reid.retrieval.milvus.layout import GALLERY, KEY, MOST_TEXT, ROOT, VECTOR, Layout, kinds_of
from reid.retrieval.milvus.server import Server

Index = Literal["FLAT", "IVF_FLAT", "HNSW"]
"""How Milvus looks for the nearest: at all, at the lists that are near, or along a graph."""

METRICS = {"METRIC_L2": "L2", "METRIC_INNER_PRODUCT": "IP"}
"""What Milvus calls faiss' metrics; of embeddings as a gallery stores them, it ranks alike."""
PAGE = 16_384
"""Images that Milvus tells of at once, at most."""
_MANY = 1_000_000
"""From so many images on a graph is made, unless told otherwise; and of a segment of a collection,
which Milvus closes at a GiB, about the most."""
_BYTES = 2**23
"""Of one request, about: Milvus takes 64 MiB."""


@dataclass(frozen=True)
class Publication:
    """What is to be done so that a collection holds what a gallery does; get it from `plan`.

    Attributes:
        gallery: to be copied.
        server: to which.
        address: of the collection.
        name: what the gallery is called there.
        layout: the collection's.
        index: the collection's.
        rows: of the gallery, that the collection lacks.
        keys: of these.
        gone: keys in the collection that the gallery lacks.
        unchanged: how many images stay.
        left_out: columns of the gallery for which the collection has no place.
    """

    gallery: Gallery
    server: Server
    address: Address
    name: str
    layout: Layout
    index: str
    rows: Rows
    keys: Rows
    gone: Rows
    unchanged: int
    left_out: tuple[str, ...]

    @classmethod
    def plan(
        cls,
        gallery: Gallery,
        server: Server,
        address: Address,
        name: str,
        index: Index | None = None,
    ) -> Publication:
        """Compare a collection with a gallery; a collection that is not there is made.

        Args:
            gallery: to be copied.
            server: to which.
            address: of the collection.
            name: what the gallery is called there; others in the collection stay as they are.
            index: how the collection is to be searched; None for as it is, and for a new one a
                graph from a million images on.

        Raises:
            InputError: the gallery's distance is none of Milvus', or the collection is of another
                model, of other columns, or not of galleries.
        """
        _require_metric(gallery)
        if address.named in server.collections():
            layout = Layout.read(server, address)
            _require_same(gallery, layout, address)
        else:
            layout = Layout.of(gallery)
            _create(server, address.named, layout)
        left_out = layout.left_out(kinds_of(gallery), address)
        kind = _indexed(server, address.named, layout, index, len(gallery))
        mine = keys_of(gallery, name, layout.columns)
        pages = server.pages(address.named, f"{GALLERY} == {quoted(name)}", [KEY], PAGE)
        theirs = [np.array([entity[KEY] for entity in page], np.int64) for page in pages]
        there = np.concatenate([np.empty(0, np.int64), *theirs])
        new = ~np.isin(mine, there)
        rows, keys, gone = gallery.rows[new], mine[new], np.setdiff1d(there, mine)
        unchanged = len(mine) - len(rows)
        return cls(
            gallery, server, address, name, layout, kind, rows, keys, gone, unchanged,
            tuple(left_out),
        )  # fmt: skip

    def carry_out(self, advance: Callable[[int], None] | None = None) -> None:
        """Copy what is lacking, then remove what is gone; stopped anywhere, a new plan goes on.

        Args:
            advance: called with how many more images have been copied.

        Raises:
            InputError: the server refuses, or no longer answers.
        """
        size = max(1, _BYTES // (4 * self.layout.dimension + 1024))
        for start in range(0, len(self.rows), size):
            some = slice(start, start + size)
            # Of what was sent twice, the server keeps one.
            self.server.ask("upsert", self.address.named, self._entities(some))
            if advance is not None:
                advance(len(self.rows[some]))
        for start in range(0, len(self.gone), PAGE):
            ids = self.gone[start : start + PAGE].tolist()
            self.server.ask("delete", self.address.named, ids=ids)
        if len(self.rows) or len(self.gone):
            self.server.ask("flush", self.address.named)

    def _entities(self, some: slice) -> list[dict[str, Any]]:
        """Return images as Milvus takes them."""
        rows = self.rows[some]
        frame = self.gallery.table(rows)
        images = frame["image"]
        roots = [
            "" if file == image else file.removesuffix(f"/{image}")
            for file, image in zip(frame["file"], images, strict=True)
        ]
        columns: dict[str, list[Any]] = {
            KEY: self.keys[some].tolist(),
            VECTOR: list(self.gallery.vectors(rows)),
            GALLERY: [self.name] * len(rows),
            ROOT: roots,
        }
        for name, field in self.layout.columns.items():
            if field.kind == "text":
                columns[field.name] = self.gallery.words(name, rows).tolist()
                _require_short(name, columns[field.name], frame["file"])
            elif name in frame:
                values = frame[name].astype(object)
                columns[field.name] = values.where(values.notna(), None).tolist()
            else:
                columns[field.name] = [None] * len(rows)
        names = list(columns)
        told = zip(*columns.values(), strict=True)
        return [dict(zip(names, one, strict=True)) for one in told]


def _require_metric(gallery: Gallery) -> None:
    distance = distance_named(gallery.about.distance)
    if not isinstance(distance, IndexedDistance):
        raise InputError(
            f"{gallery.path}: is compared by the {distance.words}, part by part, for which Milvus "
            "has no metric; search the gallery itself, or make one with --branches global"
        )


def _require_same(gallery: Gallery, layout: Layout, address: Address) -> None:
    if why := gallery.about.differs(layout.about):
        raise InputError(
            f"{gallery.path}: was made with {why}, as {address} was: distances to the two cannot "
            "be compared; publish into another collection"
        )
    if gallery.manifest.dimension != layout.dimension:
        raise InputError(
            f"{address}: holds embeddings of {layout.dimension} dimensions, {gallery.path} of "
            f"{gallery.manifest.dimension}; publish into another collection"
        )


def _require_short(column: str, values: list[str | None], files: pd.Series[str]) -> None:
    for value, file in zip(values, files, strict=True):
        if value is not None and len(value) > MOST_TEXT // 4:  # of 4 bytes a letter at most
            size = len(value.encode())
            if size > MOST_TEXT:
                raise InputError(
                    f"{file}: column '{column}' has {size:,} bytes, where a text of Milvus has "
                    f"{MOST_TEXT:,} at most; shorten it"
                )


def _create(server: Server, collection: str, layout: Layout) -> None:
    schema = layout.new_schema(server)
    named = {"schema": schema, "properties": layout.properties, "consistency_level": "Strong"}
    server.ask("create_collection", collection, **named)


def _indexed(
    server: Server, collection: str, layout: Layout, index: Index | None, count: int
) -> str:
    """Make an index where there is none or another is wanted; return its kind."""
    there = server.index(collection, VECTOR)
    if there and index in (None, there):
        server.load(collection)
        return there
    wanted: Index = index or ("HNSW" if count >= _MANY else "FLAT")
    if there:
        server.ask("release_collection", collection)
        server.ask("drop_index", collection, VECTOR)
    distance = distance_named(layout.about.distance)
    assert isinstance(distance, IndexedDistance)
    how: dict[Index, dict[str, int]] = {
        "FLAT": {},
        "IVF_FLAT": {"nlist": lists_for(min(count, _MANY))},
        "HNSW": {"M": 16, "efConstruction": 200},
    }
    server.build_index(collection, VECTOR, wanted, METRICS[distance.faiss_metric], how[wanted])
    server.load(collection)
    return wanted


def search_effort(index: str, count: int, top: int) -> dict[str, int]:
    """Return how far an index looks for the nearest of a query among so many images."""
    if index == "HNSW":
        return {"ef": max(64, 2 * top)}
    if index.startswith("IVF"):
        return {"nprobe": max(8, lists_for(min(count, _MANY)) // 16)}
    return {}
