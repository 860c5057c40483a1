"""Which parts a network looks at."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from annotations.vocabulary import Vocabulary, load_vocabulary
from reid.recipe.section import NotNegative, Section, Share, later

Pool = Literal["mean", "max", "mask"]


class PartSettings(Section):
    """Which part branches there are.

    Attributes:
        vocabulary: name or YAML path, see `annotations.vocabulary.load_vocabulary`.
        use: the vocabulary's parts that get a branch; empty for the plain network.
        weight: of the methods ``prn`` and ``composed``: lambda_p of PRN's equation (3), one number
            for all, or one per part used.
        least: where the detector's own table is at hand, parts that it finds with a lower AP50 are
            left out before training (EIA-Net, section 4.3); 0 takes all in ``use``.
        pool: of the method ``composed``, what a part's vector is: the ``mean`` over the cells that
            its boxes overlap (PRN), their ``max`` (EIA-Net's R-MAC), or the mean of the map under
            its ``mask``, for parts that are views (SPAN).
    """

    vocabulary: str = "prn"
    use: tuple[str, ...] = ("window", "light", "brand")
    weight: NotNegative | dict[str, NotNegative] = 1.0
    least: Share = later(0.0)
    pool: Pool = later("mean")

    @model_validator(mode="after")
    def _weights_name_parts(self) -> PartSettings:
        if len(set(self.use)) < len(self.use):
            raise ValueError("a part is there twice")
        if isinstance(self.weight, dict) and set(self.weight) != set(self.use):
            raise ValueError("weight must name exactly the parts in 'use'")
        return self

    @property
    def weights(self) -> list[float]:
        """The weight of each part used, in order."""
        if isinstance(self.weight, dict):
            return [self.weight[part] for part in self.use]
        return [self.weight] * len(self.use)

    def load(self) -> Vocabulary:
        """Load the vocabulary, the parts used alone.

        Raises:
            InputError: no such vocabulary, or no such part in it.
        """
        return load_vocabulary(self.vocabulary).only(self.use)
