import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from reid.retrieval import results
from reid.retrieval.evidence import Compared, ListEvidence
from reid.retrieval.gallery import Gallery, GalleryAbout
from reid.retrieval.page import write_results
from reid.retrieval.question import Question
from reid.retrieval.several import Galleries
from reid.verification.curve import Curve
from reid.verification.part_evidence import PartEvidence

NASTY = "<b>&\"'.jpg"


class Page(HTMLParser):
    """Collects the elements and text that a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in {"img", "input", "meta"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def classes(self, tag):
        return [given.get("class") for name, given in self.elements if name == tag]


@pytest.fixture
def found(tmp_path):
    """Three queries over a gallery of a match, a miss and an unknown, one file unreadable."""
    for name, size in (("q.jpg", (300, 100)), (NASTY, (40, 80)), ("a.jpg", (64, 64))):
        Image.new("RGB", size, "teal").save(tmp_path / name)
    (tmp_path / "b.jpg").write_text("not an image")
    Image.new("RGB", (64, 64)).save(tmp_path / "c.jpg")

    def images(*rows):
        made = [dict(zip(("image", "identity", "camera"), row, strict=True)) for row in rows]
        return Images.from_rows(made, tmp_path, "table")

    items = images(("a.jpg", "1", "x"), ("b.jpg", "2", "y"), ("c.jpg", None, None))
    queries = images(("q.jpg", "1", "x"), (NASTY, "1", "y"), ("gone.jpg", None, None))
    about = GalleryAbout(model="0123456789abcdef", run="runs/prn-small")
    gallery = Gallery.build(np.eye(3), items, tmp_path / "gallery", about)
    near = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.5, 1.0]])
    galleries = Galleries((gallery,))
    return results.search(galleries, near, queries, Question(top=3)), galleries, queries


def test_page_shows_every_verdict_and_stands_alone(found, tmp_path):
    text = write_results(*found, tmp_path / "out").read_text("utf-8")
    page = Page(text)
    assert page.open == []
    assert [name for name in page.classes("figure") if name != "query"] == [
        *("match", "miss", "unknown"),
        *("miss", "match", "unknown"),
        *("unknown", "unknown", "unknown"),
    ]
    assert page.classes("section") == [None, "wrong", None]
    sources = [given["src"] for tag, given in page.elements if tag == "img"]
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|@import", text)
    words = " ".join(page.words)
    assert "50.0%" in words and "1 of 2" in words
    assert "2 images cannot be read" in words and words.count("cannot be read") == 1 + 1 + 3
    assert "0123456789ab," in words and "prn-small" in words and "runs/" not in words


def test_names_are_escaped(found, tmp_path):
    text = write_results(*found, tmp_path / "out").read_text("utf-8")
    page = Page(text)
    assert "b" in {tag for tag, _ in page.elements}
    assert "<b>&" not in text
    assert any(given.get("alt") == NASTY for _, given in page.elements)


def test_thumbnails_keep_their_shape(found, tmp_path):
    page = Page(write_results(*found, tmp_path / "out").read_text("utf-8"))
    first = next(given["src"] for tag, given in page.elements if tag == "img")
    with Image.open(io.BytesIO(base64.b64decode(first.split(",")[1]))) as thumbnail:
        assert thumbnail.size == (160, 53)
    shots = [given["style"] for _, given in page.elements if given.get("class") == "shot"]
    assert shots[0] == "aspect-ratio:160/53;width:100%"
    assert "aspect-ratio:40/80;height:100%" in shots


def test_csv_holds_all_though_the_page_does_not(found, tmp_path):
    path = write_results(*found, tmp_path / "out", most=1)
    text = path.read_text("utf-8")
    assert Page(text).classes("section") == [None]
    assert "first 1 queries; results.csv holds all 3" in text
    frame = pd.read_csv(path.parent / "results.csv", dtype="string", keep_default_na=False)
    assert list(frame.columns) == [name for name in found[0].columns if name != "row"]
    assert frame["match"].tolist() == ["true", "false", "", "false", "true", "", "", "", ""]


def test_boxes_are_drawn_in_percent_and_colour(found, tmp_path):
    rows = {"image": ["q.jpg"], "part": ["window"], "x1": [0.1], "y1": [0.2], "x2": [0.4]}
    boxes = Boxes(pd.DataFrame({**rows, "y2": [0.7], "score": [1.0], "source": ["label"]}))
    vocabulary = load_vocabulary("prn")
    out = tmp_path / "out"
    text = write_results(*found, out, query_boxes=boxes, vocabulary=vocabulary).read_text("utf-8")
    page = Page(text)
    drawn = [given for _, given in page.elements if given.get("class") == "part"]
    colour = vocabulary["window"].colour
    style = f"left:10.0%;top:20.0%;width:30.0%;height:50.0%;border-color:{colour}"
    assert [given["style"] for given in drawn] == [style]
    assert any(given.get("id") == "parts" for _, given in page.elements)
    # Those of gallery images go by their files: a name may be that of several images.
    for name, count in (("a.jpg", 0), (str(tmp_path / "a.jpg"), 3)):
        mine = Boxes(boxes.frame.assign(image=name))
        path = write_results(*found, out, boxes=mine, vocabulary=vocabulary)
        assert path.read_text("utf-8").count('class="part"') == count
    with pytest.raises(InputError, match="needs the vocabulary"):
        write_results(*found, out, boxes=boxes)


def test_a_query_for_which_nothing_is_left_says_so(found, tmp_path):
    frame, gallery, queries = found
    kept = frame[frame["query"] != "q.jpg"]
    text = write_results(kept, gallery, queries, tmp_path / "out").read_text("utf-8")
    assert text.count("No gallery image is left") == 1
    nothing = write_results(frame.head(0), gallery, queries, tmp_path / "out").read_text("utf-8")
    assert nothing.count("No gallery image is left") == 3 and "Right at rank 1" not in nothing


@pytest.mark.parametrize("calibrated", [False, True])
def test_the_parts_that_decided_are_shown(found, tmp_path, calibrated):
    """The first two of the first query, of which the second cannot be read."""
    frame, galleries, queries = found
    rows = frame.index[(frame["query"] == "q.jpg") & (frame["rank"] <= 2)]
    files = tuple((tmp_path / "q.jpg", tmp_path / name) for name in frame.loc[rows, "image"])
    curves = None
    says = np.full((2, 3), np.nan)
    if calibrated:
        curve = Curve(slope=-1.0, offset=1.0, same=9, different=9)
        curves = {"window": curve, NASTY: curve, "brand": curve}
        says[0, :2] = [0.8, -1.5]
    apart = np.array([[0.2, 2.5, np.nan], [np.nan] * 3])
    seen = np.array([[[1, 1], [1, 1], [1, 0]], [[0, 0]] * 3], bool)
    evidence = PartEvidence(("window", NASTY, "brand"), apart, says, seen, curves)
    corners = {"x1": [0.1, 0.3], "y1": [0.2, 0.5], "x2": [0.4, 0.5], "y2": [0.7, 0.9]}
    some = {"image": "i", "part": ["window", "brand"], **corners, "score": 1.0, "source": "label"}
    boxes = {files[0][0]: pd.DataFrame(some), files[0][1]: pd.DataFrame(some).head(1)}
    compared = Compared(evidence, files, boxes, ("", "its file cannot be read"), 2)
    out = tmp_path / "out"
    told = ListEvidence(compared, rows)
    text = write_results(frame, galleries, queries, out, evidence=told).read_text("utf-8")
    page = Page(text)
    assert page.open == [] and "<b>&" not in text
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|@import", text)
    assert text.count('class="ev-card"') == 2 and page.classes("details").count("why") == 1
    words = " ".join(" ".join(page.words).split())
    if calibrated:
        assert f"For it: window +0.8; against it: {NASTY} \N{MINUS SIGN}1.5." in words
        assert "parts against for" in words
    else:
        assert f"Nearest: window 0.200. Most different: {NASTY} 2.500." in words
        assert "parts near far apart" in words
    assert "not seen in B" in words and "Its file cannot be read." in words
    bars = [given["style"] for tag, given in page.elements if tag == "i" and "width" in
            given.get("style", "") and given.get("class") is None]  # fmt: skip
    widths = [float(re.search(r"width:([\d.]+)%", style)[1]) for style in bars]
    # Log-odds fill a half of the bar at 2; distances the whole at the farthest that is shown.
    assert widths == ([37.5, 20.0] if calibrated else [8.0, 100.0])
    drawn = [given for _, given in page.elements if "ev-box" in (given.get("class") or "")]
    assert [given["class"].split() for given in drawn] == [
        ["ev-box"], ["ev-box", "alone"], ["ev-box"], ["ev-box", "alone"], ["ev-box", "alone"]
    ]  # fmt: skip
    assert drawn[0]["style"].startswith("left:10.0%;top:20.0%;width:30.0%;height:50.0%")
    table = pd.read_csv(out / "results.csv", dtype="string", keep_default_na=False)
    assert table["parts"].tolist() == [f"window 0.200, {NASTY} 2.500", *[""] * 8]
    assert ("parts_say" in table) is calibrated
    assert "parts" not in frame


def test_the_page_says_why_no_parts_are_compared(found, tmp_path):
    text = write_results(*found, tmp_path / "out", evidence="no detector").read_text("utf-8")
    assert "No part evidence: no detector." in text and 'ev-card"' not in text
    text = write_results(*found, tmp_path / "out").read_text("utf-8")
    assert "part evidence" not in text
