from __future__ import annotations

from pathlib import Path

import pytest

from annotations.errors import InputError
from annotations.mapping import Mapping, built_in_mappings, load_mapping


def test_built_in_mappings_agree_with_their_vocabularies() -> None:
    names = built_in_mappings()
    assert names == ["carparts-eia", "carparts-prn", "plates-eia"]
    for name in names:
        mapping = load_mapping(name)
        assert mapping.labelled <= set(mapping.load_vocabulary().names)
    assert load_mapping("carparts-prn").labelled == {"window", "light", "brand"}
    assert load_mapping("plates-eia").labelled == {"plate"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("classes: {a: window}", "vocabulary: Field required"),
        ("{vocabulary: prn, classes: {a: null}}", "no class becomes a part"),
        ("{vocabulary: prn, classes: {a: {part: light, end: left}}}", "classes.a.end"),
        ("{vocabulary: prn, classes: {a: {part: light, ends: front}}}", "classes.a.ends"),
        ("{vocabulary: prn, classes: [a]}", "classes: Input should be a valid dict"),
        ("{vocabulary: prn, derive: prn, classes: {a: window}}", "derive: prn needs a class"),
        ("{vocabulary: prn, vehicle: car, classes: {a: window}}", "only with derive"),
        ("{vocabulary: [", "not YAML"),
    ],
)
def test_bad_mapping_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"mine\.yaml: ") as caught:
        load_mapping(str(path))
    assert message in str(caught.value)
    assert "Value error" not in str(caught.value)


def test_unknown_names_suggest() -> None:
    with pytest.raises(InputError, match="did you mean 'carparts-prn'"):
        load_mapping("carpart-prn")
    with pytest.raises(InputError, match="no part 'lights'; did you mean 'light'"):
        Mapping.model_validate({"vocabulary": "prn", "classes": {"a": "lights"}}).load_vocabulary()


def test_unknown_classes_are_listed_or_dropped() -> None:
    content = {"vocabulary": "prn", "classes": {"glass": "window", "wheel": None}}
    mapping = Mapping.model_validate(content)
    mapping.require_known(["glass", "wheel"], "x.json")
    with pytest.raises(InputError, match=r"x.json.*'glas' \(did you mean 'glass'.*unknown: tyre"):
        mapping.require_known(["tyre", "glas"], "x.json")
    Mapping.model_validate({**content, "others": "drop"}).require_known(["tyre"], "x.json")


def test_vocabulary_is_looked_for_beside_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text("parts: [{name: door, colour: '#000000'}]")
    (tmp_path / "map.yaml").write_text("{vocabulary: parts.yaml, classes: {a: door}}")
    vocabulary = load_mapping(str(tmp_path / "map.yaml")).load_vocabulary()
    assert vocabulary.names == ("door",)
