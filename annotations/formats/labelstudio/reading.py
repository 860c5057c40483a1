"""Reading what Label Studio exports as JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from annotations.errors import InputError
from annotations.formats.foreign import ForeignBox, ForeignLabels, image_folder, image_sizes, share
from annotations.formats.labelstudio.images import find_image, possible_names
from annotations.formats.labelstudio.regions import Size, boxes_of, refuse_unknown, size_of
from annotations.formats.labelstudio.tasks import Counted, drawings_of, parse_tasks

log = logging.getLogger(__name__)


def read(path: Path, images_root: Path | None = None) -> ForeignLabels:
    """Read tasks with rectangles and polygons, as Label Studio exports them as JSON.

    What counts of a task is told in `tasks.drawings_of`, and how its image is found in
    `images`. Predictions are boxes of a detector, with the score of the region, else of the
    prediction. A task in which nothing counts is not labelled and is left out, with a line in
    the log. A polygon, and a rectangle that was turned, about its top left corner, become the
    box around them.

    Args:
        path: the JSON file; the image is what a task's data has as ``image``.
        images_root: the folder of the images; looked for beside the file where None.

    Raises:
        InputError: the file is missing or damaged, has regions of other shapes, which are
            listed, percents out of 0 to 100, or an image outside of the folder or on the
            network.
    """
    tasks = [(task, drawings_of(task)) for task in parse_tasks(path)]
    refuse_unknown((r for _, drawn in tasks for each in drawn for r in each.regions), path)
    images: list[tuple[str, int | None, int | None]] = []
    boxes: list[ForeignBox] = []
    root = images_root
    for place, (task, drawn) in enumerate(tasks, 1):
        if not drawn:
            continue
        where = f"task {place}" if task.id is None else f"task {place} (id {task.id})"
        names = possible_names(task.data, f"{path}: {where}")
        if not images:
            root = image_folder(images_root, path.parent, *names)
        image = find_image(names, root or path.parent, f"{path}: {where}")
        given = (size_of(region) for each in drawn for region in each.regions)
        size = next(filter(None, given), None) or image_sizes(root or path.parent, [image])[0][1:]
        images.append((image, *size))
        boxes += _boxes(image, size, drawn, where, path)
    if not images or root is None:
        raise InputError(f"{path}: none of its {len(tasks)} tasks has an annotation or prediction")
    if len(images) < len(tasks):
        left = len(tasks) - len(images)
        log.warning("%s: %d tasks that nobody has labelled left out", path, left)
    return ForeignLabels.from_rows(images, boxes, root, str(path))


def _boxes(
    image: str, size: Size, drawn: list[Counted], where: str, path: Path
) -> Iterable[ForeignBox]:
    for each in drawn:
        for number, region in enumerate(each.regions, 1):
            at = f"{where}: {each.place}: result {number}"
            own = region.score if region.score is not None else each.score
            score = share(own if each.scored else None, f"{path}: {at}")
            for name, corners in boxes_of(region, size, f"{path}: {at}"):
                yield ForeignBox(image, name, *corners, None, at, score, each.source)
