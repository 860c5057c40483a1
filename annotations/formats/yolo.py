"""YOLO: a folder with class names, images, and one text file of fractions per image.

The format has no place for a box's score or source: they are not written.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

import yaml

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.files import parse_yaml, read_text, whole_folder
from annotations.formats.foreign import (
    Corners,
    ForeignLabels,
    image_sizes,
    number,
    require_folder,
)
from annotations.formats.writing import labelled_names, one_file_each
from annotations.labels import LabelledSet
from annotations.pixels import find_images

CLASS_LISTS = ("data.yaml", "dataset.yaml", "classes.txt", "labels/classes.txt")
"""Where a folder may keep its class names, the first that is there being taken."""


def _class_names(folder: Path) -> list[str]:
    found = next((folder / name for name in CLASS_LISTS if (folder / name).is_file()), None)
    if found is None:
        raise InputError(f"{folder}: no class names (looked for {', '.join(CLASS_LISTS)})")
    text = read_text(found)
    if found.suffix == ".txt":
        return [line.strip() for line in text.splitlines() if line.strip()]
    content = parse_yaml(text, str(found))
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list):
        raise InputError(f"{found}: 'names' must list the classes, or number them from 0")
    return [str(name) for name in names]


def _label_file(folder: Path, image: str) -> Path:
    """Swap the last folder called images for labels, as the training tools do."""
    steps = list(PurePosixPath(image).with_suffix(".txt").parts)
    if "images" in steps[:-1]:
        steps[len(steps) - 1 - steps[::-1].index("images")] = "labels"
    return folder.joinpath(*steps)


def _parse(line: str, names: list[str], where: str) -> tuple[str, Corners]:
    fields = line.split()
    values = [number(field, where) for field in fields[1:]]
    if not fields[0].isdigit() or int(fields[0]) >= len(names):
        raise InputError(f"{where}: class {fields[0]} is not 0 to {len(names) - 1}")
    name = names[int(fields[0])]
    if len(values) == 4:
        x, y, width, height = values
        return name, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if len(values) >= 6 and len(values) % 2 == 0:
        xs, ys = values[0::2], values[1::2]
        return name, (min(xs), min(ys), max(xs), max(ys))
    raise InputError(
        f"{where}: {len(values)} numbers after the class, neither a box (4) nor a polygon"
    )


def read(path: Path, images_root: Path | None = None) -> ForeignLabels:
    """Read a folder of YOLO boxes or polygons.

    Class names come from `CLASS_LISTS`. The labels of ``images/a/b.jpg`` are in
    ``labels/a/b.txt``; ``train/images`` with ``train/labels`` and text files beside their
    images are understood too. An image without a text file was looked at and shows
    nothing, as the training tools take it.

    Args:
        path: the folder.
        images_root: the folder of the images where it is not ``path`` itself; labels are
            then found in ``path/labels`` (or ``path``) under the same names.

    Raises:
        InputError: class names, images or labels are missing, or a line is malformed.
    """
    require_folder(path)
    names = _class_names(path)
    images_are_apart = (path / "images").is_dir() or images_root is not None
    root = images_root or (path / "images" if images_are_apart else path)
    labels_folder = path / "labels" if (path / "labels").is_dir() else path
    found = [file.relative_to(root).as_posix() for file in find_images(root)]
    if images_are_apart:
        files = {image: labels_folder / Path(image).with_suffix(".txt") for image in found}
    else:
        files = {image: _label_file(path, image) for image in found}
    if not any(file.is_file() for file in files.values()):
        raise InputError(
            f"{path}: no image has a label file; the first would be in '{files[found[0]]}'"
        )
    images = image_sizes(root, found)
    boxes = []
    for image, width, height in images:
        file = files[image]
        for place, line in enumerate(read_text(file).splitlines() if file.is_file() else [], 1):
            if not line.strip():
                continue
            where = f"{file.relative_to(path)}: line {place}"
            name, (x1, y1, x2, y2) = _parse(line, names, f"{path}: {where}")
            w, h = (float("nan"), float("nan")) if not width or not height else (width, height)
            boxes.append((image, name, x1 * w, y1 * h, x2 * w, y2 * h, None, where))
    return ForeignLabels.from_rows(images, boxes, root, str(path))


def write(labels: LabelledSet, path: Path) -> None:
    """Write ``data.yaml``, ``labels/`` and a copy of the images in ``images/``.

    The classes are the parts that the set labels, in the vocabulary's order.

    Args:
        labels: the set.
        path: the folder; one that was written before is replaced.

    Raises:
        InputError: an image is missing, two would share a text file (``a.jpg``, ``a.png``),
            or ``path`` holds the images or something else.
    """
    labels.require_replaceable(path, "data.yaml")
    labels.images.require_files()
    names = labelled_names(labels)
    files = one_file_each(labels, ".txt")
    frame = labels.boxes.frame
    lines: dict[str, list[str]] = {image: [] for image in files}
    for image, part, x1, y1, x2, y2 in frame[["image", "part", *CORNERS]].values.tolist():
        box = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
        lines[image].append(" ".join([str(names.index(part)), *(f"{v:.9f}" for v in box)]))
    with whole_folder(path) as aside:
        for image, source in zip(files, labels.images.paths, strict=True):
            for folder in ("images", "labels"):
                (aside / folder / image).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, aside / "images" / image)
            text = "".join(f"{line}\n" for line in lines[image])
            (aside / "labels" / files[image]).write_text(text, "utf-8")
        about = {"train": "images", "val": "images", "names": dict(enumerate(names))}
        (aside / "data.yaml").write_text(yaml.safe_dump(about, sort_keys=False), "utf-8")
