"""The coupled cluster loss with two margins (EIA-Net, equations 5 and 6)."""

from __future__ import annotations

from torch import Tensor, nn

from reid.losses.coupled_cluster import clusters, hinge


class ModifiedCoupledClusterLoss(nn.Module):
    """A positive set is one model of one released year; its other years have to be farther.

    EIA-Net, equation (5): the sum over the positives x_i of
    max(0, |x_i - c|^2 + alpha - g(x_n)) / 2, with equation (6): g(x_n) is |x_n - c|^2 where the
    nearest negative x_n is of another model, and |x_n - c|^2 - beta where it is of the same model
    and another year. As the paper has it, the nearest negative is found before beta is taken off.
    Sets and centres are those of `reid.losses.coupled_cluster.CoupledClusterLoss`.

    Args:
        margin: alpha, a squared distance.
        year_margin: beta, what another year of the same model has to be farther still.
    """

    def __init__(self, margin: float, year_margin: float) -> None:
        super().__init__()
        self.margin = margin
        self.year_margin = year_margin

    def forward(
        self, embeddings: Tensor, years: Tensor, models: Tensor, seen: Tensor | None = None
    ) -> Tensor:
        """Return the loss, a scalar; 0 for a batch without a positive pair or a negative.

        Args:
            embeddings: (B, D) floating.
            years: (B,) int64, a number for each released year of each model.
            models: (B,) int64, a number for each model.
            seen: (B, D) bool, see `reid.losses.coupled_cluster.clusters`.
        """
        found = clusters(embeddings, years, seen)
        own = models.new_zeros(len(found.nearest))
        own[found.which] = models[found.positive]  # all of a set are of one model
        hard = models[found.negative] == own
        return hinge(found, found.nearest - self.margin - self.year_margin * hard)
