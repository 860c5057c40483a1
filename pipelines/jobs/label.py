"""Labelling: a page to draw part boxes on."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.labelling.desk import Desk
from annotations.labelling.page.app import make_app
from annotations.labelling.project import Project
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary
from annotations.web.serve import address, bind, serve, token_for
from pipelines.labelling.assistant import Assistant, training_settings
from pipelines.tables import say, written

DERIVES = "prn"
"""The vocabulary whose lights and brand are derived from tight boxes unless told otherwise."""


@dataclass(frozen=True)
class Wish:
    """What a person asked for.

    Attributes:
        data: the data set.
        dataset: its kind; None to recognise it.
        labels: folder of the project; None for ``WORK/NAME/labels``.
        work: folder of outputs.
        vocabulary: of a new project, by name or file; None for the one that is there, or prn.
        derive: whether lights and brand are derived; None for the usual.
        start: labels made elsewhere to begin with, a labelled set.
        detector: the first detector.
        changes: of the settings of detectors trained here.
        train_every: images after which one is trained; 0 for at the button alone.
        order: ``teaching`` or ``plain``.
        name: of who labels.
        apart: whether they write labels of their own, not seeing the others'.
        host: to listen on.
        port: to listen on.
        token: that requests must know; None for the usual.
        device: auto, cpu or cuda.
    """

    data: Path
    dataset: str | None = None
    labels: Path | None = None
    work: Path = Path("runs")
    vocabulary: str | None = None
    derive: bool | None = None
    start: Path | None = None
    detector: Path | None = None
    changes: tuple[str, ...] = ()
    train_every: int = 0
    order: str = "teaching"
    name: str = ""
    apart: bool = False
    host: str = "127.0.0.1"
    port: int = 8090
    token: str | None = None
    device: str = "auto"


def label(wish: Wish) -> None:
    """Open the page, until Ctrl-C."""
    taken = bind(wish.host, wish.port)
    if wish.order not in ("teaching", "plain"):
        raise InputError(f"--order '{wish.order}': give teaching or plain")
    training_settings(wish.changes)
    images = read_images(wish.data, wish.dataset)
    project = _project(wish, images)
    name = wish.name or _login()
    if wish.apart and not name:
        raise InputError("--apart needs a name: give --as NAME")
    if wish.start is not None:
        count = project.take_over(LabelledSet.read(wish.start), f"import of {wish.start.name}")
        say(f"{count} labelled images taken from {wish.start}")
    detector = wish.detector or _beside(wish)
    assistant = Assistant(images, project, detector, wish.changes, wish.device)
    desk = Desk(
        images,
        project,
        assistant,
        teaching=wish.order == "teaching",
        train_every=wish.train_every,
    )
    for problem in project.journal.damaged:
        say(problem)
    if desk.gone:
        say(
            f"{len(desk.gone)} labelled images are not in {images.source} any more, such as "
            f"'{desk.gone[0]}'; their labels are kept"
        )
    token = token_for(wish.host, wish.token)
    app = make_app(desk, by=name, layer=name if wish.apart else "", token=token)
    say(f"{len(images)} images, {len(project.finished())} labelled; {assistant.status.words}")
    written(project.folder, "labels:")

    def started() -> None:
        say(f"open {address(wish.host, taken, token)} (Ctrl-C ends; every change is saved at once)")

    try:
        serve(app, taken, started)
    finally:
        assistant.close()
    say(f"{len(project.finished())} images labelled")
    written(project.folder, "labels:")


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _home(wish: Wish) -> Path:
    return wish.work / wish.data.resolve().stem


def _beside(wish: Wish) -> Path | None:
    folder = _home(wish) / "detector"
    return folder if (folder / "detector.json").is_file() else None


def _project(wish: Wish, images: Images) -> Project:
    folder = wish.labels or _home(wish) / "labels"
    if not Project.is_at(folder):
        if LabelledSet.is_at(folder):
            raise InputError(
                f"{folder}: a labelled set that was not made here; begin with it by "
                f"--start {folder} --labels ANOTHER_FOLDER"
            )
        vocabulary = load_vocabulary(wish.vocabulary or "prn")
        derive = wish.derive if wish.derive is not None else vocabulary.name == DERIVES
        return Project.create(folder, vocabulary, images.root, DERIVES if derive else None)
    project = Project.open(folder)
    if wish.vocabulary and load_vocabulary(wish.vocabulary).names != project.vocabulary.names:
        raise InputError(
            f"{folder}: labels {', '.join(project.vocabulary.names)}; label '{wish.vocabulary}' "
            "into another folder with --labels"
        )
    if not project.root.is_dir():
        say(f"{folder}: its images were under {project.root}, which is gone; now {images.root}")
        project.follow(images.root)
    if project.root.resolve() != images.root.resolve():
        raise InputError(
            f"{folder}: holds labels of images under {project.root}, not of {images.root}; give "
            "another folder with --labels"
        )
    return project
