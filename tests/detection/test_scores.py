from __future__ import annotations

import contextlib
import io

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotations.boxes import CORNERS
from detection.scores import THRESHOLDS, match, score_boxes

PARTS = ["window", "light"]


def _scene(seed: int = 0, images: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True boxes, and found ones: jittered, some missing, some invented."""
    generator = np.random.default_rng(seed)
    truth, found = [], []
    for image in range(images):
        for part in PARTS:
            for _ in range(generator.integers(0, 4)):
                low = generator.uniform(0, 0.6, 2)
                box = np.concatenate([low, low + generator.uniform(0.1, 0.4, 2)])
                truth.append((str(image), part, *box))
                for _ in range(generator.integers(0, 3)):
                    jittered = box + generator.normal(0, 0.02, 4)
                    found.append((str(image), part, *jittered, generator.uniform(0.2, 1)))
            low = generator.uniform(0, 0.6, 2)
            found.append((str(image), part, *low, *(low + 0.2), generator.uniform(0, 0.7)))
    return (
        pd.DataFrame(found, columns=["image", "part", *CORNERS, "score"]),
        pd.DataFrame(truth, columns=["image", "part", *CORNERS]),
    )


def _coco(found: pd.DataFrame, truth: pd.DataFrame, part: str) -> tuple[float, float]:
    def entries(frame: pd.DataFrame) -> list[dict]:
        return [
            {
                "id": number + 1,
                "image_id": int(row.image),
                "category_id": PARTS.index(row.part),
                "bbox": [1000 * v for v in (row.x1, row.y1, row.x2 - row.x1, row.y2 - row.y1)],
                "area": 1e6 * (row.x2 - row.x1) * (row.y2 - row.y1),
                "iscrowd": 0,
                "score": getattr(row, "score", 1.0),
            }
            for number, row in enumerate(frame.itertuples())
        ]

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(60)],
            "categories": [{"id": number} for number in range(len(PARTS))],
            "annotations": entries(truth),
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(entries(found)), "bbox")
        evaluation.params.catIds = [PARTS.index(part)]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[1], evaluation.stats[0]


def test_average_precision_agrees_with_pycocotools():
    # Both read the precision envelope at 101 recalls; COCO takes the step above each, the
    # other interpolates between steps, so they differ by less than a step's height and width.
    found, truth = _scene()
    table = score_boxes(found, truth, PARTS).set_index("part")
    for part in PARTS:
        assert table.loc[part, ["AP50", "AP50-95"]].to_numpy(float) == pytest.approx(
            _coco(found, truth, part), abs=0.012
        )
    assert table.loc["all", "AP50"] == pytest.approx(table.loc[PARTS, "AP50"].mean())
    assert table.loc["all", "boxes"] == len(truth)
    assert 0.2 < table.loc["window", "AP50"] < 0.95


def test_matching_agrees_with_a_plain_loop():
    def overlap(a, b):
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        if width <= 0 or height <= 0:
            return 0.0
        areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
        return width * height / (sum(areas) - width * height)

    found, truth = _scene(seed=1, images=15)
    found_rows, true_rows = (list(f.itertuples(index=False)) for f in (found, truth))
    order = sorted(range(len(found)), key=lambda row: -found_rows[row].score)
    fast = match(found, truth)
    for column, threshold in enumerate(THRESHOLDS):
        free = set(range(len(truth)))
        right = set()
        for row in order:
            near = {
                place: overlap(found_rows[row][2:6], true_rows[place][2:6])
                for place in free
                if true_rows[place][:2] == found_rows[row][:2]
            }
            best = max(near, key=lambda place: near[place], default=None)
            if best is not None and near[best] >= threshold:
                right.add(row)
                free.remove(best)
        assert set(np.flatnonzero(fast[:, column])) == right


def test_true_boxes_found_exactly_score_one():
    _, truth = _scene()
    table = score_boxes(truth.assign(score=0.9), truth, PARTS)
    # The envelope falls to zero behind the last recall, which costs half of one of 101 points.
    assert table["AP50-95"].to_numpy() == pytest.approx(1.0, abs=0.006)
    assert (table["precision"] == 1).all()
    assert table["recall"].to_numpy() == pytest.approx(1.0)


def test_a_part_without_true_boxes_has_no_score_and_does_not_count():
    found, truth = _scene()
    table = score_boxes(found, truth[truth["part"] == "light"], PARTS).set_index("part")
    assert table.loc["window", "boxes"] == 0
    assert np.isnan(table.loc["window", "AP50"])
    assert table.loc["all", "AP50"] == table.loc["light", "AP50"]


def test_finding_nothing_scores_zero():
    found, truth = _scene()
    table = score_boxes(found[:0], truth, PARTS)
    assert (table["AP50"] == 0).all()
