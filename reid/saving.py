"""Writing what torch saves, the same bytes for the same content."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from annotations.files import whole_file


def write_saved(content: dict[str, Any], path: Path) -> None:
    """Write a file that `torch.load` reads; it appears whole.

    torch puts the name of the file that it writes to into the file, and ours is first written under
    another name, drawn at random; of a buffer it knows no name.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with whole_file(path) as aside:
        aside.write_bytes(buffer.getbuffer())
