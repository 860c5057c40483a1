import json
import re

import pandas as pd
import pytest

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.labels import label_rows
from annotations.vocabulary import load_vocabulary
from pipelines.jobs import whole
from pipelines.jobs.demo import demo

CHANGES = ["epochs=1", "image.height=32", "image.width=32", "batch.size=8"]
PLACES = {
    "window": (0.2, 0.15, 0.8, 0.45),
    "light": (0.1, 0.6, 0.3, 0.9),
    "brand": (0.35, 0.6, 0.7, 0.9),
}


def found_nothing_but_places(detector, root, dataset, out, *rest):
    """Stand in for detection, which one epoch of training would leave empty-handed."""
    images = read_images(root)
    rows = [(name, part, *box) for name in images.frame["image"] for part, box in PLACES.items()]
    about = {"vocabulary": load_vocabulary("prn").record()}
    Boxes(label_rows(rows).assign(source="detector"), about).write(out / "boxes.parquet")
    broken = f"{images.frame['image'].iloc[-1]}"
    pd.DataFrame({"image": [broken], "problem": ["<b>broken</b>"]}).to_csv(out / "problems.csv")


def trained(labels, out, *rest):
    out.mkdir(parents=True, exist_ok=True)
    row = {
        "part": "all",
        "precision": 0.5,
        "recall": 0.5,
        "AP50": 0.51239,
        "AP50-95": 0.25,
        "boxes": 9,
    }
    pd.DataFrame([row]).to_csv(out / "scores.csv", index=False)


@pytest.fixture
def small(monkeypatch, fleet):
    """Let the demo run on the small fleet, its detector replaced."""
    on = classmethod(lambda cls, data, work: cls(fleet, work / "fleet", True))
    monkeypatch.setattr(whole.Job, "on", on)
    monkeypatch.setattr("pipelines.jobs.detector.train", trained)
    monkeypatch.setattr("pipelines.jobs.detector.detect", found_nothing_but_places)


def test_the_demo_ends_in_one_page_and_goes_on_where_it_stopped(
    small, tmp_path, capsys, monkeypatch
):
    report = demo(tmp_path, "cpu", CHANGES)
    page = report.read_text("utf-8")
    printed = capsys.readouterr().out
    assert "10 of 10: Report" in printed
    assert "plain network and PRN" in printed
    for name in ("steps", "data", "parts", "networks", "ranks", "looking", "failures", "about"):
        assert f'<section id="{name}">' in page
    # All pictures are inside, and nothing comes from elsewhere.
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) > 100
    assert all(source.startswith("data:image/") for source in sources)
    assert "http" not in re.sub(r'"data:[^"]*"', "", page)
    assert not re.search(r"<script|<link|@import|url\(", page)
    links = re.findall(r'<a href="([^"#][^"]*)"', page)
    assert len(links) == 4
    assert all((tmp_path / link).is_file() for link in links)
    metrics = re.findall(r"<tr><td>(mAP|mINP|rank-\d+)</td>", page)
    assert metrics == ["mAP", "mINP", "rank-1", "rank-5", "rank-10"]

    assert "0.512" in page
    assert "&lt;b&gt;broken" in page
    assert "<b>broken" not in page

    models = [tmp_path / "fleet" / run / "model.pt" for run in ("reid-plain", "reid-prn-demo")]
    before = [path.stat().st_mtime_ns for path in models]
    assert len(re.findall(r'class="time">', page)) == 11
    times = json.loads((tmp_path / "steps.json").read_text())
    monkeypatch.setattr("pipelines.jobs.demo.write_report", lambda *rest: None)
    demo(tmp_path, "cpu", CHANGES)
    assert [path.stat().st_mtime_ns for path in models] == before
    now = json.loads((tmp_path / "steps.json").read_text())
    made = ("Data", "Part detector", "Detection", "Filling", "Plain network", "PRN")
    assert [now[name] for name in made] == [times[name] for name in made]
