"""Galleries in a Milvus collection, searched there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from annotations.errors import InputError
from reid.distances import Embeddings, IndexedDistance, distance_named
from reid.retrieval.about import GalleryAbout
from reid.retrieval.exact import Floats, Rows
from reid.retrieval.milvus.address import Address
from reid.retrieval.milvus.filters import expression, quoted
from reid.retrieval.milvus.layout import GALLERY, KEY, ROOT, VECTOR, Layout
from reid.retrieval.milvus.publish import METRICS, PAGE, search_effort
from reid.retrieval.milvus.server import Server
from reid.retrieval.searched import prepared_queries
from reid.retrieval.segment import as_words
from reid.retrieval.selection import Condition, nothing_fulfils, require_columns

_PLAIN = ("FLAT", "BRUTE_FORCE", "IVF_FLAT", "HNSW")
"""Indices that compare the embeddings themselves; scores of others are near the truth."""
_ALL = ("FLAT", "BRUTE_FORCE")
_BYTES = 2**24
"""Of one answer, about."""
_TOGETHER = 256
"""Values of a column that are asked for at once."""


@dataclass(frozen=True)
class MilvusStore:
    """A collection that `reid.retrieval.milvus.publish` made; a row is an image's key.

    Attributes:
        server: where it is.
        address: of the collection.
        layout: what it holds.
        index: the kind of its index.
    """

    server: Server
    address: Address
    layout: Layout
    index: str

    @classmethod
    def open(cls, words: str) -> MilvusStore:
        """Open a collection; without a name in the address, the only one that galleries are in.

        Args:
            words: its address, see `Address.parse`.

        Raises:
            InputError: the server does not answer, or there is no such collection.
        """
        address = Address.parse(words)
        server = Server(address)
        if address.collection is None:
            address = address.of(_only(server))
        layout = Layout.read(server, address)
        server.load(address.named)
        return cls(server, address, layout, server.index(address.named, VECTOR))

    @property
    def about(self) -> GalleryAbout:
        """What made the embeddings."""
        return self.layout.about

    @property
    def name(self) -> str:
        """Its address."""
        return str(self.address)

    @cached_property
    def apart(self) -> bool:
        """Whether images of several galleries are in it."""
        some = self._query(filter="", output_fields=[GALLERY], limit=1)
        others = f"{GALLERY} != {quoted(some[0][GALLERY])}" if some else ""
        return bool(some and self._query(filter=others, output_fields=[KEY], limit=1))

    @property
    def longest(self) -> int:
        """As many as Milvus finds for one query."""
        return PAGE

    @property
    def columns(self) -> set[str]:
        """The columns that it has a place for."""
        return set(self.layout.columns)

    @cached_property
    def _count(self) -> int:
        return self._counted("")

    def __len__(self) -> int:
        return self._count

    def require_model(self, model: str) -> None:
        """See `GalleryAbout.require_model`."""
        self.about.require_model(model, self.name)

    def prepared(self, query_embeddings: Embeddings) -> Floats:
        """See `reid.retrieval.searched.prepared_queries`."""
        return prepared_queries(query_embeddings, self.about, self.layout.dimension, self.name)

    def select(self, conditions: Sequence[Condition]) -> str | None:
        """Return the expression that images fulfil; see `reid.retrieval.searched.Searched`."""
        if not conditions:
            return None
        require_columns(conditions, self.columns, self.name)
        keep = expression(conditions, self.layout)
        if not self._query(filter=keep, output_fields=[KEY], limit=1):
            raise nothing_fulfils(conditions, self.name)
        return keep

    def search(
        self, query_embeddings: Embeddings, top: int, keep: str | None = None, exact: bool = True
    ) -> tuple[Floats, Rows]:
        """Find the nearest images of each query; see `reid.retrieval.searched.Searched`.

        Raises:
            InputError: more are asked for than Milvus finds, exactly of an index that does not
                look at all, or there is none.
        """
        prepared = self.prepared(query_embeddings)
        if not 1 <= top <= PAGE:
            raise InputError(
                f"{self.name}: finds 1 to {PAGE:,} images for one query, not {top:,}; ask for "
                "fewer with --top and --candidates"
            )
        if exact and self.index not in _ALL:
            raise InputError(
                f"{self.name}: its index {self.index} looks at a part alone; leave out --exact, or "
                "publish with --index flat"
            )
        plain = self.index in _PLAIN
        width = 16 if plain else 16 + 4 * self.layout.dimension
        together = max(1, min(PAGE, _BYTES // (top * width)))
        lists: list[tuple[Floats, Rows]] = []
        for start in range(0, len(prepared), together):
            lists += self._found(prepared[start : start + together], top, keep, plain)
        longest = max(len(rows) for _, rows in lists)
        if not longest:
            raise InputError(f"{self.name}: no image is left to compare with")
        distances = np.full((len(lists), longest), np.inf, np.float32)
        rows = np.full((len(lists), longest), -1, np.int64)
        for place, (some, mine) in enumerate(lists):
            distances[place, : len(mine)], rows[place, : len(mine)] = some, mine
        return distances, rows

    def _found(
        self, queries: Floats, top: int, keep: str | None, plain: bool
    ) -> Iterator[tuple[Floats, Rows]]:
        """Yield of each query distances and rows, nearest first."""
        distance = distance_named(self.about.distance)
        assert isinstance(distance, IndexedDistance)
        metric = METRICS[distance.faiss_metric]
        answers = self.server.ask(
            "search",
            self.address.named,
            data=list(queries),
            anns_field=VECTOR,
            limit=top,
            filter=keep or "",
            output_fields=[KEY] if plain else [KEY, VECTOR],
            search_params={
                "metric_type": metric,
                "params": search_effort(self.index, len(self), top),
            },
        )
        for query, hits in zip(queries, answers, strict=True):
            rows = np.array([hit[KEY] for hit in hits], np.int64)
            if plain or not len(rows):
                scores = np.array([hit["distance"] for hit in hits], np.float32)
            else:
                vectors = np.array([hit["entity"][VECTOR] for hit in hits], np.float32)
                apart = np.square(vectors - query).sum(1)
                scores = vectors @ query if metric == "IP" else apart
            distances = distance.from_faiss(scores)
            order = np.argsort(distances, kind="stable")
            yield distances[order], rows[order]

    def vectors(self, rows: Rows) -> Floats:
        """Return the embeddings of some rows, (R, D)."""
        size = max(1, min(PAGE, _BYTES // (4 * self.layout.dimension)))
        found = np.empty((len(rows), self.layout.dimension), np.float32)
        for places, entities in self._got(rows, [VECTOR], size):
            found[places] = np.array([entity[VECTOR] for entity in entities], np.float32)
        return found

    def table(self, rows: Rows, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return what is known of some rows; see `reid.retrieval.several.Galleries.table`."""
        asked = list(self.layout.columns) if columns is None else columns
        known = [name for name in dict.fromkeys(["image", *asked]) if name in self.layout.columns]
        fields = {name: self.layout.columns[name] for name in known}
        names = [GALLERY, ROOT, *(field.name for field in fields.values())]
        told: dict[str, Any] = {name: np.full(len(rows), None, object) for name in names}
        for places, entities in self._got(rows, names, PAGE):
            for name in names:
                told[name][places] = [entity.get(name) for entity in entities]
        kinds = {"text": "string", "whole": "Int64", "number": "float64"}
        frame = pd.DataFrame(
            {name: pd.array(told[field.name], kinds[field.kind]) for name, field in fields.items()}
        )
        for name in ("identity", "camera") if columns is None else columns:
            if name not in frame:
                frame[name] = pd.array([pd.NA] * len(frame), "string")
        pairs = zip(told[ROOT], frame["image"], strict=True)
        files = [f"{root}/{image}" if root else image for root, image in pairs]
        return frame.assign(file=pd.array(files, "string"), gallery=told[GALLERY])

    def words(self, column: str, rows: Rows) -> pd.Series[str]:
        """Return a column of some rows as text, empty where unknown."""
        values = self.table(rows, [column])[column]
        words = as_words(pa.chunked_array([pa.array(values, from_pandas=True)]))
        return pd.Series(words.to_pylist(), dtype="string")

    def thumbnails(self, rows: Rows) -> list[bytes | None]:
        """Return None for each: pictures stay in the gallery."""
        return [None] * len(rows)

    def sizes(self, column: str, values: Iterable[str], keep: str | None = None) -> dict[str, int]:
        """See `reid.retrieval.searched.Searched`."""
        found: dict[str, int] = {}
        waiting = [some for some, _ in self._alike(column, values, keep)]
        while waiting:
            some = waiting.pop()
            within = self._with(column, some, keep)
            count = self._counted(within)
            if len(some) == 1:
                found[some[0]] = count
            elif count <= PAGE:
                found |= {value: len(rows) for value, rows in self._told(column, within).items()}
            else:
                half = len(some) // 2
                waiting += [some[:half], some[half:]]
        return {value: count for value, count in found.items() if count}

    def members(
        self, column: str, values: Iterable[str], keep: str | None = None
    ) -> dict[str, Rows]:
        """See `reid.retrieval.searched.Searched`."""
        found: dict[str, Rows] = {}
        for _, within in self._alike(column, values, keep):
            found |= self._told(column, within)
        return found

    def _alike(
        self, column: str, values: Iterable[str], keep: str | None
    ) -> Iterator[tuple[list[str], str]]:
        """Yield some values of a column at a time, and what images that have them fulfil."""
        # A group of its own, of an image of which the column says nothing, is no value.
        unique = [value for value in dict.fromkeys(values) if not value.startswith("\0")]
        for start in range(0, len(unique), _TOGETHER):
            some = unique[start : start + _TOGETHER]
            yield some, self._with(column, some, keep)

    def _with(self, column: str, values: list[str], keep: str | None) -> str:
        asked = expression([Condition(column, "=", tuple(values))], self.layout)
        return asked if not keep else f"({keep}) and {asked}"

    def _told(self, column: str, within: str) -> dict[str, Rows]:
        """Return the rows of each value of a column, as text, among those that fulfil something."""
        field = self.layout.columns[column].name
        values, keys = [], []
        for page in self.server.pages(self.address.named, within, [KEY, field], PAGE):
            keys += [entity[KEY] for entity in page]
            values += [entity[field] for entity in page]
        if not keys:
            return {}
        words = as_words(pa.chunked_array([pa.array(values)])).to_pylist()
        rows = np.array(keys, np.int64)
        groups = pd.Series(rows).groupby(np.array(words, object)).indices
        return {str(word): rows[places] for word, places in groups.items()}

    def _got(
        self, rows: Rows, fields: list[str], size: int
    ) -> Iterator[tuple[Rows, list[dict[str, Any]]]]:
        """Yield places among rows, and the entities that are there.

        Raises:
            InputError: an image is no longer in the collection.
        """
        unique, places = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        order = np.argsort(places, kind="stable")
        edges = np.searchsorted(places[order], np.arange(len(unique) + 1))
        for start in range(0, len(unique), size):
            some = unique[start : start + size]
            answers = self._query(ids=some.tolist(), output_fields=[KEY, *fields])
            told = {entity[KEY]: entity for entity in answers}
            if len(told) < len(some):
                raise InputError(
                    f"{self.name}: images were taken out while it was searched; search again"
                )
            asked = order[edges[start] : edges[start + len(some)]]
            yield asked, [told[int(rows[place])] for place in asked]

    def _counted(self, within: str) -> int:
        return int(self._query(filter=within, output_fields=["count(*)"])[0]["count(*)"])

    def _query(self, **named: Any) -> Any:
        return self.server.ask("query", self.address.named, **named)


def _only(server: Server) -> str:
    """Return the name of the one collection that galleries are in.

    Raises:
        InputError: there is none, or there are several.
    """
    names = [name for name in server.collections() if Layout.found(server, name) is not None]
    if not names:
        raise InputError(
            f"{server.address}: no gallery is there; copy one with 'partreid gallery publish "
            f"GALLERY --store {server.address}'"
        )
    if len(names) > 1:
        raise InputError(
            f"{server.address}: has several collections of galleries, {', '.join(names)}; say "
            f"which, such as --store {server.address.of(names[0])}"
        )
    return names[0]
