"""Reading an export of CVAT for images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

from annotations.errors import InputError
from annotations.formats.cvat.shapes import SHAPES, Group, corners_of, drawn_by, group_of
from annotations.formats.foreign import (
    Corners,
    ForeignBox,
    ForeignLabels,
    image_folder,
    image_sizes,
    number,
)
from annotations.formats.markup import parse_xml
from annotations.formats.names import stay_inside
from annotations.formats.shapes import joined

FILE = "annotations.xml"
"""What CVAT calls the file in its exports, beside the folder ``images``."""


def is_cvat(folder: Path) -> bool:
    """Say whether ``folder`` is an export of CVAT, unpacked."""
    file = folder / FILE
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return b"<annotations" in opened.read(4096)


def read(path: Path, images_root: Path | None = None) -> ForeignLabels:
    """Read an export of CVAT for images.

    Boxes, polygons and masks are read, the last two as the boxes around them, and so is a box
    that was turned, about its middle. Polygons of one label in one group of an image are the
    pieces of one annotation, as CVAT's own export to COCO has it. What CVAT marks as
    ``auto`` is a detector's; one that a person then changed (``semi-auto``, ``manual``) is
    hand-drawn. A shape's attributes ``score`` and ``source``, as `write` makes them, say more.
    CVAT lists every image of a task, so each counts as looked at.

    Args:
        path: the XML file, or the folder that has it as ``annotations.xml``.
        images_root: the folder that the image names start from; looked for beside the
            file, in ``images`` too, where None.

    Raises:
        InputError: the file is missing, damaged, of another kind (CVAT for video), has shapes
            of other kinds, which are listed, or names an image outside of the folder.
    """
    file = path / FILE if path.is_dir() else path
    tree = parse_xml(file)
    if tree.tag != "annotations":
        voc = "; give the folder of a Pascal VOC file" if tree.tag == "annotation" else ""
        raise InputError(f"{file}: <{tree.tag}> where CVAT has <annotations>{voc}")
    if tree.find("track") is not None:
        raise InputError(f"{file}: has <track>; export it from CVAT as 'CVAT for images 1.1'")
    found = tree.findall("image")
    names = [image.get("name", "") for image in found]
    root = image_folder(images_root, file.parent, *names[:1])
    sizes: list[tuple[str, int | None, int | None]] = []
    boxes: list[ForeignBox] = []
    others: Counter[str] = Counter()
    for place, (image, given) in enumerate(zip(found, names, strict=True), 1):
        name = stay_inside(given, root, f"{file}: image {place}")
        where = f"image {place} ('{name}')"
        sizes.append((name, *_size(image, f"{file}: {where}")))
        boxes += _boxes(image, name, str(file), where)
        others.update(shape.tag for shape in image if shape.tag not in (*SHAPES, "tag"))
    if others:
        listed = ", ".join(f"{tag} ({count})" for tag, count in sorted(others.items()))
        raise InputError(
            f"{file}: shapes that are not {', '.join(SHAPES)}: {listed}; draw boxes instead, or "
            f"delete them in CVAT"
        )
    known = dict.fromkeys(name for name, width, height in sizes if not width or not height)
    unsized = {row[0]: row for row in image_sizes(root, list(known))}
    return ForeignLabels.from_rows(
        [unsized.get(row[0], row) for row in sizes], boxes, root, str(file)
    )


def _size(image: Element, place: str) -> tuple[int, int]:
    width, height = (int(number(image.get(side, "0"), place)) for side in ("width", "height"))
    return width, height


def _boxes(image: Element, name: str, file: str, where: str) -> list[ForeignBox]:
    """Read the shapes of one image; those of a group become one box, in the first's place."""
    boxes: dict[Group, ForeignBox] = {}
    pieces: dict[Group, list[Corners]] = {}
    for place, shape in enumerate(image, 1):
        if shape.tag not in SHAPES:
            continue
        at = f"{where}: {shape.tag} {place}"
        label = shape.get("label", "").strip()
        if not label:
            raise InputError(f"{file}: {at}: no label")
        corners = corners_of(shape, f"{file}: {at}")
        group = group_of(shape, place)
        if group in boxes:
            pieces[group].append(corners)
            several = pieces[group]
            boxes[group] = ForeignBox(
                name, label, *joined(several), several, boxes[group].where, *boxes[group][8:]
            )
            continue
        pieces[group] = [corners]
        boxes[group] = ForeignBox(
            name, label, *corners, None, at, *drawn_by(shape, f"{file}: {at}")
        )
    return list(boxes.values())
