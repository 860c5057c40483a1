"""What the page offers to choose from: what galleries are called, and what their columns hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotations.times import told_time
from reid.retrieval.several import Galleries


def named(galleries: Galleries, names: Mapping[str, str]) -> str:
    """Return what is searched, in words; ``names`` are the galleries', by their paths."""
    words = ", ".join(names[str(gallery.path)] for gallery in galleries.each)
    return f"{words}: {len(galleries):,} images"


def has(galleries: Galleries, column: str) -> bool:
    """Return whether a column says something of any image."""
    return any(
        column in segment.table.column_names and segment.table[column].null_count < len(segment)
        for gallery in galleries.each
        for segment in gallery.segments
    )


def values(galleries: Galleries, column: str) -> list[str]:
    """Return the values of a column, as text, ascending."""
    found: set[str] = set()
    for gallery in galleries.each:
        for segment in gallery.segments:
            if column in segment.table.column_names:
                some = pc.unique(segment.table[column]).drop_null()
                found |= set(np.asarray(some, dtype=str).tolist())
    return sorted(found)


def time_span(galleries: Galleries) -> tuple[str, str]:
    """Return the first and the last time of images as conditions take them; empty where unknown."""
    ends: list[float] = []
    for gallery in galleries.each:
        for segment in gallery.segments:
            if "time" in segment.table.column_names:
                times = segment.table["time"]
                if pa.types.is_integer(times.type) or pa.types.is_floating(times.type):
                    least, most = pc.min_max(times).as_py().values()
                    ends += [] if least is None else [least, most]
    return (told_time(min(ends)), told_time(max(ends))) if ends else ("", "")
