"""What every protocol can do, and what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import pandas as pd

from annotations.images import Images
from reid.distances import Comparison, Distance
from reid.embedding import Embedded

Compare: TypeAlias = Callable[[Embedded, Embedded], Comparison]
"""From queries and gallery to their comparison, such as a re-ranking."""


@dataclass(frozen=True)
class Scores:
    """What a protocol found.

    Attributes:
        table: a row per metric: ``metric``, ``value``, ``low`` and ``high``, the 95 % bootstrap
            interval over identities, all as shares; and ``spread``, the standard deviation over
            repeats, where a protocol repeats.
        per_query: a row per counted query or pair, beginning with its image or images.
        statement: one line that says who was query, who gallery and what was left out.
        curve: the match curve, or of verification the ROC: a row per point.
    """

    table: pd.DataFrame
    per_query: pd.DataFrame
    statement: str
    curve: pd.DataFrame


class Protocol(ABC):
    """Who is compared with whom, and how that is scored.

    Attributes:
        name: what a person calls it.
    """

    name: ClassVar[str]

    @abstractmethod
    def divide(self, images: Images) -> tuple[Images, ...]:
        """Return the images to embed, part by part.

        Raises:
            InputError: the table lacks what the protocol needs.
        """

    @abstractmethod
    def score(
        self, parts: Sequence[Embedded], distance: Distance, compare: Compare | None = None
    ) -> Scores:
        """Score embeddings of what `divide` returned; unreadable images may be missing.

        Args:
            parts: the embeddings.
            distance: compares them.
            compare: used instead where rankings are made; the truth of a pair needs no other.

        Raises:
            InputError: nothing can be scored, or embeddings cannot be compared.
        """
