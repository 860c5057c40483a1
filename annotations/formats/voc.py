"""Pascal VOC: a folder with one XML file per image.

The format has no place for a box's score or source: they are not written.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

import pandas as pd

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.files import whole_folder
from annotations.formats.foreign import (
    ForeignLabels,
    image_folder,
    image_sizes,
    number,
    require_folder,
)
from annotations.formats.markup import add, parse_xml, xml_text
from annotations.formats.writing import one_file_each, pixel_boxes, plain
from annotations.labels import LabelledSet

_EDGES = ("xmin", "ymin", "xmax", "ymax")


def find_xml(folder: Path) -> list[Path]:
    """Return the XML files under ``folder/Annotations``, else under ``folder``, sorted."""
    inside = folder / "Annotations"
    return sorted((inside if inside.is_dir() else folder).rglob("*.xml"))


def read(path: Path, images_root: Path | None = None) -> ForeignLabels:
    """Read a folder of Pascal VOC files, in ``Annotations/`` or directly inside.

    The format counts pixels from 1 and includes the last one, so a box's left and top edge
    are one less than written, be they whole or decimals. Files of tools that count from 0
    come out one pixel to the upper left.

    Args:
        path: the folder.
        images_root: the folder of the images; looked for in and beside ``path`` where
            None. An image is in the subfolder in which its XML file is.

    Raises:
        InputError: there is no XML file, or one is malformed.
    """
    require_folder(path)
    found = find_xml(path)
    if not found:
        raise InputError(f"{path}: no XML file in it")
    base = path / "Annotations" if (path / "Annotations").is_dir() else path
    names, sizes, boxes = [], [], []
    for file in found:
        tree = parse_xml(file)
        name = (tree.findtext("filename") or "").strip()
        if not name:
            raise InputError(f"{file}: no <filename>; not a Pascal VOC file")
        image = (file.parent.relative_to(base) / name).as_posix()
        names.append(image)
        size = [
            number(tree.findtext(f"size/{side}", "0"), str(file)) for side in ("width", "height")
        ]
        sizes.append((image, int(size[0]), int(size[1])))
        for place, thing in enumerate(tree.findall("object"), 1):
            where = f"{file.relative_to(path)}: object {place}"
            label = (thing.findtext("name") or "").strip()
            if not label:
                raise InputError(f"{path}: {where}: no <name>")
            x1, y1, x2, y2 = (
                number(thing.findtext(f"bndbox/{edge}"), f"{path}: {where}: {edge}")
                for edge in _EDGES
            )
            boxes.append((image, label, x1 - 1, y1 - 1, x2, y2, None, where))
    root = image_folder(images_root, path, names[0])
    unsized = image_sizes(root, [image for image, width, height in sizes if not width * height])
    known = {image: (image, width, height) for image, width, height in unsized}
    images = [known.get(row[0], row) for row in sizes]
    return ForeignLabels.from_rows(images, boxes, root, str(path))


def write(labels: LabelledSet, path: Path) -> None:
    """Write ``Annotations/NAME.xml`` for every image.

    An edge on a whole pixel is a whole number, as the format has it; one between two is
    written with decimals, which the common readers take. Left and top are one more than
    counted from 0 in either case.

    Args:
        labels: the set; its images stay where they are.
        path: the folder; one that was written before is replaced.

    Raises:
        ImageError: an image's size cannot be read.
        InputError: two images would share a file (``a.jpg``, ``a.png``), or ``path`` holds
            the images or something else.
    """
    labels.require_replaceable(path, "Annotations")
    one_file_each(labels, ".xml")
    frame = pixel_boxes(labels)
    frame[["x1", "y1"]] += 1
    with whole_folder(path) as aside:
        for image, rows in frame.groupby("image", sort=False):
            file = aside / "Annotations" / Path(str(image)).with_suffix(".xml")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(xml_text(_tree(Path(str(image)).name, rows)), "utf-8")


def _tree(name: str, rows: pd.DataFrame) -> Element:
    """Describe one image and its boxes, of which the left and top edges count from 1."""
    tree = Element("annotation")
    add(tree, "filename", name)
    size = add(tree, "size")
    for side in ("width", "height"):
        add(size, side, rows[side].iloc[0])
    add(size, "depth", 3)
    drawn = rows.dropna(subset="part")[["part", *CORNERS]]
    for part, *edges in drawn.values.tolist():
        thing = add(tree, "object")
        add(thing, "name", part)
        box = add(thing, "bndbox")
        for edge, value in zip(_EDGES, edges, strict=True):
            add(box, edge, plain(value))
    return tree
