"""Cell arrays of names in MATLAB files, in which CompCars says what its numbers mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from annotations.datasets.listed import MissingError
from annotations.errors import InputError


def _plain(cell: Any) -> Any:
    """Return the one value in a cell, or None where it is empty."""
    while isinstance(cell, np.ndarray):
        if cell.size == 0:
            return None
        cell = cell.ravel()[0]
    if isinstance(cell, str):
        return str(cell).strip() or None
    return cell


def read_cells(path: Path, name: str) -> list[list[Any]]:
    """Read a cell array.

    Args:
        path: a MATLAB file before version 7.3.
        name: the variable.

    Returns:
        A list of texts, numbers or None (an empty cell) for each row of the array.

    Raises:
        MissingError: there is no such file.
        InputError: it is not a MATLAB file or has no such variable.
    """
    from scipy.io import loadmat  # slow to import

    if not path.is_file():
        raise MissingError(f"{path}: no such file")
    try:
        cells = loadmat(path, variable_names=[name])[name]
    except KeyError:
        raise InputError(f"{path}: no variable '{name}' in it") from None
    except Exception as error:  # loadmat raises whatever its parser happens on
        raise InputError(f"{path}: not a readable MATLAB file ({error})") from None
    return [[_plain(cell) for cell in row] for row in cells]
