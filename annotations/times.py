"""Times of images: seconds from any start, or from 1970, where they are dates (UTC)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import pandas as pd

FIRST, LAST = 1e9, 1e11
"""Seconds that are told as a date: from September 2001 to the year 5138."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?")


def told_time(seconds: float) -> str:
    """Return a time as a person reads it, and as a condition takes it.

    Args:
        seconds: from 1970 where they are between `FIRST` and `LAST`, else from any start.

    Returns:
        ``2024-05-01 12:00:00``, in UTC and cut to whole seconds, or the number without an
        exponent, such as ``54283.2``.
    """
    if FIRST <= seconds < LAST:
        return datetime.fromtimestamp(math.floor(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def read_date(text: str) -> float | None:
    """Return the seconds from 1970 of a date, such as ``2024-05-01T12:00``; None where it is none.

    Args:
        text: ISO 8601; without a zone it is UTC.
    """
    if not _DATE.fullmatch(text.strip()):
        return None
    try:
        date = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def as_seconds(times: pd.Series) -> pd.Series:
    """Return a column of times with its dates as seconds from 1970; other cells as they are.

    Args:
        times: numbers, dates, or text that is either.
    """
    if pd.api.types.is_numeric_dtype(times):
        return times
    if pd.api.types.is_datetime64_any_dtype(times):
        return (pd.to_datetime(times, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta("1s")
    dates = times.map(lambda each: read_date(str(each)), na_action="ignore")
    return times.astype(object).where(dates.isna(), dates)
