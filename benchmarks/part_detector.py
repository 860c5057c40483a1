"""Train part detectors on hand-labelled photographs, and see how far they carry to re-ID crops.

    python -m benchmarks.part_detector CARPARTS TWOCAM WEIGHTS OUT [NAME ...]

CARPARTS is the car-parts set (COCO), of which 80 images are held out; TWOCAM the two-camera
set; WEIGHTS the YOLO11n to start from. Each NAME is a key of `VARIANTS`. Every variant leaves
OUT/NAME/scores.csv (the per-part table on the 80), coverage.csv (by vehicle type) and
sheet.png (40 crops with their boxes).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from annotations.importing import import_labels
from detection.detect import detect_parts
from detection.evaluate import evaluate_detector
from detection.settings import DetectorSettings, DetectSettings
from detection.train import train_detector
from pipelines.jobs.sheet import draw_sheet

VARIANTS: dict[str, dict[str, object]] = {
    "photographs-320": {"image_size": 320, "crop_to_vehicle": 0, "degrade": 0, "stretch": 0},
    "crops-320": {"image_size": 320},
    "crops-480": {"image_size": 480},
    "crops-640": {"image_size": 640},
    "strong-320": {"image_size": 320, "crop_to_vehicle": 0.7, "degrade": 0.8, "stretch": 0.4},
}
EPOCHS = 50
HELD_OUT = 80


def coverage(boxes: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each vehicle type's images that show each part."""
    shown = boxes.groupby("part")["image"].unique()
    marks = {part: images["image"].isin(names) for part, names in shown.items()}
    table = pd.DataFrame(marks).assign(any=pd.DataFrame(marks).any(axis=1), type=images["type"])
    by_type = table.groupby("type").mean()
    by_type.loc["all"] = table.drop(columns="type").mean()
    counts = images["type"].value_counts().reindex(by_type.index, fill_value=len(images))
    by_type.insert(0, "images", counts)
    return by_type.reset_index()


def variant(name: str, carparts: Path, twocam: Path, weights: Path, out: Path) -> None:
    """Train, test, detect and draw one variant."""
    labels = import_labels(carparts / "annotations.json", mapping="carparts-prn")
    settings = DetectorSettings.model_validate(
        {
            "weights": str(weights),
            "architecture": "yolo11n.yaml",
            "epochs": EPOCHS,
            "hold_out": HELD_OUT,
            **VARIANTS[name],
        }
    )
    folder = out / name
    detector = train_detector(labels, folder / "detector", settings, progress=False)
    scores = evaluate_detector(detector, labels, progress=False).table
    scores.to_csv(folder / "scores.csv", index=False)
    images = read_images(twocam, "twocam")
    lines = [f"== {name}", scores.round(3).to_string(index=False)]
    for confidence in (0.25, 0.1):
        cache = folder / f"parts-{confidence}"
        found = detect_parts(detector, images, cache, DetectSettings(confidence=confidence))
        table = coverage(found.boxes.frame, images.frame)
        table.to_csv(folder / f"coverage-{confidence}.csv", index=False)
        lines += [f"confidence {confidence}", table.round(3).to_string(index=False)]
        draw_sheet(cache, twocam, "twocam", folder / f"sheet-{confidence}.png", 40, 0)
    (folder / "summary.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines), flush=True)


def main() -> None:
    """Run the variants named, or all."""
    carparts, twocam, weights, out = map(Path, sys.argv[1:5])
    for name in sys.argv[5:] or VARIANTS:
        variant(name, carparts, twocam, weights, out)


if __name__ == "__main__":
    main()
