"""What can be searched: galleries in folders, or a copy of them in an engine elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import pandas as pd

from annotations.errors import InputError
from reid.distances import Embeddings, distance_named
from reid.retrieval.about import GalleryAbout
from reid.retrieval.exact import Floats, Rows
from reid.retrieval.selection import Condition

Keep = TypeVar("Keep")
"""How a place says which of its images may be found: a mask, or an expression of its own."""


class Searched(Protocol[Keep]):
    """A place with images of one model. A row is a number by which it knows an image."""

    @property
    def about(self) -> GalleryAbout:
        """What made the embeddings."""

    @property
    def name(self) -> str:
        """Where it is, for people."""

    @property
    def apart(self) -> bool:
        """Whether it has images of several galleries, so that each is to be told with its own."""

    @property
    def longest(self) -> int:
        """How many images `search` finds for one query at most."""

    @property
    def columns(self) -> set[str]:
        """The columns of its images' table."""

    def __len__(self) -> int:
        """Return how many images it has."""

    def require_model(self, model: str) -> None:
        """Refuse queries that were embedded by another model; see `GalleryAbout.require_model`."""

    def prepared(self, query_embeddings: Embeddings) -> Floats:
        """Return queries (Q, D) as they are compared; see `prepared_queries`."""

    def select(self, conditions: Sequence[Condition]) -> Keep | None:
        """Return which images fulfil all conditions; None where there is no condition.

        Raises:
            InputError: there is no such column, or no image fulfils them.
        """

    def search(
        self, query_embeddings: Embeddings, top: int, keep: Keep | None = None, exact: bool = True
    ) -> tuple[Floats, Rows]:
        """Find the nearest images of each query; see `reid.retrieval.gallery.Gallery.search`.

        Of a query for which fewer are found than for others, the last distances are infinite and
        the rows -1.
        """

    def vectors(self, rows: Rows) -> Floats:
        """Return the embeddings of some rows, (R, D), as they are compared."""

    def table(self, rows: Rows, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return what is known of some rows; see `reid.retrieval.several.Galleries.table`."""

    def words(self, column: str, rows: Rows) -> pd.Series[str]:
        """Return a column of some rows as text, empty where unknown."""

    def thumbnails(self, rows: Rows) -> list[bytes | None]:
        """Return the thumbnails of some rows, JPEG files; None where there are none."""

    def sizes(self, column: str, values: Iterable[str], keep: Keep | None = None) -> dict[str, int]:
        """Return how many images that may be found have each value of a column, as text."""

    def members(
        self, column: str, values: Iterable[str], keep: Keep | None = None
    ) -> dict[str, Rows]:
        """Return the rows of each value of a column, as text, that may be found."""


def prepared_queries(
    query_embeddings: Embeddings, about: GalleryAbout, dimension: int, name: str
) -> Floats:
    """Return queries (Q, D) as they are compared with embeddings of so many dimensions.

    Args:
        query_embeddings: (Q, D), any floating type.
        about: what made the embeddings.
        dimension: of these.
        name: where they are, for an error.

    Returns:
        (Q, D), float32.

    Raises:
        InputError: embeddings of another dimension or that cannot be compared.
    """
    prepared = distance_named(about.distance).prepare(query_embeddings, "query")
    if prepared.shape[1] != dimension:
        raise InputError(
            f"{name}: holds embeddings of {dimension} dimensions, the queries have "
            f"{prepared.shape[1]}: embeddings of two models"
        )
    found: Floats = prepared.cpu().numpy()
    return found
