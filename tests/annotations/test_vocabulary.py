from __future__ import annotations

from pathlib import Path

import pytest

from annotations.errors import InputError
from annotations.vocabulary import built_in_vocabularies, load_vocabulary


def test_built_in_vocabularies_have_the_papers_parts() -> None:
    assert built_in_vocabularies() == ["eia", "prn", "views"]
    assert load_vocabulary("prn").names == ("window", "light", "brand")
    assert len(load_vocabulary("eia").names) == 17


@pytest.mark.parametrize("name", ["prn", "eia"])
def test_mirroring_twice_changes_nothing(name: str) -> None:
    mirrored = load_vocabulary(name).mirrored
    assert [mirrored[place] for place in mirrored] == list(range(len(mirrored)))


def test_own_vocabulary_with_left_and_right(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "parts:\n"
        "- {name: left, colour: '#000000', partner: right}\n"
        "- {name: plate, colour: '#ffffff'}\n"
        "- {name: right, colour: '#00ff00', partner: left}\n"
    )
    mine = load_vocabulary(str(path))
    assert mine.mirrored == (2, 1, 0)
    assert mine.only(["plate", "left"]).mirrored == (0, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("parts: []", "parts"),
        ("parts: [{name: a, colour: red}]", "colour"),
        ("parts: [{name: a, colour: '#000000', color: x}]", "color"),
        ("parts: [{name: a, colour: '#000000', partner: b}]", "partner 'b' of 'a'"),
        ("parts: [{name: a, colour: '#000000'}, {name: a, colour: '#000000'}]", "twice"),
        ("parts: [", "not YAML"),
    ],
)
def test_bad_vocabulary_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=f"bad.yaml: .*{message}"):
        load_vocabulary(str(path))


def test_unknown_names_suggest() -> None:
    with pytest.raises(InputError, match="did you mean 'prn'"):
        load_vocabulary("prnn")
    with pytest.raises(InputError, match="did you mean 'light'"):
        load_vocabulary("prn").index("lihgt")
