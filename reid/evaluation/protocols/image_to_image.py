"""Image to image: the usual protocol of VeRi-776, VERI-Wild, VRIC and most others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Distance
from reid.embedding import Embedded
from reid.evaluation.protocols.own_picture import own_pictures
from reid.evaluation.protocols.protocol import Compare
from reid.evaluation.protocols.ranked import (
    RankedProtocol,
    Trial,
    cameras_for,
    compared,
    require_matches,
)
from reid.evaluation.truth import LeaveOut, Truth


class ImageToImage(RankedProtocol):
    """Every query image ranks all gallery images.

    Args:
        leave_out: ``identity-camera``, as VeRi-776 and VERI-Wild have it; ``camera``, which is
            harder, as background and light never help; or None. Where no camera is known, or
            all images are from one, only a query's own picture is, and the statement says so.
    """

    name = "image"

    def __init__(self, leave_out: LeaveOut | None = "identity-camera") -> None:
        self.leave_out = leave_out

    def divide(self, images: Images) -> tuple[Images, Images]:
        """Return the splits query and gallery."""
        query, gallery = (images.split(name) for name in ("query", "gallery"))
        query.require("identity", "evaluation")
        if not query.frame["identity"].isin(gallery.frame["identity"]).any():
            raise InputError(f"{images.source}: no query's identity is in the gallery")
        require_matches(*self._truth(query, gallery), images)
        return query, gallery

    def trials(
        self, parts: Sequence[Embedded], distance: Distance, compare: Compare | None = None
    ) -> Iterator[Trial]:
        """Yield queries and gallery; see `RankedProtocol.trials`."""
        comparison = compared(parts[0], parts[1], distance, compare)
        truth, words = self._truth(parts[0].images, parts[1].images, comparison.device)
        yield Trial(comparison, truth, parts[0].images.frame, parts[1].images.frame, words)

    def _truth(
        self, queries: Images, items: Images, device: torch.device | None = None
    ) -> tuple[Truth, str]:
        """Return who matches, and words on what is left out."""
        query, gallery = queries.frame, items.frame
        leave_out, words = cameras_for(query, gallery, self.leave_out, "gallery images")
        cameras = (query["camera"], gallery["camera"]) if leave_out else (None, None)
        if leave_out is None:
            own = own_pictures(queries, items)
            if own.notna().any():
                # As if each picture had a camera of its own.
                cameras = own, gallery["image"]
                words += f", but {own.notna().sum():,} queries' own pictures"
        truth = Truth(
            query["identity"],
            gallery["identity"],
            cameras[0],
            cameras[1],
            leave_out or "identity-camera",
            device,
        )
        return truth, words

    def state(self, first: Trial, parts: Sequence[Embedded]) -> str:
        """See `RankedProtocol.state`."""
        counts = f"{len(first.query):,} queries, {len(first.items):,} gallery images"
        return f"image to image: {counts}; {first.words}"
