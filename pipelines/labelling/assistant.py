"""A part detector that proposes boxes to a person who labels, and learns from what they keep."""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from annotations.boxes import CORNERS, Boxes
from annotations.cache import BoxCache
from annotations.errors import InputError
from annotations.images import Images
from annotations.labelling.helper import HelperStatus
from annotations.labelling.project import Project
from annotations.labelling.record import DrawnBox
from annotations.pixels import read_image
from detection.card import DetectorCard
from detection.settings import DetectorSettings, DetectSettings
from pipelines.labelling.training import Training
from pipelines.settings import change

if TYPE_CHECKING:  # torch takes seconds, and the page is to be there at once
    from detection.detector import Detector

log = logging.getLogger(__name__)

FEWEST = 10
"""Labelled images from which a detector is trained."""
_NUMBERED = re.compile(r"detector-(\d+)")
_TAKEN = re.compile(r"detector-(\d+)(\.log)?")


class Assistant:
    """See `annotations.labelling.helper.Helper`.

    Args:
        images: of the data set.
        project: the labels; detectors trained on them go into its folder ``detectors``.
        detector: the first detector's folder, or None to begin without one.
        changes: of the settings that detectors are trained with, as ``key=value``; where they say
            nothing of ``weights``, training goes on from the detector that is there.
        device: auto, cpu or cuda.

    Raises:
        InputError: the detector finds none of the project's parts.
    """

    def __init__(
        self,
        images: Images,
        project: Project,
        detector: Path | None = None,
        changes: Sequence[str] = (),
        device: str = "auto",
    ) -> None:
        self._images, self._project, self._device = images, project, device
        self._changes = list(changes)
        self._own = project.folder / "detectors"
        self._lock, self._loading = threading.RLock(), threading.Lock()
        self._version = 0
        self._found: dict[str, list[DrawnBox]] = {}
        self._boxes: Boxes | None = None
        self._earlier: Boxes | None = None
        self._training: Training | None = None
        self._failed = ""
        self._trained_on = 0
        self._detector: Detector | None = None
        if detector is not None:
            self._require_parts(detector)
        folders = [*([detector] if detector else []), *self._trained()]
        self._folder = folders[-1] if folders else None
        if len(folders) > 1:
            self._earlier = self._cached(folders[-2])
        if self._folder is not None:
            card = DetectorCard.read(self._folder)
            self._trained_on = len(card.trained_on) if self._folder != detector else 0
            self._boxes, self._found = self._known_parts(self._cached(self._folder))
        self._wanted: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        threading.Thread(target=self._look_for_ever, daemon=True).start()

    @property
    def version(self) -> int:
        """See `Helper.version`."""
        self._look_after_training()
        return self._version

    @property
    def status(self) -> HelperStatus:
        """See `Helper.status`."""
        self._look_after_training()
        with self._lock:
            count = len(self._project.finished())
            can = count >= FEWEST and count != self._trained_on and self._training is None
            if self._training is not None:
                count, epoch = self._training.count, self._training.epochs + 1
                return HelperStatus(f"learning from {count} images: epoch {epoch}", training=True)
            if self._failed:
                return HelperStatus(f"training failed: {self._failed}", can_train=can, failed=True)
            if self._folder is None:
                need = f"; one can be trained from {FEWEST} images on" if count < FEWEST else ""
                return HelperStatus(f"no detector yet{need}", can_train=can)
            learned = (
                f", learned from {self._trained_on} of these images" if self._trained_on else ""
            )
            return HelperStatus(f"{self._folder.name} proposes{learned}", can_train=can)

    def found(self) -> tuple[Boxes | None, Boxes | None]:
        """See `Helper.found`."""
        with self._lock:
            return self._boxes, self._earlier

    def propose(self, image: str) -> list[DrawnBox]:
        """See `Helper.propose`."""
        with self._lock:
            if self._folder is None:
                return []
            if image in self._found:
                return self._found[image]
        detector = self._loaded()
        frame = detector.detect([read_image(self._images.root / image)])
        rows = frame[["part", *CORNERS, "score"]].itertuples(index=False, name=None)
        boxes = [_proposal(*row) for row in rows if row[0] in self._project.vocabulary.names]
        with self._lock:
            if detector is self._detector:  # no other has been trained meanwhile
                self._found[image] = boxes
        return boxes

    def look_at(self, images: Sequence[str]) -> None:
        """See `Helper.look_at`."""
        self._wanted.put(list(images))

    def train(self) -> None:
        """See `Helper.train`."""
        self._look_after_training()
        with self._lock:
            count = len(self._project.finished())
            if self._training is not None or count < FEWEST:
                return
            self._failed = ""
            changes = list(self._changes)
            given = {change.partition("=")[0].strip() for change in changes}
            if "weights" not in given and self._folder is not None:
                changes.append(f"weights={self._folder / DetectorCard.WEIGHTS}")
                size = DetectorCard.read(self._folder).settings.image_size
                changes += [] if "image_size" in given else [f"image_size={size}"]
            try:
                out = self._own / f"detector-{self._next_number():03d}"
                self._training = Training(self._project.folder, out, count, changes, self._device)
            except OSError as error:
                self._failed = f"{error.filename or self._own}: {error.strerror}"
                log.warning("training failed: %s", self._failed)

    def close(self) -> None:
        """End a training that goes on."""
        with self._lock:
            if self._training is not None:
                self._training.stop()

    def _next_number(self) -> int:
        # Also after one that another page trains on the same labels, of which only the log is sure.
        names = [path.name for path in self._own.iterdir()] if self._own.is_dir() else []
        taken = [found for name in names if (found := _TAKEN.fullmatch(name))]
        return 1 + max((int(found[1]) for found in taken), default=0)

    def _trained(self) -> list[Path]:
        if not self._own.is_dir():
            return []
        return sorted(
            folder
            for folder in self._own.iterdir()
            if _NUMBERED.fullmatch(folder.name) and (folder / DetectorCard.FILE).is_file()
        )

    def _require_parts(self, folder: Path) -> None:
        finds = DetectorCard.read(folder).vocabulary.names
        if not set(finds) & set(self._project.vocabulary.names):
            raise InputError(
                f"{folder}: finds {', '.join(finds)}, none of which is labelled here "
                f"({', '.join(self._project.vocabulary.names)})"
            )

    def _look_after_training(self) -> None:
        with self._lock:
            training = self._training
            if training is None or training.running:
                return
            self._training = None
            if not training.succeeded:
                self._failed = training.complaint
                log.warning("%s: training failed: %s", training.log, self._failed)
                return
            self._earlier, self._boxes, self._found = self._boxes, None, {}
            self._folder, self._detector = training.out, None
            self._trained_on = training.count
            self._version += 1
            self._wanted.put([])  # load it before anyone waits for it

    def _loaded(self) -> Detector:
        """Return the detector; loading it takes seconds, in which everything else goes on."""
        with self._loading:
            with self._lock:
                folder, there = self._folder, self._detector
            if there is not None:
                return there
            assert folder is not None
            from detection.detector import Detector

            loaded = Detector.load(folder, None if self._device == "auto" else self._device)
            with self._lock:
                if self._folder == folder:
                    self._detector = loaded
            return loaded

    def _cache(self, detector: str) -> Path:
        return self._own / f"found-{detector[:8]}"

    def _cached(self, folder: Path) -> Boxes | None:
        return self._every(DetectorCard.read(folder).weights)

    def _every(self, detector: str) -> Boxes | None:
        cache = self._cache(detector)
        if not cache.is_dir():
            return None
        _, boxes = BoxCache(cache, {"detector": detector}).read()
        return boxes

    def _known_parts(self, boxes: Boxes | None) -> tuple[Boxes | None, dict[str, list[DrawnBox]]]:
        """Return the boxes of the project's parts, and what to offer on each image."""
        if boxes is None:
            return None, {}
        mine = boxes.frame["part"].isin(self._project.vocabulary.names)
        kept = Boxes(boxes.frame[mine], boxes.about, boxes.source)
        found: dict[str, list[DrawnBox]] = {}
        rows = kept.frame[["image", "part", *CORNERS, "score"]]
        for image, *row in rows.itertuples(index=False, name=None):
            found.setdefault(str(image), []).append(_proposal(*row))
        return kept, found

    def _look_for_ever(self) -> None:
        while True:
            names = self._wanted.get()
            while not self._wanted.empty():  # only the newest wish counts
                names = self._wanted.get()
            try:
                self._look(names)
            except InputError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("the detector could not look ahead")

    def _look(self, names: list[str]) -> None:
        with self._lock:
            todo = {name for name in names if name not in self._found}
            if self._folder is None:
                return
        detector = self._loaded()
        if not todo:
            return
        from detection.detect import detect_parts

        wanted = self._images.where(self._images.frame["image"].isin(todo))
        report = detect_parts(
            detector, wanted, self._cache(detector.hash), DetectSettings(), progress=False, batch=8
        )
        every, found = self._known_parts(self._every(detector.hash))
        nothing = set(wanted.frame["image"]) - set(report.boxes.frame["image"])
        with self._lock:
            if detector is not self._detector:
                return  # another has been trained meanwhile
            self._found.update({name: [] for name in nothing})
            self._found.update(found)
            self._boxes = every
            self._version += 1


def _proposal(part: str, x1: float, y1: float, x2: float, y2: float, score: float) -> DrawnBox:
    return DrawnBox.offer(part, (x1, y1, x2, y2), "detector", float(score))


def training_settings(changes: Sequence[str]) -> DetectorSettings:
    """Check changes of a detector's settings before anything starts; see `pipelines.settings`."""
    return change(DetectorSettings, list(changes))
