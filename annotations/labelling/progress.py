"""How far the labelling is, and what it costs."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass

from annotations.labelling.project import Project
from annotations.labelling.record import Change

LONGEST = 300.0
"""Seconds on one image, between two changes, that count as work; the rest was a break."""


@dataclass(frozen=True)
class Progress:
    """Figures of one layer.

    Attributes:
        done: finished images.
        skipped: images left out.
        flagged: images that someone should look at again.
        reviewed: finished images that were looked at a second time.
        per_hour: images finished in an hour of work; 0 where nothing is known.
        actions: median of keys, clicks and drags an image.
        offered: boxes proposed on finished images.
        untouched: of these, boxes that were kept where they were; a copied one is none of these.
        parts: boxes by part.
        people: images finished by each person.
    """

    done: int
    skipped: int
    flagged: int
    reviewed: int
    per_hour: float
    actions: float
    offered: int
    untouched: int
    parts: dict[str, int]
    people: dict[str, int]


def measure(project: Project, layer: str = "") -> Progress:
    """Count what the journal holds of a layer."""
    latest = list(project.journal.all_latest(layer))
    done = [change for change in latest if change.labels.state == "done"]
    worked: dict[str, list[Change]] = {}
    for change in project.journal.all_changes(layer):
        if not change.labels.reviewed:
            worked.setdefault(change.labels.image, []).append(change)
    # What came from elsewhere took nobody any time here.
    mine = [
        steps
        for c in done
        if (steps := worked.get(c.labels.image)) and sum(s.seconds for s in steps)
    ]
    seconds = sum(min(step.seconds, LONGEST) for steps in mine for step in steps)
    actions = [sum(step.actions for step in steps) for steps in mine]
    boxes = [box for change in done for box in change.labels.boxes]
    return Progress(
        done=len(done),
        skipped=sum(change.labels.state == "skipped" for change in latest),
        flagged=sum(bool(change.labels.flag) for change in latest),
        reviewed=sum(bool(change.labels.reviewed) for change in done),
        per_hour=3600 * len(mine) / seconds if seconds else 0.0,
        actions=statistics.median(actions) if actions else 0.0,
        offered=sum(change.labels.offered for change in done),
        untouched=sum(box.untouched for box in boxes if box.source == "detector"),
        parts=dict(Counter(box.part for box in boxes)),
        people=dict(Counter(change.by for change in done)),
    )
