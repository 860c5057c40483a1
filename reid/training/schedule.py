"""Which steps of a recipe's learning rate a training is too short for."""

from __future__ import annotations

from reid.recipe import Recipe


def out_of_reach(recipe: Recipe, batches: int) -> list[str]:
    """Say which steps of the schedule do not come, a line each.

    A training that was made shorter, to try something, is none the worse for it; but its rate may
    never get to where the recipe means it to be, or never fall.

    Args:
        recipe: says how long it trains, and how its rate moves (see `reid.training.rate`).
        batches: of an epoch.
    """
    optimiser = recipe.optimiser
    total = recipe.iterations or recipe.epochs * batches
    if recipe.iterations:
        long = f"{total} iterations ({total / batches:.3g} epochs)"
    else:
        long = f"{recipe.epochs} {'epoch' if recipe.epochs == 1 else 'epochs'}"
    said = []
    if optimiser.warmup * batches > total:
        said.append(f"optimiser.warmup {optimiser.warmup:g} is not over within {long}; lower it")
    # A drop at the end of the last epoch changes no step.
    if late := [drop for drop in optimiser.drop_after if drop * batches >= total]:
        named = " and ".join(map(str, late))
        said.append(f"optimiser.drop_after {named} is not reached within {long}; lower it")
    if optimiser.drop_every and optimiser.drop_every >= total:
        within = long if recipe.iterations else f"the {total} batches of {long}"
        said.append(
            f"optimiser.drop_every {optimiser.drop_every} is not reached within {within}; lower it"
        )
    return said
