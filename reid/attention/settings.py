"""What a person can choose about finding foregrounds, views and viewpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
AtLeastOne = Annotated[int, Field(ge=1)]


class NetworkSettings(BaseModel):
    """What every network of this room has.

    Attributes:
        backbone: timm's name; conv1 to conv4 of it are the feature extractor (SPAN, section 4.2).
        weights: see `reid.backbones.Backbone`.
        size: side of the square that images are resized to, in pixels.
        steps: batches to train for.
        batch: images a step.
        lr: learning rate of AdamW at the start; it falls to a tenth of it.
        flip: probability of mirroring.
        zoom: largest relative change of scale.
        colour: strength of brightness, contrast and saturation changes.
        seed: of the draws.
        precision: ``auto`` takes bf16 where the device has it, else float32.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    backbone: str = "resnet34"
    weights: str | None = "imagenet"
    size: Annotated[int, Field(ge=32, multiple_of=32)] = 256
    steps: AtLeastOne = 6000
    batch: Annotated[int, Field(ge=2)] = 32
    lr: Annotated[float, Field(gt=0)] = 1e-3
    flip: Share = 0.5
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.1
    colour: Share = 0.2
    seed: Annotated[int, Field(ge=0)] = 0
    precision: Literal["auto", "bf16", "float32"] = "auto"


class MaskSettings(NetworkSettings):
    """What a network has that makes masks.

    Attributes:
        cell: pixels of the input per cell of a mask, along each side.
    """

    cell: Literal[4, 8, 16] = 4


class ForegroundSettings(MaskSettings):
    """How the foreground of vehicles is learned, without labels.

    Attributes:
        proposals: images that GrabCut proposes a foreground of; the network learns from these.
        margin: the border of an image, as a share of its sides, that is surely background.
        iterations: of GrabCut.
        least: a proposal that is a smaller share of its image has failed.
        most: likewise a larger one.
    """

    proposals: AtLeastOne = 2000
    margin: Annotated[float, Field(gt=0, lt=0.4)] = 0.03
    iterations: AtLeastOne = 5
    least: Share = 0.1
    most: Share = 0.95
    steps: AtLeastOne = 1000


class SpanSettings(MaskSettings):
    """How SPAN learns, section 3.1; the numbers are of section 4.2 and 4.3.

    Attributes:
        views: those of the vocabulary that get a generator; empty for all.
        vocabulary: of views, see `annotations.vocabulary.load_vocabulary`.
        reconstruction: weight of equation (1).
        area: weight of equation (2); 0 for none.
        diversity: weight of equation (3); 0 for none.
        largest: a, the largest share of the vehicle for each of several visible views.
        overlap: m of views that can be seen together.
    """

    vocabulary: str = "views"
    views: tuple[str, ...] = ()
    reconstruction: Annotated[float, Field(gt=0)] = 1.0
    area: NotNegative = 0.5
    diversity: NotNegative = 1.0
    largest: Annotated[float, Field(ge=0.5, le=1)] = 0.7
    overlap: Share = 0.04


class ViewpointSettings(NetworkSettings):
    """How viewpoints are learned from a few hundred labels.

    Attributes:
        vocabulary: of views, whose viewpoints there are.
        hold_out: labelled images that are kept to test with, as a share.
    """

    vocabulary: str = "views"
    hold_out: Annotated[float, Field(ge=0, lt=1)] = 0.2
    steps: AtLeastOne = 400
    size: Annotated[int, Field(ge=32, multiple_of=32)] = 128
