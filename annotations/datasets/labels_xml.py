"""The XML labels of VeRi-776 and CityFlow-ReID: one ``<Item>`` per image."""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

import pandas as pd

from annotations.datasets.listed import read_any_text
from annotations.errors import InputError


def read_items(path: Path) -> pd.DataFrame:
    """Read the attributes of every ``<Item imageName="..." vehicleID="..." ...>``.

    The files say that they are GB2312, which Python's XML parsers refuse; they are decoded here,
    and what they say is not asked.

    Returns:
        A text column for each attribute, by the number of the line, ``imageName`` without gaps.

    Raises:
        MissingError: there is no such file.
        InputError: it is cut off or otherwise not XML, has no item, or an item has no image.
    """
    items: list[dict[str, str]] = []
    lines: list[int] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Item":
            items.append(attributes)
            lines.append(parser.CurrentLineNumber)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(read_any_text(path), True)
    except expat.ExpatError as error:
        raise InputError(
            f"{path}: line {error.lineno}: not XML, or cut off there "
            f"({expat.errors.messages[error.code]}); copy the file again"
        ) from None
    frame = pd.DataFrame(items, index=lines, dtype="string")
    if frame.empty:
        raise InputError(f"{path}: no <Item> in it")
    unnamed = frame.reindex(columns=["imageName"])["imageName"].isna()
    if unnamed.any():
        raise InputError(f"{path}: line {frame.index[unnamed][0]}: an <Item> without imageName")
    return frame
