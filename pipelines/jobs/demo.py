"""Every job in order on the built-in data, PRN beside the plain network, and a report of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from annotations.images import Images
from annotations.labels import LabelledSet
from pipelines.jobs import detector as detector_jobs
from pipelines.jobs import evaluation as evaluation_jobs
from pipelines.jobs import network as network_jobs
from pipelines.jobs import retrieval as retrieval_jobs
from pipelines.jobs import whole
from pipelines.jobs.steps import Steps
from pipelines.report.compare import comparison
from pipelines.report.material import PLAIN, PRN, Material, Network, Step
from pipelines.report.page import write_report
from pipelines.tables import show, written
from reid.device import in_words, pick_device
from reid.evaluation.report import Evaluation
from reid.retrieval.gallery import Gallery
from reid.retrieval.question import Question
from reid.retrieval.several import Galleries
from reid.run import Run

TITLE = "The same vehicle, recognised by its parts"
_CHANGES = {PLAIN: ["parts.use=[]"], PRN: []}
_TEXTS = {
    "Data": "Vehicles, cameras and labels, made from a seed.",
    "Part detector": "YOLO, trained from scratch on the labelled images.",
    "Detection": "Every image of the set, once; the boxes are cached.",
    "Filling": "Training images get missed parts from their vehicle's other images.",
    "Plain network": "The global branch alone.",
    "PRN": "The same, with a branch per part; same recipe, epochs and seed.",
    "Evaluation": "Both networks on the test split.",
    "Gallery": "The gallery images, embedded and indexed, for both networks.",
    "Search": "Every query against the gallery, for both networks.",
}


def demo(work: Path, device: str, changes: list[str] | None = None) -> Path:
    """Run every job on the built-in data, and write ``report.html`` into ``work``.

    What is finished is not done again: a second call goes on where the first was stopped.

    Args:
        work: the folder for everything.
        device: ``auto``, ``cpu``, ``cuda``.
        changes: to the recipe, for both networks.

    Returns:
        The report's path.
    """
    steps = Steps(work / "steps.json", len(_TEXTS) + 1)
    with steps.step("Data", done=steps.finished("Data")):
        job = whole.Job.on(None, work)
    images, labels = read_images(job.root), job.root / "labels"
    detector = job.folder / "detector"
    with steps.step("Part detector", done=(detector / "scores.csv").is_file()):
        settings = list(whole.DEMO_DETECTOR)
        detector_jobs.train([labels], detector, settings, device)
    with steps.step("Detection", done=(job.parts / "boxes.parquet").is_file()):
        detector_jobs.detect(detector, job.root, None, job.parts, [], False, device)
    with steps.step("Filling", done=job.filled.is_file()):
        detector_jobs.fill(job.parts, job.root, None, job.filled)
    folders = {PLAIN: job.folder / "reid-plain", PRN: job.run(None)}
    runs: dict[str, Run] = {}
    for title, name in (("Plain network", PLAIN), ("PRN", PRN)):
        with steps.step(title, done=(folders[name] / "model.pt").is_file()):
            runs[name] = network_jobs.train(
                job.recipe(None), job.root, None, folders[name], job.filled,
                [*(changes or []), *_CHANGES[name]], device, workers=2,
            )  # fmt: skip
    with steps.step("Evaluation"):
        scored = {
            name: evaluation_jobs.evaluate(
                run.source, job.root, None, None, "global", folders[name] / "evaluation", device
            )
            for name, run in runs.items()
        }
    places = {PLAIN: job.folder / "retrieval-plain", PRN: job.folder / "retrieval"}
    with steps.step("Gallery"):
        galleries = {
            name: retrieval_jobs.build_from(
                images.split("gallery"), run, places[name] / "gallery", None, "global", device
            )
            for name, run in runs.items()
        }
    boxes = detector_jobs.boxes_at(job.parts)
    with steps.step("Search"):
        question = Question(top=10, drop_self=True, drop_same_camera=True)
        queries = images.split("query")
        pages = {
            name: retrieval_jobs.search_in(
                queries, Galleries((galleries[name],)), run, places[name], question, boxes, device
            )
            for name, run in runs.items()
        }
    report = work / "report.html"
    with steps.step("Report"):
        plain, prn = (
            _network(name, runs[name], scored[name], galleries[name], pages[name]) for name in runs
        )
        material = Material(
            images=images,
            labels=len(LabelledSet.read(labels)),
            boxes=boxes,
            filled=detector_jobs.boxes_at(job.filled),
            vocabulary=detector_jobs.vocabulary_of(boxes),
            scores=pd.read_csv(detector / "scores.csv"),
            problems=_unreadable(images, job.parts),
            plain=plain,
            prn=prn,
            steps=tuple(Step(n, text, steps.seconds(n)) for n, text in _TEXTS.items()),
            device=in_words(pick_device(device)),
            files=(
                ("rank lists of every query by PRN", pages[PRN]),
                ("the same by the plain network", pages[PLAIN]),
                ("scores of each query by PRN", folders[PRN] / "evaluation" / "per_query.csv"),
                ("part boxes", job.parts / "boxes.parquet"),
            ),
        )
        write_report(report, TITLE, material, device)
    _show(scored)
    written(report, "report:")
    return report


def _network(name: str, run: Run, scored: Evaluation, gallery: Gallery, page: Path) -> Network:
    words = {"query": str, "image": str, "identity": str, "camera": str}
    results = pd.read_csv(page.with_name("results.csv"), dtype=words)
    return Network(name, run, scored, gallery, results)


def _unreadable(images: Images, parts: Path) -> pd.DataFrame:
    problems = pd.read_csv(parts / "problems.csv", dtype=str)
    return problems[problems["image"].isin(images.frame["image"])].reset_index(drop=True)


def _show(scored: dict[str, Evaluation]) -> None:
    table = comparison(scored[PLAIN], scored[PRN])
    interval = [f"{row.low:+.3f} to {row.high:+.3f}" for row in table.itertuples()]
    shown = table[["metric", PLAIN, PRN, "difference"]].assign(interval=interval)
    show(shown, "plain network and PRN, difference with its paired 95 % interval over vehicles")
