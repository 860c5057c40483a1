"""The three jobs that a person runs: detect parts, train, retrieve."""

from __future__ import annotations

from pathlib import Path

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from detection.detector import Detector
from pipelines.jobs import detector as detector_jobs
from pipelines.jobs import network as network_jobs
from pipelines.jobs import retrieval as retrieval_jobs
from pipelines.sample import write_sample
from pipelines.tables import say
from reid.evaluation.report import Evaluation
from reid.run import Run

SAMPLE_DETECTOR = ["weights=yolo11n.yaml", "image_size=160", "epochs=40", "hold_out=0.2",
                   "mosaic=0", "degrade=0.2", "crop_to_vehicle=0"]  # fmt: skip
SAMPLE_RECIPE, DEFAULT_RECIPE = "prn-sample", "prn-small"


def _name(data: Path | None) -> str:
    return "sample" if data is None else data.resolve().stem


def _data(data: Path | None, work: Path) -> Path:
    """Return the data set given, or the built-in sample, drawn once."""
    if data is not None:
        return data
    sample = work / "sample" / "data"
    if not (sample / "images.parquet").is_file():
        write_sample(sample)
        say(f"no data set given: drew the built-in sample into {sample}")
    return sample


def detect_parts(
    data: Path | None,
    labels: Path | None,
    detector: Path | None,
    settings: list[str],
    work: Path,
    device: str,
) -> None:
    """Train a detector (or take one), detect over the data set, fill the training images."""
    if data is not None and labels is None and detector is None:
        raise InputError(
            "a data set needs a detector: give --labels (LABELS=), a labelled set made by "
            "'partreid parts import', or --detector (DETECTOR=), one that is trained"
        )
    root = _data(data, work)
    folder = work / _name(data)
    read_images(root)  # a wrong data set is said before the detector is trained
    if detector is None:
        chosen = labels or root / "labels"
        detector = folder / "detector"
        if data is None and labels is None:
            settings = [*SAMPLE_DETECTOR, *settings]
        detector_jobs.train(chosen, detector, settings, device)
    else:
        Detector.load(detector)
    detector_jobs.detect(detector, root, None, folder / "parts", [], False, device)
    images = detector_jobs.training_images(read_images(root))
    if images.frame["identity"].notna().any():
        detector_jobs.fill(folder / "parts", root, None, folder / "parts-filled.parquet")


def train_reid(
    data: Path | None, recipe: str | None, changes: list[str], work: Path, device: str
) -> tuple[Run, Evaluation | None]:
    """Train on the cached parts of a data set, and evaluate where it has a test split."""
    root, folder = _data(data, work), work / _name(data)
    boxes = folder / "parts-filled.parquet"
    if not boxes.is_file():
        if data is not None:
            raise InputError(f"{boxes}: not there; run 'make detect-parts DATA={data}' first")
        detect_parts(None, None, None, [], work, device)
    out = _run_folder(data, recipe, work)
    run = network_jobs.train(
        recipe or (DEFAULT_RECIPE if data else SAMPLE_RECIPE),
        root, None, out, boxes, changes, device, workers=2,
    )  # fmt: skip
    if not {"query", "gallery"} <= set(read_images(root).frame.get("split", [])):
        say("the data set has no query and gallery splits: not evaluated")
        return run, None
    return run, network_jobs.evaluate(out, root, None, None, "global", None, device)


def _run_folder(data: Path | None, recipe: str | None, work: Path) -> Path:
    chosen = recipe or (DEFAULT_RECIPE if data else SAMPLE_RECIPE)
    return work / _name(data) / f"reid-{Path(chosen).stem}"


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
    out = _run_folder(data, recipe, work)
    if data is None and not (out / "model.pt").is_file():
        train_reid(None, recipe, [], work, device)
    run = Run.load(out)
    sides = _sides(data, queries, gallery, work)
    folder = work / _name(data) / "retrieval"
    parts = work / _name(data) / "parts"
    # Boxes only decorate this page, so they are shown where the images have them.
    boxes = detector_jobs.boxes_at(parts) if queries is None and parts.is_dir() else None
    built = retrieval_jobs.build_from(sides[1], run, folder / "gallery", None, "global", device)
    return retrieval_jobs.search_in(sides[0], built, run, folder, top, boxes, True, device)


def _sides(
    data: Path | None, queries: Path | None, gallery: Path | None, work: Path
) -> tuple[Images, Images]:
    if queries is not None and gallery is not None:
        return read_images(queries), read_images(gallery)
    images = read_images(_data(data, work))
    return images.split("query"), images.split("gallery")
