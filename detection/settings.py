"""What a person can choose about training a detector and about detecting with it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class DetectorSettings(BaseModel):
    """How a part detector is trained.

    Attributes:
        weights: what to start from: the path of a ``.pt`` file, a name that ultralytics
            publishes (``yolo11n.pt``; fetched once where it is not on disk), or an
            architecture (``yolo11n.yaml``) to start from scratch.
        architecture: build this network and copy into it whatever tensors of ``weights``
            fit; without it the network of ``weights``, its detection sibling where that
            one segments.
        image_size: side of the square that images are letterboxed into, in pixels.
        epochs: passes over the training images; the last epoch's weights are kept.
        batch: images a step.
        hold_out: images of each labelled set never trained on: a share below 1, or a number;
            0 for none.
        seed: seeds the hold-out, the augmentations and the new layers.
        crop_to_vehicle: probability that a photograph is cut down to the union of its part
            boxes and a random margin, so that the vehicle fills it as in a re-ID crop.
        degrade: probability that a photograph is made as small, blurred and compressed as
            a surveillance crop, then enlarged again.
        stretch: largest change of the aspect ratio; 0.2 is up to 1.2 times wider or taller.
        flip: probability of mirroring; parts named apart as left and right change names.
        mosaic: probability of joining four photographs into one; off in the last epochs.
        scale: largest change of size, as a share.
        translate: largest shift, as a share of the image.
        rotate: largest rotation, in degrees.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    weights: str = "yolo11n.pt"
    architecture: str | None = None
    image_size: Annotated[int, Field(ge=32, multiple_of=32)] = 320
    epochs: Annotated[int, Field(ge=1)] = 60
    batch: Annotated[int, Field(ge=1)] = 16
    hold_out: Annotated[float, Field(ge=0.0)] = 0.0
    seed: Annotated[int, Field(ge=0)] = 0
    crop_to_vehicle: Share = 0.5
    degrade: Share = 0.5
    stretch: Annotated[float, Field(ge=0.0, le=1.0)] = 0.2
    flip: Share = 0.5
    mosaic: Share = 0.5
    scale: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.4
    translate: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    rotate: Annotated[float, Field(ge=0.0, le=45.0)] = 0.0


class DetectSettings(BaseModel):
    """Which boxes a detector reports.

    Attributes:
        confidence: lowest score of a box.
        confidences: lowest score by part, where it differs.
        overlap: of two boxes of one part whose intersection over union exceeds this, the
            lower-scoring one is dropped.
        image_size: side of the letterboxed square in pixels; none for the size trained at.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    confidence: Share = 0.25
    confidences: dict[str, Share] = {}
    overlap: Share = 0.5
    image_size: Annotated[int, Field(ge=32, multiple_of=32)] | None = None
