"""Mappings: how the classes of foreign labels become the parts of a vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from annotations.errors import InputError, explain, suggest
from annotations.files import read_yaml
from annotations.geometry import BRAND, LIGHT
from annotations.vocabulary import Vocabulary, load_vocabulary

_BUILT_IN = Path(__file__).parent / "mappings"


class ClassRule(BaseModel):
    """What a foreign class becomes.

    Attributes:
        part: the part of the vocabulary.
        end: the end of the vehicle that the class belongs to, where it says so.
        split: whether an annotation of several polygons is as many boxes (wheels drawn
            as one annotation) rather than one box with something in front of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: str
    end: Literal["front", "back"] | None = None
    split: bool = False


class Mapping(BaseModel):
    """The content of a mapping file.

    Attributes:
        source: what the mapping is for.
        vocabulary: a vocabulary's name, or the path of its YAML file, absolute or from
            the mapping's own folder.
        classes: for each foreign class the part (in short, its name alone), or null to
            drop its boxes.
        others: whether a foreign class that is not in ``classes`` is an error or dropped.
        derive: ``prn`` to extend lights and add brand by PRN's geometry, see
            `annotations.geometry.prn_parts`.
        vehicle: the foreign class whose box is the whole vehicle, for ``derive``; without
            it the vehicle's bottom is the lowest edge of any box in the image.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = ""
    vocabulary: str
    classes: dict[str, ClassRule | None]
    others: Literal["error", "drop"] = "error"
    derive: Literal["prn"] | None = None
    vehicle: str | None = None

    @field_validator("classes", mode="before")
    @classmethod
    def _name_alone(cls, classes: Any) -> Any:
        if not isinstance(classes, dict):
            return classes
        return {
            name: {"part": rule} if isinstance(rule, str) else rule
            for name, rule in classes.items()
        }

    @model_validator(mode="after")
    def _makes_sense(self) -> Mapping:
        if not self.rules:
            raise ValueError("no class becomes a part")
        if self.derive and LIGHT not in self.labelled:
            raise ValueError(f"derive: {self.derive} needs a class that becomes '{LIGHT}'")
        if self.vehicle is not None and not self.derive:
            raise ValueError("vehicle is of use only with derive")
        return self

    @property
    def rules(self) -> dict[str, ClassRule]:
        """The classes that become a part, and their rules."""
        return {name: rule for name, rule in self.classes.items() if rule is not None}

    @property
    def labelled(self) -> frozenset[str]:
        """The parts that a set mapped this way labels at all."""
        derived = {BRAND} if self.derive else set()
        return frozenset({rule.part for rule in self.rules.values()} | derived)

    def load_vocabulary(self) -> Vocabulary:
        """Load the vocabulary, and demand that it has every part the mapping names."""
        vocabulary = load_vocabulary(self.vocabulary)
        for part in self.labelled:
            vocabulary.index(part)
        return vocabulary

    def require_known(self, names: list[str], source: str) -> None:
        """Demand that the mapping knows the foreign classes ``names``.

        Raises:
            InputError: it does not, and ``others`` is not ``drop``; lists the classes.
        """
        unknown = sorted(set(names) - set(self.classes) - {self.vehicle})
        if unknown and self.others == "error":
            listed = "; ".join(f"'{name}' ({suggest(name, self.classes)})" for name in unknown[:1])
            rest = f"; also unknown: {', '.join(unknown[1:])}" if unknown[1:] else ""
            raise InputError(
                f"{source}: the mapping does not know the class {listed}{rest}. Add it to the "
                f"mapping (null drops its boxes) or set 'others: drop'"
            )


def built_in_mappings() -> list[str]:
    """Return the names of the mappings that come with the toolkit."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.yaml"))


def load_mapping(name: str) -> Mapping:
    """Load a mapping by name (``carparts-prn``) or from the user's YAML file.

    Raises:
        InputError: no such mapping, or the file breaks a rule, which is named.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else _BUILT_IN / f"{name}.yaml"
    if not path.is_file():
        known = suggest(name, built_in_mappings())
        raise InputError(f"no mapping '{name}'; {known}; or give a YAML file's path")
    try:
        mapping = Mapping.model_validate(read_yaml(path))
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error)}") from None
    beside = path.parent / mapping.vocabulary
    return mapping.model_copy(update={"vocabulary": str(beside)}) if beside.is_file() else mapping
