"""The five methods and the baseline under one budget: one data set, one backbone, some seeds.

    python -m benchmarks.methods DATA OUT --prn BOXES --eia BOXES --masks MASKS --weights WEIGHTS

DATA is a data set with the splits train, query and gallery, and viewpoints for VAL; BOXES are
part boxes of the vocabularies prn and eia, MASKS those of views, WEIGHTS a state dict for the
backbone. Every network has its own recipe (``--set`` changes them all, ``--for eianet CHANGE``
one) and the same backbone, start and image size. The number of epochs is each recipe's own,
SPAN's 12 and the others' 10; ``--set epochs=20`` makes it the same. Each finished training is a
folder of OUT/runs, and a second call goes on after it; calls that train other methods may share
OUT. The table, OUT/table.md, is of everything that has finished there, so that a call with another
recipe, other start weights, boxes or masks than one of them was given is refused.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import choose
from annotations.files import write_text
from annotations.images import Images
from annotations.masks import Masks
from annotations.vocabulary import load_vocabulary
from benchmarks.given import digests_of, given_to, keep_given, kind_of, require_given
from benchmarks.side_by_side import run_each
from detection.fill import fill_boxes
from pipelines.ablation.claim import claim, data_hash
from pipelines.ablation.summary import METRICS, difference, means, told_metrics
from pipelines.ablation.tables import to_markdown
from pipelines.ablation.trials import Trial, by_rank, collect, run_trial, seconds_of
from pipelines.recipes import load_recipe
from reid.data.locate import Found
from reid.methods import needs_boxes
from reid.run import Run

_PARTS = "parts.use=[window, light, brand]"
METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "baseline": ("baseline-small", ()),
    "PRN": ("prn-small", ()),
    "MFG-Net": ("mfgnet-small", ()),
    "SPAN": ("span-small", ()),
    "EIA-Net": ("eianet-small", ()),
    "VAL": ("val-small", ()),
    "PRN, no parts": ("prn-small", ("parts.use=[]",)),
    "best": ("best", ()),
    "baseline, parts": ("baseline-small", (_PARTS, "parts.weight=0.3", "join=global")),
    "baseline, parts compared": ("baseline-small", (_PARTS, "parts.weight=0.3", "join=concat")),
    "baseline, VAL": ("baseline-small", ("loss.viewpoint.weight=0.3",)),
    "baseline, stripes": ("baseline-small", ("stripes=4", "join=concat")),
    "baseline, no erasing": ("baseline-small", ("augment.erase=0",)),
}
"""By name, a recipe and what is changed in it; from the seventh on, combinations. The recipe `best`
is the baseline with parts that are compared, without erasing."""
FIRST = "baseline"


def plan(
    names: list[str],
    seeds: int,
    weights: Path | None,
    changes: list[str],
    own: dict[str, list[str]],
) -> list[Trial]:
    """Return every training, seed by seed, so that a stopped run compares."""
    start = "backbone.weights=" + ("null" if weights is None else str(weights))
    trials = []
    for seed in range(seeds):
        for name in names:
            recipe, changed = METHODS[name]
            every = [start, *changes, *changed, *own.get(name, []), f"seed={seed}"]
            trials.append(Trial({"method": name, "seed": seed}, load_recipe(recipe, every)))
    return trials


def one(
    trial: Trial,
    *,
    data: Path,
    found: dict[str, Path | None],
    digests: dict[str, str],
    out: Path,
    device: str,
    workers: int,
) -> None:
    """Train and test one network, and leave its scores and what it was given."""
    images = read_images(data)
    learns, tests = where(trial, images, found)
    given = given_to(trial.recipe, digests)
    rank = by_rank(images, tests, "global", device)

    def score(run: Run, folder: Path) -> None:
        rank(run, folder)
        keep_given(folder, given)

    run_trial(trial, images, learns, score, out, device=device, workers=workers)


def where(
    trial: Trial, images: Images, found: dict[str, Path | None]
) -> tuple[Found | None, Found | None]:
    """Return where parts are, to learn from and to test with.

    Raises:
        SystemExit: they are needed and were not given.
    """
    recipe, kind = trial.recipe, kind_of(trial.recipe)
    if kind is None:
        return None, None
    path = found.get(kind)
    if path is None:
        raise SystemExit(f"{trial.labels['method']} looks at parts: give --{kind}")
    if kind == "masks":
        masks = Masks.read(path)
        return masks, masks
    boxes = Boxes.read(path)
    if needs_boxes(recipe, "global") and recipe.method == "eianet":
        return boxes, boxes  # what is not detected has no part in its losses
    filled, _ = fill_boxes(boxes, images.split("train"), load_vocabulary(kind))
    return filled, boxes


def summarise(trials: list[Trial], out: Path) -> str:
    """Write the scores of every query, and return the table as Markdown."""
    results = collect(trials, out)
    results.to_csv(out / "queries.csv", index=False)
    table = means(results, "method")
    order = [name for name in METHODS if name in table.index]
    table = table.loc[order]
    cells = pd.DataFrame(
        {"method": order, **{k: v.tolist() for k, v in told_metrics(table).items()}}
    )
    for metric in METRICS[:2]:
        against = [difference(results, "method", name, FIRST, metric) for name in order]
        cells[f"{metric} - {FIRST}'s"] = [
            "" if name == FIRST or found is None else str(found)
            for name, found in zip(order, against, strict=True)
        ]
    done = [trial for trial in trials if trial.finished(out)]
    took = pd.Series([seconds_of(trial, out) for trial in done]).groupby(
        [str(trial.labels["method"]) for trial in done]
    )
    cells["seconds"] = [f"{took.mean()[name]:.0f}" for name in order]
    cells["seeds"] = table["seeds"].tolist()
    text = to_markdown(cells)
    write_text(out / "table.md", text + "\n")
    return text


def main() -> None:
    """Train what has not been trained, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    for name in ("prn", "eia", "masks", "weights"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--methods", help="names, separated by ;")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--workers", type=int, default=2, help="processes that read images, each")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", dest="changes", action="append", default=[])
    parser.add_argument("--for", dest="own", nargs=2, action="append", default=[])
    given = parser.parse_args()
    own: dict[str, list[str]] = {}
    for name, change in given.own:
        own.setdefault(name, []).append(change)
    wanted = given.methods.split(";") if given.methods else list(METHODS)[:6]
    for name in [*wanted, *own]:
        choose(name, list(METHODS), "method") if name not in METHODS else None
    about = {"changes": [given.changes, own], **data_hash(read_images(given.data))}
    given.out.mkdir(parents=True, exist_ok=True)
    claim(given.out, about)
    trials = plan(wanted, given.seeds, given.weights, given.changes, own)
    every = plan(list(METHODS), given.seeds, given.weights, given.changes, own)
    found = {"prn": given.prn, "eia": given.eia, "masks": given.masks}
    digests = digests_of(found)
    require_given(every, digests, given.out)
    work = partial(
        one, data=given.data, found=found, digests=digests, out=given.out, device=given.device,
        workers=given.workers,
    )  # fmt: skip
    run_each(work, trials, given.jobs)
    print(summarise(every, given.out))


if __name__ == "__main__":
    main()
