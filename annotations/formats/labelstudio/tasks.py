"""The tasks of a Label Studio file, and which of the drawings in each count."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from annotations.boxes import DETECTOR, LABEL, SOURCES
from annotations.errors import InputError, explain
from annotations.formats.labelstudio.regions import Region


class Drawing(BaseModel):
    """An annotation, or a prediction."""

    result: list[Region]
    was_cancelled: bool | None = None
    ground_truth: bool | None = None
    completed_by: Any = None
    created_at: str | None = None
    updated_at: str | None = None
    model_version: str | None = None
    score: float | None = None

    @property
    def rank(self) -> tuple[bool, str]:
        """How much it counts beside others: ground truth first, then the latest."""
        return bool(self.ground_truth), self.updated_at or self.created_at or ""


class Task(BaseModel):
    """An image and what was drawn on it."""

    id: int | str | None = None
    data: dict[str, Any]
    annotations: list[Drawing] = []
    predictions: list[Drawing] = []


class Counted(NamedTuple):
    """A drawing that counts.

    Attributes:
        place: where it is in its task.
        regions: what it consists of.
        source: whose boxes they are, one of `annotations.boxes.SOURCES`.
        scored: whether the regions' scores are of the boxes as they are; those of boxes that
            a person accepted or moved are of what a model proposed.
        score: of a box without one of its own.
    """

    place: str
    regions: list[Region]
    source: str
    scored: bool = True
    score: float | None = None


def parse_tasks(path: Path) -> list[Task]:
    """Parse the file.

    Raises:
        InputError: it is missing or damaged; names the place.
    """
    try:
        return TypeAdapter(list[Task]).validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except ValidationError as error:
        raise InputError(f"{path}: not tasks of Label Studio: {explain(error)}") from None


def drawings_of(task: Task) -> list[Counted]:
    """Choose what counts of a task.

    Of several annotations the one marked as ground truth counts, else the latest; skipped ones
    never do. Predictions count until somebody has completed an annotation, who took them over
    or threw them away; of several models the latest, but all that this toolkit wrote.
    """
    finished = [
        (f"annotation {place}", each)
        for place, each in enumerate(task.annotations, 1)
        if not each.was_cancelled
    ]
    in_tool = any(each.completed_by is not None for _, each in finished)
    counted = []
    if finished:
        place, best = max(finished, key=lambda one: one[1].rank)
        counted.append(Counted(place, best.result, LABEL, scored=not in_tool))
    if in_tool:
        return counted
    guesses = [(f"prediction {place}", each) for place, each in enumerate(task.predictions, 1)]
    ours = [one for one in guesses if one[1].model_version in SOURCES]
    models = [one for one in guesses if one not in ours]
    if models:
        ours.append(max(models, key=lambda one: one[1].rank))
    for place, each in ours:
        said = each.model_version if each.model_version in SOURCES else None
        counted.append(Counted(place, each.result, said or DETECTOR, score=each.score))
    return counted
