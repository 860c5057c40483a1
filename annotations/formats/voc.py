"""Pascal VOC: a folder with one XML file per image."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.files import whole_folder
from annotations.formats.foreign import (
    ForeignLabels,
    image_folder,
    image_sizes,
    number,
    one_file_each,
    pixel_boxes,
    require_folder,
)
from annotations.labels import LabelledSet

_EDGES = ("xmin", "ymin", "xmax", "ymax")


def find_xml(folder: Path) -> list[Path]:
    """Return the XML files under ``folder/Annotations``, else under ``folder``, sorted."""
    inside = folder / "Annotations"
    return sorted((inside if inside.is_dir() else folder).rglob("*.xml"))


def _parse(file: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise InputError(f"{file}: not XML: {error}") from None


def read(path: Path, images_root: Path | None = None) -> ForeignLabels:
    """Read a folder of Pascal VOC files, in ``Annotations/`` or directly inside.

    The format counts pixels from 1 and includes the last one, so a box's left and top edge
    are one less than written. Files of tools that count from 0 come out one pixel to the
    upper left.

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
        tree = _parse(file)
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


def _add(parent: ElementTree.Element, tag: str, text: object = "") -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag)
    child.text = str(text)
    return child


def write(labels: LabelledSet, path: Path) -> None:
    """Write ``Annotations/NAME.xml`` for every image; edges are rounded to whole pixels.

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
    frame[["x1", "y1"]] = frame[["x1", "y1"]].round() + 1
    frame[["x2", "y2"]] = frame[["x2", "y2"]].round()
    with whole_folder(path) as aside:
        for image, rows in frame.groupby("image", sort=False):
            name = Path(str(image))
            tree = ElementTree.Element("annotation")
            _add(tree, "filename", name.name)
            size = _add(tree, "size")
            for side, value in zip(
                ("width", "height"), rows[["width", "height"]].iloc[0], strict=True
            ):
                _add(size, side, value)
            _add(size, "depth", 3)
            for part, x1, y1, x2, y2 in rows.dropna(subset="part")[
                ["part", *CORNERS]
            ].values.tolist():
                thing = _add(tree, "object")
                _add(thing, "name", part)
                box = _add(thing, "bndbox")
                edges = (x1, y1, max(x1, x2), max(y1, y2))
                for edge, value in zip(_EDGES, edges, strict=True):
                    _add(box, edge, int(value))
            ElementTree.indent(tree)
            file = aside / "Annotations" / name.with_suffix(".xml")
            file.parent.mkdir(parents=True, exist_ok=True)
            ElementTree.ElementTree(tree).write(file, "utf-8", xml_declaration=True)
