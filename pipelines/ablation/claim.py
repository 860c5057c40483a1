"""What the results in a folder are of, so that results of two things are never mixed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from annotations.errors import InputError
from annotations.files import read_text, write_text
from annotations.images import Images
from reid.data.locate import Found
from reid.recipe import Recipe
from reid.run import MODEL
from reid.training.work import as_text

_CLAIM = "about.json"


def data_hash(images: Images, boxes: Found | None = None) -> dict[str, str]:
    """Identify a data set by its table, the sizes of its files and its boxes."""
    sizes = [path.stat().st_size for path in images.paths]
    found = {"images": _hash(images.frame.assign(bytes=sizes))}
    return found if boxes is None else found | {"boxes": _hash(boxes.frame)}


def _hash(frame: pd.DataFrame) -> str:
    rows = pd.util.hash_pandas_object(as_text(frame), index=False).to_numpy()
    return hashlib.sha256(rows.tobytes()).hexdigest()


def recipe_hash(recipe: Recipe) -> dict[str, Any]:
    """Identify a recipe by its numbers and, where its start weights are a file, by that file."""
    weights = Path(recipe.backbone.weights or "")
    if (weights / MODEL).is_file():
        weights /= MODEL
    found = {"recipe": recipe.model_dump(mode="json")}
    return found | (
        {"start weights": hashlib.sha256(weights.read_bytes()).hexdigest()}
        if weights.is_file()
        else {}
    )


def claim(folder: Path, about: Mapping[str, Any]) -> None:
    """Write down what the results in ``folder`` are of, or demand that they are of the same.

    Raises:
        InputError: the folder has results of something else; what differs is named.
    """
    path = folder / _CLAIM
    given = json.loads(json.dumps(about))
    if path.is_file():
        before = json.loads(read_text(path))
        other = [name for name in {**before, **given} if before.get(name) != given.get(name)]
        if other:
            raise InputError(
                f"{folder}: holds results of another {' and another '.join(other)}; "
                f"give another --work (WORK=), or remove this folder"
            )
    else:
        write_text(path, json.dumps(given, indent=1) + "\n")
