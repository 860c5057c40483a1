"""A run folder: what training leaves and everything later reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from annotations.errors import InputError
from reid.methods import Network, build_model
from reid.recipe import Recipe, parse_recipe
from reid.saving import fill_in, weights_of, write_saved

MODEL = "model.pt"
_FORMAT = 1


@dataclass(frozen=True)
class Run:
    """A trained network and what it was trained on.

    Attributes:
        model: in evaluation mode; on the CPU until something runs it elsewhere.
        recipe: what made it.
        identities: the training identities, or whatever the recipe's label is, in the order of
            their class numbers.
        hash: sha256 of the model file; galleries remember it.
        source: the run folder.
    """

    model: Network
    recipe: Recipe
    identities: tuple[str, ...]
    hash: str
    source: Path

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Load a finished run.

        Raises:
            InputError: the folder is no run, is unfinished, its model file is damaged, or its
                weights are not those of its recipe.
        """
        if folder.name == MODEL:
            folder = folder.parent
        path = folder / MODEL
        if not path.is_file():
            hint = (
                "its training has not finished: run the same 'partreid train' again to go on"
                if (folder / "recipe.yaml").is_file()
                else "make one with 'partreid train'"
            )
            raise InputError(f"{folder}: no trained model in it; {hint}")
        try:
            stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            recipe, identities = stored["recipe"], stored["identities"]
            weights, version = stored["weights"], stored["format"]
        except Exception as error:  # torch raises many kinds for a damaged file
            raise InputError(
                f"{path}: not a model of this toolkit, or damaged ({type(error).__name__})"
            ) from None
        if version != _FORMAT:
            raise InputError(f"{path}: format {version}; this version reads {_FORMAT}")
        checked = parse_recipe(recipe, str(path), trained=True)
        model = build_model(checked, len(identities), start=False)
        fill_in(model, weights, f"{path}: its weights are of another recipe")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(model.eval(), checked, tuple(identities), digest, folder)


def save_model(path: Path, model: Network, recipe: Recipe, identities: tuple[str, ...]) -> None:
    """Write the model file that `Run.load` reads."""
    write_saved(
        {
            "format": _FORMAT,
            "recipe": recipe.model_dump(mode="json"),
            "identities": list(identities),
            "weights": weights_of(model),
        },
        path,
    )
