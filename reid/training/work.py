"""What a folder of training is, so that going on with other data or numbers is noticed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.errors import InputError
from annotations.files import read_text, write_text

WORK, PROBLEMS, SECONDS = "work.json", "problems.txt", "seconds.txt"
"""What the work is, a line for whatever was left out of it, and how long it took."""


def digest_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with every cell as text, bytes in hexadecimal."""
    packed = {
        name: cells.map(bytes.hex)
        for name, cells in frame.items()
        if len(cells) and isinstance(cells.iloc[0], bytes)
    }
    return frame.assign(**packed).astype(str)  # type: ignore[arg-type]


def digest_rows(frame: pd.DataFrame) -> str:
    """Return a hash of a table's rows, whatever their order."""
    rows = pd.util.hash_pandas_object(as_text(frame), index=False).to_numpy()
    return hashlib.sha256(np.sort(rows).tobytes()).hexdigest()


def digest_weights(weights: str | None) -> str:
    """Return what start weights are: the SHA-256 of a file, or of a run's; else their name."""
    path = Path(weights or "")
    path = path / "model.pt" if path.is_dir() else path
    if not weights or not path.is_file():
        return str(weights)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_same(
    out: Path, work: dict[str, str], redo: bool = False, *, later: Collection[str] = ()
) -> None:
    """Demand that a folder is new, empty, or holds the same work.

    Args:
        out: the folder.
        work: what makes the work what it is: a digest by a word for people.
        redo: remove other work of this kind.
        later: words that earlier versions did not write down, so that work without them may be
            the same.

    Raises:
        InputError: it holds something else.
    """
    path = out / WORK
    if path.is_file():
        before = json.loads(path.read_text("utf-8"))
        known = [name for name in work if name in before or name not in later]
        changed = [name for name in known if before.get(name) != work[name]]
        if changed and redo:
            shutil.rmtree(out)
        elif changed:
            raise InputError(
                f"{out}: holds a run of another {' and '.join(changed)}; choose another folder "
                f"to write to, or remove this one"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not empty and not a run; choose another folder to write to")


def begin(out: Path, work: dict[str, str], left_out: Sequence[str] | None = None) -> None:
    """Write down what the work is and, where it is kept here, a line for whatever is left out."""
    write_text(out / WORK, json.dumps(work, indent=1))
    if left_out is not None:
        write_text(out / PROBLEMS, "".join(f"{line}\n" for line in left_out))


def write_seconds(out: Path, seconds: float) -> None:
    """Write down how long a training took, in seconds of wall time."""
    write_text(out / SECONDS, f"{seconds:.3f}\n")


def read_seconds(out: Path) -> float | None:
    """Return how long the training of a folder took, all goings-on together.

    What a stop threw away, which was then done again, is counted once. None where it was not
    written down.

    Raises:
        InputError: the file is damaged.
    """
    path = out / SECONDS
    if not path.is_file():
        return None
    try:
        return float(read_text(path))
    except ValueError:
        raise InputError(f"{path}: is not a number of seconds; remove the file") from None
