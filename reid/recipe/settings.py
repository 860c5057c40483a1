"""The backbone, its input, how that is changed in training, and how weights move."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reid.recipe.section import AtLeastOne, Count, NotNegative, Positive, Section, Share, later


class BackboneSettings(Section):
    """See `reid.backbones.Backbone`.

    Attributes:
        name: timm's.
        weights: what it starts from.
        output_stride: pixels per cell of the feature map; a transformer's is its patch.
        partial: whether start weights that lack some of its tensors are taken all the same.
    """

    name: str = "resnet50"
    weights: str | None = "imagenet"
    output_stride: Literal[8, 14, 16, 32] = 32
    partial: bool = later(False)


class ImageSettings(Section):
    """Pixels of the network's input."""

    height: Annotated[int, Field(ge=32)] = 256
    width: Annotated[int, Field(ge=32)] = 256


class AugmentSettings(Section):
    """What is done to training images, boxes following.

    Attributes:
        flip: probability of mirroring.
        pad: pixels of border added before a random crop of the input size.
        zoom: largest relative change of scale, so 0.1 draws from 0.9 to 1.1.
        rotate: largest turn, degrees.
        colour: strength of brightness, contrast and saturation changes.
        blur: probability of a Gaussian blur.
        erase: probability of blanking a rectangle.
    """

    flip: Share = 0.5
    pad: Count = 0
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    colour: Share = 0.0
    blur: Share = 0.0
    erase: Share = 0.0


class OptimiserSettings(Section):
    """How weights move.

    Attributes:
        name: ``sgd`` (Nesterov off), ``adam``, ``amsgrad`` or ``adamw``.
        lr: the learning rate at the start, reached after ``warmup``.
        momentum: of sgd.
        weight_decay: of every weight.
        decay_to: the share of ``lr`` that is left at the end; where the rate drops, what it is
            multiplied by each time.
        schedule: how it falls: by the same factor every step (``exponential``), or along half a
            ``cosine``.
        drop_every: batches after which the rate drops, in place of a schedule.
        drop_after: epochs after which it drops, in place of a schedule.
        warmup: epochs over which the rate rises linearly.
        average: the decay of an exponential moving average of the weights, which is then the
            network that is kept; 0 for none.
    """

    name: Literal["sgd", "adam", "amsgrad", "adamw"] = "sgd"
    lr: Positive = 0.01
    momentum: Share = 0.9
    weight_decay: NotNegative = 5e-4
    decay_to: Annotated[float, Field(gt=0, le=1)] = 0.01
    schedule: Literal["exponential", "cosine"] = later("exponential")
    drop_every: AtLeastOne | None = None
    drop_after: tuple[AtLeastOne, ...] = later(())
    warmup: NotNegative = 0.0
    average: Annotated[float, Field(ge=0, lt=1)] = later(0.0)

    @model_validator(mode="after")
    def _falls_in_one_way(self) -> OptimiserSettings:
        ways = {
            "schedule": self.schedule != "exponential",
            "drop_every": self.drop_every is not None,
            "drop_after": bool(self.drop_after),
        }
        if sum(ways.values()) > 1:
            given = " and ".join(name for name, there in ways.items() if there)
            raise ValueError(f"{given}: the rate falls in one way; give one of them")
        if list(self.drop_after) != sorted(set(self.drop_after)):
            raise ValueError("drop_after must rise from one epoch to the next")
        return self


class BatchSettings(Section):
    """What a batch is made of.

    Attributes:
        size: images.
        per_identity: images of each label in a batch; 0 draws images at random instead.
        per_model: labels of a model that follow each other, where it has as many, so that a batch
            has hard negatives, other years of the same model; 0 draws labels at random.
    """

    size: Annotated[int, Field(ge=2)] = 64
    per_identity: Count = 0
    per_model: Count = 0

    @model_validator(mode="after")
    def _divides(self) -> BatchSettings:
        if self.per_identity and self.size % self.per_identity:
            raise ValueError("size must be a multiple of per_identity")
        if self.per_model and not self.per_identity:
            raise ValueError("per_model needs per_identity")
        return self
