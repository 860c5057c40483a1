"""A whole recipe."""

from __future__ import annotations

from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationInfo, model_validator

from reid.recipe.losses import LossSettings
from reid.recipe.parts import PartSettings
from reid.recipe.section import AtLeastOne, Count, Section, later
from reid.recipe.sense import TRAINED, require_all_learn, require_sense
from reid.recipe.settings import (
    AugmentSettings,
    BackboneSettings,
    BatchSettings,
    ImageSettings,
    OptimiserSettings,
)

Join = Literal["concat", "fc", "views", "global"]
Pooling = Literal["mean", "gem", "max"]


class Recipe(Section):
    """A whole training.

    Attributes:
        method: the network and its losses, a key of `reid.methods.METHODS`.
        summary: one line for people.
        label: what makes two images the same: ``identity``, ``model`` or ``year`` (of a model).
        dimension: length of the global vector; EIA-Net's K, the length of a part's vector.
        view_dimension: length of SPAN's vector of each view; of ``composed``, of the vector of each
            part or stripe.
        join: how vectors are compared. Of SPAN, see `reid.models.span.SPAN`: ``concat``, ``fc``, or
            ``views`` by the distance ``cpdm``. Of ``composed``, see
            `reid.models.composed.Composed`: ``concat``, ``views``, or the ``global`` vector alone.
        part_based: whether EIA-Net has its lower branch, the part-based CNN.
        pooling: how ``composed`` makes the global vector of the feature map.
        neck: whether ``composed`` has a batch normalisation before its classifier (Luo et al.
            2019): triplets are measured before it, images are compared behind it.
        stripes: of MFG-Net and ``composed``: horizontal stripes of the feature map; 0 for none.
        attention: whether MFG-Net has channel attention.
        epochs: passes over the training images.
        iterations: batches to train for, in place of ``epochs``.
        distance: between embeddings: ``euclidean``, ``cosine``, ``shared``, the cosine over the
            parts that both images show, or ``cpdm`` (SPAN, equation 5).
        mirror: at test, an image's embedding is the mean of its own and of its mirror image's;
            twice the work; EIA-Net, section 4.5.
        precision: of training: ``auto`` takes bf16 where the device has it, else float32.
    """

    method: Literal["prn", "eianet", "span", "mfgnet", "composed"] = "prn"
    summary: str = ""
    label: Literal["identity", "model", "year"] = "identity"
    backbone: BackboneSettings = BackboneSettings()
    image: ImageSettings = ImageSettings()
    parts: PartSettings = PartSettings()
    dimension: AtLeastOne = 256
    view_dimension: AtLeastOne = later(512)
    join: Join = later("concat")
    part_based: bool = False
    pooling: Pooling = later("mean")
    neck: bool = later(False)
    stripes: Count = later(0)
    attention: bool = later(False)
    loss: LossSettings = LossSettings()
    augment: AugmentSettings = AugmentSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    batch: BatchSettings = BatchSettings()
    epochs: AtLeastOne = 60
    iterations: AtLeastOne | None = later(None)
    distance: Literal["euclidean", "cosine", "shared", "cpdm"] = "euclidean"
    mirror: bool = later(False)
    precision: Literal["auto", "bf16", "float32"] = "auto"
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _makes_sense(self, info: ValidationInfo) -> Recipe:
        require_sense(self)
        if not (info.context or {}).get(TRAINED):
            require_all_learn(self)
        return self

    def to_yaml(self) -> str:
        """Return the recipe in full, but for later keys that are off, as a YAML file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
