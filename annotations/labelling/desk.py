"""The desk: hands images to people who label, one each, and takes back what they say."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.images import Images
from annotations.labelling.checks import Finding, check_boxes
from annotations.labelling.helper import Helper
from annotations.labelling.project import Project
from annotations.labelling.queue import plain_order, teaching_order
from annotations.labelling.record import Change, DrawnBox, ImageLabels
from annotations.labelling.usual import usual_boxes

log = logging.getLogger(__name__)

REORDER_EVERY = 20
"""Finished images after which the queue is put in order again."""
AT_ONCE = 5000
"""Images up to which nobody need wait for a new order; of more, the old one holds meanwhile."""
AHEAD = 48
"""Images of the queue that the detector looks at before they are shown."""


@dataclass(frozen=True)
class Shown:
    """An image as it lies before a person.

    Attributes:
        image: its name.
        reason: why it is here.
        revision: of its labels; 0 for an image never touched.
        labels: what holds so far.
        proposals: boxes offered, for an image never touched.
        usual: boxes of the same vehicle's other images.
        others: boxes of the layer that the seat looks at beside.
        findings: what looks wrong.
        problem: why it cannot be shown; empty where it can.
    """

    image: str
    reason: str
    revision: int
    labels: ImageLabels
    proposals: tuple[DrawnBox, ...]
    usual: tuple[DrawnBox, ...]
    others: tuple[DrawnBox, ...]
    findings: tuple[Finding, ...]
    problem: str = ""


@dataclass
class Seat:
    """One open page.

    Attributes:
        by: the person's name.
        layer: whose labels they write; empty for the common ones.
        review: whether finished images are looked at again.
        only: show only these images, such as those on which two people disagree.
        against: a layer whose boxes are shown beside; empty for none.
        visited: images shown, in order.
        place: which of them is shown.
    """

    by: str = ""
    layer: str = ""
    review: bool = False
    only: tuple[str, ...] = ()
    against: str = ""
    visited: list[str] = field(default_factory=list)
    place: int = -1

    @property
    def image(self) -> str | None:
        """The image shown, if any."""
        return self.visited[self.place] if 0 <= self.place < len(self.visited) else None


class Desk:
    """Hands out the images of a data set in an order that teaches most.

    Args:
        images: of the data set.
        project: where labels go.
        helper: a detector, or None.
        teaching: whether the queue puts first what teaches most, or goes in plain order.
        train_every: finished images after which a new detector is trained; 0 for never.

    Attributes:
        images: as given.
        project: as given.
        helper: as given.
        gone: images that have labels, but are not in the data set.
    """

    def __init__(
        self,
        images: Images,
        project: Project,
        helper: Helper | None = None,
        *,
        teaching: bool = True,
        train_every: int = 0,
    ) -> None:
        self.images, self.project, self.helper = images, project, helper
        self.teaching, self.train_every = teaching, train_every
        self._names = set(images.frame["image"])
        labelled = {change.labels.image for change in project.journal.all_latest()}
        self.gone = sorted(labelled - self._names)
        self._known = images.frame.set_index("image", drop=False)
        told = images.frame[["image", "identity"]].dropna().astype(str)
        self._identities = dict(told.itertuples(index=False, name=None))
        self._images_of = {
            str(identity): set(names) for identity, names in told.groupby("identity")["image"]
        }
        self._lock = threading.RLock()
        self._seats: list[Seat] = []
        self._queues: dict[str, tuple[list[str], dict[str, str]]] = {}
        self._ordered_at: dict[str, tuple[int, int]] = {}
        self._trained_at = self._count("")

    def sit_down(self, seat: Seat) -> None:
        """Let someone label; the image shown to them is shown to nobody else."""
        with self._lock:
            if all(each is not seat for each in self._seats):
                self._seats.append(seat)

    def leave(self, seat: Seat) -> None:
        """Give back the image that someone had before them."""
        with self._lock:
            self._seats = [each for each in self._seats if each is not seat]

    def next(self, seat: Seat) -> Shown | None:
        """Show what comes after; None where nothing is left."""
        return self.show(seat) if self._step(seat) else None

    def _step(self, seat: Seat) -> bool:
        # Nothing is shown under the lock: a detector that looks takes its time.
        with self._lock:
            if seat.place < len(seat.visited) - 1:
                seat.place += 1
                return True
            # Who asks for an image by its name has it, whoever else looks at it.
            taken = set() if seat.only else self._taken(seat)
            for name in self._candidates(seat):
                if name not in taken:
                    seat.visited.append(name)
                    seat.place = len(seat.visited) - 1
                    return True
            seat.place = len(seat.visited)  # so that the last one shown is the previous one
            return False

    def previous(self, seat: Seat) -> Shown | None:
        """Show what was shown before; None where there is nothing."""
        with self._lock:
            if seat.place <= 0:
                return None
            seat.place -= 1
        return self.show(seat)

    def go_to(self, seat: Seat, image: str) -> Shown:
        """Show one image.

        Raises:
            InputError: there is no such image.
        """
        if image not in self._names:
            raise InputError(f"no image '{image}' in {self.images.source}")
        with self._lock:
            del seat.visited[seat.place + 1 :]
            seat.visited.append(image)
            seat.place = len(seat.visited) - 1
        return self.show(seat)

    def coming(self, seat: Seat, count: int) -> list[str]:
        """Return the images that will be shown next."""
        with self._lock:
            taken = self._taken(seat) | {seat.image}
            found = (name for name in self._candidates(seat) if name not in taken)
            return [name for name, _ in zip(found, range(count), strict=False)]

    def show(self, seat: Seat) -> Shown:
        """Lay the seat's image before its person, as it is now."""
        image = seat.image
        assert image is not None
        self.project.journal.refresh()
        change = self.project.journal.latest(image, seat.layer)
        others = self.project.journal.latest(image, seat.against) if seat.against else None
        proposals: Sequence[DrawnBox] = ()
        problem = ""
        if change is None and self.helper is not None:
            try:
                proposals = self.helper.propose(image)
            except InputError as error:
                problem = str(error)
            except Exception:  # such as a GPU whose memory a training has taken
                log.exception("%s: the detector could not look at it", image)
        labels = change.labels if change else ImageLabels(image=image, offered=len(proposals))
        usual = self._usual(image, seat.layer)
        _, reasons = self._queue(seat.layer)
        return Shown(
            image=image,
            reason=self._reason(seat, change, reasons.get(image, "")),
            revision=change.revision if change else 0,
            labels=labels,
            proposals=tuple(proposals),
            usual=tuple(
                DrawnBox.offer(str(row[0]), row[1:], "identity-mean", 1.0)
                for row in usual.reindex(columns=["part", *CORNERS]).to_numpy(object).tolist()
            ),
            others=others.labels.boxes if others else (),
            findings=self.findings(change.labels.boxes if change else proposals, usual),
            problem=problem,
        )

    def save(
        self, seat: Seat, labels: ImageLabels, follows: int, actions: int, seconds: float
    ) -> tuple[Change, tuple[Finding, ...]]:
        """Take labels of an image; they are on disk when this returns.

        Raises:
            ConflictError: someone else changed the image meanwhile.
            InputError: there is no such image or part, or the disk does not take it.
        """
        if labels.image not in self._names:
            raise InputError(f"no image '{labels.image}' in {self.images.source}")
        change = self.project.save(
            labels, follows, layer=seat.layer, by=seat.by, actions=actions, seconds=seconds
        )
        self._maybe_train()
        return change, self.findings_of(seat, change.labels)

    def findings_of(self, seat: Seat, labels: ImageLabels) -> tuple[Finding, ...]:
        """Say what looks wrong with labels, as the person of a seat may know it."""
        return self.findings(labels.boxes, self._usual(labels.image, seat.layer))

    def findings(self, boxes: Sequence[DrawnBox], usual: pd.DataFrame) -> tuple[Finding, ...]:
        """Say what looks wrong with boxes."""
        frame = pd.DataFrame(
            [(box.part, *box.corners) for box in boxes], columns=["part", *CORNERS]
        )
        known = usual if len(usual) else None
        return tuple(check_boxes(frame, self.project.vocabulary, usual=known))

    def previous_boxes(self, seat: Seat) -> tuple[DrawnBox, ...]:
        """Return the boxes of the image shown before, to copy."""
        if seat.place <= 0:
            return ()
        change = self.project.journal.latest(seat.visited[seat.place - 1], seat.layer)
        boxes = change.labels.boxes if change else ()
        update = {"source": "copied", "score": 1.0}
        return tuple(b.model_copy(update={**update, "proposed": b.corners}) for b in boxes)

    def about(self, image: str) -> dict[str, str]:
        """Return what the data set says of an image: identity, camera, viewpoint."""
        row = self._known.loc[image]
        columns = [name for name in ("identity", "camera", "viewpoint", "split") if name in row]
        return {name: str(row[name]) for name in columns if pd.notna(row[name])}

    def _taken(self, seat: Seat) -> set[str | None]:
        """Return the images that others of the same layer have before them."""
        return {s.image for s in self._seats if s is not seat and s.layer == seat.layer}

    def _usual(self, image: str, layer: str) -> pd.DataFrame:
        identity = self._identities.get(image)
        if identity is None:
            return pd.DataFrame()
        boxes = self.project.boxes(layer, only=self._images_of[identity])
        return usual_boxes(boxes, self.images, self.project.vocabulary, identity, image)

    def _reason(self, seat: Seat, change: Change | None, why: str) -> str:
        if change is not None and change.labels.flag:
            return f"flagged: {change.labels.flag}"
        if seat.only:
            return "chosen to be looked at"
        if seat.review and change is not None:
            return f"to be reviewed; labelled by {change.by or 'someone'}"
        return why

    def _candidates(self, seat: Seat) -> Iterator[str]:
        journal = self.project.journal
        seen = set(seat.visited)
        if seat.only:
            return (name for name in seat.only if name not in seen and name in self._names)
        if seat.review:
            changes = sorted(
                (c for c in journal.all_latest(seat.layer) if c.labels.image in self._names),
                key=lambda c: (not c.labels.flag, c.at),
            )
            waiting = (
                labels
                for labels in (change.labels for change in changes)
                if labels.flag or (labels.state == "done" and not labels.reviewed)
            )
            return (labels.image for labels in waiting if labels.image not in seen)
        names, _ = self._queue(seat.layer)

        def open_(name: str) -> bool:
            change = journal.latest(name, seat.layer)
            return change is None or change.labels.state == "open"

        return (name for name in names if name not in seen and open_(name))

    def _count(self, layer: str) -> int:
        return sum(c.labels.state != "open" for c in self.project.journal.all_latest(layer))

    def _queue(self, layer: str) -> tuple[list[str], dict[str, str]]:
        now = (self._count(layer) // REORDER_EVERY, self.helper.version if self.helper else 0)
        with self._lock:
            if self._ordered_at.get(layer) != now:
                self._ordered_at[layer] = now
                if layer in self._queues and len(self.images) > AT_ONCE:
                    threading.Thread(target=self._reorder, args=(layer,), daemon=True).start()
                else:
                    self._queues[layer] = self._order(layer)
            return self._queues[layer]

    def _reorder(self, layer: str) -> None:
        queue = self._order(layer)
        with self._lock:
            self._queues[layer] = queue

    def _order(self, layer: str) -> tuple[list[str], dict[str, str]]:
        done = {
            change.labels.image
            for change in self.project.journal.all_latest(layer)
            if change.labels.state != "open"
        }
        if self.teaching:
            found, earlier = self.helper.found() if self.helper else (None, None)
            table = teaching_order(
                self.images,
                done,
                self.project.vocabulary,
                labels=self.project.boxes(layer),
                proposals=found,
                earlier=earlier,
            )
        else:
            table = plain_order(self.images, done)
        names = table["image"].tolist()
        if self.helper is not None:
            self.helper.look_at(names[:AHEAD])
        return names, dict(zip(names, table["reason"].tolist(), strict=True))

    def _maybe_train(self) -> None:
        if not self.train_every or self.helper is None:
            return
        with self._lock:
            count = self._count("")
            if count - self._trained_at >= self.train_every and self.helper.status.can_train:
                self._trained_at = count
                try:
                    self.helper.train()
                except (InputError, OSError) as error:  # what was to be saved is saved
                    log.warning("no training: %s", error)
