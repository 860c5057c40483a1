"""Galleries' images apart by what a column says, where that is one of few values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reid.retrieval.exact import Mask
from reid.retrieval.segment import as_words
from reid.retrieval.several import Galleries

MOST = 256
"""Values of which each is searched by itself; of more, that takes longer than long lists."""


class Values(NamedTuple):
    """What a column says.

    Attributes:
        names: its values as text; None stands for rows of which it says nothing.
        numbers: of each row the number of its value, (N,); -1 for rows that do not count.
    """

    names: list[str | None]
    numbers: npt.NDArray[np.int32]


def few_values(
    galleries: Galleries, column: str, keep: Mask | None = None, most: int = MOST
) -> Values | None:
    """Return which value of a column each row has; None where the values are too many.

    Args:
        galleries: whose rows.
        column: of an images table.
        keep: which rows count; None for all.
        most: how many values are not too many.
    """
    known: dict[str | None, int] = {}
    numbers = np.full(int(galleries.starts[-1]), -1, np.int32)
    for first, gallery in zip(galleries.starts, galleries.each, strict=False):
        for start, segment in zip(gallery.starts, gallery.segments, strict=False):
            mine = slice(first + start, first + start + len(segment))
            counts = segment.kept if keep is None else segment.kept & keep[mine]
            words = pa.nulls(len(segment), pa.string())
            if column in segment.table.column_names:
                words = as_words(segment.table[column]).combine_chunks()
            coded = pc.dictionary_encode(words, null_encoding="encode")
            codes, said = coded.indices.to_numpy(), coded.dictionary
            there = np.unique(codes[counts])
            if len(there) > most:
                return None
            new = np.full(len(said), -1, np.int32)
            for code in there:
                new[code] = known.setdefault(said[code].as_py(), len(known))
            if len(known) > most:
                return None
            numbers[mine] = np.where(counts, new[codes], -1)
    return Values(list(known), numbers)
