"""Any number of runs on the same question: a page, and its tables as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from annotations.errors import InputError
from annotations.files import whole_file
from pipelines.jobs.asked import Asked
from pipelines.jobs.question import Question, load_runs
from pipelines.report.runs import write_runs
from pipelines.tables import say, show, written
from reid.cost import measure_costs
from reid.device import in_words, pick_device
from reid.evaluation.compare import against, by_query
from reid.evaluation.report import Evaluation
from reid.methods import check_branches
from reid.recipe import Recipe
from reid.run import Run
from reid.training.work import read_seconds

_FEW = 4
"""So many parts are named; more are counted."""


def compare(
    folders: Sequence[Path],
    data: Path,
    dataset: str | None,
    found: Sequence[Path],
    branches: str,
    out: Path,
    device: str,
    asked: Asked,
    base: Path | None = None,
) -> None:
    """Evaluate runs on the same images by the same protocol, and compare each with one of them.

    Args:
        folders: of two runs or more.
        data: the data set.
        dataset: its kind, or None.
        found: part boxes, of each vocabulary that runs look at, and masks; as far as the runs'
            methods look at them.
        branches: what makes an embedding.
        out: folder for results.
        device: ``auto``, ``cpu``, ``cuda``.
        asked: by which protocol.
        base: the run that the others are compared with; by default the first.

    Raises:
        InputError: there are fewer than two runs, one is there twice or needs what is not given,
            or ``base`` is none of them.
    """
    if len(folders) < 2:
        raise InputError("give two runs or more; 'partreid eval' looks at one")
    chosen = check_branches(branches)
    runs = load_runs(folders)
    first = _base(runs, base)
    question = Question.read(asked, data, dataset, found, chosen, device)
    for run in runs.values():
        question.found_for(run)
    scored = {}
    for place, (name, run) in enumerate(runs.items(), 1):
        say(f"{name} ({place} of {len(runs)})")
        scored[name] = question.score(run)
    for problem in scored[first].problems:
        say(problem)
    say(scored[first].protocol)
    write_comparison(out, runs, scored, question, base=first)


def _base(runs: Mapping[str, Run], base: Path | None) -> str:
    for name, run in runs.items():
        if base is None or run.source.resolve() == base.resolve():
            return name
    raise InputError(f"--against {base}: is none of the runs; name it among them, too")


def write_comparison(
    folder: Path,
    runs: Mapping[str, Run],
    scored: Mapping[str, Evaluation],
    question: Question,
    base: str,
) -> None:
    """Measure what runs cost, print how they compare, and write it.

    Args:
        folder: gets ``compared.html``, ``compared.csv`` (see `reid.evaluation.compare.against`),
            ``costs.csv``, and ``queries.csv`` (see `reid.evaluation.compare.by_query`).
        runs: by name.
        scored: their evaluations.
        question: what they were asked.
        base: the run that the others are compared with.
    """
    ordered = {base: scored[base], **scored}
    tables = {
        "scores": against(base, ordered),
        "queries": by_query(ordered),
        "costs": _costs({name: runs[name] for name in ordered}, question),
    }
    show(_in_short(tables["scores"]), f"against {base}: paired differences, 95 % intervals")
    show(tables["costs"].drop(columns=["folder", "network"]), "cost")
    for name, table in tables.items():
        path = folder / ("compared.csv" if name == "scores" else f"{name}.csv")
        with whole_file(path) as aside:
            table.to_csv(aside, index=name == "queries")
        written(path, f"{name}:")
    page = folder / "compared.html"
    title = f"{len(runs)} runs on {question.name}"
    device = in_words(pick_device(question.device))
    write_runs(page, title, ordered, tables, question.images, device)
    written(page, "page:")


def _in_short(scores: pd.DataFrame) -> pd.DataFrame:
    """Return scores for the terminal, both ends of an interval in one column."""

    def interval(frame: pd.DataFrame, sign: str) -> list[str]:
        return [
            "" if pd.isna(low) else f"{low:{sign}.3f} to {high:{sign}.3f}"
            for low, high in frame.to_numpy(float)
        ]

    gains = ["difference_low", "difference_high"]
    about = [name for name in ("run", "pairs", "metric", "value") if name in scores]
    return scores[about].assign(
        interval=interval(scores[["low", "high"]], ""),
        difference=scores["difference"],
        paired=interval(scores[gains], "+"),
    )


def _costs(runs: Mapping[str, Run], question: Question) -> pd.DataFrame:
    say("measuring the speed of the networks")
    costs = measure_costs(
        [(run, question.found_for(run)) for run in runs.values()],
        question.protocol.divide(question.images)[0],
        branches=question.branches, mirror=question.mirror, device=question.device,
    )  # fmt: skip
    return pd.DataFrame(
        {
            "run": name,
            "folder": str(run.source),
            "network": _in_words(run.recipe),
            **asdict(cost),
            "training_seconds": read_seconds(run.source),
        }
        for (name, run), cost in zip(runs.items(), costs, strict=True)
    )


def _in_words(recipe: Recipe) -> str:
    use = recipe.parts.use
    parts = f"{len(use)} parts" if len(use) > _FEW else ", ".join(use) or "no parts"
    size = f"{recipe.image.width} x {recipe.image.height}"
    return f"{recipe.method}, {recipe.backbone.name} at {size}; {parts}; seed {recipe.seed}"
