"""The page of rank lists: one HTML file that needs no server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import write_text
from annotations.images import Images
from annotations.table import write_table
from annotations.vocabulary import Vocabulary
from reid.retrieval.evidence import ListEvidence
from reid.retrieval.evidence_card import (
    SIDE,
    EvidenceCard,
    card_css,
    environment,
    make_cards,
    scale_of,
)
from reid.retrieval.results import spelled
from reid.retrieval.searched import Searched
from reid.retrieval.thumbnails import Thumbnail, from_file, make_thumbnails
from reid.retrieval.timeline import Timeline, timeline

Verdict = Literal["match", "miss", "unknown"]
MOST = 200
"""Queries that the page shows, unless told otherwise."""


@dataclass(frozen=True)
class _Part:
    """A part box to draw: CSS percentages of the thumbnail."""

    name: str
    colour: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class _Tile:
    """One image with its caption."""

    image: str
    identity: str
    camera: str
    thumbnail: Thumbnail
    parts: list[_Part]
    rank: int = 0
    distance: float = 0.0
    verdict: Verdict = "unknown"
    probability: float | None = None
    images: int = 1
    gallery: str = ""
    card: EvidenceCard | None = None

    @property
    def name(self) -> str:
        return Path(self.image).name


@dataclass(frozen=True)
class _RankList:
    query: _Tile
    tiles: list[_Tile]
    times: Timeline | None
    unknown: bool

    @property
    def cards(self) -> list[EvidenceCard]:
        return [tile.card for tile in self.tiles if tile.card is not None]


def write_results(
    frame: pd.DataFrame,
    galleries: Searched[Any],
    query_images: Images,
    out: Path,
    *,
    boxes: Boxes | None = None,
    query_boxes: Boxes | None = None,
    vocabulary: Vocabulary | None = None,
    evidence: ListEvidence | str = "",
    most: int = MOST,
) -> Path:
    """Write ``results.csv``, ``.parquet`` and ``.jsonl``, and the page ``results.html``.

    The page shows, for each query, its thumbnail and the found ones with a border that is
    green where the identity is known to match, red where it is known not to, and grey
    where it is unknown. An image that cannot be read gets a tile that says so.

    Args:
        frame: what `reid.retrieval.results.search` found.
        galleries: where it searched.
        query_images: the queries, also those for which nothing was found.
        out: the folder to write to.
        boxes: part boxes to draw on gallery images, named by their files as ``frame`` has them;
            needs ``vocabulary``.
        query_boxes: part boxes to draw on query images, by their names; needs ``vocabulary``.
        vocabulary: the colours of the parts.
        evidence: what parts say of the first images of the lists that the page shows, of which
            it shows the pictures side by side; or one line on why there is none.
        most: how many queries the page shows; the CSV holds all.

    Returns:
        The path of the page.

    Raises:
        InputError: boxes without a vocabulary or with a part that it lacks.
    """
    gallery_parts = _parts(boxes, vocabulary)
    query_parts = _parts(query_boxes, vocabulary)
    every = _asked(frame, query_images)
    count, queries = len(every), every.head(most)
    shown = frame[frame["query"].isin(queries["image"])]
    asked = {image: query_images.root / image for image in queries["image"]}
    items = shown.drop_duplicates("file")
    kept = zip(items["file"], galleries.thumbnails(items["row"].to_numpy()), strict=True)
    stored = {Path(file): from_file(jpeg) for file, jpeg in kept if jpeg is not None}
    files = [Path(file) for file in items["file"]]
    made = make_thumbnails([*asked.values(), *(file for file in files if file not in stored)])
    thumbnails = stored | made
    several = galleries.apart
    compared = None if isinstance(evidence, str) else evidence.compared
    cards = {} if isinstance(evidence, str) else _cards(shown, evidence)

    def tile(row: Any, file: Path, parts: list[_Part] | None, **more: Any) -> _Tile:
        identity, camera = _text(row.identity), _text(row.camera)
        return _Tile(row.image, identity, camera, thumbnails[file], parts or [], **more)

    def ranked(row: Any) -> _Tile:  # a row with its label first
        return tile(
            row,
            Path(row.file),
            gallery_parts.get(row.file),  # another gallery may have an image of its name
            rank=row.rank,
            distance=row.distance,
            verdict=_verdict(row.match),
            probability=getattr(row, "probability", None),
            images=int(getattr(row, "images", 1)),
            gallery=row.gallery if several else "",
            card=cards.get(row.Index),
        )

    found = {str(name): some for name, some in shown.groupby("query")}
    lists = []
    for row in queries.itertuples():
        mine = found.get(str(row.image), shown.head(0))
        tiles = [ranked(one) for one in mine.itertuples()]
        verdicts = [one.verdict for one in tiles]
        lists.append(
            _RankList(
                tile(
                    row,
                    asked[row.image],
                    query_parts.get(str(row.image)),
                    images=_first(mine, "query_images", 1),
                ),
                tiles,
                timeline(mine, verdicts, getattr(row, "time", None)),
                unknown=_first(mine, "unknown", False),
            )
        )
    first = frame.loc[frame["rank"] == 1, "match"].dropna().astype(bool)
    page = (
        environment()
        .get_template("results.html.j2")
        .render(
            lists=lists,
            queries=count,
            items=len(galleries),
            top=int(frame["rank"].max()) if len(frame) else 0,
            judged=len(first),
            right=int(first.sum()),
            about=galleries.about,
            run=Path(galleries.about.run).name,
            colours=_legend([gallery_parts, query_parts]),
            unknown=_strangers(frame),
            why=evidence if isinstance(evidence, str) else "",
            compared=compared,
            together="query_images" in frame,
            scale=scale_of(compared is not None and compared.evidence.curves is not None),
            css=card_css(),
            problems=sorted(made.problem for made in thumbnails.values() if made.problem),
        )
    )
    table = frame.drop(columns="row")
    if not isinstance(evidence, str):
        table = evidence.beside(table)
    write_table(spelled(table), out / "results.csv")
    write_table(table, out / "results.parquet")
    write_text(out / "results.jsonl", table.to_json(orient="records", lines=True))
    write_text(out / "results.html", page)
    return out / "results.html"


def queries_shown(frame: pd.DataFrame, query_images: Images, most: int = MOST) -> dict[str, Path]:
    """Return the files of the queries that the page of `write_results` shows, by their names."""
    names = _asked(frame, query_images)["image"].head(most)
    return {str(name): query_images.root.resolve() / name for name in names}


def _asked(frame: pd.DataFrame, query_images: Images) -> pd.DataFrame:
    queries = query_images.frame
    if "query_images" in frame:  # a vehicle of several images is shown by its first
        queries = queries[queries["image"].isin(frame["query"])]
    return queries


def _cards(shown: pd.DataFrame, evidence: ListEvidence) -> dict[Any, EvidenceCard]:
    """Return the cards of what is shown, by the labels of their rows."""
    compared = evidence.compared
    files = [file for pair in compared.files for file in pair]
    thumbnails = make_thumbnails(files, SIDE)
    place = pd.Series(range(len(compared)), index=evidence.rows, dtype="int64")
    made: dict[Any, EvidenceCard] = {}
    for _, some in shown[shown.index.isin(evidence.rows)].groupby("query"):
        rows = place[some.index].tolist()
        titles = [_title(row) for row in some.itertuples()]
        made |= zip(some.index, make_cards(compared, rows, thumbnails, titles), strict=True)
    return made


def _title(row: Any) -> str:
    """Say which image of a list it is, and how near."""
    sign = {"match": " \N{CHECK MARK}", "miss": " \N{BALLOT X}"}.get(_verdict(row.match), "")
    likely = getattr(row, "probability", None)
    words = [f"Rank {row.rank}{sign}", f"distance {row.distance:.3f}"]
    if likely is not None:
        words.append(f"{likely:.0%} the same")
    return ", ".join(words)


def _strangers(frame: pd.DataFrame) -> int | None:
    """Return how many queries are unknown; None where distances have no probabilities."""
    if "unknown" not in frame:
        return None
    return int(frame.groupby("query")["unknown"].first().sum())


def _first(rows: pd.DataFrame, column: str, otherwise: Any) -> Any:
    return rows[column].iloc[0] if column in rows and len(rows) else otherwise


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _verdict(match: Any) -> Verdict:
    if pd.isna(match):
        return "unknown"
    return "match" if match else "miss"


def _parts(boxes: Boxes | None, vocabulary: Vocabulary | None) -> dict[str, list[_Part]]:
    if boxes is None:
        return {}
    if vocabulary is None:
        raise InputError(f"{boxes.source}: drawing boxes needs the vocabulary of their parts")
    parts: dict[str, list[_Part]] = {}
    for box in boxes.frame.itertuples():
        corners = [100 * float(value) for value in (box.x1, box.y1, box.x2, box.y2)]  # type: ignore[arg-type]
        x1, y1, x2, y2 = (round(value, 2) for value in corners)
        name = str(box.part)
        part = _Part(name, vocabulary[name].colour, x1, y1, round(x2 - x1, 2), round(y2 - y1, 2))
        parts.setdefault(str(box.image), []).append(part)
    return parts


def _legend(tables: Iterable[dict[str, list[_Part]]]) -> dict[str, str]:
    drawn = (part for table in tables for parts in table.values() for part in parts)
    return {part.name: part.colour for part in drawn}
