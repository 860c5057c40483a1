"""Image to track: VeRi-776's own protocol (Liu et al., ECCV 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Distance
from reid.distances.groups import ToGroups
from reid.embedding import Embedded
from reid.evaluation.protocols.protocol import Compare
from reid.evaluation.protocols.ranked import (
    RankedProtocol,
    Trial,
    cameras_for,
    compared,
    require_matches,
)
from reid.evaluation.truth import Truth


class ImageToTrack(RankedProtocol):
    """Every query image ranks the gallery's tracks, each as near as the nearest of its images.

    Tracks of the query's identity and camera are left out. The match rates are HIT@1 and HIT@5.
    """

    name = "track"
    hit = "HIT@"

    def divide(self, images: Images) -> tuple[Images, Images]:
        """Return the splits query and gallery, having checked the tracks."""
        query, gallery = (images.split(name) for name in ("query", "gallery"))
        query.require("identity", "evaluation")
        gallery.require("track", "the image-to-track protocol")
        mixed = gallery.frame.groupby("track")[["identity", "camera"]].nunique(dropna=False)
        for column in mixed:
            wrong = mixed.index[mixed[column] > 1]
            if len(wrong):
                raise InputError(
                    f"{images.source}: track '{wrong[0]}' has images of more than one {column} "
                    f"({len(wrong)} tracks do); a track is one vehicle passing one camera"
                )
        require_matches(*self._truth(query.frame, _one_of_each(gallery.frame)), images)
        return query, gallery

    def trials(
        self, parts: Sequence[Embedded], distance: Distance, compare: Compare | None = None
    ) -> Iterator[Trial]:
        """Yield queries and tracks; see `RankedProtocol.trials`."""
        query, gallery = (part.images.frame for part in parts)
        codes, _ = pd.factorize(gallery["track"])
        tracks = _one_of_each(gallery)
        single = compared(parts[0], parts[1], distance, compare)
        comparison = ToGroups(single, torch.from_numpy(codes))
        truth, words = self._truth(query, tracks, comparison.device)
        yield Trial(comparison, truth, query, tracks, words)

    def _truth(
        self, query: pd.DataFrame, tracks: pd.DataFrame, device: torch.device | None = None
    ) -> tuple[Truth, str]:
        """Return who matches, and words on what is left out."""
        leave_out, words = cameras_for(query, tracks, "identity-camera", "tracks")
        truth = Truth(
            query["identity"],
            tracks["identity"],
            query["camera"] if leave_out else None,
            tracks["camera"] if leave_out else None,
            device=device,
        )
        return truth, words

    def state(self, first: Trial, parts: Sequence[Embedded]) -> str:
        """See `RankedProtocol.state`."""
        return (
            f"image to track: {len(first.query):,} queries, {len(first.items):,} tracks of "
            f"{len(parts[1].images):,} gallery images, each as near as its nearest image; "
            f"{first.words}"
        )


def _one_of_each(gallery: pd.DataFrame) -> pd.DataFrame:
    """Return the first image of each track."""
    return gallery.drop_duplicates("track")
