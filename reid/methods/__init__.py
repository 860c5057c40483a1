"""From a recipe's method to its network, its losses and its embedding."""

from reid.methods.branches import (
    BRANCHES,
    Branches,
    apart_from_parts,
    check_branches,
    check_branches_of,
    compared_by,
    compares_shared,
    compares_views,
    embedding_of,
)
from reid.methods.build import METHODS, Network, build_criterion, build_model
from reid.methods.criterion import Criterion
from reid.methods.located_by import (
    lacking_parts,
    located_by,
    looks_at_parts,
    needs_boxes,
    require_found,
)

__all__ = [
    "BRANCHES",
    "METHODS",
    "Branches",
    "Criterion",
    "Network",
    "apart_from_parts",
    "build_criterion",
    "build_model",
    "check_branches",
    "check_branches_of",
    "compared_by",
    "compares_shared",
    "compares_views",
    "embedding_of",
    "lacking_parts",
    "located_by",
    "looks_at_parts",
    "needs_boxes",
    "require_found",
]
