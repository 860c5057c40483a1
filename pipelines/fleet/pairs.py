"""Verification pairs as CompCars has them: same or not, easy, medium and hard.

At model level two images match if their vehicles are of one model, at released-year level if of
one model and year. What a negative pair shares makes it hard to tell: at model level easy pairs
are of different kinds of vehicle, medium ones of one kind, hard ones of one kind and colour; at
year level easy pairs are of different makes, medium ones of one make, hard
ones of one model but different years. Positive pairs show one viewpoint where they are easy and
different ones where they are hard.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

LEVELS = ("model", "year")
DIFFICULTIES = ("easy", "medium", "hard")


def _key(frame: pd.DataFrame, columns: list[str]) -> pd.Series[str]:
    return frame[columns].astype(str).agg("|".join, axis=1)


def _negative_rules(level: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return for each difficulty what a negative pair shares, and what must differ."""
    if level == "model":
        return {
            "easy": ([], ["kind"]),
            "medium": (["kind"], ["model"]),
            "hard": (["kind", "colour"], ["model"]),
        }
    return {
        "easy": ([], ["make"]),
        "medium": (["make"], ["model"]),
        "hard": (["model"], ["year"]),
    }


def _sample_pairs(
    frame: pd.DataFrame, share: list[str], differ: list[str], count: int,
    random: np.random.Generator, *, other_view: bool | None = None,
) -> list[tuple[int, int]]:  # fmt: skip
    """Draw pairs of rows that agree in ``share``, differ in ``differ`` and in identity."""
    groups = _key(frame, share) if share else pd.Series("", index=frame.index)
    distinct = _key(frame, differ).to_numpy() if differ else None
    identity, view = frame["identity"].to_numpy(), frame["viewpoint"].to_numpy()
    members = list(frame.groupby(groups.to_numpy(), sort=True).indices.values())
    weights = np.array([len(rows) for rows in members], float)
    made: set[tuple[int, int]] = set()
    for group in random.choice(len(members), 30 * count, p=weights / weights.sum()):
        rows = members[int(group)]
        a, b = (int(rows[int(random.integers(len(rows)))]) for _ in range(2))
        if identity[a] == identity[b]:
            continue
        if distinct is not None and distinct[a] == distinct[b]:
            continue
        if other_view is not None and (view[a] != view[b]) != other_view:
            continue
        made.add((min(a, b), max(a, b)))
        if len(made) == count:
            break
    return sorted(made)


def make_pairs(frame: pd.DataFrame, count: int, seed: int) -> dict[str, pd.DataFrame]:
    """Draw the pairs of every level and difficulty, half of them matches where there are enough.

    Args:
        frame: the test images: ``image, identity, kind, make, model, year, colour, viewpoint``.
        count: pairs of each, at most.
        seed: the same seed draws the same pairs.

    Returns:
        By ``LEVEL-DIFFICULTY``: columns ``first``, ``second``, ``same`` (0 or 1). A level and
        difficulty for which the fleet has no negative pair (hard years in a fleet of one year) is
        left out.
    """
    made = {}
    frame = frame.reset_index(drop=True)
    for number, level in enumerate(LEVELS):
        match = ["model"] if level == "model" else ["model", "year"]
        for step, (difficulty, (share, differ)) in enumerate(_negative_rules(level).items()):
            random = np.random.default_rng([seed, 20, number, step])
            negative = _sample_pairs(frame, share, differ, count // 2, random)
            other_view = {"easy": False, "medium": None, "hard": True}[difficulty]
            positive = _sample_pairs(frame, match, [], count // 2, random, other_view=other_view)
            if not negative or not positive:
                continue
            least = min(len(negative), len(positive))
            rows = [
                (a, b, same)
                for pairs, same in ((positive, 1), (negative, 0))
                for a, b in (pairs[i] for i in sorted(random.permutation(len(pairs))[:least]))
            ]
            order = random.permutation(len(rows))
            images = frame["image"].to_numpy()
            made[f"{level}-{difficulty}"] = pd.DataFrame(
                [(images[rows[i][0]], images[rows[i][1]], rows[i][2]) for i in order],
                columns=["first", "second", "same"],
            )
    return made


def write_pairs(pairs: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write ``verification_pairs_LEVEL_DIFFICULTY.txt``: image, image, 1 or 0 a line."""
    folder.mkdir()
    for name, frame in pairs.items():
        path = folder / f"verification_pairs_{name.replace('-', '_')}.txt"
        frame.to_csv(path, sep=" ", header=False, index=False, lineterminator="\n")
