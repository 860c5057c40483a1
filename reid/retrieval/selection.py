"""Which images of galleries may be found: conditions on the columns of their tables."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotations.errors import InputError, suggest
from annotations.times import read_date, told_time
from reid.retrieval.exact import Mask
from reid.retrieval.segment import as_words

if TYPE_CHECKING:  # galleries select by what is here
    from reid.retrieval.several import Galleries

_OPERATOR = re.compile(r"<=|>=|!=|==?|<|>")
_NAMED = 5
"""Values that are named of a column where none is the one asked for."""
_SHOWN = 80
"""Letters that an error shows of a condition that cannot be read."""
_ORDERS = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}


@dataclass(frozen=True)
class Condition:
    """What a column must hold.

    Attributes:
        column: of an images table, a user's own included.
        operator: ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
        values: one, or for ``=`` and ``!=`` several: any of them, none of them.

    An image of which the column says nothing fulfils ``!=`` and no other condition. A column of
    numbers is compared with numbers, or with dates, which are seconds from 1970 (UTC).
    """

    column: str
    operator: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, words: str) -> Condition:
        """Read a condition such as ``camera=c1,c2``, ``time>=1200`` or ``colour!=white``.

        ``==`` is ``=``. A value that has a comma stands in double quotes: ``colour="blue, dark"``.

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
        operator = "=" if found[0] == "==" else found[0]
        try:
            parts = next(csv.reader([value], skipinitialspace=True))
        except csv.Error as error:  # a line's end, or more letters than any column has
            raise InputError(f"condition '{words[:_SHOWN]}': {error}") from None
        values = tuple(part.strip() for part in parts)
        if operator in _ORDERS and len(values) > 1:
            raise InputError(f"condition '{words}': '{operator}' takes one value")
        return cls(column, operator, values)

    def __str__(self) -> str:
        return f"{self.column}{self.operator}{','.join(map(_quoted, self.values))}"

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
            true = self._compared(as_words(column), pa.array(self.spellings, pa.string()))
        elif pa.types.is_integer(column.type):
            true = self._whole(column)
        else:
            numbers = [self.number_of(value) for value in self.values]
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
        number = self.number_of(value)
        try:
            return Decimal(value) if math.isfinite(number) else number
        except InvalidOperation:  # a date
            return Decimal(number)

    def number_of(self, value: str) -> float:
        """Return a value as a column of numbers has it: a number, or a date's seconds from 1970.

        Raises:
            InputError: it is neither.
        """
        try:
            return float(value)
        except ValueError:
            if (seconds := read_date(value)) is not None:
                return seconds
        raise InputError(
            f"condition '{self}': {self.column} holds numbers, and '{value}' is none, nor a date "
            "such as 2024-05-01 or 2024-05-01T12:00"
        )

    @property
    def spellings(self) -> tuple[str, ...]:
        """The values as a column of words has them: Python's True and False are true and false."""
        more = [value.lower() for value in self.values if value in ("True", "False")]
        return (*self.values, *more)


def _quoted(value: str) -> str:
    """Return a value as `Condition.parse` reads it."""
    if "," not in value and not value.startswith('"'):
        return value
    doubled = value.replace('"', '""')
    return f'"{doubled}"'


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
        tables = [segment.table for segment in segments]
        raise nothing_fulfils(conditions, galleries.name, tables)
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


def nothing_fulfils(
    conditions: Sequence[Condition], name: str, tables: Sequence[pa.Table] = ()
) -> InputError:
    """Return the error that no image of what is searched fulfils all conditions.

    Args:
        conditions: what is asked.
        name: of what is searched.
        tables: all of it; where they are given, the error says what there is in the columns of
            which one value is asked.
    """
    said = f"{name}: no image fulfils {' and '.join(map(str, conditions))}"
    asked = dict.fromkeys(each.column for each in conditions if each.operator == "=")
    there = [_held(column, tables) for column in asked] if tables else []
    return InputError(f"{said} ({'; '.join(there)})" if there else said)


def _held(column: str, tables: Sequence[pa.Table]) -> str:
    """Say which values a column holds."""
    values: dict[str, None] = {}
    for table in tables:
        if column in table.column_names:
            known = pc.unique(table[column]).drop_null().sort()
            timed = column == "time" and pa.types.is_floating(known.type)
            told = map(told_time, known.to_pylist()) if timed else as_words(
                pa.chunked_array([known])
            ).to_pylist()  # fmt: skip
            values |= dict.fromkeys(told)
    values.pop("", None)
    if not values:
        return f"{column} is empty everywhere"
    named = list(values)[:_NAMED] if column == "time" else sorted(values)[:_NAMED]
    more = f" and {len(values) - len(named):,} more" if len(values) > len(named) else ""
    return f"its {column} is {', '.join(named)}{more}"
