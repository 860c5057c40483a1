from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from annotations.datasets import read_images

Files = Mapping[str, str | bytes] | Iterable[str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    """Write files under the test's folder, empty ones where only names are given."""

    def write_files(files: Files) -> Path:
        texts = files if isinstance(files, Mapping) else dict.fromkeys(files, "")
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write_files


@pytest.fixture
def known() -> Callable[..., dict[object, dict[str, object]]]:
    """What the images table says of each image, empty cells left out."""

    def read(root: Path, kind: str | None = None) -> dict[object, dict[str, object]]:
        rows = read_images(root, kind).frame.set_index("image").to_dict("index")
        return {
            image: {name: value for name, value in row.items() if pd.notna(value)}
            for image, row in rows.items()
        }

    return read
