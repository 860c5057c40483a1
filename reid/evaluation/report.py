"""A trained network scored by a protocol, with intervals, as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from annotations.files import whole_file, write_text
from annotations.images import Images
from reid.data.locate import Found
from reid.device import pick_device
from reid.distances import CoOccurrence, distance_named
from reid.embedding import embed
from reid.evaluation.groups import KNOWN, scores_by
from reid.evaluation.on_device import compare_on
from reid.evaluation.protocols import Protocol, RankedProtocol, protocol_for
from reid.methods import Branches
from reid.reranking.refinement import Refinement
from reid.run import Run


@dataclass(frozen=True)
class Evaluation:
    """Scores and what they are scores of.

    Attributes:
        table: a row per metric; see `reid.evaluation.protocols.Scores.table`.
        per_query: a row per counted query or pair.
        protocol: one line that says who was query, who gallery, what was left out, and what
            was compared.
        problems: one line for each image that could not be read.
        curve: the match curve, or of verification the ROC.
        groups: scores by camera, viewpoint and so on; empty for pairs.
        find: returns what is nearest to some queries, given their names and how many to return;
            see `RankedProtocol.lists`. None for pairs.
    """

    table: pd.DataFrame
    per_query: pd.DataFrame
    protocol: str
    problems: tuple[str, ...]
    curve: pd.DataFrame
    groups: pd.DataFrame
    find: Callable[[Sequence[str], int], pd.DataFrame] | None = None

    def write(self, folder: Path) -> None:
        """Write ``metrics.json``, ``per_query.csv``, ``curve.csv`` and ``groups.csv``."""
        keys = [name for name in ("pairs", "metric") if name in self.table]
        numbers = [name for name in ("value", "low", "high", "spread") if name in self.table]
        values = {
            " ".join(map(str, row[:-1])): row[-1]
            for row in zip(
                *(self.table[key] for key in keys), _plain(self.table[numbers]), strict=True
            )
        }
        about = {"protocol": self.protocol, "metrics": values, "problems": self.problems}
        write_text(folder / "metrics.json", json.dumps(about, indent=1) + "\n")
        for name in ("per_query", "curve", "groups"):
            if getattr(self, name).empty:
                continue
            with whole_file(folder / f"{name}.csv") as aside:
                getattr(self, name).to_csv(aside, index=False)


def _plain(table: pd.DataFrame) -> list[list[float | None]]:
    """Return rows of numbers as JSON knows them, which has no NaN."""
    return [[None if pd.isna(value) else float(value) for value in row] for row in table.to_numpy()]


def evaluate(
    run: Run,
    images: Images,
    boxes: Found | None = None,
    *,
    protocol: Protocol | None = None,
    refine: Refinement | None = None,
    by: Sequence[str] = (),
    branches: Branches = "global",
    mirror: bool | None = None,
    device: str = "auto",
    progress: bool = True,
) -> Evaluation:
    """Score a network on a table's test images.

    Args:
        run: the network.
        images: a table with the splits or pairs that the protocol needs.
        boxes: boxes of these images; needed where ``branches`` has parts. They must not be
            filled by identity, which would tell the answer.
        protocol: who is compared with whom; by default `protocol_for` the table.
        refine: what is done after the network, such as re-ranking.
        by: columns of the table to score by, besides `reid.evaluation.groups.KNOWN`.
        branches: see `reid.embedding.embed`.
        mirror: see there, too.
        device: ``auto``, ``cpu``, ``cuda``.
        progress: whether to show a bar.

    Raises:
        InputError: the table lacks what the protocol needs, or nothing can be scored.
    """
    protocol = protocol or protocol_for(images)
    parts = protocol.divide(images)
    for part in parts:
        part.require_files()
    if refine:
        refine.check(CoOccurrence.kind if branches == "views" else run.recipe.distance, parts)
    embedded = [
        embed(run, part, boxes, branches=branches, mirror=mirror, device=device, progress=progress)
        for part in parts
    ]
    name = embedded[0].distance
    compare = (
        partial(refine.compare, distance=name)
        if refine
        else compare_on(pick_device(device), distance_named(name))
    )
    scores = protocol.score(embedded, distance_named(name), compare)
    words = ", ".join(
        [
            f"branches {branches}",
            *(["mean with the mirror image"] if embedded[0].mirror else []),
            distance_named(name).words,
            *([refine.words] if refine else []),
        ]
    )
    find = (
        partial(protocol.lists, embedded, distance_named(name), compare=compare)
        if isinstance(protocol, RankedProtocol)
        else None
    )
    columns = list(dict.fromkeys((*KNOWN, *by)))
    return Evaluation(
        table=scores.table,
        per_query=scores.per_query,
        protocol=f"{scores.statement}; {words}",
        problems=tuple(problem for side in embedded for problem in side.problems),
        curve=scores.curve,
        groups=scores_by(scores.per_query, images.frame, columns) if find else pd.DataFrame(),
        find=find,
    )
