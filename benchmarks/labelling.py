"""Labelling by hand and with a detector's help, in a real browser: actions and seconds an image.

A robot at mouse and keyboard does what a careful person would: it draws what is missing, moves
what is off, removes what is wrong, and accepts. What is right it knows from the labels of the set,
so its seconds are those of the page, not of a person's eyes and hand; its actions are a person's.

    python -m benchmarks.labelling LABELS DETECTOR OUT --mapping carparts-prn

The images are those that the detector held out.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from playwright.sync_api import Page, sync_playwright

from annotations.boxes import CORNERS, Boxes
from annotations.importing import map_labels, read_foreign
from annotations.labelling.agreement import agreement
from annotations.labelling.progress import measure
from annotations.labelling.project import Project
from annotations.labels import LabelledSet
from annotations.mapping import load_mapping
from annotations.overlaps import iou
from detection.card import DetectorCard

CHROMIUM = next((path for name in ("chromium", "chrome") if (path := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_RUN = "from pipelines.cli.main import main; main()"
SAME = 1e-6
OFF = 0.03
"""How far the line of the vehicle's bottom may be off, as a share of the image's height."""
LITTLE = 0.1
"""How far an edge of a box that is corrected may be off, as a share of the box's side."""


Corners = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What a person sees on one image: parts by ``CORNERS``, lamps tight, and the bottom."""

    tight: pd.DataFrame
    whole: pd.DataFrame
    bottom: float | None


@contextmanager
def served(data: Path, labels: Path, *more: str) -> Iterator[str]:
    """Run ``partreid label`` and yield the page's address."""
    command = [sys.executable, "-c", _RUN, "label", str(data), "--labels", str(labels)]
    command += ["--port", "0", "--order", "plain", "--as", "robot", *more]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        for line in server.stdout:
            if line.startswith("open "):
                yield line.split()[1]
                return
        raise SystemExit("the page did not start")
    finally:
        server.terminate()
        server.wait()


class Robot:
    """Works at the page with mouse and keyboard."""

    def __init__(self, page: Page, keys: dict[str, str]) -> None:
        self.page, self.keys = page, keys

    def _at(self, x: float, y: float) -> tuple[float, float]:
        place = self.page.locator(".pl-stage img").first.bounding_box()
        assert place is not None
        # A hand does not reach beyond the picture's edge.
        x, y = min(max(x, 0.001), 0.999), min(max(y, 0.001), 0.999)
        return place["x"] + x * place["width"], place["y"] + y * place["height"]

    def drag(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Drag from one place of the image, in fractions, to another."""
        self.page.mouse.move(*self._at(x1, y1))
        self.page.mouse.down()
        self.page.mouse.move(*self._at((x1 + x2) / 2, (y1 + y2) / 2))
        self.page.mouse.move(*self._at(x2, y2))
        self.page.mouse.up()

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)

    def state(self) -> dict[str, Any]:
        """Return what the page shows."""
        return self.page.evaluate(
            """() => {
              const editor = window.partreid;
              const { labels, busy, armed } = editor;
              const image = editor.shown && editor.shown.image;
              return JSON.parse(JSON.stringify({ image, labels, waiting: busy, armed }));
            }"""
        )

    def settled(self, image: str | None = None) -> dict[str, Any]:
        """Wait until everything is saved, and another image than ``image`` is shown."""
        while True:
            state = self.state()
            if not state["waiting"] and (image is None or state["image"] != image):
                return state
            self.page.wait_for_timeout(10)

    def draw(self, part: str, corners: list[float]) -> None:
        """Draw a part, arming it by its key unless it is armed."""
        if self.settled()["armed"] != part:
            self.press(self.keys[part])
        self.drag(*corners)

    def set_bottom(self, truth: Truth) -> None:
        """Move the line of the vehicle's bottom to its place."""
        there = float(self.state()["labels"]["bottom"])
        if truth.bottom is not None and abs(there - truth.bottom) > OFF:
            if self.settled()["armed"]:
                self.press("Escape")
            self.drag(0.004, there, 0.004, truth.bottom)

    def by_hand(self, truth: Truth) -> None:
        """Label an image without help."""
        if (truth.tight["part"] == "light").any():
            self.set_bottom(truth)
        for part, *corners in truth.tight[["part", *CORNERS]].itertuples(index=False):
            self.draw(part, corners)
        self._derived(truth)

    def _derived(self, truth: Truth) -> None:
        """Look after what the page derived: a brand that is none."""
        brand = (truth.whole["part"] == "brand").any()
        for box in self.settled()["labels"]["boxes"]:
            if box["source"] == "derived" and not brand:
                self._remove(np.array([box[name] for name in CORNERS]))

    def with_help(self, truth: Truth, enough: float) -> None:
        """Label an image whose boxes are proposed: keep, move, remove, add."""
        wanted = truth.whole.reset_index(drop=True)
        open_ = set(wanted.index)
        moves, wrong = [], []
        for box in self.settled()["labels"]["boxes"]:
            corners = np.array([[box[name] for name in CORNERS]])
            same = [n for n in open_ if wanted["part"][n] == box["part"]]
            overlaps = {
                n: float(iou(corners, wanted.loc[[n], CORNERS].to_numpy())[0]) for n in same
            }
            best = max(overlaps, key=overlaps.get, default=None)
            if best is None or overlaps[best] < 0.2:
                wrong.append(corners[0])
                continue
            open_.discard(best)
            if overlaps[best] < enough:
                moves.append((corners[0], wanted.loc[best, CORNERS].to_numpy(float)))
        for old in wrong:
            self._remove(old)
        for old, new in moves:
            self._correct(old, new)
        for n in sorted(open_):
            self.draw(wanted["part"][n], wanted.loc[n, CORNERS].tolist())
            self.settled()
        self._derived(truth)

    def _remove(self, corners: Corners) -> None:
        """Remove a box by a click, where it is the smallest under the mouse, else by keys."""
        boxes = self._boxes()
        middle = corners.reshape(2, 2).mean(0)
        inside = ((boxes[:, :2] <= middle) & (middle <= boxes[:, 2:])).all(1)
        areas = np.where(inside, (boxes[:, 2:] - boxes[:, :2]).prod(1), np.inf)
        if abs(boxes[areas.argmin()] - corners).max() < SAME:
            self.page.keyboard.down("Shift")
            self.page.mouse.click(*self._at(*middle))
            self.page.keyboard.up("Shift")
        else:
            for _ in range(int(abs(boxes - corners).max(1).argmin()) + 1):
                self.press("Tab")
            self.press("Delete")
        self.settled()

    def _correct(self, old: Corners, new: Corners) -> None:
        """Drag the corners, or single edges, that are off; a box under others is chosen first."""
        little = LITTLE * (new[2:] - new[:2])
        low, high = abs(old[:2] - new[:2]) > little, abs(old[2:] - new[2:]) > little
        for off, x, y in ((low, 0, 1), (high, 2, 3)):
            if not off.any():
                continue
            now = self._boxes()[abs(self._boxes() - old).max(1).argmin()]
            to = np.where(off, new[[x, y]], now[[x, y]])
            if off.all():
                self.drag(now[x], now[y], *to)
            elif off[0]:
                middle = (now[1] + now[3]) / 2
                self.drag(now[x], middle, to[0], middle)
            else:
                middle = (now[0] + now[2]) / 2
                self.drag(middle, now[y], middle, to[1])
            self.settled()
            old = old.copy()
            old[[x, y]] = to

    def _boxes(self) -> Corners:
        """Return the boxes that the page shows, float64 (boxes, 4)."""
        boxes = self.settled()["labels"]["boxes"]
        return np.array([[box[name] for name in CORNERS] for box in boxes], float).reshape(-1, 4)

    def accept(self, image: str) -> None:
        """Go on to the next image."""
        self.press("Enter")
        self.settled(image)


def truths(labels: Path, mapping: str) -> tuple[LabelledSet, dict[str, Truth]]:
    """Read what is right, tight and as PRN defines it."""
    rules = load_mapping(mapping)
    foreign = read_foreign(labels)
    whole = map_labels(foreign, rules)
    tight = map_labels(foreign, rules.model_copy(update={"derive": None}))
    found = {}
    for image in whole.images.frame["image"]:
        both = [each.boxes.frame[each.boxes.frame["image"] == image] for each in (tight, whole)]
        lights = both[1][both[1]["part"] == "light"]
        bottom = float(lights["y2"].max()) if len(lights) else None
        found[str(image)] = Truth(both[0], both[1], bottom)
    return whole, found


def work(
    page: Page, address: str, known: dict[str, Truth], enough: float | None, shot: Path
) -> list[float]:
    """Label every image of a page; return the seconds of each."""
    from annotations.labelling.keys import part_keys
    from annotations.vocabulary import load_vocabulary

    robot, seconds = Robot(page, part_keys(load_vocabulary("prn"))), []
    page.goto(address, timeout=120_000)
    page.wait_for_selector(".pl-stage img", timeout=120_000)
    for number in range(len(known)):
        image = str(robot.settled()["image"])
        page.wait_for_timeout(100)  # the picture is there
        start = time.perf_counter()
        if enough is None:
            robot.by_hand(known[image])
        else:
            robot.with_help(known[image], enough)
        robot.settled()
        if number < 3:
            page.screenshot(path=shot.with_name(f"{shot.name}-{number}.png"))
        robot.accept(image)
        seconds.append(time.perf_counter() - start)
    return seconds


def main() -> None:
    """Label images from nothing and with help, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("detector", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mapping", default="carparts-prn")
    parser.add_argument("--count", type=int, default=10, help="images from nothing, and with help")
    parser.add_argument("--enough", type=float, default=0.7, help="IoU that a person leaves alone")
    given = parser.parse_args()
    labels, known = truths(given.labels, given.mapping)
    held_out = sorted(DetectorCard.read(given.detector).held_out)
    rows = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for place, way in enumerate(("by hand", "with help")):
            names = held_out[place * given.count :][: given.count]
            data = given.out / way.replace(" ", "-")
            data.mkdir(parents=True)
            for name in names:
                shutil.copy(labels.images.root / name, data)
            mine = {Path(name).name: known[name] for name in names}
            folder = given.out / f"labels-{data.name}"
            more = ("--detector", str(given.detector)) if place else ()
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            with served(data, folder, *more) as address:
                seconds = work(page, address, mine, given.enough if place else None, data)
            page.close()
            rows.append(_row(way, folder, mine, seconds))
        browser.close()
    table = pd.DataFrame(rows)
    print(table.T.to_string(header=False))
    table.to_csv(given.out / "labelling.csv", index=False)


def _row(
    way: str, folder: Path, known: dict[str, Truth], seconds: list[float]
) -> dict[str, object]:
    project = Project.open(folder)
    per_image = [
        sum(change.actions for change in project.journal.history(image)) for image in known
    ]
    now = measure(project)
    right = pd.concat([truth.whole.assign(image=image) for image, truth in known.items()])
    found = agreement(project.boxes(), Boxes(right), list(known), project.vocabulary)
    return {
        "": way,
        "images": now.done,
        "boxes": sum(now.parts.values()),
        "actions an image, median": statistics.median(per_image),
        "actions an image, mean": statistics.mean(per_image),
        "most": max(per_image),
        "seconds an image, median": round(statistics.median(seconds), 2),
        "proposed boxes kept untouched": f"{now.untouched} of {now.offered}",
        "boxes that agree with the truth": round(
            float(found.by_part["matched"].sum())
            / float(found.by_part[["matched", "only_first", "only_second"]].sum().sum()),
            3,
        ),
    }


if __name__ == "__main__":
    main()
