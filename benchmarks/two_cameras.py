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
import hashlib
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from detection.fill import fill_boxes
from pipelines.recipes import load_recipe
from reid.evaluation.bootstrap import bootstrap, bootstrap_difference
from reid.evaluation.report import evaluate
from reid.training.fit import fit

METHODS = {"plain": "parts.use=[]", "prn": "parts.use=[window,light,brand]"}


def with_fold(images: Images, fold: int, folds: int) -> Images:
    """Make identities of one fold the test set: camera 1 asks, camera 2 is the gallery."""
    frame = images.frame
    identities = np.random.default_rng(0).permutation(sorted(frame["identity"].unique()))
    test = frame["identity"].isin(identities[fold::folds])
    asks = frame["camera"] == frame["camera"].min()
    split = np.where(test, np.where(asks, "query", "gallery"), "train")
    return Images(frame.assign(split=split), images.root, images.source)


def one(
    job: tuple[str, int, int],
    *,
    root: Path,
    boxes: Path,
    weights: Path,
    out: Path,
    folds: int,
    changes: list[str],
    workers: int,
) -> None:
    """Train and test one network, and write its per-query scores."""
    method, seed, fold = job
    done = out / "runs" / f"{method}-seed{seed}-fold{fold}.csv"
    if done.is_file():
        return
    images = read_images(root, "twocam")
    if folds:
        images = with_fold(images, fold, folds)
    recipe = load_recipe(
        "prn-small", [f"backbone.weights={weights}", METHODS[method], f"seed={seed}", *changes]
    )
    found = Boxes.read(boxes)
    filled, _ = fill_boxes(found, images.split("train"), load_vocabulary("prn"))
    with tempfile.TemporaryDirectory() as folder:
        run = fit(recipe, images, filled, Path(folder) / "run", workers=workers, progress=False)
        scored = evaluate(run, images, progress=False).ranking.per_query
    done.parent.mkdir(parents=True, exist_ok=True)
    scored.assign(method=method, seed=seed, fold=fold).to_csv(done, index=False)


def summarise(out: Path) -> str:
    """Print and return the table: mean over seeds, spread, and intervals over identities."""
    frame = pd.concat([pd.read_csv(path) for path in sorted((out / "runs").glob("*.csv"))])
    frame["rank1"] = (frame["first"] <= 1).astype(float)
    frame.to_csv(out / "results.csv", index=False)
    lines = ["method metric mean seed-spread low high"]
    means = {}
    for metric in ("ap", "rank1", "inp"):
        for method, rows in frame.groupby("method"):
            by_seed = rows.groupby("seed")[metric].mean()
            by_query = rows.groupby("image")[metric].mean()
            means[method] = by_query
            low, high = bootstrap(by_query)
            lines.append(
                f"{method} {metric} {by_query.mean():.4f} {by_seed.std():.4f} {low:.4f} {high:.4f}"
            )
        if len(means) == 2:
            plain, prn = means["plain"].align(means["prn"], join="inner")
            low, high = bootstrap_difference(prn, plain)
            lines.append(f"prn-plain {metric} {(prn - plain).mean():+.4f} - {low:+.4f} {high:+.4f}")
    text = "\n".join(lines)
    (out / "summary.txt").write_text(text + "\n")
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
    jobs = [
        (method, seed, fold)
        for fold in range(max(1, given.folds))
        for seed in range(given.seeds)
        for method in METHODS
    ]
    work = partial(
        one,
        root=given.root,
        boxes=given.boxes,
        weights=given.weights,
        out=given.out,
        folds=given.folds,
        changes=given.changes,
        workers=given.workers,
    )
    about = json.dumps(
        {
            "folds": given.folds,
            "recipe": load_recipe("prn-small", given.changes).model_dump(mode="json"),
            "boxes": hashlib.sha256(given.boxes.read_bytes()).hexdigest(),
            "weights": hashlib.sha256(given.weights.read_bytes()).hexdigest(),
        },
        indent=1,
    )
    claim = given.out / "about.json"
    if claim.is_file() and claim.read_text() != about:
        raise SystemExit(f"{given.out} holds results of other folds, settings or boxes")
    given.out.mkdir(parents=True, exist_ok=True)
    claim.write_text(about)
    if given.jobs == 1:
        for job in jobs:
            work(job)
    else:
        with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
            list(pool.map(work, jobs))
    print(summarise(given.out))


if __name__ == "__main__":
    main()
