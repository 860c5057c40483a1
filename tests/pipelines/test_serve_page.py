"""The search page in a real browser, and the interface through a real client."""

import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

import httpx
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from pipelines.cli.main import main
from pipelines.jobs.adding import add
from pipelines.recipes import load_recipe
from reid.methods import build_model
from reid.run import Run, save_model

CHROMIUM = shutil.which("chromium") or shutil.which("chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the page in")

RUN = "from pipelines.cli.main import main; main()"
RUN_WITH_PARTS = (
    """
import pandas as pd
from annotations.boxes import Boxes
import pipelines.jobs.serve as job

def find(images):
    rows = [(name, part, x1, 0.2, x1 + 0.3, 0.7) for name in images.frame["image"]
            for part, x1 in (("window", 0.1), ("light", 0.6))]
    frame = pd.DataFrame(rows, columns=["image", "part", "x1", "y1", "x2", "y2"])
    return Boxes(frame.assign(score=1.0, source="detector"))

job._finder = lambda *given: find
"""
    + RUN
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE = 120_000


def blocks(seed, size=(64, 64)):
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST)


def make_place(place, change):
    """A gallery of an untrained network, and a photograph that shows one of its images in part."""
    torch.manual_seed(0)
    recipe = load_recipe("prn-demo", ["image.height=32", "image.width=32", *change])
    (place / "run").mkdir()
    model = build_model(recipe, 2, start=False)
    save_model(place / "run" / "model.pt", model, recipe, ("0", "1"))
    photos = place / "photos"
    photos.mkdir()
    for number in range(8):
        blocks(number).save(photos / f"{number}.png")
    numbers = range(8)
    rows = {
        "image": [f"{n}.png" for n in numbers],
        "camera": [f"c{n % 2}" for n in numbers],
        "track": [f"t{n % 4}" for n in numbers],
        "time": [100.0 * n for n in numbers],
    }
    pd.DataFrame(rows).to_csv(photos / "images.csv", index=False)
    add(place / "gallery", [photos], Run.load(place / "run").source, thumbnails=True, device="cpu")
    scene = Image.new("RGB", (256, 192), "grey")
    scene.paste(blocks(5), (96, 64))
    scene.save(place / "scene.png")
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("serve"), ["parts.use=[]"])


@pytest.fixture(scope="module")
def place_with_parts(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("serve-parts"), [])


@contextmanager
def served(place, run):
    command = [sys.executable, "-c", run, "serve", str(place / "gallery"), "--port", "0",
               "--out", str(place / "web"), "--device", "cpu"]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = []
        for line in server.stdout:
            said.append(line)
            if found := re.match(r"open (\S+)", line):
                yield found[1]
                return
        raise AssertionError("".join(said))
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def address(place):
    with served(place, RUN) as address:
        yield address


@contextmanager
def opened(address):
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector(".ps-drop")
        yield page
        assert not errors
        browser.close()


@pytest.fixture
def page(address):
    with opened(address) as page:
        yield page


def found(page, first, count):
    """Wait until so many are found, and of them one first."""
    page.wait_for_function(
        "([first, count]) => document.querySelectorAll('.ps-card').length === count"
        " && document.querySelector('.ps-card .name').textContent === first",
        arg=[first, count],
    )


def test_dropping_choosing_and_marking(page, place, address):
    page.set_input_files("input[type=file]", str(place / "photos" / "3.png"))
    found(page, "3.png", 8)
    page.wait_for_function("document.querySelector('.ps-card img').naturalWidth === 64")
    page.locator(".ps-card button[aria-label=right]").first.click()
    page.locator(".ps-card button[aria-label=wrong]").nth(1).click()
    page.wait_for_selector(".ps-card.right")
    page.wait_for_selector(".ps-card.wrong")
    pairs = httpx.get(f"{address}api/marks.csv").text.splitlines()
    assert len(pairs) == 3 and pairs[1].endswith(f"{place / 'photos' / '3.png'},1")
    page.locator(".ps-card button[aria-label=wrong]").nth(1).click()  # taken back
    page.wait_for_selector(".ps-card.wrong", state="detached")
    assert len(httpx.get(f"{address}api/marks.csv").text.splitlines()) == 2

    page.get_by_label("camera", exact=True).click()
    page.get_by_role("option", name="c1").click()
    page.keyboard.press("Escape")
    found(page, "3.png", 4)
    page.get_by_label("time from").fill("350")
    found(page, page.locator(".ps-card .name").nth(1).inner_text(), 2)
    page.get_by_label("time from").fill("noon")
    page.wait_for_selector(".ps-why:has-text('nor a date such as 2024-05-01')")
    page.get_by_label("to", exact=True).fill("1970-01-01T00:05")
    page.get_by_label("time from").fill("1970-01-01 00:05:00")
    found(page, "3.png", 1)
    page.get_by_label("to", exact=True).fill("")
    page.get_by_label("time from").fill("")
    page.get_by_label("show").click()
    page.get_by_role("option", name="the nearest of each track").click()
    found(page, "3.png", 2)
    with page.expect_download() as download:
        page.get_by_text("Save as CSV").click()
    saved = pd.read_csv(download.value.path())
    assert saved["image"].tolist()[0] == "3.png" and saved["images"].tolist() == [2, 2]
    page.get_by_label("how many").fill("")  # as many as usual
    page.wait_for_timeout(1500)
    found(page, "3.png", 2)
    page.get_by_label("more conditions").fill("camra=c1")
    page.locator(".ps-why", has_text="did you mean 'camera'").wait_for()
    assert page.locator(".ps-card").count() == 0  # what was found before is no answer to this
    page.get_by_label("more conditions").fill("")
    found(page, "3.png", 2)
    assert page.locator(".ps-why").count() == 0


def test_a_region_of_a_larger_picture(page, place):
    page.set_input_files("input[type=file]", str(place / "scene.png"))
    page.wait_for_selector(".ps-card")
    page.wait_for_function("document.querySelector('.ps-query img').naturalWidth === 256")
    page.wait_for_timeout(500)
    box = page.locator(".ps-query").bounding_box()

    def at(x, y):
        return box["x"] + x / 256 * box["width"], box["y"] + y / 192 * box["height"]

    page.mouse.move(*at(96, 64))
    page.mouse.down()
    page.mouse.move(*at(130, 100))
    page.mouse.move(*at(160, 128))
    page.mouse.up()
    found(page, "5.png", 8)
    page.get_by_text("Whole image").click()
    page.wait_for_function(
        "document.querySelector('.ps-card .name').textContent !== '5.png' || "
        "!document.querySelector('.ps-query rect')"
    )
    bad = place / "bad.png"
    bad.write_bytes(b"no image")
    page.set_input_files("input[type=file]", str(bad))
    page.get_by_text("not a readable image").wait_for()
    assert page.locator(".ps-drop .q-icon", has_text="done").count() == 0


def test_the_parts_of_a_match_are_opened(place_with_parts):
    with served(place_with_parts, RUN_WITH_PARTS) as address, opened(address) as page:
        page.set_input_files("input[type=file]", str(place_with_parts / "photos" / "3.png"))
        found(page, "3.png", 8)
        page.locator(".ps-card button[aria-label=parts]").nth(1).click()
        card = page.locator(".ps-evidence .ev-card")
        card.wait_for()
        name = page.locator(".ps-card .name").nth(1).inner_text()
        assert card.locator(".ev-name b").nth(1).inner_text() == name
        words = card.locator(".ev-words").inner_text()
        numbers = [float(word) for word in card.locator(".ev-number").all_inner_texts()]
        assert re.fullmatch(r"Nearest: \w+ [\d.]+\. Most different: \w+ [\d.]+\.", words)
        assert 0 < numbers[0] <= numbers[1]
        assert f"{numbers[0]:.3f}." in words and "not seen" in card.inner_text()  # of the brand
        assert card.locator(".ev-box").count() == 4
        image = card.locator("img").first
        assert image.evaluate("image => image.naturalWidth") == 64
        shot = place_with_parts / "parts.png"
        page.wait_for_timeout(400)
        page.screenshot(path=str(shot))
        page.keyboard.press("Escape")
        card.wait_for(state="hidden")
        assert page.locator(".ps-card .ev-strip i").count() == 3

        query = page.locator(".ps-query img").get_attribute("src").rsplit("/", 1)[1]
        source = page.locator(".ps-card img").nth(1).get_attribute("src")
        asked = {"query": query.split("?")[0], "item": source.split("/")[3]}
        told = httpx.get(f"{address}api/evidence", params=asked).json()
        assert told["sentence"] == words
        page.locator(".ps-card button[aria-label=right]").first.click()
        page.wait_for_selector(".ps-card.right")


def test_why_no_parts_are_compared_is_said(page, place):
    page.set_input_files("input[type=file]", str(place / "photos" / "1.png"))
    found(page, "1.png", 8)
    page.get_by_text("no part evidence: the network was trained without parts").wait_for()
    assert page.locator("button[aria-label=parts]").count() == 0


def test_without_a_browser(address, place):
    facts = httpx.get(f"{address}api/galleries").json()
    assert facts[0]["images"] == 8
    with (place / "photos" / "6.png").open("rb") as stream:
        answer = httpx.post(f"{address}api/search", files={"image": stream}, data={"top": "2"})
    matches = answer.json()["matches"]
    assert matches[0]["image"] == "6.png" and len(matches) == 2
    picture = httpx.get(f"{address}api/items/{matches[0]['item']}/thumbnail")
    assert picture.headers["content-type"] == "image/jpeg"
    paths = httpx.get(f"{address}api/openapi.json").json()["paths"]
    assert "/api/search" in paths and all(path.startswith("/api/") for path in paths)
    for path, status in (("api/search", 405), ("api/nothing", 404)):
        refused = httpx.get(f"{address}{path}")
        assert refused.status_code == status and refused.json()["detail"]
    elsewhere = httpx.get(f"{address}api/galleries", headers={"host": "evil.example"})
    assert elsewhere.status_code == 403


def test_what_cannot_be_served(place, monkeypatch, capsys):
    for words, said in (
        (["serve", str(place / "photos")], "not a gallery"),
        (["serve", str(place / "gallery"), "--host", "256.1.1.1"], "cannot listen on"),
        (["serve", str(place / "gallery"), "--port", "0", "--out", str(place / "scene.png")],
         "scene.png: cannot be written to"),
    ):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["partreid", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 2 and said in capsys.readouterr().err
