"""Viewpoints that people gave in a table of some of a data set's images, taken over into it."""

from __future__ import annotations

import os

import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from pipelines.tables import say
from reid.attention.viewpoints import SCORE, told_before


def with_given(images: Images, given: Images) -> Images:
    """Take over the viewpoints that people gave in another table of the same image files.

    Args:
        images: the table that gets them, in place of what it has.
        given: the other one; what a classifier told in it is not taken.

    Raises:
        InputError: no image of ``images`` has a viewpoint there.
    """
    frame = images.frame
    known = given.frame.get("viewpoint", pd.Series(pd.NA, given.frame.index, dtype="string"))
    known = known.mask(told_before(given)).set_axis(_places(given)).dropna()
    found = known.reindex(_places(images)).set_axis(frame.index)
    there = found.notna()
    if not there.any():
        raise InputError(
            f"{given.source}: none of its {len(known)} viewpoints that people gave is of an image "
            f"of {images.source}; give the table that 'partreid views sample' drew from it, filled"
        )
    say(f"{int(there.sum())} viewpoints taken from {given.source}")
    if foreign := len(known) - int(there.sum()):
        say(f"{foreign} viewpoints of it are of no image of {images.source}")
    before = frame.get("viewpoint", pd.Series(pd.NA, frame.index, dtype="string"))
    columns = {"viewpoint": found.where(there, before)}
    if SCORE in frame:
        columns[SCORE] = frame[SCORE].mask(there)
    return Images(frame.assign(**columns), images.root, images.source, rows=images.rows)


def _places(images: Images) -> list[str]:
    """Return where image files are, in one spelling; links in the root alone are resolved."""
    root = images.root.resolve()
    return [os.path.normpath(root / image) for image in images.frame["image"]]
