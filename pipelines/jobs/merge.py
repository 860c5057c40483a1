"""Merging labelled sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from annotations.errors import InputError
from annotations.files import whole_file
from annotations.labels import LabelledSet
from annotations.merging import merge_labels
from annotations.vocabulary import load_vocabulary
from pipelines.jobs.labels import show_labels
from pipelines.tables import say, show, written

_SHOWN = 30


def merge(
    labels: Sequence[Path], out: Path, vocabulary: str | None, prefer: str, overlap: float
) -> LabelledSet:
    """Merge labelled sets into ``out``, and print and write where they disagree."""
    if LabelledSet.is_at(out):
        raise InputError(
            f"{out}: is a labelled set; the last folder named is the one to write the merged set "
            f"to, which must be new"
        )
    places = [folder.resolve() for folder in labels]
    if len(set(places)) < len(places):
        raise InputError(f"a labelled set is named twice: {', '.join(map(str, labels))}")
    sets = {str(folder): LabelledSet.read(folder) for folder in labels}
    chosen = load_vocabulary(vocabulary) if vocabulary else None
    merged, conflicts = merge_labels(sets, vocabulary=chosen, prefer=prefer, overlap=overlap)
    merged.write(out)
    table = out.with_name(f"{out.name}-conflicts.csv")
    with whole_file(table) as aside:
        conflicts.to_csv(aside, index=False)
    show_labels(merged)
    images = conflicts["image"].nunique()
    say(f"conflicts: {len(conflicts) or 'none'}" + (f", on {images} images" if images else ""))
    if len(conflicts):
        show(conflicts.head(_SHOWN), f"the first {min(_SHOWN, len(conflicts))}")
    written(out, "labelled set:")
    written(table, "conflicts:")
    return merged
