"""What a finished training was given, so that one table never mixes networks of two things."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from annotations.boxes import Boxes
from annotations.files import read_text, write_text
from annotations.masks import Masks
from pipelines.ablation.trials import Trial
from reid.methods import located_by
from reid.recipe import Recipe
from reid.training.work import digest_rows, digest_text, digest_weights

_GIVEN = "given.json"


def kind_of(recipe: Recipe) -> str | None:
    """Return what a recipe's parts are found by: ``masks``, or the vocabulary of their boxes."""
    if not recipe.parts.use:
        return None
    return "masks" if located_by(recipe) == "masks" else recipe.parts.vocabulary


def digests_of(found: Mapping[str, Path | None]) -> dict[str, str]:
    """Return a digest of every table of boxes or masks that is given, by its kind.

    Raises:
        InputError: one is no such table.
    """
    return {
        kind: digest_rows((Masks if kind == "masks" else Boxes).read(path).frame)
        for kind, path in found.items()
        if path is not None
    }


def given_to(recipe: Recipe, digests: Mapping[str, str]) -> dict[str, str]:
    """Return digests of a recipe, its start weights and, where they are given, boxes or masks.

    Args:
        recipe: of one training; its summary changes nothing, nor does where its weights lie.
        digests: see `digests_of`.
    """
    content = recipe.model_dump(mode="json", exclude={"summary": True, "backbone": {"weights"}})
    given = {
        "recipe": digest_text(json.dumps(content, sort_keys=True)),
        "start weights": digest_weights(recipe.backbone.weights),
    }
    kind = kind_of(recipe)
    if kind in digests:
        given["masks" if kind == "masks" else "boxes"] = digests[kind]
    return given


def keep_given(folder: Path, given: Mapping[str, str]) -> None:
    """Write down what the scores in ``folder`` were given."""
    write_text(folder / _GIVEN, json.dumps(given, indent=1) + "\n")


def require_given(trials: Iterable[Trial], digests: Mapping[str, str], out: Path) -> None:
    """Demand that every training that has finished in ``out`` was given the same.

    One of earlier versions, which did not write it down, passes; so do boxes or masks that this
    call, which trains other methods, does not have.

    Args:
        trials: everything that may have finished there.
        digests: see `digests_of`.
        out: the folder of ``runs``.

    Raises:
        SystemExit: one was given something else; it is named.
    """
    for trial in trials:
        path = (trial.finished(out) or out) / _GIVEN
        if not path.is_file():
            continue
        before = json.loads(read_text(path))
        now = given_to(trial.recipe, digests)
        other = [name for name in now if before.get(name) != now[name]]
        if other:
            raise SystemExit(
                f"{path.parent}: {trial.labels['method']}, seed {trial.labels['seed']}, was given "
                f"another {' and another '.join(other)}; give the same, choose another OUT, or "
                "remove this folder to train it again"
            )
