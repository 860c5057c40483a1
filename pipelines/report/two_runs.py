"""A page of two runs side by side: their scores, and the queries on which they differ most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from annotations.files import write_text
from annotations.images import Images
from pipelines.report.look_alikes import rows_by_name
from pipelines.report.page import environment
from pipelines.report.tiles import Tile
from reid.evaluation.compare import differences, paired
from reid.evaluation.report import Evaluation
from reid.retrieval.thumbnails import make_thumbnails

Find: TypeAlias = Callable[[Sequence[str], int], pd.DataFrame]
_EACH, _TOP = 6, 8


@dataclass(frozen=True)
class _Query:
    """A query with what both runs found.

    Attributes:
        name: of the image.
        scores: its average precision by each run.
        lists: the query and what was found, one list per run.
    """

    name: str
    scores: tuple[float, float]
    lists: tuple[list[Tile], ...]


def write_two_runs(
    path: Path,
    evaluations: Mapping[str, Evaluation],
    images: Images,
) -> None:
    """Write one self-contained HTML file.

    Args:
        path: the file.
        evaluations: the two by name; gains are the first's over the second.
        images: the data set.
    """
    one, other = evaluations.values()
    both = paired(other, one)
    groups = {}
    if one.find and other.find:
        for title, rows in _extremes(both).items():
            groups[title] = _queries(rows, (one.find, other.find), images)
    counts = {
        "better": int((both["gain"] > 1e-9).sum()),
        "worse": int((both["gain"] < -1e-9).sum()),
        "all": len(both),
    }
    template = environment().get_template("two_runs.html.j2")
    text = template.render(
        names=list(evaluations),
        table=differences(other, one),
        statement=one.protocol,
        counts=counts,
        groups=groups,
        style=(Path(__file__).parent / "page.css").read_text("utf-8"),
    )
    write_text(path, text)


def _extremes(both: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the queries that changed most, identities once: first gains, then losses."""
    first = both[both["repeat"] == 0] if "repeat" in both else both
    found = {}
    for title, sign in (("better", 1), ("worse", -1)):
        rows = first[sign * first["gain"] > 0]
        rows = rows.sort_values("gain", ascending=sign < 0, kind="stable")
        found[title] = rows.drop_duplicates("identity").head(_EACH)
    return found


def _queries(rows: pd.DataFrame, finders: tuple[Find, Find], images: Images) -> list[_Query]:
    names = list(rows["image"])
    lists = [find(names, _TOP) for find in finders]
    shown = {*names, *(name for found in lists for name in found["image"])}
    thumbnails = make_thumbnails(images.root / name for name in shown)
    about = rows_by_name(images)

    def tile(name: str, verdict: str, head: str) -> Tile:
        said = [
            str(about[name][key]) for key in ("identity", "camera") if pd.notna(about[name][key])
        ]
        return Tile(
            thumbnails[images.root / name],
            verdict=verdict,  # type: ignore[arg-type]
            head=head,
            lines=(" ".join(said),),
            tip=name,
        )

    def row(name: str, found: pd.DataFrame) -> list[Tile]:
        mine = found.loc[found["query"] == name, ["image", "match", "rank"]]
        return [tile(name, "query", "query")] + [
            tile(str(image), "match" if match else "miss", str(rank))
            for image, match, rank in mine.to_numpy(object)
        ]

    scores = rows[["ap_2", "ap_1"]].to_numpy(float)
    return [
        _Query(name, (float(mine), float(others)), tuple(row(name, found) for found in lists))
        for name, (mine, others) in zip(names, scores, strict=True)
    ]
