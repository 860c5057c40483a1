"""The labelling page in a real browser, by real mouse and key events."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from annotations.labelling.project import Project
from annotations.labels import LabelledSet

CHROMIUM = shutil.which("chromium") or shutil.which("chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the page in")

RUN = "from pipelines.cli.main import main; main()"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE = 120_000


@contextmanager
def served(data: Path, labels: Path, *more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-c", RUN, "label", str(data), "--labels", str(labels)]
    command += ["--port", "0", "--order", "plain", "--as", "anna", *more]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        said = []
        for line in server.stdout:
            said.append(line)
            if found := re.match(r"open (\S+)", line):
                yield found[1], server
                return
        raise AssertionError("".join(said))
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cars")
    for number in range(4):
        pixels = np.full((300, 400, 3), 60 + 40 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "5.png").write_bytes(b"no image")
    return folder


class Hand:
    """Works at one page."""

    def __init__(self, browser: Any, address: str) -> None:
        self.errors: list[str] = []
        self.page = browser.new_page(viewport={"width": 1280, "height": 800})
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(address)
        self.page.wait_for_selector(".pl-about")

    def shows(self, name: str) -> None:
        self.page.wait_for_function(
            "name => document.querySelector('.pl-about .name')?.textContent === name", arg=name
        )
        self.page.wait_for_timeout(150)

    def drag(self, x1: float, y1: float, x2: float, y2: float) -> None:
        place = self.page.locator(".pl-stage img").first.bounding_box()

        def at(x: float, y: float) -> tuple[float, float]:
            return place["x"] + x * place["width"], place["y"] + y * place["height"]

        self.page.mouse.move(*at(x1, y1))
        self.page.mouse.down()
        self.page.mouse.move(*at((x1 + x2) / 2, (y1 + y2) / 2))
        self.page.mouse.move(*at(x2, y2))
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self) -> None:
        self.page.wait_for_selector(".pl-editor[data-state=idle]")
        self.page.wait_for_timeout(100)
        assert not self.errors


def parts(project: Project, image: str) -> list[str]:
    project.journal.refresh()
    change = project.journal.latest(image)
    return sorted(box.part for box in change.labels.boxes) if change else []


def test_labelling_and_a_killed_server(browser: Any, data: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    with served(data, labels) as (address, server):
        hand = Hand(browser, address)
        hand.shows("0.png")
        hand.drag(0.3, 0.2, 0.7, 0.4)  # the first missing part is armed: window
        hand.saved()
        hand.drag(0.1, 0.5, 0.25, 0.6)
        hand.drag(0.75, 0.5, 0.9, 0.6)  # lights; brand is derived
        hand.saved()
        project = Project.open(labels)
        assert parts(project, "0.png") == ["brand", "light", "light", "window"]
        change = project.journal.latest("0.png")
        assert change is not None
        window = change.labels.boxes[0]
        np.testing.assert_allclose(window.corners, (0.3, 0.2, 0.7, 0.4), atol=0.005)

        hand.press("Tab", "ArrowRight")
        hand.saved()
        project.journal.refresh()
        nudged = project.journal.latest("0.png")
        assert nudged is not None
        assert nudged.labels.boxes[0].x1 == pytest.approx(window.x1 + 1 / 400)
        hand.press("Control+z")
        hand.saved()
        project.journal.refresh()
        undone = project.journal.latest("0.png")
        assert undone is not None and undone.labels.boxes[0].corners == window.corners
        hand.press("Tab", "Delete")
        hand.saved()
        assert parts(project, "0.png") == ["brand", "light", "light"]
        hand.press("Control+z", "Enter")
        hand.shows("1.png")
        assert [each.image for each in project_read(labels)] == ["0.png"]

        hand.press("Shift+C")  # the boxes of the image before
        hand.saved()
        assert parts(project, "1.png") == ["brand", "light", "light", "window"]
        hand.press("w")
        hand.drag(0.3, 0.1, 0.6, 0.3)
        hand.saved()
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert parts(Project.open(labels), "1.png").count("window") == 2

    with served(data, labels) as (address, _):
        hand = Hand(browser, address)
        hand.shows("1.png")  # not finished: it comes again, as it was
        hand.press("Shift+S")
        hand.shows("2.png")
        hand.press("-", "l", "-", "Enter")
        hand.shows("3.png")
        labelled = LabelledSet.read(labels)
        assert list(labelled.images.frame["image"]) == ["0.png", "2.png"]
        hidden = Project.open(labels).journal.latest("2.png")
        assert hidden is not None and set(hidden.labels.hidden) == {"window", "light"}
        hand.press("Enter")
        hand.page.wait_for_selector(".pl-empty")
        assert "not a readable image" in hand.page.locator(".pl-empty").first.text_content()
        hand.press("Enter")  # nobody has seen it: it is skipped
        hand.page.wait_for_function(
            "() => document.body.innerText.includes('every image is labelled')"
        )
        skipped = Project.open(labels).journal.latest("5.png")
        assert skipped is not None and skipped.labels.state == "skipped"
        hand.page.goto(address + "progress")
        hand.page.wait_for_function("() => document.body.innerText.includes('3 of 5')")
        hand.page.goto(address + "review")
        hand.shows("0.png")
        hand.press("Enter")
        hand.shows("2.png")
        reviewed = Project.open(labels).journal.latest("0.png")
        assert reviewed is not None and reviewed.labels.reviewed == "anna"


def project_read(labels: Path) -> list[Any]:
    return Project.open(labels).finished()


def test_two_tabs_do_not_overwrite_each_other(browser: Any, data: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    with served(data, labels) as (address, _):
        one = Hand(browser, address + "?by=anna&image=0.png")
        two = Hand(browser, address + "?by=ben&image=0.png")
        one.shows("0.png")
        two.shows("0.png")
        one.drag(0.3, 0.2, 0.7, 0.4)
        one.saved()
        two.drag(0.1, 0.1, 0.2, 0.2)
        two.page.wait_for_selector(".pl-message.error")
        assert "anna changed '0.png'" in two.page.locator(".pl-message").text_content()
        change = Project.open(labels).journal.latest("0.png")
        assert change is not None and change.by == "anna" and len(change.labels.boxes) == 1
        # Now the second sees the first one's box, and can change it, but not take it back.
        two.press("Control+z")
        two.saved()
        two.drag(0.1, 0.5, 0.2, 0.6)
        two.saved()
        assert parts(Project.open(labels), "0.png") == ["light", "window"]
        one.press("Enter")  # not having seen the second one's box
        one.page.wait_for_selector(".pl-message.error")
        assert not Project.open(labels).finished()
        one.saved()
        one.press("Enter")
        one.page.wait_for_function("() => document.body.innerText.includes('no other image')")
        assert parts(Project.open(labels), "0.png") == ["light", "window"]
        assert len(Project.open(labels).finished()) == 1


LATE = """() => {
  const box = { part: "light", x1: 0.1, y1: 0.1, x2: 0.2, y2: 0.2 };
  const labels = { ...window.partreid.labels, boxes: [box] };
  window.partreid.offered({ image: "1.png", boxes: [box], none: "" });
  window.partreid.told({ image: "1.png", rows: [] });
  const message = "someone changed '1.png'";
  window.partreid.conflict({ image: "1.png", labels, revision: 7, findings: [], message });
  const { revision, dialog } = window.partreid;
  return [revision, dialog, window.partreid.labels.boxes.length];
}"""


def test_what_comes_late_changes_no_other_image(browser: Any, data: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    with served(data, labels) as (address, _):
        hand = Hand(browser, address)
        hand.shows("0.png")
        assert hand.page.evaluate(LATE) == [0, None, 0]
        # An image that is given away is not changed while the next one is awaited.
        hand.page.evaluate("() => (window.partreid.waiting = true)")
        hand.drag(0.3, 0.2, 0.7, 0.4)
        hand.page.evaluate("() => (window.partreid.waiting = false)")
        hand.saved()
        assert parts(Project.open(labels), "0.png") == []
        hand.drag(0.3, 0.2, 0.7, 0.4)
        hand.saved()
        # What the disk refused is sent again before another image shows.
        full = "() => window.partreid.failed({ what: 'save', message: 'no space left' })"
        hand.page.evaluate(full)
        hand.page.wait_for_function("() => document.body.innerText.includes('not saved')")
        hand.press("PageDown")
        hand.shows("1.png")
        found = Project.open(labels).journal.history("0.png")
        assert [change.revision for change in found] == [1, 2]


def test_nothing_outside_the_data_is_served(browser: Any, data: Path, tmp_path: Path) -> None:
    (data.parent / "secret.png").write_bytes((data / "0.png").read_bytes())
    with served(data, tmp_path / "labels") as (address, _):
        page = browser.new_page()
        page.goto(address)
        for path in ("label/image?image=../secret.png", "label/image?image=/etc/passwd",
                     "label/static/../../../app.py", "label/static/%2e%2e/app.py"):  # fmt: skip
            answer = page.request.get(address + path)
            assert answer.status in (400, 404), path
        assert page.request.get(address + "label/image?image=0.png").status == 200


def test_with_a_token_the_page_works_for_who_has_it(
    browser: Any, data: Path, tmp_path: Path
) -> None:
    with served(data, tmp_path / "labels", "--token", "secret") as (address, _):
        bare = address.partition("?")[0]
        stranger = browser.new_context().new_page()
        answer = stranger.goto(bare)
        assert answer.status == 403 and "token is needed" in stranger.inner_text("body")
        for path in ("label/image?image=0.png", "_nicegui_ws/socket.io/?EIO=4&transport=polling"):
            assert stranger.request.get(bare + path).status == 403
        hand = Hand(browser, address)
        hand.shows("0.png")
        hand.press("Enter")  # over the socket, with the cookie
        hand.shows("1.png")
        hand.page.reload()
        hand.shows("1.png")  # not the one after it: the image was given back
