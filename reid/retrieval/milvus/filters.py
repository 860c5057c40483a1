"""Conditions on columns as Milvus' filter expressions."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from annotations.errors import InputError
from reid.retrieval.milvus.layout import Field, Layout
from reid.retrieval.selection import Condition

_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LARGEST = 2**63 - 1
_WHOLE = re.compile(r"-?[0-9]{1,19}")


def expression(conditions: Sequence[Condition], layout: Layout) -> str:
    """Return what fulfils all conditions, on columns that there are; empty for no condition.

    Values become literals of the language and can be nothing else: text is quoted and escaped,
    numbers are written anew.

    Raises:
        InputError: a column of numbers is compared with something else, or text has characters
            that cannot be asked for.
    """
    said = [_one(each, layout.columns[each.column]) for each in conditions]
    return " and ".join(filter(None, said))


def quoted(text: str) -> str:
    """Return text as a literal.

    Raises:
        InputError: it has control characters, or is no text that can be encoded.
    """
    written = "".join(_ESCAPED.get(letter, letter) for letter in text)
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in written):
        raise InputError(f"condition on {text!r}: has control characters, which cannot be asked")
    return f'"{written}"'


def _one(condition: Condition, field: Field) -> str:
    if condition.operator in ("=", "!="):
        values = ", ".join(_literals(condition, field))
        if not values:  # no whole number is a fraction, and every one is another
            if condition.operator == "!=":
                return ""
            raise InputError(f"condition '{condition}': {condition.column} holds whole numbers")
        if condition.operator == "=":
            return f"{field.name} in [{values}]"
        return f"({field.name} is null or {field.name} not in [{values}])"
    if field.kind == "text":
        return f"{field.name} {condition.operator} {quoted(condition.values[0])}"
    number = _number(condition, condition.values[0])
    if field.kind == "whole":
        # Below 3 and a half is below 4; at most 3 and a half is at most 3.
        up = condition.operator in ("<", ">=")
        bound = math.ceil(number) if up else math.floor(number)
        return f"{field.name} {condition.operator} {max(-_LARGEST, min(_LARGEST, bound))}"
    return f"{field.name} {condition.operator} {number!r}"


def _literals(condition: Condition, field: Field) -> list[str]:
    if field.kind == "text":
        return [quoted(value) for value in condition.spellings]
    if field.kind == "number":
        return [repr(_number(condition, value)) for value in condition.values]
    whole = []
    for value in condition.values:
        number = int(value) if _WHOLE.fullmatch(value) else _number(condition, value)
        if number == int(number) and abs(number) <= _LARGEST:
            whole.append(str(int(number)))
    return whole


def _number(condition: Condition, value: str) -> float:
    number = condition.number_of(value)
    if not math.isfinite(number):
        raise InputError(f"condition '{condition}': '{value}' cannot be compared with there")
    return number
