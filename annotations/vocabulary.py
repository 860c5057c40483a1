"""Part vocabularies: which parts there are, how they look on screen and how they mirror."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from annotations.errors import InputError, explain, suggest
from annotations.files import read_yaml

_BUILT_IN = Path(__file__).parent / "vocabularies"


class Part(BaseModel):
    """One part.

    Attributes:
        name: as it stands in the boxes table.
        colour: ``#rrggbb``, for drawing.
        partner: the part that takes this one's place when the image is mirrored: itself
            for a part that comes as a left and a right one under one name (a light),
            another name where left and right are named apart, none for a part in the middle.
        count: the most boxes of this part that one image can show.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
    partner: str | None = None
    count: Annotated[int, Field(ge=1)] = 1


class Viewpoint(BaseModel):
    """From where an image shows a vehicle, for parts that are views of it.

    Attributes:
        name: as it stands in the images table's column ``viewpoint``.
        shows: the parts that are to be seen from there.
        partner: the viewpoint of the mirrored image.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    shows: Annotated[tuple[str, ...], Field(min_length=1)]
    partner: str


Apart = tuple[tuple[str, str], ...]
"""Pairs of parts that no image shows together."""


class _VocabularyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str = ""
    parts: Annotated[list[Part], Field(min_length=1)]
    apart: Apart = ()
    viewpoints: tuple[Viewpoint, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> _VocabularyFile:
        by_name = {part.name: part for part in self.parts}
        if len(by_name) < len(self.parts):
            raise ValueError("a part's name is there twice")
        for part in self.parts:
            if part.partner is None:
                continue
            if part.partner not in by_name:
                raise ValueError(f"partner '{part.partner}' of '{part.name}' is not a part")
            if by_name[part.partner].partner != part.name:
                raise ValueError(f"'{part.name}' and '{part.partner}' must be partners mutually")
        return self

    @model_validator(mode="after")
    def _views_are_parts(self) -> _VocabularyFile:
        names = {part.name for part in self.parts}
        viewpoints = {viewpoint.name: viewpoint for viewpoint in self.viewpoints}
        if len(viewpoints) < len(self.viewpoints):
            raise ValueError("a viewpoint's name is there twice")
        for foreign in {name for pair in self.apart for name in pair} - names:
            raise ValueError(f"apart: '{foreign}' is not a part")
        for viewpoint in self.viewpoints:
            for foreign in set(viewpoint.shows) - names:
                raise ValueError(f"viewpoint '{viewpoint.name}' shows '{foreign}', not a part")
            if pair := never_together(viewpoint.shows, self.apart):
                raise ValueError(
                    f"viewpoint '{viewpoint.name}' shows {' and '.join(pair)}, which are apart"
                )
            mirror = viewpoints.get(viewpoint.partner)
            if mirror is None or mirror.partner != viewpoint.name:
                raise ValueError(
                    f"viewpoints '{viewpoint.name}' and '{viewpoint.partner}' must be partners "
                    "mutually"
                )
        return self


def never_together(shown: Sequence[str], apart: Apart) -> tuple[str, str] | None:
    """Return a pair of ``apart`` of which both are shown, if there is one."""
    return next((pair for pair in apart if set(pair) <= set(shown)), None)


@dataclass(frozen=True)
class Vocabulary:
    """An ordered set of parts; a part's place in it is its class number everywhere.

    Attributes:
        name: ``prn``, ``eia``, or the path of the user's file.
        parts: the parts in order.
        apart: pairs of parts that no image shows together.
        viewpoints: where parts are views: from where an image can show a vehicle.
    """

    name: str
    parts: tuple[Part, ...]
    apart: Apart = ()
    viewpoints: tuple[Viewpoint, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The parts' names in order."""
        return tuple(part.name for part in self.parts)

    @property
    def mirrored(self) -> tuple[int, ...]:
        """For each part, the number of the part that it becomes in a mirrored image."""
        return tuple(self.index(part.partner or part.name) for part in self.parts)

    def record(self) -> dict[str, Any]:
        """Return the vocabulary in full, for storing beside what was made with it."""
        parts = [part.model_dump(mode="json") for part in self.parts]
        views = {
            "apart": [list(pair) for pair in self.apart],
            "viewpoints": [each.model_dump(mode="json") for each in self.viewpoints],
        }
        return {"name": self.name, "parts": parts, **{k: v for k, v in views.items() if v}}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Vocabulary:
        """Return the vocabulary that `record` described."""
        return cls(
            record["name"],
            tuple(Part(**part) for part in record["parts"]),
            tuple((one, other) for one, other in record.get("apart", ())),
            tuple(Viewpoint(**each) for each in record.get("viewpoints", ())),
        )

    def __getitem__(self, name: str) -> Part:
        return self.parts[self.index(name)]

    def index(self, name: str) -> int:
        """Return a part's number.

        Raises:
            InputError: no such part.
        """
        if name not in self.names:
            raise InputError(
                f"vocabulary '{self.name}' has no part '{name}'; {suggest(name, self.names)}"
            )
        return self.names.index(name)

    def only(self, names: tuple[str, ...] | list[str]) -> Vocabulary:
        """Keep some parts, in the order given; partners that are left out are dropped.

        A viewpoint that shows none of them is left out, too.
        """
        kept = [self[name] for name in names]
        shown = {
            each: tuple(view for view in each.shows if view in names) for each in self.viewpoints
        }
        return Vocabulary(
            self.name,
            tuple(
                part if part.partner in names else part.model_copy(update={"partner": None})
                for part in kept
            ),
            tuple(pair for pair in self.apart if set(pair) <= set(names)),
            tuple(
                each.model_copy(update={"shows": views}) for each, views in shown.items() if views
            ),
        )


def built_in_vocabularies() -> list[str]:
    """Return the names of the vocabularies that come with the toolkit."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.yaml"))


def vocabulary_file(name: str) -> Path:
    """Return where a vocabulary's file is, if there is one: a built-in one's, or the user's."""
    return Path(name) if name.endswith((".yaml", ".yml")) else _BUILT_IN / f"{name}.yaml"


def load_vocabulary(name: str) -> Vocabulary:
    """Load a vocabulary by name (``prn``, ``eia``) or from the user's YAML file.

    Raises:
        InputError: no such vocabulary, or the file breaks a rule, which is named.
    """
    path = vocabulary_file(name)
    if not path.is_file():
        known = suggest(name, built_in_vocabularies())
        raise InputError(f"no vocabulary '{name}'; {known}; or give a YAML file's path")
    try:
        content = _VocabularyFile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error)}") from None
    return Vocabulary(name, tuple(content.parts), content.apart, content.viewpoints)
