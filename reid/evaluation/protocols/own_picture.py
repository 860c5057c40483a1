"""Queries whose own picture is in the gallery, too, as VeRi-776 has them."""

from __future__ import annotations

import filecmp
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from annotations.images import Images


def own_pictures(query: Images, gallery: Images) -> pd.Series[str]:
    """Return for each query the gallery image that is the same file, or NA.

    Files are the same if identity, name (without folders) and content are.

    Args:
        query: Q images.
        gallery: G images.

    Returns:
        Text, Q values, in the queries' order.
    """
    sides = []
    for images in (query, gallery):
        names = [PurePosixPath(image).name for image in images.frame["image"]]
        keys = images.frame[["image", "identity"]].assign(
            name=names, path=pd.Series(images.paths, dtype=object).to_numpy()
        )
        sides.append(keys.reset_index(drop=True).reset_index(names="row"))
    both = sides[0].merge(sides[1], on=["identity", "name"], suffixes=("", "_other"))
    same = [
        one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
        for one, other in zip(both["path"], both["path_other"], strict=True)
    ]
    found = both[np.array(same, dtype=bool)].drop_duplicates("row").set_index("row")["image_other"]
    return found.reindex(range(len(query))).astype("string")
