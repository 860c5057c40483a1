"""Which images of galleries may be found: conditions on the columns of their tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotations.errors import InputError, suggest
from reid.retrieval.exact import Mask
from reid.retrieval.segment import as_words

if TYPE_CHECKING:  # galleries select by what is here
    from reid.retrieval.several import Galleries

_OPERATOR = re.compile(r"<=|>=|!=|=|<|>")
_ORDERS = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}


@dataclass(frozen=True)
class Condition:
    """What a column must hold.

    Attributes:
        column: of an images table, a user's own included.
        operator: ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
        values: one, or for ``=`` and ``!=`` several: any of them, none of them.

    An image of which the column says nothing fulfils ``!=`` and no other condition.
    """

    column: str
    operator: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, words: str) -> Condition:
        """Read a condition such as ``camera=c1,c2``, ``time>=1200`` or ``colour!=white``.

        Raises:
            InputError: it is none.
        """
        found = _OPERATOR.search(words)
        column, value = "", ""
        if found:
            column, value = words[: found.start()].strip(), words[found.end() :].strip()
        if not found or not column or not value:
            raise InputError(
                f"condition '{words}': write it as column=value, such as camera=c1,c2, "
                "colour!=white or time>=1200"
            )
        operator = found[0]
        values = tuple(part.strip() for part in value.split(","))
        if operator in _ORDERS and len(values) > 1:
            raise InputError(f"condition '{words}': '{operator}' takes one value")
        return cls(column, operator, values)

    def __str__(self) -> str:
        return f"{self.column}{self.operator}{','.join(self.values)}"

    def fulfilled(self, table: pa.Table, words: bool) -> Mask:
        """Return which rows of a table fulfil the condition, (N,).

        Args:
            table: of a segment.
            words: whether the column holds text in any segment.

        Raises:
            InputError: the column holds numbers, and the condition none.
        """
        if self.column not in table.column_names or pa.types.is_null(table[self.column].type):
            return np.full(len(table), self.operator == "!=")
        column = table[self.column]
        if words:
            true = self._compared(as_words(column), pa.array(self.values, pa.string()))
        elif pa.types.is_integer(column.type):
            true = self._whole(column)
        else:
            numbers = [self._number(value) for value in self.values]
            true = self._compared(column.cast(pa.float64()), pa.array(numbers, pa.float64()))
        mask: Mask = pc.fill_null(true, False).to_numpy()
        return ~mask if self.operator == "!=" else mask

    def _compared(self, column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
        if self.operator in _ORDERS:
            return _ORDERS[self.operator](column, values[0])
        return pc.is_in(column, value_set=values)

    def _whole(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Compare a column of whole numbers, exactly: above 2^53 not every one is a double."""
        kind = column.type
        limits = np.iinfo(kind.to_pandas_dtype())
        low, high = int(limits.min), int(limits.max)
        exact = [self._exact(value) for value in self.values]
        if self.operator not in _ORDERS:
            # No whole number is a fraction, nor one that the column has no place for.
            fits = [each for each in exact if low <= each <= high and each == math.floor(each)]
            return self._compared(column, pa.array(map(int, fits), kind))
        number = exact[0]
        if not low <= number <= high:  # all are below it, or above; neither is true of NaN
            every = number > high if self.operator in ("<", "<=") else number < low
            return pc.and_(pc.is_valid(column), every)
        # Below 3 and a half is below 4; at most 3 and a half is at most 3.
        bound = math.ceil(number) if self.operator in ("<", ">=") else math.floor(number)
        return self._compared(column, pa.array([bound], kind))

    def _exact(self, value: str) -> Decimal | float:
        """Return a number with all its digits; infinite, or no number, where a double is so."""
        number = self._number(value)
        return Decimal(value) if math.isfinite(number) else number

    def _number(self, value: str) -> float:
        try:
            return float(value)
        except ValueError:
            raise self.no_number(value) from None

    def no_number(self, value: str) -> InputError:
        """Return the error that a column of numbers is compared with something else."""
        return InputError(f"condition '{self}': {self.column} holds numbers, and '{value}' is none")


def select(galleries: Galleries, conditions: Sequence[Condition]) -> Mask | None:
    """Return which rows of galleries fulfil all conditions; None where there is no condition.

    Raises:
        InputError: no gallery has such a column, or no image fulfils them.
    """
    if not conditions:
        return None
    segments = [segment for gallery in galleries.each for segment in gallery.segments]
    require_columns(conditions, galleries.columns, galleries.name)
    words = {
        condition.column: any(
            pa.types.is_string(segment.table[condition.column].type)
            for segment in segments
            if condition.column in segment.table.column_names
        )
        for condition in conditions
    }
    kept = np.zeros(int(galleries.starts[-1]), dtype=bool)
    kept[galleries.rows] = True
    place = 0
    for segment in segments:
        for condition in conditions:
            true = condition.fulfilled(segment.table, words[condition.column])
            kept[place : place + len(segment)] &= true
        place += len(segment)
    if not kept.any():
        raise nothing_fulfils(conditions, galleries.name)
    return kept


def require_columns(conditions: Sequence[Condition], columns: Iterable[str], name: str) -> None:
    """Demand that there are the columns that conditions are on.

    Args:
        conditions: what is asked.
        columns: those that there are.
        name: of what is searched.

    Raises:
        InputError: there is none of that name.
    """
    there = set(columns)
    for condition in conditions:
        if condition.column not in there:
            raise InputError(
                f"condition '{condition}': {name} has no column '{condition.column}'; "
                f"{suggest(condition.column, sorted(there))}"
            )


def nothing_fulfils(conditions: Sequence[Condition], name: str) -> InputError:
    """Return the error that no image of what is searched fulfils all conditions."""
    return InputError(f"{name}: no image fulfils {' and '.join(map(str, conditions))}")
