"""What makes two training images the same: identity, model, or released year of a model."""

from __future__ import annotations

import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from reid.recipe import Recipe


def label_columns(recipe: Recipe) -> list[str]:
    """Return the columns of the images table that a recipe's labels are made of."""
    columns = {"identity": ["identity"], "model": ["model"], "year": ["model", "year"]}
    wanted = columns[recipe.label]
    return wanted if "model" in wanted or not recipe.batch.per_model else [*wanted, "model"]


def with_labels(recipe: Recipe, images: Images) -> Images:
    """Return the images that have a label; published sets know the model or year of some only.

    Raises:
        InputError: there is no such column, none has a label, or an identity is missing.
    """
    columns = label_columns(recipe)
    unknown = [column for column in columns if column not in images.frame]
    needed = [*unknown, *(column for column in columns if column == "identity")]
    for column in needed:
        images.require(column, f"training by {recipe.label}")
    known = images.frame[columns].notna().all(axis=1)
    if not known.any():
        for column in columns:
            images.require(column, f"training by {recipe.label}")
    return images.where(known)


def labels_of(recipe: Recipe, images: Images) -> tuple[pd.Series[str], pd.Series[str]]:
    """Return each image's label and model, as text; the label again where no model is needed.

    Raises:
        InputError: images of one label are of two models.
    """
    columns = label_columns(recipe)
    frame = images.frame
    models = frame["identity"].astype(str)
    if "model" in columns:
        models = frame["model"].astype(str)
        if "make" in frame:  # two makes may have a model of one name
            models = frame["make"].fillna("").astype(str) + " " + models
    labels = models
    if recipe.label == "year":
        labels = models + ", " + frame["year"].astype(str)
    elif recipe.label == "identity":
        labels = frame["identity"].astype(str)
    mixed = models.groupby(labels).nunique()
    if (mixed > 1).any():
        raise InputError(
            f"{images.source}: images of '{mixed.idxmax()}' are of {mixed.max()} models"
        )
    return labels, models
