"""PRN's Tables 4 to 6 on a data set, with boxes of its parts."""

from __future__ import annotations

from pathlib import Path

from annotations.errors import choose
from pipelines.ablation.table4 import ROWS, recipe_of
from pipelines.jobs.ablation import OURS, ablation, gather
from pipelines.jobs.papers import Wanted, train_paper
from pipelines.papers.plan import recipe_of as sized
from pipelines.papers.prn import choose_sizes, declare
from pipelines.recipes import load_recipe
from pipelines.settings import require_free


def prn_tables(
    data: Path | None,
    boxes: Path | None,
    recipe: str,
    sizes: str | None,
    wanted: Wanted,
    work: Path,
    changes: list[str],
) -> Path:
    """Train and print Table 4, then Tables 5 and 6, whose middle row Table 4 has, too.

    Args:
        data: see `pipelines.jobs.ablation.ablation`.
        boxes: see there.
        recipe: see there.
        sizes: see `pipelines.papers.prn.choose_sizes`; rows are ``size-HEIGHT``, and ``full`` that
            of the recipe's own size.
        wanted: its rows are of all three tables.
        work: see there.
        changes: see there.

    Returns:
        the folder of the results, WORK/NAME/ablation.

    Raises:
        InputError: see there; or the sizes are wrong.
    """
    require_free(changes, OURS)
    base = load_recipe(recipe, changes)
    whole = recipe_of(ROWS[0], base, 0)
    paper = declare(whole, choose_sizes(sizes, whole))
    paper.require(base, recipe)
    if sizes is not None:
        for row in paper.rows:
            sized(row, paper, whole)
    of_table4, of_sizes = [row.name for row in ROWS], [row.name for row in paper.rows]
    known = list(dict.fromkeys([*of_table4, *of_sizes]))
    names = known if wanted.rows is None else choose(wanted.rows, known, "row of PRN's tables")
    if rows := [name for name in of_table4 if name in names]:
        ablation(
            data, boxes, recipe, wanted.seeds, ",".join(rows), work, changes, wanted.device,
            wanted.workers,
        )  # fmt: skip
    found = gather(data, boxes, base, list(ROWS[:1]), work)
    if rows := [name for name in of_sizes if name in names]:
        train_paper(paper, whole, rows, found, wanted)
    return found.folder / paper.folder
