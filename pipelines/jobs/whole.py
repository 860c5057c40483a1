"""The three jobs that a person runs: detect parts, train, retrieve."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.boxes import CORNERS, Boxes
from annotations.cache import BOXES
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import read_text, write_text
from annotations.images import Images
from annotations.masks import FILE as MASKS
from detection.card import DetectorCard
from detection.detector import Detector
from pipelines.jobs import detector as detector_jobs
from pipelines.jobs import evaluation as evaluation_jobs
from pipelines.jobs import network as network_jobs
from pipelines.jobs import retrieval as retrieval_jobs
from pipelines.jobs import views as view_jobs
from pipelines.jobs.fleet import make as make_fleet
from pipelines.jobs.found import found_at
from pipelines.jobs.parts_compared import comparer_for
from pipelines.recipes import load_recipe
from pipelines.selection import maker_of
from pipelines.tables import say
from reid.attention.finder import MaskFinder
from reid.data.locate import Found
from reid.evaluation.report import Evaluation
from reid.methods import located_by, needs_boxes
from reid.recipe import Recipe
from reid.retrieval.question import Question
from reid.retrieval.several import Galleries
from reid.run import Run

DEMO_DETECTOR = ("weights=yolo11n.yaml", "image_size=160", "epochs=16", "batch=8",
                 "hold_out=0.2", "mosaic=0", "degrade=0.2", "crop_to_vehicle=0")  # fmt: skip
DEMO_RECIPE, DEFAULT_RECIPE = "prn-demo", "prn-small"
_SAME = ["image", "identity", "camera", "split"]
"""What two tables of one data set say alike."""


@dataclass(frozen=True)
class Job:
    """A data set and the folder that holds everything made from it.

    Attributes:
        root: the data set.
        folder: WORK and the data set's name.
        built_in: whether the data set is the built-in fleet.
    """

    root: Path
    folder: Path
    built_in: bool

    @classmethod
    def on(cls, data: Path | None, work: Path) -> Job:
        """Find the folder of a data set; without one, make the built-in fleet.

        Raises:
            InputError: no such data set, or the folder belongs to another of the same name, not to
                another table of the same images, such as one with viewpoints filled in.
        """
        if data is None:
            root = work / "fleet" / "data"
            if not root.is_dir():
                say("no data set given: making the built-in fleet")
                make_fleet(root, "demo", None)
            return cls(root, work / "fleet", True)
        images = read_images(data)  # a wrong data set is said before anything is made
        path = data.resolve()
        folder = work / (path.parent.name if path.is_file() else path.name)
        note = folder / "data.txt"
        if not note.is_file():
            write_text(note, f"{path}\n")
        elif (before := read_text(note).strip()) != str(path) and not _tells_of(before, images):
            raise InputError(
                f"{folder}: belongs to another data set, {before}; give another --work (WORK=)"
            )
        return cls(data, folder, False)

    def views_of(self, images: Path, out: Path, device: str) -> Path:
        """Find the views of other images, or what is new of them, and return the cache."""
        network = self.views / view_jobs.NETWORK
        work = f"{images.resolve()} {MaskFinder.load(network).hash}"
        place = out / f"views-{hashlib.sha256(work.encode()).hexdigest()[:8]}"
        view_jobs.find(network, images, None, place, False, device)
        return place

    def parts_of(self, images: Path, out: Path, device: str) -> Path:
        """Detect the parts of other images, or what is new of them, and return the cache.

        Another folder, or another detector, has another cache below ``out``.
        """
        detector = self.folder / "detector"
        work = f"{images.resolve()} {DetectorCard.read(detector).weights}"
        place = out / f"parts-{hashlib.sha256(work.encode()).hexdigest()[:8]}"
        detector_jobs.detect(detector, images, None, place, [], False, device)
        return place

    def recipe(self, given: str | None) -> str:
        """Return the recipe given, or the one that suits the data set."""
        return given or (DEMO_RECIPE if self.built_in else DEFAULT_RECIPE)

    def run(self, recipe: str | None) -> Path:
        """Return the folder of a recipe's run."""
        return self.folder / f"reid-{Path(self.recipe(recipe)).stem}"

    @property
    def parts(self) -> Path:
        """The cache of the boxes that the detector found."""
        return self.folder / "parts"

    @property
    def foreground(self) -> Path:
        """The masks of vehicles, and the network that found them."""
        return self.folder / "foreground"

    @property
    def span(self) -> Path:
        """The network that finds views."""
        return self.folder / "span"

    @property
    def views(self) -> Path:
        """The masks of the views that it found."""
        return self.folder / "views"

    @property
    def filled(self) -> Path:
        """The boxes for training, filled by identity."""
        return self.folder / "parts-filled.parquet"


def _tells_of(data: str, images: Images) -> bool:
    """Return whether a data set has these images, of the same vehicles, cameras and splits.

    What is kept of images is known by their names, and what is learned from them says itself when
    other columns changed.
    """
    try:
        other = read_images(Path(data))
    except InputError:
        return False
    one, two = (
        each.frame.reindex(columns=_SAME).astype("string").fillna("").sort_values("image")
        for each in (other, images)
    )
    same_root = other.root.resolve() == images.root.resolve()
    return same_root and bool(np.array_equal(one.to_numpy(), two.to_numpy()))


def detect_parts(
    data: Path | None,
    labels: Sequence[Path],
    detector: Path | None,
    settings: list[str],
    redo: bool,
    work: Path,
    device: str,
) -> None:
    """Train a detector (or take one), detect over the data set, fill the training images."""
    if data is not None and not labels and detector is None:
        raise InputError(
            "a data set needs a detector: give --labels (LABELS=), a labelled set made by "
            "'partreid parts import', or --detector (DETECTOR=), one that is trained"
        )
    if data is None and (labels or detector is not None):
        raise InputError("give --data (DATA=) too: the images whose parts are to be found")
    job = Job.on(data, work)
    if detector is None:
        detector = job.folder / "detector"
        chosen = [*DEMO_DETECTOR, *settings] if job.built_in else settings
        detector_jobs.train(labels or [job.root / "labels"], detector, chosen, device, redo)
    else:
        Detector.load(detector)
    detector_jobs.detect(detector, job.root, None, job.parts, [], redo, device)
    if read_images(job.root).training().frame["identity"].notna().any():
        detector_jobs.fill(job.parts, job.root, None, job.filled)


def train_reid(
    data: Path | None, recipe: str | None, changes: list[str], work: Path, device: str
) -> tuple[Run, Evaluation | None]:
    """Train on the cached parts of a data set, and evaluate where it has a test split."""
    job = Job.on(data, work)
    chosen = job.recipe(recipe)
    wanted = load_recipe(chosen, changes)
    # An embedding made of parts has only those that were found, so it learns from no others.
    found = _place(job, wanted)
    boxes = found or _learned_from(job, wanted)
    if boxes is not None and not boxes.is_file():
        make = "find-views" if boxes.parent == job.views else "detect-parts"
        if not job.built_in or make == "find-views":
            raise InputError(f"{boxes}: not there; run 'make {make} DATA={data or '...'}' first")
        detect_parts(None, [], None, [], False, work, device)
    out = job.run(recipe)
    detector = None
    if boxes is not None and boxes.parent != job.views:
        detector = maker_of(detector_jobs.boxes_at(job.parts), job.folder / "detector")
    run = network_jobs.train(
        chosen, job.root, None, out, boxes, changes, device, workers=2, detector=detector
    )
    splits = set(read_images(job.root).frame.get("split", []))
    if "test" not in splits and not {"query", "gallery"} <= splits:
        say("the data set has no query and gallery splits, and no test split: not evaluated")
        return run, None
    results = out / "evaluation"
    return run, evaluation_jobs.evaluate(out, job.root, None, found, "global", results, device)


def _learned_from(job: Job, recipe: Recipe) -> Path | None:
    """Return the file that training takes where embedding takes none."""
    if not recipe.parts.use:
        return None
    return job.views / MASKS if located_by(recipe) == "masks" else job.filled


def _place(job: Job, recipe: Recipe) -> Path | None:
    """Return the file of what a recipe's embedding is made of; None where that is no part."""
    if not needs_boxes(recipe, "global"):
        return None
    by_masks = located_by(recipe) == "masks"
    return job.views / MASKS if by_masks else job.parts / BOXES


def retrieve(
    data: Path | None,
    queries: Path | None,
    gallery: Path | None,
    recipe: str | None,
    top: int,
    work: Path,
    device: str,
) -> Path:
    """Search a gallery folder for every query; without folders, the data set's own splits."""
    if (queries is None) != (gallery is None):
        raise InputError("give both --queries (QUERIES=) and --gallery (GALLERY=), or neither")
    if data is None and queries is not None:
        raise InputError(
            "give --data (DATA=) too: the data set whose network is to be used; a network "
            "trained on the built-in fleet knows nothing of photographs"
        )
    job = Job.on(data, work)
    load_recipe(job.recipe(recipe))
    if job.built_in and not (job.run(recipe) / "model.pt").is_file():
        train_reid(None, recipe, [], work, device)
    run = Run.load(job.run(recipe))
    if queries is not None and gallery is not None:
        asked, searched = read_images(queries), read_images(gallery)
    else:
        images = read_images(job.root)
        asked, searched = images.split("query"), images.split("gallery")
    out = job.folder / "retrieval"
    made_of = _place(job, run.recipe)
    # Where boxes only decorate the page, they are shown where the images have them.
    own = (made_of.parent if made_of else job.parts) if queries is None else None
    places = [own, own] if own is not None and own.is_dir() else [None, None]
    if made_of and queries is not None and gallery is not None:
        find = job.views_of if made_of.parent == job.views else job.parts_of
        places = [find(folder, out, device) for folder in (queries, gallery)]
    found = [found_at(place) if place else None for place in places]
    built = retrieval_jobs.build_from(
        searched, run, out / "gallery", found[1] if made_of else None, "global", device
    )
    question = Question(top=top, drop_self=True, drop_same_camera=True)
    # Where nothing is known of folders, only what is shown is looked at, by the detector there is.
    known = _of_all(found, (asked, searched))
    detector = job.folder / "detector"
    finds = detector if known is None and (detector / DetectorCard.FILE).is_file() else None
    try:
        comparer = comparer_for(run, known, finds, None, "global", out / "shown", device)
    except InputError as error:  # such as a detector of other parts, which the search needs not
        comparer = str(error)
    return retrieval_jobs.search_in(
        asked, Galleries((built,)), run, out, question, found[0], device, comparer=comparer
    )


def _of_all(found: Sequence[Found | None], tables: Sequence[Images]) -> Boxes | None:
    """Return the boxes of several tables of images as one, named by the paths of the files."""
    frames, about = [], {}
    for boxes, images in zip(found, tables, strict=True):
        if not isinstance(boxes, Boxes):
            return None
        about = boxes.about
        mine = boxes.frame[boxes.frame["image"].isin(images.frame["image"])]
        root = images.root.resolve()
        frames.append(mine.assign(image=[str(root / name) for name in mine["image"]]))
    # A file of two tables has its boxes once.
    frame = pd.concat(frames, ignore_index=True)
    return Boxes(frame.drop_duplicates(["image", "part", *CORNERS]), about, "part boxes")
