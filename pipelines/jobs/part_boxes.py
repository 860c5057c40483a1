"""The part boxes of a run's images: given, kept beside the run, or found by the detector there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.cache import sizes_beside
from annotations.errors import InputError
from annotations.images import Images
from annotations.vocabulary import Vocabulary
from detection.card import DetectorCard
from detection.detect import detect_parts
from detection.detector import Detector
from pipelines.jobs.detector import boxes_at
from pipelines.tables import say
from reid.methods import Branches, needs_boxes
from reid.run import Run


def require_parts(run: Run, vocabulary: Vocabulary, source: str) -> None:
    """Demand that a vocabulary has every part that the run's network looks at.

    Raises:
        InputError: it lacks one; ``source`` is named.
    """
    lacking = [part for part in run.recipe.parts.use if part not in vocabulary.names]
    if lacking:
        raise InputError(
            f"{source}: finds {', '.join(vocabulary.names)}, and not {', '.join(lacking)}, which "
            f"{run.source} looks at; give a detector, or boxes, of its vocabulary"
        )


def boxes_of(run: Run, path: Path) -> Boxes:
    """Read a boxes file, or a box cache's, for a run.

    Raises:
        InputError: it is none, or its vocabulary lacks a part that the run's network looks at.
    """
    found = boxes_at(path)
    if isinstance(stored := found.about.get("vocabulary"), dict):
        require_parts(run, Vocabulary.from_record(stored), found.source)
    return found


def _beside(run: Run, name: str, holds: str) -> Path | None:
    """Return a folder beside the run, and say so, if it holds a file."""
    folder = run.source.parent / name
    if not (folder / holds).is_file():
        return None
    say(f"part {'boxes' if name == 'parts' else name}: {folder}")
    return folder


def boxes_for(run: Run, boxes: Path | None, branches: Branches) -> Boxes | None:
    """Return the boxes given, else those kept beside the run (WORK/NAME/parts), else None.

    Raises:
        InputError: the network needs boxes and there are none, or they lack its parts.
    """
    if boxes is None and run.recipe.parts.use:
        boxes = _beside(run, "parts", "boxes.parquet")
    if boxes is None:
        if needs_boxes(run.recipe, branches):
            raise InputError(
                f"{run.source}: its network looks at parts: give --boxes, made by 'partreid parts "
                "detect'"
            )
        return None
    return boxes_of(run, boxes)


def detector_for(run: Run, detector: Path | None, branches: Branches) -> Path | None:
    """Return the detector given, else the one beside the run (WORK/NAME/detector), else None.

    Raises:
        InputError: the network needs boxes and there is no detector, or it lacks its parts.
    """
    if not run.recipe.parts.use and not needs_boxes(run.recipe, branches):
        return None
    detector = detector or _beside(run, "detector", DetectorCard.FILE)
    if detector is None:
        if needs_boxes(run.recipe, branches):
            raise InputError(
                f"{run.source}: its network looks at parts, and there is no detector at "
                f"{run.source.parent / 'detector'}: give --detector, made by 'partreid parts "
                "train', or --boxes"
            )
        return None
    require_parts(run, DetectorCard.read(detector).vocabulary, str(detector))
    return detector


def detect_in(detector: Path, images: Images, out: Path, device: str) -> Boxes:
    """Find the parts of images, or what is new of them, in a cache below ``out``.

    Another detector has another cache there.
    """
    loaded = Detector.load(detector, None if device == "auto" else device)
    return detect_parts(loaded, images, out / f"parts-{loaded.hash[:8]}").boxes


def named_as(boxes: Boxes, images: Images) -> Boxes:
    """Return the boxes of ``images``, under the names that these have.

    Boxes are named from their data set's root, and a person may name an image from anywhere: the
    longest end of an image's path that boxes are named by is taken. A cache knows the size of its
    images, too, so that another image of the same name is told from it.

    Raises:
        InputError: there are boxes, and none is of one of the images; an image is another one than
            that of its name; or two images have one name in the boxes.
    """
    sizes = sizes_beside(Path(boxes.source))
    known = {*boxes.frame["image"], *sizes}  # on some of which nothing was found
    names: dict[str, str] = {}
    taken: dict[str, Path] = {}
    for image, path in zip(images.frame["image"], images.paths, strict=True):
        there = path.resolve()
        ends = ["/".join(there.parts[place:]) for place in range(1, len(there.parts))]
        found = next((end for end in [image, *ends] if end in known), None)
        if found is None:
            continue
        if found in sizes and there.is_file() and there.stat().st_size != sizes[found]:
            raise InputError(
                f"{boxes.source}: its '{found}' is another file than {there}, of another size; "
                "give boxes of these images, or --detector in place of --boxes"
            )
        if taken.setdefault(found, there) != there:
            raise InputError(
                f"{boxes.source}: '{found}' can be {taken[found]} or {there}; judge the two apart, "
                "or give --detector in place of --boxes"
            )
        names[image] = found
    if not names:
        return boxes.of(images)
    table = pd.DataFrame({"as": list(names), "image": list(names.values())}, dtype="string")
    frame = table.merge(boxes.frame, on="image").drop(columns="image")
    return Boxes(frame.rename(columns={"as": "image"}), boxes.about, boxes.source)
