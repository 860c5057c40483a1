"""What a paper's tables are, as data: rows, what each changes in a recipe, the paper's figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from annotations.errors import InputError, choose
from reid.recipe import Recipe


@dataclass(frozen=True)
class Row:
    """A network of a table.

    Attributes:
        name: short, for the command line and for folders; one of its own in the whole paper.
        label: its name in the paper.
        changes: to the recipe, such as ``stripes=2``.
        figures: of the paper, as shares: of each data set in turn, each metric.
        here: its name in our results, where that is another.
        traits: what the paper says that it has, one for each of the table's `Table.traits`.
    """

    name: str
    label: str
    changes: tuple[str, ...]
    figures: tuple[float, ...]
    here: str = ""
    traits: tuple[str, ...] = ()

    @property
    def own_label(self) -> str:
        """What our results call it."""
        return self.here or self.label


@dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
        number: in the paper.
        title: what it is about.
        head: what its first column is called.
        metrics: the paper's name of each, and the one in `pipelines.ablation.summary.METRICS`.
        sets: the data sets of the paper's figures.
        digits: decimals of a share that the paper gives.
        rows: in its order.
        traits: the columns behind the first, in which the paper says what each row has.
    """

    number: int
    title: str
    head: str
    metrics: tuple[tuple[str, str], ...]
    sets: tuple[str, ...]
    digits: int
    rows: tuple[Row, ...]
    traits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paper:
    """The tables of a paper that are trained from one recipe.

    Attributes:
        name: of the method.
        title: what people call it.
        whole: changes to the recipe for the paper's own method, as its tables take it.
        full: the row that is the paper's own method, which all others are compared with.
        folder: of the results.
        needs: what a recipe has to be, in words.
        fits: whether one is.
        tables: in the paper's order.
    """

    name: str
    title: str
    whole: tuple[str, ...]
    full: str
    folder: str
    needs: str
    fits: Callable[[Recipe], bool]
    tables: tuple[Table, ...]

    @property
    def rows(self) -> list[Row]:
        """All rows, the paper's own method first, then in the tables' order."""
        rows = [row for table in self.tables for row in table.rows]
        return sorted({row.name: row for row in rows}.values(), key=lambda r: r.name != self.full)

    @property
    def own_keys(self) -> tuple[str, ...]:
        """The recipe's keys that rows set."""
        changes = [*self.whole, *(change for row in self.rows for change in row.changes)]
        return ("seed", *sorted({change.partition("=")[0] for change in changes}))

    def choose(self, names: str | None) -> list[str]:
        """Return the names of the rows of a comma-separated list; all for None.

        Raises:
            InputError: a name is not one of a row.
        """
        known = [row.name for row in self.rows]
        return known if names is None else choose(names, known, f"row of {self.title}'s tables")

    def require(self, recipe: Recipe, name: str) -> None:
        """Demand that a recipe is of this paper.

        Raises:
            InputError: it is not.
        """
        if not self.fits(recipe):
            raise InputError(f"recipe '{name}': {self.title}'s tables need {self.needs}")
