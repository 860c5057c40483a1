"""The shortcut test: does anything but the vehicle give an identity away?"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.datasets import read_images
from annotations.files import whole_file
from annotations.images import Images
from pipelines.ablation.claim import claim, data_hash, recipe_hash
from pipelines.ablation.trials import Trial, train
from pipelines.jobs.fleet_data import find_data
from pipelines.recipes import load_recipe
from pipelines.shortcut.checks import Galleries, Nearness, by_place, by_share, by_vector
from pipelines.shortcut.hide import HIDDEN, TONES, Hidden, hidden_copies, mask_of
from pipelines.shortcut.verdict import (
    BOX,
    CHANCE,
    OUTLINE,
    SHAPE,
    compare_all,
    learned,
    shortcuts_in,
)
from pipelines.tables import say, show, written
from reid.embedding import embed
from reid.recipe import Recipe

TEST = ("query", "gallery")
_NETWORKS: dict[Hidden, str] = dict(zip(HIDDEN, (BOX, OUTLINE, SHAPE), strict=True))


def shortcut(
    data: Path | None, recipe: str, work: Path, changes: list[str], device: str, workers: int = 2
) -> pd.DataFrame:
    """Train the plain network on images without their vehicles, and compare it with chance.

    Three networks are trained under one budget, see `pipelines.shortcut.hide.hide`: with the
    vehicle's box hidden; with its outline hidden, which leaves its shape to see; and on that
    shape alone. They have no triplet loss, as mining the hardest triplets among images that tell
    little apart makes all embeddings one; ``changes`` may ask for it. Besides, the order of files
    and the exposure of the surroundings are tried.

    Returns:
        a row per check, gallery and metric, as written to WORK/NAME/shortcut/shortcut.csv:
        ``check``, ``gallery``, ``against`` (chance, or another check), and the columns of
        `pipelines.shortcut.checks.Galleries.compare`.

    Raises:
        InputError: recipe or data set is wrong, a mask is missing, or the folder holds the
            test of another recipe or data set.
    """
    base = load_recipe(recipe, ["loss.triplet=0", *changes, "parts.use=[]"])
    root, place = find_data(data, work)
    images = read_images(root)
    galleries = Galleries.of(images)
    masks = (root.parent if root.is_file() else root) / "masks"
    mask_of(images, masks)
    folder = place / "shortcut"
    claim(folder, {**recipe_hash(base), **data_hash(images)})
    checks: dict[str, Nearness] = {}
    for what, name in _NETWORKS.items():
        copies, seen = hidden_copies(images, masks, what, folder / "copies" / what)
        if what == "outline":
            checks |= _training_free(images, seen)
        left, none = seen["seen"].mean(), (seen["seen"] == 0).mean()
        say(f"{name}: {left:.1%} of the pixels are as they were; none in {none:.0%} of the images")
        checks[name] = _network(base, what, copies, folder, device, workers)
    table = compare_all(checks, galleries)
    with whole_file(folder / "shortcut.csv") as aside:
        table.to_csv(aside, index=False)
    _tell(table, galleries, place.name)
    written(folder / "shortcut.csv", "table:")
    return table


def _training_free(images: Images, seen: pd.DataFrame) -> dict[str, Nearness]:
    """Return the checks on order, in the whole table and in each split, and on exposure."""
    frame = images.frame
    sides = [(frame["split"] == name).fillna(False).to_numpy(bool) for name in TEST]
    orders = {
        "table order": np.arange(len(frame), dtype=np.float64),
        "name order": frame["image"].rank(method="first").to_numpy(np.float64),
    }
    checks: dict[str, Nearness] = {}
    for name, places in orders.items():
        asked, held = (places[side] for side in sides)
        checks[name] = by_place(asked, held)
        checks[f"{name} in split"] = by_share(asked, held)
    # What a camera has of its own is no help: each image is compared with its camera's.
    cameras = seen[list(TONES)].groupby(frame["camera"].to_numpy())
    tones = (seen[list(TONES)] - cameras.transform("mean")) / cameras.transform("std")
    exposure = tones.replace([np.inf, -np.inf], np.nan).fillna(0.0).to_numpy(np.float64)
    checks["exposure"] = by_vector(exposure[sides[0]], exposure[sides[1]])
    return checks


def _network(
    base: Recipe, what: Hidden, copies: Images, folder: Path, device: str, workers: int
) -> Nearness:
    """Train on the copies (or take what was trained), and embed the test images."""
    started = time.monotonic()
    trial = Trial({"hidden": what}, base)
    run = train(trial, copies, None, folder, device, workers, progress=True)
    vectors = [
        embed(run, copies.split(name), device=device).vectors.astype(np.float64) for name in TEST
    ]
    say(f"trained and tested in {time.monotonic() - started:.0f} s")
    if base.distance == "cosine":
        vectors = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in vectors]
    return by_vector(vectors[0], vectors[1])


def _tell(table: pd.DataFrame, galleries: Galleries, name: str) -> None:
    """Print the table, and what it says."""
    metrics = list(table["metric"].unique())
    rows: list[list[str | float]] = []
    for gallery, inside in table.groupby("gallery", sort=False):
        means = inside[inside["against"] == CHANCE].drop_duplicates("metric")["expected"]
        rows.append([CHANCE, str(gallery), *(cell for mean in means for cell in (mean, ""))])
        for (check, against), found in inside.groupby(["check", "against"], sort=False):
            cells: list[str | float] = []
            for each in found.itertuples():
                value = float(str(each.value)) if against == CHANCE else ""
                cells += [value, f"{each.low:+.3f} to {each.high:+.3f}"]
            label = str(check) if against == CHANCE else "  over shape alone"
            rows.append([label, str(gallery), *cells])
    columns = ["check", "gallery", *(cell for m in metrics for cell in (m, f"{m} over chance"))]
    show(pd.DataFrame(rows, columns=columns), f"{name}, its vehicles hidden")
    known = ", ".join(("camera", *galleries.look))
    strict = replace(galleries, strict=True).name
    say(
        "'over': 95 % interval over identities; of rows that know nothing, one in forty is above "
        "chance by luck"
    )
    if (table["gallery"] == strict).any():
        say(f"gallery '{strict}': what one who knows {known} must still tell apart")
    else:
        say(f"gallery '{strict}': no query has anything but matches there")
    names = shortcuts_in(table)
    for check in names:
        say(f"SHORTCUT: {check}")
    if not learned(table):
        say(
            f"'{SHAPE}' is not above chance: too little was learned for the networks' rows to "
            f"mean anything; train longer, or with another learning rate"
        )
    elif not names:
        say("no shortcut found: nothing but the vehicle tells identities apart better than chance")
