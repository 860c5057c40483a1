"""Finding as many images for each query as are asked for, though some are left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError, suggest
from annotations.images import Images
from reid.distances import distance_named, nearest
from reid.distances.cosine import COSINE
from reid.embedding import Embedded
from reid.reranking.refinement import single_vectors
from reid.retrieval.asking import Queries
from reid.retrieval.exact import Floats, Mask, Part, Rows, search_exactly
from reid.retrieval.question import Question
from reid.retrieval.several import Galleries

_MORE = 4
"""So many times as many images are looked at where those before were not enough."""
_ROOT = Path("/")


class Finder:
    """Looks for what a question asks.

    Args:
        galleries: where.
        queries: for what.
        question: how.
        keep: which rows may be found; None for all.
    """

    def __init__(
        self, galleries: Galleries, queries: Queries, question: Question, keep: Mask | None
    ) -> None:
        self.galleries = galleries
        self.queries = queries
        self.question = question
        self.keep = keep
        self.pooled = question.pool == "average"
        images = queries.images
        self._unit = queries.names.index.to_numpy() if self.pooled else images["unit"].to_numpy()
        self._refined = self._refine() if question.refine else None

    def found(self) -> pd.DataFrame:
        """Return ``unit``, ``row``, ``distance`` and ``group``, by unit and distance."""
        question = self.question
        sets = question.pool == "sets"
        enough = question.candidates if sets else question.top
        wanted = enough if sets or not self._leaves_out else question.top * _MORE
        waiting = np.unique(self._unit)
        done: list[pd.DataFrame] = []
        while len(waiting):
            asked = np.flatnonzero(np.isin(self._unit, waiting))
            distances, rows = self._nearest(asked, wanted)
            all_of_them = rows.shape[1] < wanted
            found = self._lists(asked, distances, rows, wanted)
            counts = found.groupby("unit").size().reindex(waiting, fill_value=0).to_numpy()
            ready = waiting if all_of_them or sets else waiting[counts >= enough]
            done.append(found[found["unit"].isin(ready)])
            waiting = np.setdiff1d(waiting, ready)
            wanted *= _MORE
        return pd.concat(done).sort_values("unit", kind="stable").reset_index(drop=True)

    @property
    def _leaves_out(self) -> bool:
        question = self.question
        return question.drop_self or question.drop_same_camera or question.group is not None

    def _nearest(self, asked: Rows, wanted: int) -> tuple[Floats, Rows]:
        if self._refined is not None:
            distances, rows = self._refined
            return distances[asked, :wanted], rows[asked, :wanted]
        return self.galleries.search(self.queries.vectors[asked], wanted, self.keep)

    def _lists(self, asked: Rows, distances: Floats, rows: Rows, wanted: int) -> pd.DataFrame:
        """Return the lists of some queries, without what is left out."""
        question = self.question
        found = pd.DataFrame(
            {
                "asked": np.repeat(asked, rows.shape[1]),
                "unit": np.repeat(self._unit[asked], rows.shape[1]),
                "row": rows.ravel(),
                "distance": distances.ravel(),
            }
        )
        if question.drop_self or question.drop_same_camera:
            found = found[self._allowed(found)]
        found = found.sort_values(["unit", "distance"], kind="stable")
        if not self.pooled and question.together is not None:
            found = found.drop_duplicates(["unit", "row"])
            # Beyond as many as were looked for with each image, others may be nearer.
            found = found[found.groupby("unit").cumcount() < wanted]
        found["group"] = found["row"].astype("string")
        if question.group is not None:
            known = self.column(found["row"].to_numpy(), question.group)
            found["group"] = known.set_axis(found.index).fillna("\0" + found["group"])
            found = found.drop_duplicates(["unit", "group"])
        return found

    def _allowed(self, found: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return which pairs may be shown: of several images of a query, none may forbid it."""
        unique = np.unique(found["row"].to_numpy())
        items = self.galleries.table(unique, ["identity", "camera"]).set_axis(unique)
        kept = np.ones(len(found), dtype=bool)
        images = self.queries.images
        one_each = self.pooled is False
        asked = images.iloc[found["asked"]] if one_each else None
        item = items.loc[found["row"]]
        if asked is not None:
            if self.question.drop_self:
                kept &= item["file"].to_numpy() != asked["file"].to_numpy()
            if self.question.drop_same_camera:
                kept &= ~_same(item, asked, "identity") | ~_same(item, asked, "camera")
            return kept
        of_unit = images.groupby("unit")
        files = of_unit["file"].agg(set)
        seen = {
            unit: set(zip(some["identity"].dropna(), some["camera"].dropna(), strict=False))
            for unit, some in images.dropna(subset=["identity", "camera"]).groupby("unit")
        }
        for place, (unit, file, identity, camera) in enumerate(
            zip(found["unit"], item["file"], item["identity"], item["camera"], strict=True)
        ):
            if self.question.drop_self and file in files[unit]:
                kept[place] = False
            if self.question.drop_same_camera and not (pd.isna(identity) or pd.isna(camera)):
                kept[place] &= (identity, camera) not in seen.get(unit, ())
        return kept

    def column(self, rows: Rows, name: str) -> pd.Series[str]:
        """Return a column of some rows as text, empty where unknown.

        Raises:
            InputError: no gallery has it.
        """
        segments = [segment for one in self.galleries.each for segment in one.segments]
        there = {column for segment in segments for column in segment.table.column_names}
        if name not in there:
            raise InputError(
                f"{self.galleries.name}: has no column '{name}' to group by; {suggest(name, there)}"
            )
        return self.galleries.table(rows, [name])[name].astype("string")

    def _refine(self) -> tuple[Floats, Rows]:
        """Return every candidate's refined distance: (Q, C) and its rows, nearest first."""
        galleries, refine = self.galleries, self.question.refine
        by = galleries.about.distance
        _, near = galleries.search(self.queries.vectors, self.question.candidates, self.keep)
        rows = np.unique(near)
        frame = galleries.table(rows, ["camera"])
        items = Images(frame.assign(image=frame["file"].str.lstrip("/")), _ROOT, galleries.name)
        names = self.queries.names if self.pooled else self.queries.images
        asked = Images(names.assign(image=names["file"].str.lstrip("/")), _ROOT, "queries")
        query = Embedded(self.queries.vectors, asked, ())
        kept = Embedded(galleries.vectors(rows), items, ())
        measured = refine.measured(query, kept, by)
        if measured is not None:
            distances, places = nearest.search(measured, len(rows))
            return distances, rows[places]
        expanded = refine.expanded(query, kept, by)
        query, kept, name = single_vectors(query, kept, by)
        single = distance_named(name) if name == by else COSINE
        parts = [Part(single.prepare(kept.vectors).numpy())]
        prepared = single.prepare(expanded, "query").numpy()
        distances, places = search_exactly(parts, single, prepared, len(rows))
        return distances, rows[places]


def _same(a: pd.DataFrame, b: pd.DataFrame, column: str) -> npt.NDArray[np.bool_]:
    equal = a[column].reset_index(drop=True) == b[column].reset_index(drop=True)
    return equal.fillna(False).to_numpy(bool)
