"""Which parts of photographs it never saw a detector misses, and how wide they are.

    python -m benchmarks.part_misses CARPARTS DETECTOR OUT.png

A part is missed where no box of its kind with a confidence of 0.25 overlaps it by half. Prints
misses by part and by the width of the true box (untouched: of these, overlapped by less than
a tenth), and draws the photographs that have one: the
truth in colour, what was found in white.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageDraw
from torchvision.ops import box_iou

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.importing import import_labels
from detection.card import digests
from detection.detect import detect_parts
from detection.detector import Detector
from detection.settings import DetectSettings

CORNERS = ["x1", "y1", "x2", "y2"]
TILE = 300


def overlaps(truth: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Add to every true box its width, and the best overlap that a found box of its part has."""
    best = []
    for row in truth.itertuples():
        same = found[(found["image"] == row.image) & (found["part"] == row.part)]
        mine = torch.tensor([[row.x1, row.y1, row.x2, row.y2]], dtype=torch.float64)
        iou = box_iou(mine, torch.tensor(same[CORNERS].to_numpy(float)).reshape(-1, 4))
        best.append(float(iou.max()) if iou.numel() else 0.0)
    return truth.assign(overlap=best, width=truth["x2"] - truth["x1"])


def draw(images: Images, missed: pd.Series, truth: Boxes, found: Boxes, out: Path) -> None:
    """Draw every photograph of which a part was missed."""
    colours = {"window": "#00a0ff", "light": "#ffd000", "brand": "#ff40a0"}
    names = list(dict.fromkeys(missed))
    sheet = Image.new("RGB", (5 * TILE, TILE * -(-len(names) // 5)))
    for place, name in enumerate(names):
        photograph = Image.open(images.root / name).convert("RGB")
        photograph.thumbnail((TILE, TILE))
        scale = np.array([*photograph.size, *photograph.size])
        pen = ImageDraw.Draw(photograph)
        for boxes, width in ((truth, 3), (found, 1)):
            for row in boxes.frame[boxes.frame["image"] == name].itertuples():
                box = np.array([row.x1, row.y1, row.x2, row.y2], float) * scale
                colour = colours[str(row.part)] if boxes is truth else "white"
                pen.rectangle(box.tolist(), outline=colour, width=width)
        sheet.paste(photograph, (place % 5 * TILE, place // 5 * TILE))
    sheet.save(out)


def main() -> None:
    """Detect, count, print and draw."""
    carparts, folder, out = map(Path, sys.argv[1:4])
    detector = Detector.load(folder)
    labels = import_labels(carparts / "annotations.json", mapping="carparts-prn")
    seen = set(detector.card.trained_on.values())
    codes = digests(labels.images)
    unseen = labels.only(name for name, code in codes.items() if code not in seen)
    found = detect_parts(
        detector, unseen.images, out.with_suffix(".parts"), DetectSettings(confidence=0.25)
    ).boxes
    scored = overlaps(unseen.boxes.frame, found.frame)
    scored["missed"] = scored["overlap"] < 0.5
    scored["untouched"] = scored["overlap"] < 0.1
    width = pd.cut(scored["width"], [0, 0.05, 0.1, 1]).rename("width / image")
    counts = {
        "missed": ("missed", "sum"),
        "untouched": ("untouched", "sum"),
        "of": ("missed", "size"),
    }
    print(f"{len(unseen)} photographs")
    print(scored.groupby(["part", width], observed=True).agg(**counts).to_string())
    draw(unseen.images, scored.loc[scored["missed"], "image"], unseen.boxes, found, out)


if __name__ == "__main__":
    main()
