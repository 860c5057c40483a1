"""Numbers of images that stay the same while what is known of them does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reid.retrieval.exact import Rows
from reid.retrieval.gallery import Gallery
from reid.retrieval.segment import CONTENT, Segment, as_words

_Hashes = npt.NDArray[np.uint64]


def keys_of(gallery: Gallery, name: str, columns: Iterable[str]) -> Rows:
    """Return a number for every image of a gallery.

    It follows from the gallery's name, the image's file, the file's content (of an image without
    one, the embedding) and the columns. So it does not matter which segment an image is in, or
    whether the gallery was compacted, and what has changed in any way is another image.

    Args:
        gallery: the gallery.
        name: what it is called where it is copied to.
        columns: those of its table that are copied.

    Returns:
        Of each of `Gallery.rows`, int64, none twice, never negative.
    """
    wanted = list(columns)
    found = [np.empty(0, np.uint64)]
    for start, segment in zip(gallery.starts, gallery.segments, strict=False):
        local = np.flatnonzero(segment.kept)
        if len(local):
            found.append(_hashes(gallery, segment, int(start), local, wanted))
    keys = np.concatenate(found) ^ np.uint64(_number(f"gallery {name}"))
    return _distinct(keys)


def _hashes(
    gallery: Gallery, segment: Segment, start: int, local: Rows, columns: list[str]
) -> _Hashes:
    files = gallery.table(start + local, [])["file"].to_numpy(object)
    total = _hashed(files, "file")
    table = segment.table.take(pa.array(local))
    contents = table[CONTENT].to_numpy().copy()
    for place in np.flatnonzero(pc.is_null(table[CONTENT]).to_numpy()):
        contents[place] = segment.vectors[local[place]].tobytes()
    total ^= _hashed(contents, "content")
    for column in columns:
        if column in table.column_names:
            words = as_words(table[column])
            known = pc.is_valid(words).to_numpy()
            text = pc.fill_null(words, "").to_numpy()
            total ^= np.where(known, _hashed(text, f"column {column}"), np.uint64(0))
    return total


def _hashed(values: npt.NDArray[Any], what: str) -> _Hashes:
    """Return 64 bits of each value: SipHash, with a key that says what the values are."""
    key = hashlib.blake2b(what.encode(), digest_size=8).hexdigest()
    hashed: _Hashes = pd.util.hash_array(values, hash_key=key)
    return hashed


def _number(words: str) -> int:
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "little")


def _distinct(keys: _Hashes) -> Rows:
    """Return numbers of 63 bits, equal ones told apart by how many came before."""
    numbers = keys >> np.uint64(1)
    while len(again := pd.Index(numbers).duplicated().nonzero()[0]):
        before = pd.Series(numbers).groupby(numbers).cumcount().to_numpy()[again]
        words = np.array([f"{a} {b}" for a, b in zip(numbers[again], before, strict=True)], object)
        numbers[again] = _hashed(words, "again") >> np.uint64(1)
    found: Rows = numbers.astype(np.int64)
    return found
