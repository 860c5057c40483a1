"""One part detector from two sets that label different parts, and what naive pooling does to it.

    python -m benchmarks.partial_labels CARPARTS PLATES WEIGHTS OUT [--epochs 40] [--held-out 80]

CARPARTS is the car-parts set (COCO), which labels no plates; PLATES the plate set (CSV), which
labels nothing else; WEIGHTS the YOLO11n to start from. Some images of each are held out, and two
detectors are trained on the others of both sets, with the same seed, images, mosaics and epochs:

- masked: a part that a set did not look for is unknown on its images;
- naive: the sets are pooled as if all parts had been looked for on all images, so that an
  unlabelled part is taught as background.

Two tables in OUT, a row per held-out set and part:

- scores.csv: AP50 of the parts that the set labels, and the number of true boxes.
- found.csv: the share of the held-out images on which each part is found at a confidence of 0.25.
  Of the parts that the set does not label this is all that can be said: nobody drew them, but most
  cars have lights, wheels and a plate.

Finished trainings are kept, and a second call goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.importing import import_labels
from annotations.labels import LabelledSet
from detection.detect import detect_parts
from detection.detector import Detector
from detection.evaluate import evaluate_detector
from detection.settings import DetectorSettings
from detection.train import train_detector

KEY = ["held out", "part"]


def as_if_all_looked_for(sets: list[LabelledSet]) -> list[LabelledSet]:
    """Claim of every set that it looked for the parts of all."""
    parts = frozenset[str]().union(*(labels.labelled for labels in sets))
    return [LabelledSet(each.images, each.boxes, each.vocabulary, parts) for each in sets]


def scores(detector: Detector, testing: dict[str, LabelledSet]) -> pd.DataFrame:
    """Return AP50 and boxes, a row per held-out set and part that it labels."""
    tables = [
        evaluate_detector(detector, labels, progress=False).table.assign(**{"held out": name})
        for name, labels in testing.items()
    ]
    return pd.concat(tables).set_index(KEY)[["AP50", "boxes"]]


def found(detector: Detector, testing: dict[str, LabelledSet], out: Path) -> pd.DataFrame:
    """Return the share of images that show a part, a row per held-out set and part."""
    tables = [
        detect_parts(detector, labels.images, out / name, progress=False).parts.assign(
            **{"held out": name, "labelled": lambda t, of=labels: t["part"].isin(of.labelled)}
        )
        for name, labels in testing.items()
    ]
    return pd.concat(tables).set_index(KEY)[["images", "labelled"]]


def side_by_side(tables: dict[str, pd.DataFrame], value: str) -> pd.DataFrame:
    """Put one column of each detector's table beside what the tables share."""
    shared = next(iter(tables.values())).drop(columns=value)
    return shared.assign(**{name: table[value] for name, table in tables.items()}).reset_index()


def main() -> None:
    """Train, test, write and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("carparts", "plates", "weights", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--held-out", type=int, default=80, help="images of each set")
    parser.add_argument("--image-size", type=int, default=320)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, help="train on so many of each set only")
    given = parser.parse_args()
    sets = {
        "car parts": import_labels(given.carparts / "annotations.json", mapping="carparts-eia"),
        "plates": import_labels(given.plates / "boxes.csv", mapping="plates-eia"),
    }
    divided = {name: labels.hold_out(given.held_out, given.seed) for name, labels in sets.items()}
    testing = {name: held_out for name, (_, held_out) in divided.items()}
    training = [pool for pool, _ in divided.values()]
    if given.images:
        few = [
            np.sort(pool.images.frame["image"].to_numpy(str))[: given.images] for pool in training
        ]
        training = [pool.only(names) for pool, names in zip(training, few, strict=True)]
    settings = DetectorSettings(
        weights=str(given.weights),
        architecture="yolo11n.yaml",
        image_size=given.image_size,
        epochs=given.epochs,
        seed=given.seed,
    )
    precise, shown = {}, {}
    for name, pooled in {"masked": training, "naive": as_if_all_looked_for(training)}.items():
        detector = train_detector(pooled, given.out / name, settings)
        precise[name] = scores(detector, testing)
        shown[name] = found(detector, testing, given.out / f"{name}-parts")
    for title, tables, value in (("scores", precise, "AP50"), ("found", shown, "images")):
        table = side_by_side(tables, value)
        table.to_csv(given.out / f"{title}.csv", index=False)
        print(f"{title}: {value}", table.round(3).to_string(index=False), sep="\n", flush=True)


if __name__ == "__main__":
    main()
