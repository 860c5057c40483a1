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


def require_labels(recipe: Recipe, images: Images) -> None:
    """Demand that every image has a label.

    Raises:
        InputError: one has none, or there is no such column.
    """
    for column in label_columns(recipe):
        images.require(column, f"training by {recipe.label}")


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
