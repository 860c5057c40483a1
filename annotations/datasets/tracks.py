"""Track files: the images of one vehicle that passes one camera, a line each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.datasets.listed import lookup, read_lines
from annotations.errors import InputError
from annotations.pixels import SUFFIXES


def read_tracks(path: Path) -> pd.Series[str]:
    """Read a track file: image names separated by blanks.

    Some copies start a line with the track's name, which is told by having no image's suffix;
    without one a track is called by the file and the line, such as ``test_track-12``.

    Returns:
        The track's name by image name.

    Raises:
        MissingError: there is no such file.
        InputError: it is empty, a word is not an image's name, or a track is there twice or
            an image in two.
    """
    words = read_lines(path).str.split().explode().astype("string")
    image = words.str.lower().str.endswith(tuple(SUFFIXES))
    bad = words[~image & words.index.duplicated()]
    if len(bad):
        raise InputError(f"{path}: line {bad.index[0]}: '{bad.iloc[0]}' is not an image's name")
    images, names = words[image], words[~image]
    twice = names[names.duplicated()]
    if len(twice):
        raise InputError(f"{path}: line {twice.index[0]}: track '{twice.iloc[0]}' is there twice")
    lines = images.index.to_series()
    tracks = lines.map(names).astype("string").fillna(f"{path.stem}-" + lines.astype("string"))
    return lookup(images, tracks, str(path))
