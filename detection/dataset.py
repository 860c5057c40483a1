"""A labelled set as ultralytics' training loop wants to see it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import numpy.typing as npt

from annotations.boxes import CORNERS
from annotations.labels import LabelledSet
from annotations.vocabulary import Vocabulary
from detection.augment import crop_to_vehicle, degrade, fit
from detection.settings import DetectorSettings
from detection.yolo import BaseTransform, Compose, YOLODataset


class MirrorParts(BaseTransform):
    """Mirror an image; parts named apart as left and right change names.

    Ultralytics' own flip would leave a mirrored left light called left. Where a set looked for
    left lights alone, the mirrored image was searched for right ones.

    Args:
        probability: of mirroring an image.
        mirrored: for each class, the class that it becomes.
    """

    def __init__(self, probability: float, mirrored: tuple[int, ...]) -> None:
        super().__init__()
        self.probability = probability
        self.mirrored = np.array(mirrored)

    def __call__(self, labels: dict[str, Any]) -> dict[str, Any]:
        """Return ``labels`` with image, boxes, classes and ``known`` mirrored, or untouched."""
        if random.random() >= self.probability:
            return labels
        image, instances = labels["img"], labels["instances"]
        instances.convert_bbox(format="xywh")
        instances.fliplr(1 if instances.normalized else image.shape[1])
        labels["img"] = np.ascontiguousarray(image[:, ::-1])
        labels["cls"] = self.mirrored[labels["cls"].astype(int)].astype(np.float32)
        labels["known"] = labels["known"][self.mirrored]
        return labels


class PartDataset(YOLODataset):
    """A labelled set as the data set that ultralytics' loader reads.

    Every sample has ``known``, bool, shape (classes,): whether its image was searched for each
    class. A mosaic takes its four photographs from this set, so that what is known of one of them
    is known of all.

    Args:
        labels: the training images and their boxes.
        vocabulary: the classes, in order; ``labels`` may label some of them only.
        settings: what is done to each photograph.
        options: as for ultralytics' ``YOLODataset``.
    """

    def __init__(
        self,
        labels: LabelledSet,
        vocabulary: Vocabulary,
        settings: DetectorSettings,
        **options: Any,
    ) -> None:
        self.source, self.vocabulary, self.settings = labels, vocabulary, settings
        super().__init__(**options)

    def get_img_files(self, img_path: str | list[str]) -> list[str]:
        """Return the images' paths; ``img_path`` is ultralytics' business and unused."""
        return [str(path) for path in self.source.images.paths]

    def get_labels(self) -> list[dict[str, Any]]:
        """Return, in the images' order, the dictionaries that ultralytics works on."""
        frame = self.source.boxes.frame
        of_image = dict(iter(frame.groupby("image")))
        rows = (of_image.get(name, frame[:0]) for name in self.source.images.frame["image"])
        known = np.array([name in self.source.labelled for name in self.vocabulary.names])
        return [
            {
                "im_file": path,
                "cls": part_numbers(boxes["part"], self.vocabulary).astype(np.float32)[:, None],
                "bboxes": boxes[CORNERS].to_numpy(np.float32),
                "normalized": True,
                "bbox_format": "xyxy",
                "known": known,
            }
            for path, boxes in zip(self.im_files, rows, strict=True)
        ]

    def update_labels_info(self, label: dict[str, Any]) -> dict[str, Any]:
        """Turn a loaded photograph into something like a re-ID crop, then hand it on."""
        generator = np.random.default_rng(random.getrandbits(64))
        image, boxes = label["img"], label["bboxes"]
        if generator.random() < self.settings.crop_to_vehicle:
            image, boxes = crop_to_vehicle(image, boxes, generator)
        image = fit(image, self.settings.image_size, self.settings.stretch, generator)
        if generator.random() < self.settings.degrade:
            image = degrade(image, generator)
        changed = {"img": image, "bboxes": boxes, "resized_shape": image.shape[:2]}
        return super().update_labels_info(label | changed)

    def build_transforms(self, hyp: Any) -> Compose:
        """Add the mirroring that knows left from right, before the final formatting."""
        transforms = super().build_transforms(hyp)
        transforms.insert(-1, MirrorParts(self.settings.flip, self.vocabulary.mirrored))  # type: ignore[no-untyped-call]
        return transforms


def part_numbers(parts: Any, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """Return the number in ``vocabulary`` of each name in the column ``parts``."""
    numbers = {name: number for number, name in enumerate(vocabulary.names)}
    return np.asarray([numbers[part] for part in parts], np.int64)
