"""A recipe: every number that a training needs, checked before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from annotations.errors import InputError, suggest
from annotations.files import parse_yaml, read_yaml
from annotations.vocabulary import Vocabulary, load_vocabulary

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Join = Literal["concat", "fc", "views"]
AtLeastOne = Annotated[int, Field(ge=1)]


def _later(off: Any) -> Any:
    """Return a key that came later: written down only where it is on, so that old work goes on."""
    return Field(default=off, exclude_if=lambda value: value == off)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BackboneSettings(_Section):
    """See `reid.backbones.Backbone`."""

    name: str = "resnet50"
    weights: str | None = "imagenet"
    output_stride: Literal[8, 16, 32] = 32


class ImageSettings(_Section):
    """Pixels of the network's input."""

    height: Annotated[int, Field(ge=32)] = 256
    width: Annotated[int, Field(ge=32)] = 256


class PartSettings(_Section):
    """Which part branches there are.

    Attributes:
        vocabulary: name or YAML path, see `annotations.vocabulary.load_vocabulary`.
        use: the vocabulary's parts that get a branch; empty for the plain network.
        weight: lambda_p of PRN's equation (3): one number for all, or one per part used.
        least: where the detector's own table is at hand, parts that it finds with a lower AP50 are
            left out before training (EIA-Net, section 4.3); 0 takes all in ``use``.
    """

    vocabulary: str = "prn"
    use: tuple[str, ...] = ("window", "light", "brand")
    weight: NotNegative | dict[str, NotNegative] = 1.0
    least: Share = _later(0.0)

    @model_validator(mode="after")
    def _weights_name_parts(self) -> PartSettings:
        if len(set(self.use)) < len(self.use):
            raise ValueError("a part is there twice")
        if isinstance(self.weight, dict) and set(self.weight) != set(self.use):
            raise ValueError("weight must name exactly the parts in 'use'")
        return self

    @property
    def weights(self) -> list[float]:
        """The weight of each part used, in order."""
        if isinstance(self.weight, dict):
            return [self.weight[part] for part in self.use]
        return [self.weight] * len(self.use)

    def load(self) -> Vocabulary:
        """Load the vocabulary, the parts used alone.

        Raises:
            InputError: no such vocabulary, or no such part in it.
        """
        return load_vocabulary(self.vocabulary).only(self.use)


class ClusterSettings(_Section):
    """EIA-Net's coupled cluster loss, equations (4) to (6).

    Attributes:
        margin: alpha, a squared distance.
        year_margin: beta, what another year of the same model has to be farther still; 0 for
            equation (4), and any label.
        branches: weight of the same loss on each of two branches, beside 1 on what joins them.
    """

    margin: NotNegative = 1.0
    year_margin: NotNegative = 0.0
    branches: NotNegative = 0.5


class AlignmentSettings(_Section):
    """EIA-Net's alignment loss, equation (7).

    Attributes:
        weight: 0 for none.
        pairs: positive pairs of a batch that are aligned; null for all.
        parts: the parts that are; null for all that are used.
    """

    weight: NotNegative = 0.0
    pairs: AtLeastOne | None = 1
    parts: tuple[str, ...] | None = None


class LossSettings(_Section):
    """Weights of losses. The first four are PRN's and SPAN's, the last two EIA-Net's.

    Attributes:
        global_weight: of PRN's equation (3)'s first term; 0 trains the parts alone, as the row
            "Window+Light+Brand" of its Table 4. SPAN's lambda_ID, equation (7).
        label_smoothing: of every cross-entropy.
        triplet: weight of a batch-hard triplet loss on what is compared, 0 for none: lambda_trip.
        margin: its margin, a distance.
        cluster: the coupled cluster loss.
        alignment: the alignment loss.
    """

    global_weight: NotNegative = 1.0
    label_smoothing: Share = 0.0
    triplet: NotNegative = 0.0
    margin: NotNegative = 0.3
    cluster: ClusterSettings = ClusterSettings()
    alignment: AlignmentSettings = AlignmentSettings()


_LOSSES_OF = {
    "prn": ("global_weight", "label_smoothing", "triplet", "margin"),
    "eianet": ("cluster", "alignment"),
    "span": ("global_weight", "label_smoothing", "triplet", "margin"),
}


class AugmentSettings(_Section):
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
    pad: Annotated[int, Field(ge=0)] = 0
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    colour: Share = 0.0
    blur: Share = 0.0
    erase: Share = 0.0


class OptimiserSettings(_Section):
    """How weights move.

    Attributes:
        name: ``sgd`` (Nesterov off), ``adam`` or ``adamw``.
        lr: the learning rate at the start, reached after ``warmup``.
        momentum: of sgd.
        weight_decay: of every weight.
        decay_to: exponential decay: the share of ``lr`` that is left at the end; with
            ``drop_every``, what the rate is multiplied by each time.
        drop_every: batches after which the rate drops; null to decay step by step.
        warmup: epochs over which the rate rises linearly.
    """

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: Positive = 0.01
    momentum: Share = 0.9
    weight_decay: NotNegative = 5e-4
    decay_to: Annotated[float, Field(gt=0, le=1)] = 0.01
    drop_every: AtLeastOne | None = None
    warmup: NotNegative = 0.0


class BatchSettings(_Section):
    """What a batch is made of.

    Attributes:
        size: images.
        per_identity: images of each label in a batch; 0 draws images at random instead.
        per_model: labels of a model that follow each other, where it has as many, so that a batch
            has hard negatives, other years of the same model; 0 draws labels at random.
    """

    size: Annotated[int, Field(ge=2)] = 64
    per_identity: Annotated[int, Field(ge=0)] = 0
    per_model: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _divides(self) -> BatchSettings:
        if self.per_identity and self.size % self.per_identity:
            raise ValueError("size must be a multiple of per_identity")
        if self.per_model and not self.per_identity:
            raise ValueError("per_model needs per_identity")
        return self


class Recipe(_Section):
    """A whole training.

    Attributes:
        method: the network and its losses, a key of `reid.methods.METHODS`.
        summary: one line for people.
        label: what makes two images the same: ``identity``, ``model`` or ``year`` (of a model).
        dimension: length of PRN's and SPAN's global vector; EIA-Net's K, the length of a part's
            vector.
        view_dimension: length of SPAN's vector of each view.
        join: how SPAN's vectors are compared, see `reid.models.span.SPAN`; ``views`` by the
            distance ``cpdm``.
        part_based: whether EIA-Net has its lower branch, the part-based CNN.
        epochs: passes over the training images.
        iterations: batches to train for, in place of ``epochs``.
        distance: between embeddings: ``euclidean``, ``cosine``, or ``cpdm`` (SPAN, equation 5).
        mirror: at test, an image's embedding is the mean of its own and of its mirror image's;
            twice the work; EIA-Net, section 4.5.
        precision: of training: ``auto`` takes bf16 where the device has it, else float32.
    """

    method: Literal["prn", "eianet", "span"] = "prn"
    summary: str = ""
    label: Literal["identity", "model", "year"] = "identity"
    backbone: BackboneSettings = BackboneSettings()
    image: ImageSettings = ImageSettings()
    parts: PartSettings = PartSettings()
    dimension: AtLeastOne = 256
    view_dimension: AtLeastOne = _later(512)
    join: Join = _later("concat")
    part_based: bool = False
    loss: LossSettings = LossSettings()
    augment: AugmentSettings = AugmentSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    batch: BatchSettings = BatchSettings()
    epochs: AtLeastOne = 60
    iterations: AtLeastOne | None = _later(None)
    distance: Literal["euclidean", "cosine", "cpdm"] = "euclidean"
    mirror: bool = _later(False)
    precision: Literal["auto", "bf16", "float32"] = "auto"
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _has_no_setting_of_another_method(self) -> Recipe:
        known, plain = _LOSSES_OF[self.method], LossSettings()
        for name in LossSettings.model_fields:
            if name not in known and getattr(self.loss, name) != getattr(plain, name):
                raise ValueError(f"loss.{name} is not of the method {self.method}")
        if self.part_based and self.method != "eianet":
            raise ValueError(f"part_based is not of the method {self.method}")
        if self.method != "span":
            for name in ("join", "view_dimension"):
                if getattr(self, name) != Recipe.model_fields[name].default:
                    raise ValueError(f"{name} is not of the method {self.method}")
        if (self.distance == "cpdm") != (self.join == "views"):
            raise ValueError(
                "the distance cpdm and join: views (of the method span) need each other"
            )
        return self

    @model_validator(mode="after")
    def _has_pairs(self) -> Recipe:
        if self.method != "eianet":
            return self
        if self.batch.per_identity < 2:
            raise ValueError(
                "the coupled cluster loss needs pairs: set batch.per_identity to 2 or more"
            )
        if self.loss.cluster.year_margin and self.label != "year":
            raise ValueError("loss.cluster.year_margin needs label: year")
        aligned = self.loss.alignment
        if aligned.weight and not self.parts.use:
            raise ValueError("loss.alignment needs parts.use")
        if foreign := set(aligned.parts or ()) - set(self.parts.use):
            raise ValueError(f"loss.alignment.parts: {min(foreign)} is not in parts.use")
        return self

    @model_validator(mode="after")
    def _learns_something(self) -> Recipe:
        if self.method == "span":
            if not self.loss.global_weight and not self.loss.triplet:
                raise ValueError("loss.global_weight and loss.triplet are both 0: nothing to learn")
        elif not self.loss.global_weight and not (self.parts.use and any(self.parts.weights)):
            raise ValueError("loss.global_weight 0 needs part branches with a weight")
        return self

    def with_parts(self, use: tuple[str, ...]) -> Recipe:
        """Return the recipe with some of its parts, and of what names parts only theirs."""
        content = self.model_dump(mode="json")
        content["parts"]["use"] = list(use)
        if isinstance(self.parts.weight, dict):
            content["parts"]["weight"] = {part: self.parts.weight[part] for part in use}
        if aligned := self.loss.alignment.parts:
            left = [part for part in aligned if part in use]
            if not left:
                raise InputError(
                    f"loss.alignment.parts: none of {', '.join(aligned)} is among the parts that "
                    "are left; name others, or null for all"
                )
            content["loss"]["alignment"]["parts"] = left
        return parse_recipe(content, "the recipe with fewer parts")

    def to_yaml(self) -> str:
        """Return the recipe in full, but for later keys that are off, as a YAML file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _fields(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are known where an unknown one stood."""
    section: type[BaseModel] = Recipe
    for step in place[:-1]:
        annotation = section.model_fields[str(step)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
        section = annotation
    return list(section.model_fields)


def parse_recipe(content: Any, source: str) -> Recipe:
    """Check a recipe's content.

    Raises:
        InputError: a key is unknown (the nearest known one is suggested) or a value is
            not allowed; ``source`` is named.
    """
    if not isinstance(content, dict):
        raise InputError(f"{source}: a recipe is a YAML mapping")
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = first["loc"]
        key = ".".join(str(step) for step in place)
        if first["type"] == "extra_forbidden":
            known = suggest(str(place[-1]), _fields(place))
            raise InputError(f"{source}: unknown key '{key}'; {known}") from None
        raise InputError(f"{source}: '{key}': {first['msg']}") from None


def read_recipe(path: Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe file.

    Args:
        path: the YAML file.
        overrides: changes such as ``optimiser.lr=0.02`` or ``parts.use=[]``; the value is YAML.

    Raises:
        InputError: see `parse_recipe`; or an override is not of that form.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such recipe file")
    content = read_yaml(path) or {}
    if not overrides:
        return parse_recipe(content, str(path))
    change_content(content, overrides)
    recipe = parse_recipe(content, f"{path} with {', '.join(overrides)}")
    if recipe.iterations and any(each.partition("=")[0].strip() == "epochs" for each in overrides):
        raise InputError(
            f"{path}: trains for {recipe.iterations} iterations, whatever 'epochs' is; change "
            "'iterations', or set it to null"
        )
    return recipe


def change_content(content: Any, overrides: Sequence[str]) -> None:
    """Change a recipe as its file has it, in place.

    Args:
        content: what `parse_recipe` takes.
        overrides: see `read_recipe`.

    Raises:
        InputError: an override is not of that form.
    """
    for override in overrides:
        key, separator, value = override.partition("=")
        if not separator or not isinstance(content, dict):
            raise InputError(f"'{override}': give a change as key=value, such as epochs=20")
        *sections, last = key.strip().split(".")
        section = content
        for name in sections:
            section = section.setdefault(name, {})
            if not isinstance(section, dict):
                raise InputError(f"'{override}': '{name}' is not a section of the recipe")
        section[last] = parse_yaml(value, f"'{override}'")
