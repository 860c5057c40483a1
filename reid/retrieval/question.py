"""What is asked of galleries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from annotations.errors import InputError, suggest
from reid.distances import IndexedDistance, distance_named
from reid.reranking.refinement import Refinement
from reid.retrieval.selection import Condition

Pool = Literal["nearest", "average", "sets"]
"""How several images of one vehicle are asked with:

``nearest``: an image is as near as it is to the nearest of them. ``average``: with the mean of
their embeddings. ``sets``: groups are compared as a whole, see `reid.retrieval.sets`.
"""


@dataclass(frozen=True)
class Question:
    """What is to be found.

    Attributes:
        top: how many images, or groups of them, for each query.
        drop_self: leave out the query's own file, for a gallery that holds the queries.
        drop_same_camera: leave out images of the query's identity from the query's camera, as the
            evaluation does.
        conditions: what images have to fulfil.
        group: a column such as ``track`` or ``camera``: of images that agree in it the nearest
            alone is shown. An image of which it says nothing is a group of its own.
        together: a column of the queries such as ``track`` or ``identity``: images that agree in it
            are one query. An image of which it says nothing is one by itself.
        pool: what these ask with.
        refine: query expansion or re-ranking; distances are then the refined ones.
        candidates: re-ranking and expansion look at so many nearest images of each query, of all
            queries together, and sets are compared among the groups of so many.
        exact: look at every image, though a gallery has an index.

    Raises:
        InputError: a number out of range, or a pool that needs what is not asked.
    """

    top: int = 10
    drop_self: bool = False
    drop_same_camera: bool = False
    conditions: tuple[Condition, ...] = ()
    group: str | None = None
    together: str | None = None
    pool: Pool = "nearest"
    refine: Refinement = field(default_factory=Refinement)
    candidates: int = 1000
    exact: bool = False

    def __post_init__(self) -> None:
        if self.top < 1:
            raise InputError(f"top must be at least 1, not {self.top}")
        if self.candidates < self.top:
            raise InputError(
                f"candidates: {self.candidates} are fewer than the {self.top} to be found"
            )
        if self.pool != "nearest" and self.together is None:
            raise InputError(
                f"pool '{self.pool}': say which images are of one vehicle, such as together 'track'"
            )
        if self.pool == "sets" and self.group is None:
            raise InputError(
                "pool 'sets': say which images of the gallery are one set, such as group 'track'"
            )
        if self.pool == "sets" and self.refine:
            raise InputError(
                "pool 'sets' and re-ranking or expansion: both say what distances are; take one"
            )

    def check(self, distance: str) -> None:
        """Check against what embeddings are compared by.

        Raises:
            InputError: it is not defined for that.
        """
        self.refine.check(distance)
        if self.pool == "average" and not isinstance(distance_named(distance), IndexedDistance):
            raise InputError(
                f"pool 'average': has no meaning for the distance {distance.partition(':')[0]}, "
                "of parts that one image shows and another does not; take 'nearest' or 'sets'"
            )


def require_pool(word: str) -> Pool:
    """Return a pool by its name.

    Raises:
        InputError: there is none of that name.
    """
    for pool in get_args(Pool):
        if pool == word:
            return cast(Pool, pool)
    raise InputError(f"no pool '{word}'; {suggest(word, get_args(Pool))}")
