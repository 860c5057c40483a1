"""PRN against the same network without part branches, on a two-camera set.

    python -m benchmarks.two_cameras ROOT BOXES WEIGHTS OUT [--folds 5] [--seeds 3]

ROOT is a set that `annotations.datasets.twocam` reads; BOXES its part boxes; WEIGHTS a state
dict for tf_efficientnet_lite0. Both networks get the same budget, start and order of
images. ``--folds 0`` trains on the set's own training identities and tests on its own test
identities; with folds every identity is tested once by a network that never saw it. Each
finished training is a row of OUT/results.csv, and a second call goes on after it.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.files import write_text
from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from benchmarks.side_by_side import run_each
from detection.fill import fill_boxes
from pipelines.ablation.claim import claim, data_hash, recipe_hash
from pipelines.ablation.summary import difference, means, with_metrics
from pipelines.ablation.trials import Trial, by_rank, collect, run_trial
from pipelines.recipes import load_recipe
from reid.evaluation.bootstrap import bootstrap

METHODS = {"plain": "parts.use=[]", "prn": "parts.use=[window,light,brand]"}


def with_fold(images: Images, fold: int, folds: int) -> Images:
    """Make identities of one fold the test set: camera 1 asks, camera 2 is the gallery."""
    frame = images.frame
    identities = np.random.default_rng(0).permutation(sorted(frame["identity"].unique()))
    test = frame["identity"].isin(identities[fold::folds])
    asks = frame["camera"] == frame["camera"].min()
    split = np.where(test, np.where(asks, "query", "gallery"), "train")
    return Images(frame.assign(split=split), images.root, images.source)


def plan(folds: int, seeds: int, weights: Path, changes: list[str]) -> list[Trial]:
    """Return every training: both methods, every seed, every fold."""
    return [
        Trial(
            {"method": method, "seed": seed, "fold": fold},
            load_recipe(
                "prn-small",
                [f"backbone.weights={weights}", METHODS[method], f"seed={seed}", *changes],
            ),
        )
        for fold in range(max(1, folds))
        for seed in range(seeds)
        for method in METHODS
    ]


def one(trial: Trial, *, root: Path, boxes: Path, out: Path, folds: int, workers: int) -> None:
    """Train and test one network, and leave its scores."""
    images = read_images(root, "twocam")
    if folds:
        images = with_fold(images, int(trial.labels["fold"]), folds)
    filled, _ = fill_boxes(Boxes.read(boxes), images.split("train"), load_vocabulary("prn"))
    score = by_rank(images, None, "global", "auto")
    run_trial(trial, images, filled, score, out, workers=workers)


def summarise(trials: list[Trial], out: Path) -> str:
    """Return the table: mean over seeds, spread, and intervals over identities."""
    results = with_metrics(collect(trials, out))
    results.to_csv(out / "results.csv", index=False)
    table = means(results, "method")
    lines = ["method metric mean seed-spread low high"]
    for metric in ("mAP", "rank-1", "mINP"):
        for method, rows in results.groupby("method"):
            query = rows.groupby(["image", "identity"])[metric].mean()
            low, high = bootstrap(query, query.index.get_level_values("identity").tolist())
            mean, spread = table.loc[str(method), [metric, f"{metric} spread"]]
            lines.append(f"{method} {metric} {mean:.4f} {spread:.4f} {low:.4f} {high:.4f}")
        found = difference(results, "method", "prn", "plain", metric)
        if found is not None:
            value, low, high = found
            lines.append(f"prn-plain {metric} {value:+.4f} - {low:+.4f} {high:+.4f}")
    text = "\n".join(lines)
    write_text(out / "summary.txt", text + "\n")
    return text


def main() -> None:
    """Run every method, seed and fold, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("root", "boxes", "weights", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--workers", type=int, default=2, help="processes that read images, each")
    parser.add_argument("--set", dest="changes", action="append", default=[])
    given = parser.parse_args()
    trials = plan(given.folds, given.seeds, given.weights, given.changes)
    about = {
        "folds": given.folds,
        **recipe_hash(trials[0].recipe.model_copy(update={"seed": 0})),
        **data_hash(read_images(given.root, "twocam"), Boxes.read(given.boxes)),
    }
    claim(given.out, about)
    work = partial(
        one,
        root=given.root,
        boxes=given.boxes,
        out=given.out,
        folds=given.folds,
        workers=given.workers,
    )
    run_each(work, trials, given.jobs)
    print(summarise(trials, given.out))


if __name__ == "__main__":
    main()
