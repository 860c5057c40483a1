"""The checks that every table passes, and the reading and writing that tables share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from annotations.errors import InputError, suggest
from annotations.files import whole_file
from annotations.times import as_seconds

_METADATA_KEY = b"partreid"


@dataclass(frozen=True)
class Column:
    """What one column of a table must hold.

    Attributes:
        name: the column's name.
        kind: ``text`` (string), ``number`` (float64), ``integer`` (nullable Int64) or ``time``
            (float64; dates become seconds from 1970, see `annotations.times`).
        required: whether the column must be there; a column that is not required is
            checked where it is there and left out where it is not.
        nullable: whether a cell may be empty.
        low: smallest value allowed, for numbers.
        high: largest value allowed, for numbers.
        choices: the words allowed, for text; empty for any.
        trimmed: whether blanks around a text are taken away; a file's name may begin with one.
    """

    name: str
    kind: Literal["text", "number", "integer", "time"] = "text"
    required: bool = False
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    trimmed: bool = True


def _row(frame: pd.DataFrame, bad: pd.Series[bool]) -> str:
    """Name the first bad row as a person counts it: the line of the CSV, its header being 1."""
    position = int(bad.to_numpy().argmax())
    first = frame.columns[0]
    count = int(bad.sum())
    others = f" (and {count - 1} more)" if count > 1 else ""
    return f"row {position + 2} ({first} {frame[first].iloc[position]!r}){others}"


def _typed(values: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if column.kind == "text":
        # Ids such as 0002 must stay text; a number read from a CSV by mistake becomes text.
        text = values.astype("string")
        trimmed = text.str.strip()
        return (trimmed if column.trimmed else text).mask(trimmed == "")
    if column.kind == "time":
        values = as_seconds(values)
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.astype("Int64" if column.kind == "integer" else "float64")


def check_table(
    frame: pd.DataFrame, columns: Sequence[Column], unique: Sequence[str], source: str
) -> pd.DataFrame:
    """Return a copy of ``frame`` with every column checked and typed.

    Args:
        frame: the table as read.
        columns: what the columns must hold; others are kept as they are.
        unique: the columns that together name a row; empty for none.
        source: the file or object that errors name.

    Raises:
        InputError: a column is missing, or a cell is empty, of another type, out of
            range, not among the choices, or a row is there twice.
    """
    checked = frame.reset_index(drop=True).copy()
    for column in columns:
        if column.name not in checked:
            if column.required:
                there = ", ".join(map(str, frame.columns)) or "none"
                raise InputError(
                    f"{source}: column '{column.name}' is missing (columns there: {there})"
                )
            continue
        given = checked[column.name]
        try:
            values = _typed(given, column)
        except (TypeError, ValueError):
            raise InputError(
                f"{source}: column '{column.name}' must hold {column.kind} values"
            ) from None
        empty = values.isna()
        if column.kind != "text":
            unread = empty & given.notna()
            if unread.any():
                what = "neither a number of seconds nor a date such as 2024-05-01T12:00:00"
                what = what if column.kind == "time" else "not a number"
                raise InputError(f"{source}: {_row(frame, unread)}: '{column.name}' is {what}")
        if not column.nullable and empty.any():
            raise InputError(f"{source}: {_row(frame, empty)}: '{column.name}' is empty")
        outside = {
            f"below {column.low}": None if column.low is None else values < column.low,
            f"above {column.high}": None if column.high is None else values > column.high,
        }
        for words, bad in outside.items():
            if bad is not None and bad.fillna(False).any():
                where = _row(frame, bad.fillna(False).astype(bool))
                raise InputError(f"{source}: {where}: '{column.name}' is {words}")
        if column.choices:
            bad = ~values.isin(column.choices) & ~empty
            if bad.any():
                wrong = str(values[bad].iloc[0])
                raise InputError(
                    f"{source}: {_row(frame, bad)}: '{column.name}' is '{wrong}'; "
                    f"{suggest(wrong, column.choices)}"
                )
        checked[column.name] = values
    if unique:
        twice = checked.duplicated(list(unique), keep="first")
        if twice.any():
            raise InputError(f"{source}: {_row(frame, twice)}: the same {'/'.join(unique)} twice")
    return checked


def read_table(path: Path, text_columns: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a CSV or Parquet file.

    Returns:
        The frame, and what `write_table` stored about it (empty for a CSV).

    Raises:
        InputError: the file is missing, empty, or not a table.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            stored = (table.schema.metadata or {}).get(_METADATA_KEY, b"{}")
            return table.to_pandas(), json.loads(stored)
        dtypes = dict.fromkeys(text_columns, "string")
        # Only an empty cell is empty: "None" and "NA" are words that an identity may be called.
        frame = pd.read_csv(path, dtype=dtypes, keep_default_na=False, na_values=[""])
        return frame, {}
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pa.ArrowInvalid, ValueError) as error:
        raise InputError(
            f"{path}: not a readable {path.suffix.lstrip('.') or 'CSV'} table: {error}"
        ) from None


def write_table(frame: pd.DataFrame, path: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a Parquet file (with ``about`` in its metadata) or, by the suffix, a CSV."""
    with whole_file(path) as aside:
        if path.suffix == ".parquet":
            table = pa.Table.from_pandas(frame, preserve_index=False)
            metadata = {
                **(table.schema.metadata or {}),
                _METADATA_KEY: json.dumps(about or {}).encode(),
            }
            pq.write_table(table.replace_schema_metadata(metadata), aside)
        else:
            frame.to_csv(aside, index=False)
