"""The tables of one paper, or of all, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from annotations.errors import InputError, suggest
from pipelines.fleet.make import make_fleet
from pipelines.jobs import eianet, papers, span
from pipelines.jobs.prn import prn_tables
from pipelines.papers import smoke
from pipelines.tables import say

ALL = "all"


@dataclass(frozen=True)
class Asked:
    """What a person asks for; options that not every paper has are as by default elsewhere.

    Attributes:
        boxes: part boxes (prn, eianet).
        recipe: by name or file; None for METHOD-small.
        seeds: trainings of each network.
        rows: rows by comma; None for all (eianet: but PRN).
        sizes: input heights by comma (prn).
        levels: by comma (eianet).
        pairs: files of test pairs (eianet).
        hold_out: share of models that thresholds learn from (eianet).
        first: changes for the classifier (eianet).
        masks: of views (span).
        views: changes for what finds masks (span).
        changes: to the recipe.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images in training.
    """

    boxes: Path | None = None
    recipe: str | None = None
    seeds: int = 3
    rows: str | None = None
    sizes: str | None = None
    levels: str = "model,year"
    pairs: tuple[Path, ...] = ()
    hold_out: float = 1 / 3
    first: tuple[str, ...] = ()
    masks: Path | None = None
    views: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    device: str = "auto"
    workers: int = 2

    def given(self, names: Sequence[str]) -> list[str]:
        """Return those of some options that are not as by default."""
        plain = {field.name: field.default for field in fields(self)}
        return [name for name in names if getattr(self, name) != plain[name]]

    @property
    def wanted(self) -> papers.Wanted:
        """What every paper is asked."""
        return papers.Wanted(self.rows, self.seeds, self.device, self.workers)


def _prn(data: Path | None, asked: Asked, work: Path) -> Path:
    recipe, changes = asked.recipe or "prn-small", list(asked.changes)
    return prn_tables(data, asked.boxes, recipe, asked.sizes, asked.wanted, work, changes)


def _eianet(data: Path | None, asked: Asked, work: Path) -> Path:
    wanted = eianet.Wanted(
        asked.levels, asked.rows, asked.seeds, asked.pairs, asked.hold_out, asked.first
    )
    recipe, changes = asked.recipe or "eianet-small", list(asked.changes)
    return eianet.eianet_tables(
        data, asked.boxes, recipe, wanted, work, changes, asked.device, asked.workers
    )


def _span(data: Path | None, asked: Asked, work: Path) -> Path:
    wanted = span.Wanted(asked.rows, asked.seeds, asked.masks, asked.views)
    recipe, changes = asked.recipe or "span-small", list(asked.changes)
    return span.span_tables(data, recipe, wanted, work, changes, asked.device, asked.workers)


def _declared(method: str) -> Callable[[Path | None, Asked, Path], Path]:
    def run(data: Path | None, asked: Asked, work: Path) -> Path:
        recipe, changes = asked.recipe or f"{method}-small", list(asked.changes)
        return papers.paper_tables(method, data, recipe, asked.wanted, work, changes)

    return run


METHODS: dict[str, Callable[[Path | None, Asked, Path], Path]] = {
    "prn": _prn,
    "eianet": _eianet,
    "span": _span,
    **{method: _declared(method) for method in papers.PAPERS},
}
_OWNERS = {
    "sizes": ("prn",),
    "boxes": ("prn", "eianet"),
    "levels": ("eianet",),
    "pairs": ("eianet",),
    "hold_out": ("eianet",),
    "first": ("eianet",),
    "masks": ("span",),
    "views": ("span",),
}
"""The options that not every paper has, and whose they are."""
_OF_ONE = ("recipe", "rows", "boxes")
"""What differs from paper to paper, so that it cannot be asked of all."""
_SMOKE = ("recipe", "boxes", "sizes", "pairs", "masks", "seeds")
"""What a smoke run has of its own."""


def tables(method: str, data: Path | None, asked: Asked, work: Path, fast: bool = False) -> None:
    """Train and print the tables of one paper, or of all that the data set has what they need for.

    Args:
        method: a key of `METHODS`, or `ALL`.
        data: the data set; None for each paper's own fleet.
        asked: everything else.
        work: holds every job's output.
        fast: make a smoke run of it, see `pipelines.papers.smoke`.

    Raises:
        InputError: there is no such method, an option is not of it, or it cannot be had, or none
            of all can.
    """
    if method != ALL and method not in METHODS:
        raise InputError(f"no tables of '{method}'; {suggest(method, [*METHODS, ALL])}")
    _require_own_options(method, asked)
    if fast:
        data, asked, work = _smoke(data, asked, work)
    if method == ALL:
        _run_all(data, asked, work, fast)
    else:
        _run(method, data, asked, work, fast)
    if fast:
        say(f"this was {smoke.NOTE}")


def _run(method: str, data: Path | None, asked: Asked, work: Path, fast: bool) -> None:
    if fast:
        own, rows = smoke.OF_METHOD.get(method, ()), asked.rows or smoke.ROWS.get(method)
        asked = replace(asked, changes=(*own, *asked.changes), rows=rows)
    METHODS[method](data, asked, work)


def _require_own_options(method: str, asked: Asked) -> None:
    if method == ALL and (given := asked.given(_OF_ONE)):
        raise InputError(f"--{given[0]} is of one paper's tables: name whose (METHOD=)")
    for name in asked.given(tuple(_OWNERS)):
        if method not in (ALL, *_OWNERS[name]):
            option, owners = name.replace("_", "-"), " and ".join(_OWNERS[name])
            raise InputError(f"--{option} is of {owners}, not {method}")


def _smoke(data: Path | None, asked: Asked, work: Path) -> tuple[Path, Asked, Path]:
    """Return the data set of a smoke run, what is asked of it, and the folder of its output."""
    if data is not None:
        raise InputError(f"--fast: has a tiny fleet of its own; leave out '{data}'")
    if given := asked.given(_SMOKE):
        raise InputError(f"--fast: sets {given[0]} itself; leave out --{given[0]}")
    say(smoke.NOTE)
    work = work / "smoke"
    root = work / "data" / smoke.NAME
    make_fleet(root, smoke.FLEET, progress=False)
    asked = replace(
        asked, seeds=1, sizes=smoke.SIZES, changes=(*smoke.RECIPE, *asked.changes),
        views=(*smoke.VIEWS, *asked.views), workers=0,
    )  # fmt: skip
    return root, asked, work


def _run_all(data: Path | None, asked: Asked, work: Path, fast: bool) -> None:
    """Run every paper; say again at the end which were left out.

    Raises:
        InputError: all were.
    """
    left_out: dict[str, str] = {}
    for method in METHODS:
        say(f"\n{method}: its tables")
        try:
            _run(method, data, asked, work, fast)
        except InputError as error:
            if fast:  # its fleet has what every paper needs
                raise
            left_out[method] = str(error)
            say(f"{method} is left out: {error}")
    if len(left_out) == len(METHODS):
        method, why = next(iter(left_out.items()))
        raise InputError(f"no paper's tables can be had, such as those of {method}: {why}")
    for method, why in left_out.items():
        say(f"left out: the tables of {method}: {why}")
