"""The masks table: how much of each cell of an image belongs to each view or part."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from annotations.table import Column, check_table, read_table, write_table

FILE = "masks.parquet"
NAMES = ["image", "mask"]
Bytes = npt.NDArray[np.uint8]


def pack(mask: Bytes) -> bytes:
    """Compress masks (V, h, w) uint8 into a cell of the table."""
    return zlib.compress(np.ascontiguousarray(mask).tobytes(), 6)


@dataclass(frozen=True)
class Masks:
    """A checked masks table: of every image one cell with the masks of all views.

    Attributes:
        frame: columns ``image`` (text, once each) and ``mask`` (bytes, see `pack`).
        views: the names of the V views, in order.
        size: (h, w), rows and columns of a mask, which cover the whole image.
        about: what made them, kept in the metadata of a Parquet file.
        source: the file that errors name.

    Raises:
        InputError: an image is there twice.
    """

    frame: pd.DataFrame
    views: tuple[str, ...]
    size: tuple[int, int]
    about: dict[str, Any] = field(default_factory=dict)
    source: str = "masks table"

    def __post_init__(self) -> None:
        columns = (Column("image", required=True, trimmed=False),)
        object.__setattr__(
            self, "frame", check_table(self.frame[NAMES], columns, ["image"], self.source)
        )

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def from_values(
        cls, images: list[str], values: Bytes, views: tuple[str, ...], about: dict[str, Any]
    ) -> Masks:
        """Build the table from masks (N, V, h, w)."""
        frame = pd.DataFrame({"image": images, "mask": [pack(mask) for mask in values]})
        return cls(frame, views, (values.shape[2], values.shape[3]), about)

    @classmethod
    def read(cls, path: Path) -> Masks:
        """Read a Parquet file, or the one in a folder.

        Raises:
            InputError: it is none of masks.
        """
        if path.is_dir():
            path = path / FILE
            if not path.is_file():
                raise InputError(f"{path.parent}: no {FILE} in it; run 'partreid views find'")
        frame, about = read_table(path, [])
        views, size = about.get("views"), about.get("size")
        if not isinstance(views, list) or not isinstance(size, list) or "mask" not in frame:
            raise InputError(f"{path}: not a masks table; make one with 'partreid views find'")
        return cls(frame, tuple(views), (size[0], size[1]), about, str(path))

    def write(self, path: Path) -> None:
        """Write a Parquet file."""
        about = self.about | {"views": list(self.views), "size": list(self.size)}
        write_table(self.frame, path, about)

    @cached_property
    def names(self) -> frozenset[str]:
        """The images that have masks."""
        return frozenset(self.frame["image"])

    def of(self, images: Images, views: tuple[str, ...] | None = None) -> Bytes:
        """Unpack the masks of images.

        Args:
            images: N images.
            views: those wanted, in order; None for all.

        Returns:
            (N, V, h, w) uint8, 255 where a cell is wholly of the view; 0 for an image without.

        Raises:
            InputError: none of the images has a mask, there is no such view, or a mask is damaged.
        """
        wanted = self.views if views is None else views
        if lacking := [view for view in wanted if view not in self.views]:
            raise InputError(
                f"{self.source}: has masks of {', '.join(self.views)}, and none of "
                f"{', '.join(lacking)}"
            )
        rows = pd.Index(self.frame["image"]).get_indexer(images.frame["image"])
        if (rows < 0).all():
            raise InputError(
                f"{self.source}: no mask of any of the {len(images)} images of {images.source}; it "
                f"has '{next(iter(self.frame['image']), 'nothing')}' where the images are like "
                f"'{images.frame['image'].iloc[0]}': masks of another data set or another root"
            )
        shape = (len(self.views), *self.size)
        found = np.zeros((len(rows), len(wanted), *self.size), dtype=np.uint8)
        places = [self.views.index(view) for view in wanted]
        cells = self.frame["mask"].to_numpy()
        for place, row in enumerate(rows):
            if row < 0:
                continue
            found[place] = self._unpack(cells[row], shape, row)[places]
        return found

    def _unpack(self, cell: object, shape: tuple[int, ...], row: int) -> Bytes:
        try:
            values = np.frombuffer(zlib.decompress(cell), dtype=np.uint8)  # type: ignore[arg-type]
            return values.reshape(shape)
        except (zlib.error, TypeError, ValueError):
            image = self.frame["image"].iloc[row]
            raise InputError(
                f"{self.source}: the mask of '{image}' is damaged; make the masks again"
            ) from None
