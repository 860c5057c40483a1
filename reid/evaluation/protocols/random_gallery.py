"""One random image of each identity as gallery: VehicleID's protocol (Liu et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Distance
from reid.embedding import Embedded
from reid.evaluation.protocols.own_picture import own_pictures
from reid.evaluation.protocols.protocol import Compare
from reid.evaluation.protocols.ranked import RankedProtocol, Trial, compared
from reid.evaluation.truth import Truth

Rows = npt.NDArray[np.int64]


class RandomGallery(RankedProtocol):
    """A random image of each identity is its gallery image, the others are queries; repeated.

    Cameras play no part. A query has one true match, so its AP is the reciprocal of that
    match's rank.

    Args:
        repeats: how often gallery images are drawn.
        seed: same seed and same table, same draws; draw r does not depend on ``repeats``.
    """

    name = "random-gallery"

    def __init__(self, repeats: int = 10, seed: int = 0) -> None:
        if repeats < 1:
            raise InputError(f"repeats must be at least 1, not {repeats}")
        self.repeats = repeats
        self.seed = seed

    def divide(self, images: Images) -> tuple[Images]:
        """Return split test, or where there is none, query and gallery together, pictures once."""
        splits = images.frame["split"] if "split" in images.frame else pd.Series(dtype="string")
        wanted = ["test"] if (splits == "test").any() else ["query", "gallery"]
        for name in wanted:
            if len(wanted) > 1 and not (splits == name).any():
                images.split("test")  # which says what is missing
        pool = images.where(splits.isin(wanted))
        if len(wanted) > 1:
            # VeRi-776's queries are in its gallery, too; a picture must not find itself.
            query, gallery = (pool.where(pool.frame["split"] == name) for name in wanted)
            twice = query.frame["image"][own_pictures(query, gallery).notna().to_numpy()]
            pool = pool.where(~pool.frame["image"].isin(twice))
        pool.require("identity", "evaluation")
        if pool.frame["identity"].is_unique:
            raise InputError(f"{images.source}: no identity has two test images")
        return (pool,)

    def draws(self, identities: pd.Series[str]) -> Iterator[tuple[Rows, Rows]]:
        """Yield rows of queries and rows of the gallery, in the table's order."""
        for repeat in range(self.repeats):
            random = np.random.default_rng([self.seed, repeat])
            order = random.permutation(len(identities))
            first = ~identities.iloc[order].duplicated().to_numpy()
            yield np.sort(order[~first]), np.sort(order[first])

    def trials(
        self, parts: Sequence[Embedded], distance: Distance, compare: Compare | None = None
    ) -> Iterator[Trial]:
        """Yield the draws; see `RankedProtocol.trials`."""
        pool = parts[0]
        for query, gallery in self.draws(pool.images.frame["identity"]):
            asked, kept = pool.take(query), pool.take(gallery)
            comparison = compared(asked, kept, distance, compare)
            sides = asked.images.frame, kept.images.frame
            truth = Truth(sides[0]["identity"], sides[1]["identity"], device=comparison.device)
            yield Trial(comparison, truth, *sides, "nothing left out")

    def state(self, first: Trial, parts: Sequence[Embedded]) -> str:
        """See `RankedProtocol.state`."""
        return (
            f"random gallery: one image of each of {len(first.items):,} identities, the other "
            f"{len(first.query):,} images as queries; mean of {self.repeats} draws, seed "
            f"{self.seed}; {first.words}"
        )
