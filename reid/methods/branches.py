"""Which of a network's vectors are compared, and how they become an embedding."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from annotations.errors import InputError, suggest
from reid.methods.located_by import looks_at_parts
from reid.models.vectors import Vectors
from reid.recipe import Recipe, global_learns

Branches = Literal["global", "global+parts", "parts", "views"]
BRANCHES: tuple[Branches, ...] = get_args(Branches)


def embedding_of(vectors: Vectors, branches: Branches) -> Tensor:
    """Turn the branches' vectors into the one that is compared.

    PRN, section 4.2 uses the global vector alone; Table 4 needs the others. Where branches
    are joined, each is scaled to length one first, so that the longer part vectors do not
    drown the global one; a part that is not visible stays zero. ``views`` are not one vector, see
    `reid.models.views.as_views`.

    Args:
        vectors: of B images.
        branches: which branches.

    Returns:
        (B, D) for ``global``, (B, P * C) for ``parts``, (B, D + P * C) for both; float32.

    Raises:
        InputError: parts are asked of a network that has none.
    """
    if branches == "global":
        return vectors.embedding.float()
    if not vectors.parts.shape[1]:
        raise InputError(f"branches '{branches}': this network was trained without part branches")
    parts = F.normalize(vectors.parts.float(), dim=2).flatten(1)
    if branches == "parts":
        return parts
    return torch.cat([F.normalize(vectors.embedding.float()), parts], dim=1)


def compares_shared(recipe: Recipe, branches: Branches) -> bool:
    """Return whether embeddings are compared over the parts that both images show.

    EIA-Net's are, section 3.2, where directions are compared.
    """
    of_eianet = recipe.method == "eianet" and recipe.distance == "cosine"
    by_parts = of_eianet or recipe.distance == "shared"
    return by_parts and bool(recipe.parts.use) and branches == "global"


def compares_views(recipe: Recipe, branches: Branches) -> bool:
    """Return whether embeddings are compared view by view, by CPDM (SPAN, section 3.3)."""
    return branches == "views" or (branches == "global" and recipe.distance == "cpdm")


def apart_from_parts(recipe: Recipe, vectors: Vectors) -> Vectors:
    """Return vectors whose embedding is the whole alone, as CPDM's view 0 is (SPAN, section 3.3).

    EIA-Net's embedding is its parts' vectors and then its part-based CNN's (EIA-Net, Figure 2): of
    it that CNN's is left, or parts would count whether or not both images show them.

    Args:
        recipe: of a network that `check_branches_of` lets be compared by views.
        vectors: of B images.
    """
    if recipe.method != "eianet":
        return vectors
    _, count, width = vectors.parts.shape
    return vectors._replace(embedding=vectors.embedding[:, count * width :])


def _joins_parts(recipe: Recipe) -> bool:
    """Return whether parts are in the embedding and cannot be taken out of it again."""
    joins = {"composed": ("concat",), "span": ("concat", "fc")}
    return recipe.join in joins.get(recipe.method, ())


def compared_by(recipe: Recipe) -> str:
    """Return the name of the distance between single vectors of a recipe's network."""
    return {"cpdm": "euclidean", "shared": "cosine"}.get(recipe.distance, recipe.distance)


def check_branches_of(recipe: Recipe, branches: Branches) -> None:
    """Demand that some branches can make an embedding of a recipe's network.

    Raises:
        InputError: parts would be in it twice, it has no parts or no whole to be views, or the
            whole was not trained.
    """
    if recipe.method == "prn" and branches != "parts" and not global_learns(recipe):
        raise InputError(
            f"branches '{branches}': no loss has trained the global vector of this network "
            "(loss.global_weight is 0), so it tells nothing; its parts can be compared: 'parts'"
        )
    if branches == "views" and not recipe.parts.use:
        raise InputError("branches 'views': this network was trained without parts to compare")
    if branches == "views" and _joins_parts(recipe):
        other = ", or global" if recipe.method == "composed" else ""
        raise InputError(
            "branches 'views': the vector that this network calls its whole has its parts already; "
            f"train it with join: views{other}"
        )
    if branches == "views" and recipe.method == "eianet" and not recipe.part_based:
        raise InputError(
            "branches 'views': without part_based an EIA-Net is its parts and has no vector of the "
            "whole beside them; use 'global', which with the distance cosine compares the parts "
            "that both images show, or train it with part_based: true"
        )
    if looks_at_parts(recipe) and branches == "global+parts":
        raise InputError(
            f"branches '{branches}': the embedding of the method {recipe.method} has its parts "
            "already; use 'global' for the whole of it, or 'parts'"
        )


def check_branches(branches: str) -> Branches:
    """Return ``branches`` if there is such a choice.

    Raises:
        InputError: there is not.
    """
    for known in BRANCHES:
        if branches == known:
            return known
    raise InputError(f"branches '{branches}': {suggest(branches, BRANCHES)}")
