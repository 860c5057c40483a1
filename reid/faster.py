"""A re-ID network computed by another engine than PyTorch: its trunks, which cost nearly all.

What looks at parts, projecting and pooling, stays in PyTorch, and so every method has every engine.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from engines.engine import Engine, Whole, made_by
from reid.backbones import Backbone
from reid.models.part_based import PartBasedCNN
from reid.models.span import SPAN
from reid.stages import FirstStage


def trunks(model: nn.Module) -> dict[str, nn.Module]:
    """Return by name the convolutional networks of a model, each from one tensor to one tensor."""
    kinds = (Backbone, FirstStage, PartBasedCNN)
    found: dict[str, nn.Module] = {
        name: module for name, module in model.named_modules() if isinstance(module, kinds)
    }
    if isinstance(model, SPAN):
        found |= {f"seconds.{n}": module for n, module in enumerate(model.seconds)}
    return found


_KEPT = 4
_made: WeakKeyDictionary[nn.Module, dict[tuple[object, ...], dict[str, Whole]]] = (
    WeakKeyDictionary()
)
"""What was made of each model, in at most `_KEPT` ways: a long job embeds in pieces, and converting
takes seconds."""


@contextmanager
def computed_by(
    engine: Engine | None,
    model: nn.Module,
    pixels: Tensor,
    pass_on: Callable[[Tensor], object],
    half: bool,
) -> Iterator[None]:
    """Let an engine compute the trunks of a model.

    Args:
        engine: None for PyTorch as it is.
        model: in evaluation mode, on its device; as before afterwards.
        pixels: a full batch, whose shape engines are made for.
        pass_on: passes it through the model.
        half: whether it may compute in a 16-bit format.
    """
    if engine is None:
        yield
        return
    mine = trunks(model)
    changes = sum(weight._version for weight in model.parameters())
    key = (engine.name, half, str(pixels.device), tuple(pixels.shape), changes)
    known = _made.setdefault(model, {})
    if key not in known:
        if len(known) >= _KEPT:
            known.clear()
        examples = _examples(mine, lambda: pass_on(pixels))
        known[key] = {name: _whole(engine, mine[name], examples[name], half) for name in mine}
    made = known[key]
    for name, module in mine.items():
        module.forward = made[name].forward
    try:
        yield
    finally:
        for module in mine.values():
            del module.forward


def _whole(engine: Engine, module: nn.Module, example: Tensor, half: bool) -> Whole:
    """Have an engine made of a trunk."""
    # A copy shares the weights, and is what the engine takes from now on: the module itself will
    # lead to the engine.
    return Whole(made_by(engine, copy.copy(module).eval(), example, half), len(example))


def _examples(mine: dict[str, nn.Module], pass_one: Callable[[], object]) -> dict[str, Tensor]:
    """Return what each trunk is given in a pass."""
    examples: dict[str, Tensor] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def seen(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            examples[name] = given[0].detach().clone()

        return seen

    hooks = [module.register_forward_pre_hook(watch(name)) for name, module in mine.items()]
    try:
        with torch.no_grad():
            pass_one()
    finally:
        for hook in hooks:
            hook.remove()
    return examples
