"""Label formats of other tools; each module has ``read`` and ``write``."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from annotations.errors import InputError
from annotations.formats import coco, csv, cvat, labelstudio, voc, yolo
from annotations.formats.foreign import ForeignLabels
from annotations.labels import LabelledSet

__all__ = ["FORMATS", "ForeignLabels", "Format", "detect_format"]


class Format(Protocol):
    """What a format's module offers."""

    def read(self, path: Path, images_root: Path | None = None) -> ForeignLabels:
        """Read the labels at ``path``; their images are under ``images_root``."""

    def write(self, labels: LabelledSet, path: Path) -> None:
        """Write ``labels`` to ``path``."""


FORMATS: dict[str, Format] = {
    "coco": coco,
    "csv": csv,
    "cvat": cvat,
    "labelstudio": labelstudio,
    "voc": voc,
    "yolo": yolo,
}


def _json_format(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(64).lstrip()
    return "labelstudio" if start.startswith(b"[") else "coco"


def detect_format(path: Path) -> str:
    """Recognise a format: a key of `FORMATS`.

    A ``.json`` file with a list is Label Studio's, any other COCO, a ``.csv`` or ``.parquet``
    file a plain table, an ``.xml`` file or a folder with CVAT's ``annotations.xml`` CVAT, a
    folder with a list of classes YOLO, a folder with XML files Pascal VOC.

    Raises:
        InputError: there is nothing at ``path``, or it is none of these.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_file():
        suffix = path.suffix.lower()
        by_suffix = {".csv": "csv", ".parquet": "csv", ".xml": "cvat"}
        if suffix == ".json":
            return _json_format(path)
        if suffix in by_suffix:
            return by_suffix[suffix]
    elif cvat.is_cvat(path):
        return "cvat"
    elif any((path / name).is_file() for name in yolo.CLASS_LISTS):
        return "yolo"
    elif voc.find_xml(path):
        return "voc"
    raise InputError(
        f"{path}: not labels in a known format: give a COCO or Label Studio .json file, a CVAT "
        f".xml file, a .csv table with image,part,x1,y1,x2,y2, a YOLO folder (data.yaml or "
        f"classes.txt) or a folder of Pascal VOC .xml files"
    )
