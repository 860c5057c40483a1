import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.errors import InputError
from reid.retrieval.milvus.filters import expression, quoted
from reid.retrieval.milvus.layout import Field, Layout
from reid.retrieval.selection import Condition
from tests.reid.retrieval.conftest import ABOUT

LAYOUT = Layout(
    about=ABOUT,
    dimension=6,
    columns={
        "camera": Field(name="camera", kind="text"),
        "time": Field(name="time", kind="number"),
        "year": Field(name="year", kind="whole"),
        "lane in m": Field(name="own_lane_in_m", kind="whole"),
    },
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("camera=c1", 'camera in ["c1"]'),
        ("camera=c1, c2", 'camera in ["c1", "c2"]'),
        ("camera!=c1", '(camera is null or camera not in ["c1"])'),
        ("camera<c", 'camera < "c"'),
        ("time>=1200", "time >= 1200.0"),
        ("time=1,-2.5", "time in [1.0, -2.5]"),
        ("time>2024-05-01T12:00", "time > 1714564800.0"),
        ("camera=True", 'camera in ["True", "true"]'),
        ("year=2019", "year in [2019]"),
        ("year=2019.0,3.5", "year in [2019]"),
        ("year!=3.5", ""),
        ("year<3.5", "year < 4"),
        ("year<=3.5", "year <= 3"),
        ("year>-3.5", "year > -4"),
        ("year>=3.5", "year >= 4"),
        ("year>=3", "year >= 3"),
        ("year<1e300", f"year < {2**63 - 1}"),
        ("year=1700000000000000001", "year in [1700000000000000001]"),
        ("lane in m=2", "own_lane_in_m in [2]"),
        ('camera=c") or true or ("', 'camera in ["c\\") or true or (\\""]'),
        ("camera=c\\", 'camera in ["c\\\\"]'),
    ],
)
def test_conditions(words, said):
    assert expression([Condition.parse(words)], LAYOUT) == said


def test_several_conditions():
    conditions = [Condition.parse(words) for words in ("camera!=a", "year!=0.5", "time<2")]
    assert expression(conditions, LAYOUT) == (
        '(camera is null or camera not in ["a"]) and time < 2.0'
    )
    assert expression([], LAYOUT) == ""


@given(st.text())
def test_text_ends_where_it_is_to_end(text):
    """Read as the language reads it: from a quote to the next that no backslash is before."""
    try:
        literal = quoted(text)
    except InputError:
        assert any(ord(letter) < 32 for letter in text)
        return
    assert re.fullmatch(r'"(?:[^"\\\n\r]|\\.)*"', literal)
    letters = {"n": "\n", "r": "\r", "t": "\t"}
    back = re.sub(r"\\(.)", lambda found: letters.get(found[1], found[1]), literal[1:-1])
    assert back == text


@pytest.mark.parametrize("words", ["time=soon", "time<nan", "year>inf", "year=x", "camera=\x01"])
def test_what_cannot_be_asked(words):
    with pytest.raises(InputError, match="condition"):
        expression([Condition.parse(words)], LAYOUT)
