"""A part detector trained on the fleet alone, tested on photographs; and as a start for labels.

    python -m benchmarks.sim_to_real CARPARTS WEIGHTS OUT [--epochs 12] [--images 1500]

CARPARTS is the car-parts set (COCO); WEIGHTS the YOLO11n that every training starts from, unless
it starts from the fleet's detector. The 80 photographs that `benchmarks.part_detector` holds out
are held out here, too. Three questions, one table each in OUT:

- fleet.csv: AP50 by part of the detector that saw no photograph, on all 400 and on the 80.
- labels.csv: AP50 by part on the 80 after fine-tuning on 50 and on 100 labelled photographs,
  starting from the fleet's detector and from WEIGHTS; the same photographs and epochs for both.
- sheet.png: what the fleet's detector finds on 40 photographs.

Finished trainings are kept, and a second call goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
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
from pipelines.fleet.make import make_fleet
from pipelines.fleet.presets import preset_named
from pipelines.jobs.sheet import make_sheet

HELD_OUT = 80
COUNTS = (50, 100)


def settings(weights: Path, epochs: int, **changes: object) -> DetectorSettings:
    """Return the settings that all trainings share."""
    fixed = {"architecture": "yolo11n.yaml", "image_size": 320, "weights": str(weights)}
    return DetectorSettings.model_validate({**fixed, "epochs": epochs, **changes})


def scores(detector: Detector, labelled: LabelledSet, /, **about: object) -> pd.DataFrame:
    """Return the per-part table with what it is of."""
    table = evaluate_detector(detector, labelled, progress=False).table
    for place, (name, value) in enumerate(about.items()):
        table.insert(place, name, value)
    return table


def main() -> None:
    """Train, test, write and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("carparts", "weights", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--epochs", type=int, default=12, help="on the fleet")
    parser.add_argument("--images", type=int, default=1500, help="of the fleet")
    parser.add_argument("--tuning", type=int, default=40, help="epochs on photographs")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    preset = replace(preset_named("parts"), train=given.images, labels=given.images)
    make_fleet(given.out / "fleet", preset, preset.seed)
    drawn = LabelledSet.read(given.out / "fleet" / "labels")
    photographs = import_labels(given.carparts / "annotations.json", mapping="carparts-prn")
    pool, held_out = photographs.hold_out(HELD_OUT, seed=0)
    # Crops of the fleet show one vehicle already.
    from_fleet = train_detector(
        drawn, given.out / "detector", settings(given.weights, given.epochs, crop_to_vehicle=0.0)
    )
    rows = [
        scores(from_fleet, photographs, tested="all 400"),
        scores(from_fleet, held_out, tested="the 80"),
    ]
    table = pd.concat(rows, ignore_index=True)
    table.to_csv(given.out / "fleet.csv", index=False)
    print(table.round(3).to_string(index=False), flush=True)
    found = detect_parts(from_fleet, held_out.images, given.out / "parts")
    shown = held_out.images.where(np.arange(len(held_out.images)) < 40)
    make_sheet(shown, found.boxes, held_out.vocabulary).save(given.out / "sheet.png")
    order = np.random.default_rng(0).permutation(np.sort(pool.images.frame["image"].to_numpy(str)))
    starts = {"fleet": given.out / "detector" / "weights.pt", "no fleet": given.weights}
    rows = []
    for count in COUNTS:
        labels = pool.only(order[:count])
        for start, weights in starts.items():
            folder = given.out / f"tuned-{count}-{start.replace(' ', '-')}"
            tuned = train_detector(labels, folder, settings(weights, given.tuning), progress=False)
            rows.append(scores(tuned, held_out, labels=count, start=start))
            print(rows[-1].round(3).to_string(index=False), flush=True)
    pd.concat(rows, ignore_index=True).to_csv(given.out / "labels.csv", index=False)


if __name__ == "__main__":
    main()
