"""The report: one HTML file that carries everything within itself."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import torch

from annotations.files import write_text
from pipelines.report import figures
from pipelines.report.activations import activation_maps, looking, similarity_maps
from pipelines.report.compare import comparison, paired
from pipelines.report.explain import Explainer
from pipelines.report.failures import failures, mistakes
from pipelines.report.look_alikes import in_words, known_keys
from pipelines.report.material import Material, Step
from pipelines.report.overview import contact_sheet, coverage, detections, split_table, time_line
from pipelines.report.ranks import rank_lists
from pipelines.report.tiles import Album

_HERE = Path(__file__).parent


def write_report(path: Path, title: str, material: Material, device: str) -> None:
    """Write the page.

    Args:
        path: the file to write; links to other outputs are relative to it.
        title: the page's heading.
        material: what it tells of.
        device: ``auto``, ``cpu``, ``cuda``: where the maps are computed.
    """
    started = time.monotonic()
    album = Album(material.images, material.boxes, material.vocabulary)
    parts = material.vocabulary.names
    plain, prn = explainers = (
        Explainer(material.plain, material.images, material.boxes, parts, device),
        Explainer(material.prn, material.images, material.boxes, parts, device),
    )
    both = paired(material.plain.evaluation, material.prn.evaluation)
    seen = looking(material, (plain, prn))
    told: dict[str, Any] = {
        "title": title,
        "material": material,
        "style": (_HERE / "page.css").read_text("utf-8"),
        "metrics": comparison(material.plain.evaluation, material.prn.evaluation),
        "splits": split_table(material.images),
        "alike": in_words(known_keys(material.images)),
        "contact": contact_sheet(material.images, album),
        "coverage": coverage(material),
        "detections": detections(material, album),
        "curves": figures.match_curves(material.networks),
        "gains": figures.gains(both),
        "training": figures.training_curves(material.networks),
        "ranks": rank_lists(both, explainers, album),
        "looking": seen,
        "evidence_bars": figures.part_bars(seen.evidence),
        "peak_bars": figures.part_bars(seen.peaks),
        "activations": activation_maps(material, explainers, album),
        "similarities": similarity_maps(both, material, explainers, album),
        "failures": failures(both, material, prn, album),
        "mistakes": mistakes(material.networks, material),
        "system": f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"{material.device}",
        "links": [
            (what, os.path.relpath(target.resolve(), path.parent.resolve()))
            for what, target in material.files
        ],
    }
    told["aspect"] = album.aspect
    spent = time.monotonic() - started
    own = Step("This page", "Evidence by part, activation maps, pictures.", spent)
    template = environment().get_template("page.html.j2")
    write_text(path, template.render(told, bars=time_line((*material.steps, own))))


def environment() -> jinja2.Environment:
    """Return what renders the pages' templates, with their filters."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "cell": _cell,
        "signed": _signed,
        "duration": _duration,
        "large": _large,
    }
    return environment


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3f}"
    return str(value)


def _signed(value: float) -> str:
    # A minus sign as wide as the plus, and no sign on what rounds to zero.
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")  # noqa: RUF001


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "done before"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = int(seconds) // 60
    if minutes >= 100:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {int(seconds) % 60:02d} s"


def _large(value: float) -> str:
    """Write a count with three digits, such as 25.6 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 10 * min(size, 1e3) and value >= size:
            return f"{value / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
