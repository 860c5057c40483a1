"""Choosing how to search a gallery: exactly, or by an index that finds as much as is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotations.errors import InputError
from reid.distances import IndexedDistance, distance_named
from reid.retrieval.approximate import build_index, find, lists_for, recall
from reid.retrieval.exact import Floats, Rows, search_exactly
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import Manifest

SAMPLE = 400
"""Embeddings of the gallery that are asked with: half to choose, the other half to verify."""
LEAST = 2000
"""Images without which there is nothing to learn lists from."""
MANY = 1_000_000
"""Images of which exact search takes up to a tenth of a second, and of ten times as many half a
second (measured, `docs/measured.md`): from here on an index is worth making."""
_CANDIDATES = (2, 4, 8, 16, 32, 64, 128, 256)
_MORE = 0.005
"""Where twice the candidates find less more than this, the lists looked at hold no more."""
_BLOCK = 2**17


def advice(manifest: Manifest) -> str:
    """Return what to say of how a gallery is searched, where that could be faster; else nothing."""
    count = sum(segment.count for segment in manifest.segments)
    index = manifest.index
    if index is None:
        many = count >= MANY
        return "'partreid gallery index' measures whether an index is faster" if many else ""
    if count - index.rows >= max(MANY, index.rows):
        return "'partreid gallery index' makes one that knows all"
    return ""


@dataclass(frozen=True)
class Choice:
    """What was measured.

    Attributes:
        index: the index that was built.
        table: a row for each setting tried: ``search`` (``exact``, which is the first row, or
            ``index``), ``probes`` and ``candidates`` (of an index), ``recall`` and
            ``milliseconds`` a query.
        probes: of the setting chosen; 0 for exact search.
        candidates: likewise.
        recall: of the setting chosen, on embeddings that did not take part in choosing.
        margin: half the width of its 95 % interval.
        exact: milliseconds a query of exact search.
        milliseconds: a query of what was chosen.
        rows: that the index knows.
    """

    index: Any
    table: pd.DataFrame
    probes: int
    candidates: int
    recall: float
    margin: float
    exact: float
    milliseconds: float
    rows: int


def choose(gallery: Gallery, wanted: float, top: int = 10, seed: int = 0) -> Choice:
    """Build an index for a gallery and find the fastest setting that finds enough.

    Queries are embeddings of the gallery itself, whose own image does not count as found: an image
    is asked for others like it. The setting is chosen on half of them and verified on the others;
    where these find less than is wanted, the next one is taken.

    Args:
        gallery: whose distance faiss knows.
        wanted: the share of the ``top`` nearest that is to be found, between 0 and 1.
        top: see there.
        seed: of the draw of queries.

    Raises:
        InputError: the gallery is too small, also for lists so long, or its distance is none that
            faiss knows.
    """
    distance = distance_named(gallery.about.distance)
    if not isinstance(distance, IndexedDistance):
        raise InputError(
            f"{gallery.path}: is compared by the {distance.words}, which no index knows; it is "
            "searched exactly"
        )
    if len(gallery) < LEAST:
        raise InputError(
            f"{gallery.path}: {len(gallery):,} images are searched exactly in no time; an index "
            f"needs {LEAST:,}"
        )
    if top >= len(gallery):  # an image is asked for others
        raise InputError(
            f"top: {top:,} others are asked for, and the gallery holds {len(gallery):,} images; "
            f"give at most {len(gallery) - 1:,}"
        )
    if not 0 < wanted <= 1:
        raise InputError(f"recall: {wanted:g} is no share; give one such as 0.95")
    random = np.random.default_rng(seed)
    rows = gallery.rows
    learned = gallery.vectors(np.sort(random.permutation(rows)[: 64 * lists_for(len(rows))]))
    index = build_index(_blocks(gallery), learned, len(rows), distance)
    asked = random.permutation(rows)[:SAMPLE]
    queries = gallery.vectors(asked)
    (_, truth), exact = _timed(
        lambda some: search_exactly(gallery.parts(), distance, some, top + 1), queries
    )
    truth = _without(truth, asked, top)
    tune, check = np.arange(len(asked)) % 2 == 0, np.arange(len(asked)) % 2 == 1
    tried: list[dict[str, Any]] = [{"search": "exact", "recall": 1.0, "milliseconds": exact}]
    shares: dict[tuple[int, int], Floats] = {}
    for probes in _powers(index.nlist):
        before = 0.0
        for candidates in _CANDIDATES:
            (_, found), taken = _timed(
                lambda some, probes=probes, candidates=candidates: find(
                    index, gallery.vectors, distance, some, top + 1, probes, candidates
                ),
                queries,
            )
            share = recall(_without(found, asked, top), truth)
            shares[probes, candidates] = share
            tried.append(
                {"search": "index", "probes": probes, "candidates": candidates,
                 "recall": float(share[tune].mean()), "milliseconds": taken}
            )  # fmt: skip
            if share.mean() >= min(1.0, wanted + 0.02) or share.mean() < before + _MORE:
                break  # more candidates only take longer
            before = float(share.mean())
        if taken > exact:
            break
    whole = {"probes": "Int64", "candidates": "Int64"}  # exact search has neither
    table = pd.DataFrame(tried)[["search", *whole, "recall", "milliseconds"]].astype(whole)
    fast = table[(table["recall"] >= wanted) & (table["milliseconds"] < exact)]
    for setting in fast.sort_values("milliseconds").itertuples():
        share = shares[int(setting.probes), int(setting.candidates)][check]  # type: ignore[arg-type]
        if share.mean() >= wanted:
            margin = 1.96 * float(share.std(ddof=1)) / len(share) ** 0.5
            return Choice(
                index, table, int(setting.probes), int(setting.candidates), float(share.mean()),  # type: ignore[arg-type]
                margin, exact, float(setting.milliseconds), int(gallery.starts[-1]),  # type: ignore[arg-type]
            )  # fmt: skip
    return Choice(index, table, 0, 0, 1.0, 0.0, exact, exact, int(gallery.starts[-1]))


def worth_a_look(table: pd.DataFrame) -> pd.DataFrame:
    """Return the settings that none beats in both what it finds and how fast, exact search too.

    Args:
        table: of a `Choice`.

    Returns:
        Its rows, the fastest first; each finds more than those above it.
    """
    ordered = table.sort_values(["milliseconds", "recall"], ascending=[True, False], kind="stable")
    before = ordered["recall"].cummax().shift(fill_value=-1.0)
    return ordered[ordered["recall"] > before].reset_index(drop=True)


def _timed(operation: Any, queries: Floats) -> tuple[tuple[Floats, Rows], float]:
    """Return what an operation finds for all queries, and milliseconds for one of them."""
    found = operation(queries)
    one_by_one = queries[:16]
    start = time.perf_counter()
    for number in range(len(one_by_one)):
        operation(one_by_one[number : number + 1])
    return found, 1000 * (time.perf_counter() - start) / len(one_by_one)


def _without(found: Rows, asked: Rows, top: int) -> Rows:
    """Return the first ``top`` of each list without the row that was asked with."""
    own = found == asked[:, None]
    order = np.argsort(own, axis=1, kind="stable")
    return np.take_along_axis(found, order, 1)[:, :top]


def _blocks(gallery: Gallery) -> Iterator[tuple[Rows, Floats]]:
    for start in range(0, len(gallery.rows), _BLOCK):
        rows = gallery.rows[start : start + _BLOCK]
        yield rows, gallery.vectors(rows)


def _powers(most: int) -> Iterator[int]:
    value = 1
    while value < most:
        yield value
        value *= 2
    yield most
