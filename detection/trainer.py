"""Ultralytics' training loop, fed from labelled sets in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from annotations.files import whole_file
from annotations.labels import LabelledSet
from annotations.vocabulary import Vocabulary
from detection.dataset import PartDataset
from detection.known import known_parts_criterion
from detection.precision import low_precision
from detection.settings import DetectorSettings
from detection.yolo import DetectionTrainer, YOLOConcatDataset


def as_float32(_module: Any, _given: Any, raw: Any) -> Any:
    """Forward hook of the head: the loss is computed on float32.

    In bfloat16 a box edge at 250 pixels can only move in steps of one pixel.
    """
    if isinstance(raw, torch.Tensor):
        return raw.float()
    if isinstance(raw, dict):
        return {key: as_float32(None, None, value) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return type(raw)(as_float32(None, None, value) for value in raw)
    return raw


class PartTraining(DetectionTrainer):
    """Ultralytics' training loop on labelled sets, choosing nothing on held-out images.

    On the images of a set, the classes that the set does not label are taught neither as present
    nor as absent: see `KnownPartsLoss`. No augmentation joins images of two sets (ultralytics'
    mosaic, mix-up and so on pick their images from one data set, and every set is one), so
    that what is known is the same all over an image.

    Args:
        sets: the training images.
        vocabulary: the classes, in order.
        settings: the augmentations.
        overrides: ultralytics' own arguments.
        on_step: called after every step.
    """

    def __init__(
        self,
        sets: Sequence[LabelledSet],
        vocabulary: Vocabulary,
        settings: DetectorSettings,
        overrides: dict[str, Any],
        on_step: Callable[[], object],
    ) -> None:
        self.sets, self.vocabulary, self.settings = sets, vocabulary, settings
        super().__init__(overrides=overrides)
        self.add_callback("on_train_batch_end", lambda _trainer: on_step())

    def get_dataset(self) -> dict[str, Any]:
        """Describe the classes; the images come from the labelled sets."""
        names = dict(enumerate(self.vocabulary.names))
        return {"train": "", "val": "", "names": names, "nc": len(names), "channels": 3}

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        """Return the training images."""
        options = {
            "img_path": img_path,
            "imgsz": self.args.imgsz,
            "batch_size": batch,
            "hyp": self.args,
            "data": self.data,
        }
        return YOLOConcatDataset(
            [PartDataset(each, self.vocabulary, self.settings, **options) for each in self.sets]
        )

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        """Return the training loader; there is no other, since nothing is validated."""
        if mode == "val":
            return self.train_loader
        return super().get_dataloader(dataset_path, batch_size, rank, mode)

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """Build the network, with the head's outputs going to the loss as float32."""
        model = super().get_model(cfg, weights, verbose)
        model.model[-1].register_forward_hook(as_float32)
        return model

    def resume_training(self, ckpt: Any) -> None:
        """Go on where the checkpoint, if any, stopped; from here on with our loss."""
        super().resume_training(ckpt)  # type: ignore[no-untyped-call]
        model: Any = self.model
        model.criterion = known_parts_criterion(model, self.start_epoch)

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Move a batch to the device, and train in bfloat16 on a processor that has it."""
        # Ultralytics knows bfloat16 on CUDA only. This runs inside its autocast block, which
        # puts the old state back when the step ends.
        if self.device.type == "cpu" and low_precision(self.device) is not None:
            torch.set_autocast_dtype("cpu", torch.bfloat16)
            torch.set_autocast_enabled("cpu", True)
        prepared: dict[str, Any] = super().preprocess_batch(batch)
        known = torch.from_numpy(np.stack(prepared["known"]))
        return {**prepared, "known": known.to(self.device)}

    def validate(self) -> tuple[dict[str, float], float]:
        """Validate nothing: with a constant fitness neither weights nor an end are chosen."""
        return {}, 0.0

    def save_model(self) -> bool:
        """Write the checkpoint whole, so that a kill in the middle leaves the one before."""
        last: Path = self.last
        with whole_file(last) as self.last:
            saved = bool(super().save_model())  # type: ignore[no-untyped-call]
        self.last = last
        return saved

    def final_eval(self) -> None:
        """Evaluate nothing: `evaluate_detector` does, on images never trained on."""
