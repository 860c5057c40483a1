"""The sheet of images whose viewpoint a person is to give, numbered as the table's rows are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from annotations.viewpoints import JOIN
from annotations.vocabulary import Vocabulary, never_together
from pipelines.report.page import environment
from reid.retrieval.thumbnails import Thumbnail

_FIRST = 2
"""The row of the first image where a spreadsheet counts the heading, as our errors do."""


def viewpoint_sheet(
    names: Sequence[str], shown: Sequence[Thumbnail], vocabulary: Vocabulary, table: str
) -> str:
    """Return one self-contained HTML page.

    Args:
        names: of the images, in the order of the table.
        shown: the images, small.
        vocabulary: the words to choose from.
        table: the name of the table to fill.
    """
    words = {each.name: " and ".join(each.shows) for each in vocabulary.viewpoints}
    views = [view for view in vocabulary.names if view not in words]
    several = next(
        (JOIN.join(pair) for pair in combinations(vocabulary.names, 2)
         if not never_together(pair, vocabulary.apart)), ""
    )  # fmt: skip
    template = environment().get_template("viewpoints.html.j2")
    return template.render(
        cards=list(zip(range(_FIRST, _FIRST + len(names)), names, shown, strict=True)),
        words=words | {view: view for view in views},
        several=several,
        mirrored=any(each.partner != each.name for each in vocabulary.viewpoints),
        table=table,
    )
