import pytest

from annotations.labelling.keys import KEYS, part_keys
from annotations.vocabulary import Part, Vocabulary, load_vocabulary


@pytest.mark.parametrize("name", ["prn", "eia"])
def test_keys_differ_and_are_in_the_name(name: str) -> None:
    keys = part_keys(load_vocabulary(name))
    assert len(set(keys.values())) == len(load_vocabulary(name).names)
    assert all(key in part for part, key in keys.items())


def test_more_parts_than_keys() -> None:
    parts = tuple(Part(name=f"a{number}", colour="#000000") for number in range(len(KEYS) + 3))
    keys = part_keys(Vocabulary("many", parts))
    assert len(keys) == len(KEYS) and set(keys.values()) == set(KEYS)
