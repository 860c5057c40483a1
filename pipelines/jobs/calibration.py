"""Learning from labelled pairs what a run's distances mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from pipelines.jobs.pairs_asked import PairsAsked
from pipelines.jobs.part_boxes import boxes_for, boxes_of, detect_in, detector_for, named_as
from pipelines.report.reliability import write_reliability
from pipelines.tables import say, show, written
from reid.data.labels import label_columns
from reid.distances import distance_named
from reid.evaluation.protocols.pairs import draw_pairs
from reid.methods import Branches, check_branches, compared_by, located_by
from reid.recipe import Recipe
from reid.run import Run
from reid.verification.calibration import Calibration, fit_parts
from reid.verification.curve import fit_curve, require_both
from reid.verification.described import describe
from reid.verification.features import Floats
from reid.verification.pair_distances import pair_distances
from reid.verification.reliability import brier, calibration_error, out_of_fold

_COUNT = 4000


def calibrate(
    run: Path,
    data: Path | None,
    dataset: str | None,
    pairs: Path | None,
    same: tuple[str, ...],
    split: tuple[str, ...],
    boxes: Path | None,
    branches: str,
    count: int | None,
    seed: int | None,
    device: str,
    detector: Path | None = None,
    root: Path | None = None,
) -> Calibration:
    """Write ``calibration.json`` and ``calibration.png`` into a run, and print how well it does.

    Args:
        run: its folder.
        data: the data set that the pairs are of; None where ``pairs`` are files from anywhere, such
            as the marks of 'partreid serve'.
        dataset: its kind, or None.
        pairs: a file of labelled pairs; None to draw them.
        same: the columns that make a drawn pair the same; empty for the recipe's label.
        split: the splits to draw from; empty for the training split.
        boxes: part boxes, or None for those beside the run.
        branches: what makes an embedding.
        count: pairs to draw; None for 4,000.
        seed: of the draw; None for 0.
        device: ``auto``, ``cpu``, ``cuda``.
        detector: finds the parts of pairs of files where no boxes are given; None for the one
            beside the run.
        root: the folder that the paths of pairs of files start from; None for that of ``pairs``.

    Raises:
        InputError: something given is wrong, or the network does not tell the pairs apart.
    """
    of_the_draw = {"split": split or None, "count": count, "seed": seed}
    if pairs and (ours := [name for name, value in of_the_draw.items() if value is not None]):
        raise InputError(f"--{ours[0]}: is for pairs that are drawn, and --pairs gives them")
    chosen = check_branches(branches)
    if chosen == "views":
        raise InputError("branches 'views': are for rankings; calibrate the whole, 'global'")
    loaded = Run.load(run)
    if loaded.recipe.parts.use and located_by(loaded.recipe) == "masks":
        raise InputError(
            f"{run}: the method {loaded.recipe.method} looks through masks of views, and pairs are "
            "judged by boxes of parts; use a run of eianet or prn, or rank with 'partreid eval'"
        )
    if data is None:
        given, images = _files(pairs, root)
        columns = same or _columns(loaded.recipe, images)
        found = _boxes_of_files(loaded, images, boxes, detector, chosen, device)
    else:
        for name, value in (("detector", detector), ("root", root)):
            if value is not None:
                raise InputError(f"--{name}: is for pairs of files, without DATA")
        found = boxes_for(loaded, boxes, chosen)
        images = read_images(data, dataset)
        columns = same or _columns(loaded.recipe, images)
        given = (
            Pairs.read(pairs)
            if pairs
            else _drawn(images, columns, split, count or _COUNT, seed or 0)
        )
        given.require_images(images)
    require_both(given.frame["same"].to_numpy(bool), given.source)
    if data is not None:
        _compare_labels(given, images, columns, bool(same))
    compared = {*given.frame["first"], *given.frame["second"]}
    asked = images.where(images.frame["image"].isin(compared))
    if data is not None:
        _warn_of_training(images, asked)
    described = describe(loaded, asked, found, branches=chosen, device=device)
    for problem in described.embedded.problems:
        say(problem)
    place = pd.Index(described.embedded.images.frame["image"])
    rows = np.stack([place.get_indexer(given.frame[side]) for side in ("first", "second")])
    read = (rows >= 0).all(0)
    truth = given.frame["same"].to_numpy(bool)[read]
    distance = distance_named(compared_by(loaded.recipe))
    measured = pair_distances(described, rows[0, read], rows[1, read], distance)
    made = Calibration(
        model=loaded.hash,
        same=columns,
        branches=chosen,
        distance=compared_by(loaded.recipe),
        compared=described.embedded.distance,
        source=given.source,
        detector="" if found is None else str(found.about.get("detector", "")),
        whole=fit_curve(measured.whole, truth),
        parts=fit_parts(measured, truth, loaded.recipe.parts.use),
    )
    honest = out_of_fold(measured.whole, truth)
    rated = [("whole", honest, truth)]
    for (name, curve), values in zip(made.parts.items(), measured.parts.T, strict=True):
        seen = ~np.isnan(values)
        if curve.slope:
            rated.append((name, out_of_fold(values[seen], truth[seen]), truth[seen]))
        else:
            say(f"{name}: says nothing: {curve.same} same and {curve.different} different pairs "
                f"show it in both images, and do not tell them apart")  # fmt: skip
    title = f"{made.question}? {made.pairs:,} pairs ({made.whole.same:,} same), each judged by a " \
            "curve learned without it"  # fmt: skip
    show(pd.DataFrame([_row(*each) for each in rated]), title)
    picture = loaded.source / "calibration.png"
    write_reliability(honest, truth, made.question, picture)
    made.write(loaded.source)
    written(loaded.source / Calibration.FILE, "calibration:")
    written(picture, "reliability diagram:")
    return made


def _files(pairs: Path | None, root: Path | None) -> tuple[Pairs, Images]:
    """Read pairs of files, and a table of these."""
    if pairs is None:
        raise InputError("give DATA to draw pairs from, or --pairs of image files")
    asked = PairsAsked.read(pairs, root)
    if "same" not in asked.frame or asked.frame["same"].isna().any():
        raise InputError(f"{pairs}: column 'same' is to say 1 or 0 of every pair")
    given = Pairs(asked.frame.assign(same=asked.frame["same"].astype(int)), str(pairs))
    alike = int((given.frame["first"] == given.frame["second"]).sum())
    if alike:
        say(f"warning: {alike} pairs are of a file with itself, which says nothing of others")
    return given, asked.images


def _boxes_of_files(
    run: Run,
    images: Images,
    boxes: Path | None,
    detector: Path | None,
    branches: Branches,
    device: str,
) -> Boxes | None:
    """Return the boxes of files: those given, else those that the detector finds, else None."""
    if boxes is not None and detector is not None:
        raise InputError("--detector: finds boxes, and --boxes are given; give one of the two")
    if boxes is not None:
        return named_as(boxes_of(run, boxes), images)
    if place := detector_for(run, detector, branches):
        return detect_in(place, images, run.source, device)
    if run.recipe.parts.use:
        say("calibrated without parts: give --detector or --boxes to learn what each of them says")
    return None


def _columns(recipe: Recipe, images: Images) -> tuple[str, ...]:
    """Return what makes images the same by the recipe's label; two makes may share a model."""
    columns = {"identity": ("identity",)}.get(recipe.label) or tuple(label_columns(recipe))
    known = "make" in images.frame and images.frame["make"].notna().all()
    return ("make", *columns) if known and "model" in columns else columns


def _drawn(
    images: Images, columns: tuple[str, ...], split: tuple[str, ...], count: int, seed: int
) -> Pairs:
    for name in split:
        images.split(name)  # one that is not there is said by its name
    chosen = images.where(images.frame["split"].isin(split)) if split else images.training()
    return draw_pairs(chosen, columns, count, seed)


def _compare_labels(pairs: Pairs, images: Images, columns: tuple[str, ...], asked: bool) -> None:
    """Say how many pairs the table contradicts, as pairs of another question would be."""
    lacking = [column for column in columns if column not in images.frame]
    if lacking and asked:
        raise InputError(f"--same: {images.source} has no column '{lacking[0]}'")
    if lacking:
        return
    known = images.frame.set_index("image")[list(columns)]
    a, b = (known.loc[pairs.frame[side]].reset_index(drop=True) for side in ("first", "second"))
    told = (a.notna() & b.notna()).all(axis=1).to_numpy(bool)
    equal = (a == b).fillna(False).all(axis=1).to_numpy(bool)
    if wrong := int((told & (equal != pairs.frame["same"].to_numpy(bool))).sum()):
        say(f"warning: by {', '.join(columns)} of {images.source}, {wrong:,} of {len(pairs):,} "
            "pairs are wrong; if they are of something else, say of what by --same")  # fmt: skip


def _warn_of_training(images: Images, asked: Images) -> None:
    """Say how many of the images a network of this data set has been trained on."""
    splits = asked.frame.get("split", pd.Series(pd.NA, index=asked.frame.index))
    whole = "split" not in images.frame or images.frame["split"].isna().all()
    trained = len(asked) if whole else int((splits == "train").sum())
    if trained:
        say(f"warning: {trained:,} of {len(asked):,} images are ones to train on: where the "
            "network was trained on them, probabilities come out too sure; give --split with "
            "another split, or --pairs of other images")  # fmt: skip


def _row(
    name: str, probability: Floats, truth: npt.NDArray[np.bool_]
) -> dict[str, str | int | float]:
    return {
        "judged by": name,
        "pairs": len(truth),
        "accuracy": float(((probability >= 0.5) == truth).mean()),
        "Brier score": brier(probability, truth),
        "calibration error": calibration_error(probability, truth),
    }
