"""Finding as many images for each query as are asked for, though some are left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError, suggest
from annotations.images import Images
from reid.distances import distance_named, nearest
from reid.distances.cosine import COSINE
from reid.embedding import Embedded
from reid.reranking.refinement import single_vectors
from reid.retrieval.apart import MOST, Values, few_values
from reid.retrieval.asking import Queries
from reid.retrieval.exact import Floats, Part, Rows, search_exactly
from reid.retrieval.question import Question
from reid.retrieval.searched import Searched
from reid.retrieval.several import Galleries

_MORE = 4
"""So many times as many images are looked at where those before were not enough."""
_LOOKS = 3
"""Lists so many times longer, after which groups that are not many are looked through instead."""
_ROWS = 4_000_000
"""Rows of all lists that are looked at together."""
_ROOT = Path("/")


class Finder:
    """Looks for what a question asks.

    Args:
        galleries: where.
        queries: for what.
        question: how.
        keep: which of them may be found, as `Searched.select` tells; None for all.
    """

    def __init__(
        self, galleries: Searched[Any], queries: Queries, question: Question, keep: Any
    ) -> None:
        self.galleries = galleries
        self.queries = queries
        self.question = question
        self.keep = keep
        self.pooled = question.pool == "average"
        images = queries.images
        self._unit = queries.names.index.to_numpy() if self.pooled else images["unit"].to_numpy()
        self._refined = self._refine() if question.refine else None

    def found(self, units: Rows | None = None) -> pd.DataFrame:
        """Return ``unit``, ``row``, ``distance`` and ``group``, by unit and distance.

        Args:
            units: queries to look for, ascending; None for all.
        """
        question = self.question
        sets = question.pool == "sets"
        enough = question.candidates if sets else question.top
        wanted = enough if sets or not self._leaves_out else question.top * _MORE
        wanted = min(wanted, max(enough, self.galleries.longest))
        waiting = np.unique(self._unit) if units is None else units
        done: list[pd.DataFrame] = []
        looks = 0
        while len(waiting):
            looks += 1
            ready = []
            widest = min(wanted, len(self.galleries))
            pieces = max(1, min(len(waiting), -(-len(waiting) * widest // _ROWS)))
            for units in np.array_split(waiting, pieces):
                found, all_of_them = self._lists(np.flatnonzero(np.isin(self._unit, units)), wanted)
                counts = found.groupby("unit").size().reindex(units, fill_value=0).to_numpy()
                # The longest lists that a server gives may hold fewer groups than are wanted.
                last = question.group is not None and wanted >= self.galleries.longest
                full = units if all_of_them or sets or last else units[counts >= enough]
                found = found[found["unit"].isin(full)]
                done.append(found[found.groupby("unit").cumcount() < enough])
                ready.append(full)
            waiting = np.setdiff1d(waiting, np.concatenate(ready))
            if len(waiting) and (values := self._few_values(looks)) is not None:
                done.append(self._by_value(values, waiting))
                break
            wanted = self._wider(wanted, len(waiting))
        return pd.concat(done).sort_values("unit", kind="stable").reset_index(drop=True)

    def _wider(self, wanted: int, waiting: int) -> int:
        """Return how many images to look at where those before were not enough.

        Raises:
            InputError: so many queries are waiting, and there are no longer lists to be had.
        """
        longest = self.galleries.longest
        if waiting and wanted >= longest:
            raise InputError(
                f"{self.galleries.name}: finds at most {longest:,} images for one query, and of "
                f"these too few are left for {waiting:,} queries once others are left out; ask "
                "for fewer with --top, or narrow the search with --where"
            )
        return min(wanted * _MORE, longest)

    def _few_values(self, looks: int) -> Values | None:
        """Return the groups to look through one by one; None where longer lists are better.

        Lists of fewer groups than are wanted would grow until they hold everything, and so do those
        of groups that are far from a query.
        """
        group = self.question.group
        if group is None or self._refined is not None:
            return None
        if not isinstance(self.galleries, Galleries):  # a server's rows are not at hand
            return None
        most = self.question.top if looks < _LOOKS else MOST
        return few_values(self.galleries, group, self.keep, most)

    def _by_value(self, values: Values, units: Rows) -> pd.DataFrame:
        """Return what `found` does, for some queries, by the nearest of each group."""
        question = self.question
        pieces = []
        for number, name in enumerate(values.names):
            # Of what is in no group, each is one by itself.
            top = question.top if name is None else 1
            one = replace(question, group=None, top=top, exact=True)
            among = Finder(self.galleries, self.queries, one, values.numbers == number)
            some = among.found(units)
            pieces.append(some.assign(group="\0" + some["group"] if name is None else name))
        found = pd.concat(pieces).sort_values(["unit", "distance"], kind="stable")
        return found[found.groupby("unit").cumcount() < question.top]

    @property
    def _leaves_out(self) -> bool:
        question = self.question
        return question.drop_self or question.drop_same_camera or question.group is not None

    def _nearest(self, asked: Rows, wanted: int) -> tuple[Floats, Rows]:
        if self._refined is not None:
            distances, rows = self._refined
            return distances[asked, :wanted], rows[asked, :wanted]
        vectors = self.queries.vectors[asked]
        return self.galleries.search(vectors, wanted, self.keep, self.question.exact)

    def _lists(self, asked: Rows, wanted: int) -> tuple[pd.DataFrame, bool]:
        """Return the lists of some queries, without what is left out; and whether that is all."""
        question = self.question
        distances, rows = self._nearest(asked, wanted)
        all_of_them = rows.shape[1] < wanted
        found = pd.DataFrame(
            {
                "unit": np.repeat(self._unit[asked], rows.shape[1]),
                "row": rows.ravel(),
                "distance": distances.ravel(),
            }
        )
        found = found[found["row"] >= 0]  # of an index that found fewer for some
        if not self.pooled and question.together is not None and not all_of_them:
            # Beyond where one of a vehicle's images was looked at, others may be nearer to it.
            reach = pd.Series(distances[:, -1]).groupby(self._unit[asked]).min()
            found = found[found["distance"] <= found["unit"].map(reach)]
        if question.drop_self or question.drop_same_camera:
            found = found[self.allowed(found)]
        found = found.sort_values(["unit", "distance"], kind="stable")
        found = found.drop_duplicates(["unit", "row"])
        found["group"] = found["row"].astype("string")
        if question.group is not None:
            known = self.column(found["row"].to_numpy(), question.group)
            found["group"] = known.set_axis(found.index).fillna("\0" + found["group"])
            found = found.drop_duplicates(["unit", "group"])
        return found, all_of_them

    def allowed(self, found: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return which pairs of ``unit`` and ``row`` no image of the unit forbids to show."""
        unique = np.unique(found["row"].to_numpy())
        item = self.galleries.table(unique, ["identity", "camera"]).set_axis(unique)
        item = item.loc[found["row"]]
        kept = np.ones(len(found), dtype=bool)
        images = self.queries.images
        if self.question.drop_self:
            kept &= ~_among(found["unit"], item[["file"]], images, ["file"])
        if self.question.drop_same_camera:
            seen = ["identity", "camera"]
            known = images.dropna(subset=seen)
            kept &= ~_among(found["unit"], item[seen], known, seen)
        return kept

    def column(self, rows: Rows, name: str) -> pd.Series[str]:
        """Return a column of some rows as text, empty where unknown.

        Raises:
            InputError: no gallery has it.
        """
        there = self.galleries.columns
        if name not in there:
            raise InputError(
                f"{self.galleries.name}: has no column '{name}' to group by; {suggest(name, there)}"
            )
        return self.galleries.words(name, rows)

    def _refine(self) -> tuple[Floats, Rows]:
        """Return every candidate's refined distance: (Q, C) and its rows, nearest first."""
        galleries, refine = self.galleries, self.question.refine
        by = galleries.about.distance
        question = self.question
        _, near = galleries.search(
            self.queries.vectors, question.candidates, self.keep, question.exact
        )
        rows = np.unique(near[near >= 0])
        frame = galleries.table(rows, ["camera"])
        # By number: a file may be in two galleries.
        items = Images(frame.assign(image=[str(row) for row in rows]), _ROOT, galleries.name)
        names = self.queries.names if self.pooled else self.queries.images
        asked = Images(
            names.assign(image=[str(number) for number in range(len(names))]), _ROOT, "queries"
        )
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


def _among(
    units: pd.Series[int], items: pd.DataFrame, queries: pd.DataFrame, columns: list[str]
) -> npt.NDArray[np.bool_]:
    """Return of which rows some image of their unit has the same columns, all of them known."""
    asked = items.reset_index(drop=True).assign(unit=units.to_numpy())
    known = queries[["unit", *columns]].drop_duplicates().assign(there=True)
    there = asked.merge(known, how="left", on=["unit", *columns])["there"]
    return (there.notna() & asked[columns].notna().all(axis=1)).to_numpy(bool)
