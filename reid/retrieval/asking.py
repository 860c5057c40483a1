"""What is asked with: embeddings of images, of which several may be of one vehicle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError, suggest
from annotations.images import Images
from reid.retrieval.question import Question
from reid.retrieval.searched import Searched


@dataclass(frozen=True)
class Queries:
    """What is asked with.

    Attributes:
        vectors: (Q, D).
        images: of the Q images; ``unit`` (int64) says which are one query, ``file`` where it is.
        names: of the U queries: their first images.
    """

    vectors: npt.NDArray[np.float32]
    images: pd.DataFrame
    names: pd.DataFrame


def queries_of(
    vectors: npt.NDArray[np.float32], images: Images, question: Question, galleries: Searched[Any]
) -> Queries:
    """Put together what a question asks with.

    Args:
        vectors: (Q, D), finite.
        images: the Q images.
        question: says which of them are one query, and what these ask with.
        galleries: what is asked.

    Raises:
        InputError: the images have no such column, or embeddings cannot be compared.
    """
    frame = images.frame[["image", "identity", "camera"]].copy()
    root = images.root.resolve()
    frame["file"] = [str(root / image) for image in frame["image"]]
    frame["unit"] = np.arange(len(frame))
    if question.together is not None:
        if question.together not in images.frame:
            raise InputError(
                f"{images.source}: has no column '{question.together}' that says which images are "
                f"of one vehicle; {suggest(question.together, images.frame.columns)}"
            )
        called = images.frame[question.together].astype("string").reset_index(drop=True)
        own = pd.Series([f"\0{number}" for number in range(len(frame))], dtype="string")
        frame["unit"] = pd.factorize(called.fillna(own))[0]
    counts = frame.groupby("unit")["image"].size()
    names = frame.drop_duplicates("unit").set_index("unit").assign(query_images=counts)
    if question.pool == "average":
        prepared = galleries.prepared(vectors)
        sums = np.zeros((len(names), prepared.shape[1]), np.float32)
        np.add.at(sums, frame["unit"].to_numpy(), prepared)
        means = (sums / counts.to_numpy()[:, None]).astype(np.float32)
        # Whose file and camera they are: of an average, those of each of its images.
        return Queries(means, frame, names)
    return Queries(vectors, frame, names)
