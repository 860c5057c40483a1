"""Vehicles that look alike: the near-duplicates of PRN's title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotations.images import Images

KEYS = ("model", "year", "colour")
"""What near-duplicates agree in, as far as a table knows it."""

Row = Mapping[str, Any]
"""One row of the images table, by column."""


def rows_by_name(images: Images) -> dict[str, Row]:
    """Return the table's rows by image."""
    records: list[dict[str, Any]] = [
        {str(name): value for name, value in record.items()}
        for record in images.frame.to_dict("records")
    ]
    return {str(record["image"]): record for record in records}


def known_keys(images: Images, keys: tuple[str, ...] = KEYS) -> list[str]:
    """Return those of ``keys`` that the table has for every image."""
    frame = images.frame
    return [key for key in keys if key in frame and frame[key].notna().all()]


def describe(row: Row, keys: list[str]) -> str:
    """Return a vehicle's model, year and colour in words, as far as they are known."""
    return " ".join(str(row[key]) for key in keys)


def pairs_alike(images: Images, count: int, random: np.random.Generator) -> list[tuple[str, str]]:
    """Draw pairs of identities that look alike, those most alike first.

    First come pairs that agree in model, year and colour; where they do not suffice, pairs of
    one model and year, then of one model, then any. No identity is drawn twice. What the
    table does not know plays no part.

    Args:
        images: the table; rows without an identity are left out.
        count: how many pairs, fewer where the identities do not suffice.
        random: what draws.
    """
    keys = known_keys(images)
    left = images.frame.dropna(subset=["identity"]).drop_duplicates("identity")
    left = left.iloc[random.permutation(len(left))]
    pairs: list[tuple[str, str]] = []
    for known in range(len(keys), -1, -1):
        groups = [group for _, group in left.groupby(keys[:known], sort=False)] if known else [left]
        found = [
            (str(first), str(second))
            for group in groups
            for first, second in zip(group["identity"][::2], group["identity"][1::2], strict=False)
        ]
        pairs += [found[place] for place in random.permutation(len(found))]
        left = left[~left["identity"].isin([name for pair in found for name in pair])]
    return pairs[:count]


@dataclass(frozen=True)
class Likeness:
    """In what two vehicles agree: ``same`` and ``other`` are keys."""

    same: tuple[str, ...]
    other: tuple[str, ...]

    def __str__(self) -> str:
        said = [("same", self.same), ("other", self.other)]
        return ", ".join(f"{word} {in_words(keys)}" for word, keys in said if keys)


def in_words(keys: Sequence[str]) -> str:
    """Return ``model, year and colour``."""
    return " and ".join([", ".join(keys[:-1]), keys[-1]] if len(keys) > 1 else keys)


def compare(first: Row, second: Row, keys: list[str]) -> Likeness:
    """Say in which of ``keys`` two rows agree."""
    same = tuple(key for key in keys if first[key] == second[key])
    return Likeness(same, tuple(key for key in keys if key not in same))
