"""Tables and lines on the terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console()
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What breaks a line, moves the cursor or turns the direction of what follows."""


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3f}"
    return "" if value is None or value is pd.NA else str(value)


def show(frame: pd.DataFrame, title: str = "") -> None:
    """Print a frame as a table, numbers right-aligned, shares with three decimals."""
    if title:
        console.print(f"\n{title}", markup=False, highlight=False, soft_wrap=True)
    table = Table(header_style="bold")
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        # A word that a narrow terminal has no room for goes on in the next line.
        table.add_column(str(name), justify="right" if numeric else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(escape(_cell(cell)) for cell in row))
    console.print(table)


def say(text: str) -> None:
    """Print one line."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def in_one_line(text: str) -> str:
    r"""Return a text that may hold any file's name, with its control characters as ``\n``."""
    return _UNSHOWN.sub(lambda found: ascii(found[0])[1:-1], text)


def written(path: Path, what: str) -> None:
    """Say where an output is."""
    line = f"[bold green]{escape(what)}[/] {escape(str(path))}"
    console.print(line, highlight=False, soft_wrap=True)
