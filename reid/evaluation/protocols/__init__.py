"""Protocols: who is query, who is gallery, what is left out; each says so beside its scores."""

from __future__ import annotations

from collections.abc import Callable

from annotations.errors import InputError, suggest
from annotations.images import Images
from reid.evaluation.protocols.image_to_image import ImageToImage
from reid.evaluation.protocols.image_to_track import ImageToTrack
from reid.evaluation.protocols.pairs import PairVerification
from reid.evaluation.protocols.protocol import Compare, Protocol, Scores
from reid.evaluation.protocols.random_gallery import RandomGallery
from reid.evaluation.protocols.ranked import RankedProtocol

__all__ = [
    "PROTOCOLS",
    "Compare",
    "ImageToImage",
    "ImageToTrack",
    "PairVerification",
    "Protocol",
    "RandomGallery",
    "RankedProtocol",
    "Scores",
    "protocol_for",
]

PROTOCOLS: dict[str, Callable[[], Protocol]] = {
    "image": ImageToImage,
    "cross-camera": lambda: ImageToImage("camera"),
    "no-camera": lambda: ImageToImage(None),
    "track": ImageToTrack,
    "random-gallery": RandomGallery,
}
"""Protocols that need nothing but an images table; `PairVerification` needs pairs, too."""


def protocol_for(images: Images, name: str | None = None) -> Protocol:
    """Return the protocol called ``name``, or the usual one for this table.

    That is `RandomGallery` where images are of split test, else `ImageToImage`.

    Raises:
        InputError: there is no such protocol.
    """
    if name is None:
        pool = "split" in images.frame and (images.frame["split"] == "test").any()
        name = "random-gallery" if pool else "image"
    if name not in PROTOCOLS:
        raise InputError(
            f"no protocol '{name}'; {suggest(name, [*PROTOCOLS, PairVerification.name])}"
        )
    return PROTOCOLS[name]()
