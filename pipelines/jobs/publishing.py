"""Copying galleries to a server that searches them."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from annotations.errors import InputError, suggest
from pipelines.tables import console, say
from reid.retrieval.gallery import Gallery
from reid.retrieval.milvus.address import Address, collection_named
from reid.retrieval.milvus.publish import Index, Publication
from reid.retrieval.milvus.server import Server


def publish(
    gallery: Path, store: str, *, index: str | None = None, name: str | None = None
) -> Publication:
    """Make a collection hold what a gallery does; what is there already is not sent again.

    Args:
        gallery: its folder.
        store: an address, see `reid.retrieval.milvus.address`; without a collection, the one that
            is called as the folder.
        index: how the collection is searched, ``flat``, ``ivf_flat`` or ``hnsw``; None for as it
            is, or by how many images there are.
        name: what the gallery is called there, among others in the collection; None for its path.

    Returns:
        What was done.

    Raises:
        InputError: something given is wrong, or the server refuses.
    """
    kind = _index(index)
    opened = Gallery.open(gallery)
    address = Address.parse(store)
    if address.collection is None:
        address = address.of(collection_named(gallery.resolve().name))
    server = Server(address)
    called = name or str(gallery.resolve())
    planned = Publication.plan(opened, server, address, called, kind)
    with _bar() as bar:
        copying = bar.add_task("copying", total=len(planned.rows))
        planned.carry_out(lambda count: bar.advance(copying, count))
    for column in planned.left_out:
        say(
            f"column '{column}' is not copied: {address} was made before the gallery had it; "
            "publish into another collection to search by it"
        )
    said = [f"{len(planned.rows):,} images copied"]
    if planned.unchanged:
        said.append(f"{planned.unchanged:,} there already")
    if len(planned.gone):
        said.append(f"{len(planned.gone):,} taken out")
    say(f"{gallery}: {', '.join(said)}; index {planned.index}")
    say(f"search it with: partreid search QUERIES --store {address}")
    return planned


def _index(word: str | None) -> Index | None:
    if word is None:
        return None
    known = {kind.lower(): kind for kind in get_args(Index)}
    if word.lower() not in known:
        raise InputError(f"no index '{word}'; {suggest(word.lower(), known)}")
    return cast(Index, known[word.lower()])


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True,
    )  # fmt: skip
