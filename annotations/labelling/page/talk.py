"""What the page and the desk say to each other, as plain messages."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from annotations.errors import InputError, explain
from annotations.figure import figure_of
from annotations.geometry import BRAND
from annotations.labelling.desk import Desk, Seat, Shown
from annotations.labelling.journal import ConflictError
from annotations.labelling.keys import part_keys
from annotations.labelling.page.pictures import LARGEST, Pictures
from annotations.labelling.progress import measure
from annotations.labelling.project import Project
from annotations.labelling.record import Change, DrawnBox, ImageLabels

log = logging.getLogger(__name__)

Message = dict[str, Any]
Answer = tuple[str, Message]
"""A method of the editor, and what it is called with."""

USUAL_BOTTOM = 0.97
"""Where the vehicle's lowest edge is taken to be in a crop that nobody looked at, as a fraction."""


def describe(project: Project) -> Message:
    """Return what an editor shows of a project, which stays the same while it is labelled."""
    vocabulary, derive = project.vocabulary, project.derive
    figure, keys = figure_of(vocabulary), part_keys(vocabulary)
    return {
        "parts": [
            {
                "name": part.name,
                "colour": part.colour,
                "count": part.count,
                "key": keys.get(part.name, ""),
                "meaning": figure.meanings.get(part.name, "") if figure else "",
                "derived": derive is not None and part.name == BRAND,
            }
            for part in vocabulary.parts
        ],
        "figure": figure.svg if figure else "",
        "derive": derive or "",
    }


class Talk:
    """Answers one open page.

    Args:
        desk: where images come from.
        seat: of the page.
        pictures: the image files.
    """

    def __init__(self, desk: Desk, seat: Seat, pictures: Pictures) -> None:
        self._desk, self._seat, self._pictures = desk, seat, pictures
        self._bottom: float | None = None
        self._answers: dict[str, Callable[[Message], Answer]] = {
            "ready": lambda _: self._shown(self._desk.next(seat)),
            "next": lambda _: self._shown(self._desk.next(seat)),
            "previous": lambda _: self._previous(),
            "save": self._save,
            "finish": self._finish,
            "copy": self._copy,
            "history": self._history,
            "train": lambda _: self._train(),
        }

    def status(self) -> Message:
        """Return what the detector is doing."""
        helper = self._desk.helper
        if helper is None:
            return {"words": "no detector: every box is drawn by hand"}
        return dataclasses.asdict(helper.status)

    async def hear(self, message: Message) -> Answer:
        """Answer a message of the page, on another thread: the disk and the detector are slow."""
        return await asyncio.to_thread(self.answer, message)

    def answer(self, message: Message) -> Answer:
        """Answer a message of the page; what goes wrong becomes words for it."""
        try:
            return self._answers[message["what"]](message)
        except ConflictError as conflict:
            theirs = conflict.theirs
            findings = self._desk.findings_of(self._seat, theirs.labels)
            return "conflict", {**self._state(theirs, findings), "message": str(conflict)}
        except ValidationError as error:
            return "failed", {"what": message["what"], "message": f"not saved: {explain(error)}"}
        except (InputError, OSError) as error:
            log.warning("%s", error)
            return "failed", {"what": message["what"], "message": str(error)}
        except Exception as error:  # a page without an answer would wait for ever
            log.exception("the page asked for '%s'", message["what"])
            words = f"something is wrong here ({type(error).__name__}); the terminal says more"
            return "failed", {"what": message["what"], "message": words}

    def _shown(self, shown: Shown | None) -> Answer:
        progress = {
            **dataclasses.asdict(measure(self._desk.project, self._seat.layer)),
            "total": len(self._desk.images),
        }
        common = {"progress": progress, "helper": self.status()}
        if shown is None:
            words = "every image was reviewed" if self._seat.review else "every image is labelled"
            if self._seat.only:
                words = "no other image was asked for"
            return "show", {**common, "image": None, "empty": {"title": "Done", "words": words}}
        problem, (width, height) = shown.problem, (0, 0)
        try:
            width, height = self._pictures.size(shown.image)
        except InputError as error:
            problem = str(error)
        reduced = max(width, height) / LARGEST
        coming = self._desk.coming(self._seat, 2)
        return "show", {
            **common,
            "image": shown.image,
            "url": "" if problem else _url(shown.image),
            "width": width,
            "height": height,
            "reduced": 1 / reduced if reduced > 1 else 0,
            "notice": _notice(width, height) if reduced > 1 else "",
            "about": self._desk.about(shown.image),
            "reason": shown.reason,
            "labels": shown.labels.model_dump(),
            "revision": shown.revision,
            "proposals": [box.model_dump() for box in shown.proposals],
            "usual": [box.model_dump() for box in shown.usual],
            "others": [box.model_dump() for box in shown.others],
            "against": self._seat.against,
            "findings": [dataclasses.asdict(finding) for finding in shown.findings],
            "bottom": self._bottom_for(shown),
            "problem": problem,
            "coming": [_url(name) for name in coming],
        }

    def _bottom_for(self, shown: Shown) -> float:
        lowest = max((box.y2 for box in shown.proposals), default=None)
        return lowest or self._bottom or USUAL_BOTTOM

    def _previous(self) -> Answer:
        shown = self._desk.previous(self._seat)
        if shown is None:
            words = "this is the first image that was shown"
            return "failed", {"what": "previous", "message": words}
        return self._shown(shown)

    def _taken(self, message: Message) -> tuple[Change, tuple[Any, ...]]:
        labels = ImageLabels.model_validate(message["labels"])
        self._bottom = labels.bottom
        return self._desk.save(
            self._seat,
            labels,
            int(message["follows"]),
            int(message["actions"]),
            float(message["seconds"]),
        )

    def _save(self, message: Message) -> Answer:
        return "saved", self._state(*self._taken(message))

    def _finish(self, message: Message) -> Answer:
        self._taken(message)
        return self._shown(self._desk.next(self._seat))

    @staticmethod
    def _state(change: Change, findings: tuple[Any, ...]) -> Message:
        return {
            "image": change.labels.image,
            "labels": change.labels.model_dump(),
            "revision": change.revision,
            "findings": [dataclasses.asdict(finding) for finding in findings],
        }

    def _copy(self, message: Message) -> Answer:
        boxes = [box.model_dump() for box in self._desk.previous_boxes(self._seat)]
        return "offered", {
            "image": message.get("image"),
            "boxes": boxes,
            "none": "the image before has no boxes",
        }

    def _history(self, message: Message) -> Answer:
        changes = self._desk.project.journal.history(message["image"], self._seat.layer)
        pairs = zip([None, *changes], changes, strict=False)
        rows = [
            {
                "revision": now.revision,
                "at": f"{now.at:%Y-%m-%d %H:%M:%S}",
                "by": now.by,
                "what": difference(before.labels if before else None, now.labels),
                "labels": now.labels.model_dump(),
            }
            for before, now in pairs
        ]
        return "told", {"image": message["image"], "rows": rows[::-1]}

    def _train(self) -> Answer:
        if self._desk.helper is not None:
            self._desk.helper.train()
        return "status", self.status()


def difference(before: ImageLabels | None, now: ImageLabels) -> str:
    """Say in words what changed between two states of an image's labels."""
    before = before or ImageLabels(image=now.image)
    words = []
    lost, new = _left(before.boxes, now.boxes), _left(now.boxes, before.boxes)
    for part in dict.fromkeys(box.part for box in (*new, *lost)):
        came = sum(box.part == part for box in new)
        went = sum(box.part == part for box in lost)
        moved = min(came, went)
        words += [f"{part} moved"] * bool(moved)
        words += [f"{part} added"] * bool(came - moved > 0)
        words += [f"{part} removed"] * bool(went - moved > 0)
    hid = set(now.hidden) - set(before.hidden)
    words += [f"{part} not visible" for part in now.hidden if part in hid]
    if before.state != now.state:
        words.append({"done": "finished", "skipped": "skipped", "open": "opened again"}[now.state])
    if before.flag != now.flag:
        words.append(f"flagged: {now.flag}" if now.flag else "flag removed")
    if before.reviewed != now.reviewed:
        words.append("reviewed" if now.reviewed else "review withdrawn")
    return ", ".join(words) or "nothing"


def _left(these: tuple[DrawnBox, ...], without: tuple[DrawnBox, ...]) -> list[DrawnBox]:
    there = [(box.part, box.corners) for box in without]
    return [box for box in these if (box.part, box.corners) not in there]


def _url(image: str) -> str:
    return f"/label/image?image={quote(image, safe='')}"


def _notice(width: int, height: int) -> str:
    return f"{width} x {height} pixels, shown smaller; zoom in to see all of them"
