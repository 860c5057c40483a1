"""Evaluating a run by a protocol, alone or beside another run."""

from __future__ import annotations

from pathlib import Path

from pipelines.jobs.asked import Asked
from pipelines.jobs.comparison import write_comparison
from pipelines.jobs.question import Question, load_runs
from pipelines.report.curves import write_curves
from pipelines.tables import say, show, written
from reid.evaluation.report import Evaluation
from reid.methods import check_branches
from reid.run import Run


def evaluate(
    run: Path,
    data: Path,
    dataset: str | None,
    boxes: Path | None,
    branches: str,
    out: Path | None,
    device: str,
    asked: Asked | None = None,
    other: Path | None = None,
) -> Evaluation:
    """Evaluate a run, print its table and write its files; with ``other``, compare the two.

    Args:
        run: its folder.
        data: the data set.
        dataset: its kind, or None.
        boxes: part boxes, or None.
        branches: what makes an embedding.
        out: folder for results; by default in the run's own.
        device: ``auto``, ``cpu``, ``cuda``.
        asked: by which protocol.
        other: a run to compare with, on the same images by the same protocol.
    """
    asked = asked or Asked()
    chosen = check_branches(branches)
    runs = load_runs([run, *([other] if other else [])])
    question = Question.read(asked, data, dataset, [boxes] if boxes else [], chosen, device)
    for each in runs.values():
        question.found_for(each)
    mine, *others = runs
    folder = out or runs[mine].source / asked.folder_name(data, chosen)
    scored = {mine: _tell(runs[mine], question, folder)}
    for name in others:
        scored[name] = _tell(runs[name], question, folder / "compared")
        write_comparison(folder, runs, scored, question, base=name)
    return scored[mine]


def _tell(run: Run, question: Question, folder: Path) -> Evaluation:
    """Score a run, print its scores and write their files."""
    scored = question.score(run)
    show(scored.table, f"{run.source}, 95 % intervals")
    say(scored.protocol)
    for problem in scored.problems:
        say(problem)
    for column in question.by:
        if "column" in scored.groups:
            mine = scored.groups[scored.groups["column"] == column]
            show(mine.drop(columns="column").rename(columns={"group": column}), f"by {column}")
    scored.write(folder)
    write_curves({run.source.name: scored}, folder / "curve.png")
    written(folder / "metrics.json", "metrics:")
    written(folder / "curve.png", "curve:")
    return scored
