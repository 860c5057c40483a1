"""Label formats of other tools; each module has ``read`` and ``write``."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from annotations.errors import InputError
from annotations.formats import coco, csv, voc, yolo
from annotations.formats.foreign import ForeignLabels
from annotations.labels import LabelledSet

__all__ = ["FORMATS", "ForeignLabels", "Format", "detect_format"]


class Format(Protocol):
    """What a format's module offers."""

    def read(self, path: Path, images_root: Path | None = None) -> ForeignLabels:
        """Read the labels at ``path``; their images are under ``images_root``."""

    def write(self, labels: LabelledSet, path: Path) -> None:
        """Write ``labels`` to ``path``."""


FORMATS: dict[str, Format] = {"coco": coco, "csv": csv, "voc": voc, "yolo": yolo}


def detect_format(path: Path) -> str:
    """Recognise a format: a key of `FORMATS`.

    A ``.json`` file is COCO, a ``.csv`` or ``.parquet`` file a plain table, a folder with a
    list of classes YOLO, a folder with XML files Pascal VOC.

    Raises:
        InputError: there is nothing at ``path``, or it is none of these.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_file():
        by_suffix = {".json": "coco", ".csv": "csv", ".parquet": "csv"}
        if path.suffix.lower() in by_suffix:
            return by_suffix[path.suffix.lower()]
    elif any((path / name).is_file() for name in yolo.CLASS_LISTS):
        return "yolo"
    elif voc.find_xml(path):
        return "voc"
    raise InputError(
        f"{path}: not labels in a known format: give a COCO .json file, a .csv table with "
        f"image,part,x1,y1,x2,y2, a YOLO folder (data.yaml or classes.txt) or a folder of "
        f"Pascal VOC .xml files"
    )
