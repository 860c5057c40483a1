"""Pictures that the page carries within itself, with part boxes drawn over them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from annotations.boxes import CORNERS, IDENTITY_MEAN, Boxes
from annotations.images import Images
from annotations.pixels import ImageError, read_image
from annotations.vocabulary import Vocabulary
from pipelines.report.look_alikes import rows_by_name
from reid.retrieval.thumbnails import SIDE, Thumbnail, make_thumbnails

Verdict = Literal["query", "match", "miss", ""]


@dataclass(frozen=True)
class Outline:
    """A part box over a picture, in percent of it.

    Attributes:
        part: its name.
        colour: as the vocabulary says.
        x: left edge.
        y: upper edge.
        width: likewise.
        height: likewise.
        weight: 0 to 1, how strongly it is drawn.
        dashed: whether it was filled in rather than found.
    """

    part: str
    colour: str
    x: float
    y: float
    width: float
    height: float
    weight: float = 0.5
    dashed: bool = False


@dataclass(frozen=True)
class Tile:
    """A picture with what is said of it.

    Attributes:
        thumbnail: the picture.
        outlines: part boxes to draw.
        verdict: the colour of the frame.
        head: a word above the rest of the caption.
        lines: the caption.
        chip: a part and what is said of it, or None.
        bar: shares of the evidence to show below the picture: colour and percent, end to end.
        tip: what a pointer resting on it shows.
    """

    thumbnail: Thumbnail
    outlines: tuple[Outline, ...] = ()
    verdict: Verdict = ""
    head: str = ""
    lines: tuple[str, ...] = ()
    chip: tuple[str, str] | None = None
    bar: tuple[tuple[str, float], ...] = ()
    tip: str = ""


class Album:
    """Makes tiles of a data set's images, reading each file once.

    Args:
        images: the data set.
        boxes: boxes of its images.
        vocabulary: the parts' colours.
    """

    def __init__(self, images: Images, boxes: Boxes, vocabulary: Vocabulary) -> None:
        self.images = images
        self.rows = rows_by_name(images)
        self.vocabulary = vocabulary
        self._boxes = dict(list(boxes.frame.groupby("image")))
        self._thumbnails: dict[Path, Thumbnail] = {}

    def read(self, names: Sequence[str]) -> None:
        """Read the images named, in parallel, unless they have been read."""
        paths = [path for name in names if (path := self.path(name)) not in self._thumbnails]
        self._thumbnails |= make_thumbnails(paths)

    @property
    def aspect(self) -> float:
        """The median of width over height, which frames of one shape suit best."""
        shapes = [made.width / made.height for made in self._thumbnails.values() if made.data]
        return min(max(float(np.median(shapes or [1.0])), 0.75), 1.35)

    def path(self, name: str) -> Path:
        """Return an image's file."""
        return self.images.root / name

    def outlines(self, name: str, weights: dict[str, float] | None = None) -> tuple[Outline, ...]:
        """Return an image's part boxes, each as strong as ``weights`` says of its part."""
        found = []
        frame = self._boxes.get(name, pd.DataFrame(columns=["part", *CORNERS, "source"]))
        corners = frame[CORNERS].to_numpy(float)
        for part, source, (x1, y1, x2, y2) in zip(
            frame["part"], frame["source"], 100 * corners, strict=True
        ):
            x, y, width, height = (round(float(v), 2) for v in (x1, y1, x2 - x1, y2 - y1))
            weight = 0.5 if weights is None else min(max(weights.get(part, 0.0), 0.0), 1.0)
            colour, dashed = self.vocabulary[part].colour, source == IDENTITY_MEAN
            found.append(Outline(part, colour, x, y, width, height, weight, dashed))
        return tuple(sorted(found, key=lambda outline: outline.weight))

    def tile(self, name: str, **more: object) -> Tile:
        """Return a tile of an image; further arguments are those of `Tile`."""
        self.read([name])
        return Tile(self._thumbnails[self.path(name)], **{"tip": Path(name).name} | more)  # type: ignore[arg-type]


def overlay(path: Path, heat: npt.NDArray[np.floating]) -> Thumbnail:
    """Lay a map over an image, from blue where it is lowest to red where it is highest.

    Args:
        path: the image.
        heat: (rows, columns); enlarged smoothly over the whole image, and scaled from its
            own lowest to its own highest value, as Zhou et al. (CVPR 2016) do.
    """
    try:
        image = Image.fromarray(read_image(path))
    except ImageError as error:
        return Thumbnail(problem=str(error))
    image.thumbnail((SIDE, SIDE))
    low, high = float(heat.min()), float(heat.max())
    scaled = Image.fromarray(((heat - low) / (high - low or 1.0)).astype(np.float32))
    large = np.asarray(scaled.resize(image.size, Image.Resampling.BICUBIC)).clip(0, 1)
    colours = matplotlib.colormaps["turbo"](large)[..., :3]
    grey = np.asarray(image.convert("L"), float)[..., None]
    opacity = 0.25 + 0.4 * large[..., None]
    mixed = (1 - opacity) * grey + opacity * 255 * colours
    made = Image.fromarray(mixed.astype(np.uint8))
    return Thumbnail(jpeg(made, 82), *made.size)


def jpeg(image: Image.Image, quality: int) -> str:
    """Return a picture as a data URI."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
