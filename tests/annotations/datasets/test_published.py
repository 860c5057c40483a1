from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from annotations.datasets import DATASETS
from annotations.datasets.listed import MissingError
from annotations.datasets.published import (
    PUBLISHED,
    WHOLE,
    Counts,
    Published,
    differences,
    read_published,
)
from annotations.errors import InputError
from annotations.images import Images

PAGE = "https://example.org"


def images(**splits: int) -> Images:
    """Some images of each split, two of each vehicle."""
    rows = [
        {"image": f"{split}{n}.jpg", "identity": f"{split}{n // 2}", "split": split}
        for split, count in splits.items()
        for n in range(count)
    ]
    return Images(pd.DataFrame(rows), Path("root"))


def test_every_public_set_is_there() -> None:
    assert set(PUBLISHED) == set(DATASETS) - {"folder", "image", "table", "twocam"}


def test_a_whole_set_is_quiet_and_unknown_counts_are_not_compared() -> None:
    published = Published(
        PAGE, "paper", {"train": Counts(4, 2), "test": Counts(None, 1), WHOLE: Counts(6)}
    )
    assert list(differences(images(train=4, test=2), published)) == []


def test_one_line_per_difference() -> None:
    published = Published(
        PAGE, "paper", {"train": Counts(1200, 2), "query": Counts(1), WHOLE: Counts(5)}
    )
    assert list(differences(images(train=4, query=2), published)) == [
        f"4 of the 1,200 published training images; ask for the whole set at {PAGE}",
        f"2 query images, where 1 are published (paper); another release than that at {PAGE}?",
        f"6 images, where 5 are published (paper); another release than that at {PAGE}?",
    ]


def test_differences_are_logged_under_the_sets_name(caplog) -> None:
    read = read_published("vric", lambda root: images(train=2, query=2_811, gallery=2), Path())
    assert len(read) == 2_815
    assert caplog.messages[0].startswith("vric: 2 of the 54,808 published training images; ask")
    assert "vric: 1,406 of the 2,811 published query vehicles" in caplog.text
    assert "query images" not in caplog.text


def test_only_what_is_missing_says_where_to_ask() -> None:
    def fail(error: Exception):
        def read(root: Path) -> Images:
            raise error

        return read

    with pytest.raises(InputError, match=r"^gone; .*qmul-vric.github.io$"):
        read_published("vric", fail(MissingError("gone")), Path())
    with pytest.raises(InputError, match=r"^malformed$"):
        read_published("vric", fail(InputError("malformed")), Path())
