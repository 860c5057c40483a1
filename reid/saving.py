"""Writing what torch saves, the same bytes for the same content."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from annotations.errors import InputError
from annotations.files import whole_file


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights by name, on the CPU."""
    return {name: value.cpu().contiguous() for name, value in network.state_dict().items()}


def fill_in(network: nn.Module, weights: dict[str, Tensor], told: str) -> None:
    """Give a network its weights.

    Args:
        network: takes them.
        weights: by name.
        told: what the error begins with: the file, and whose the weights seem to be.

    Raises:
        InputError: they do not fit; every key that is missing, not expected or of another shape is
            named.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        said = " ".join(line.strip() for line in str(error).splitlines()[1:])
        raise InputError(f"{told}: {said}") from None
    except (AttributeError, TypeError):
        raise InputError(f"{told}: they are no tensors by name") from None


def write_saved(content: dict[str, Any], path: Path) -> None:
    """Write a file that `torch.load` reads; it appears whole.

    torch puts the name of the file that it writes to into the file, and ours is first written under
    another name, drawn at random; of a buffer it knows no name.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with whole_file(path) as aside:
        aside.write_bytes(buffer.getbuffer())
