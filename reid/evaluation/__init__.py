"""How well embeddings find the same vehicle, and how sure that figure is."""

from reid.evaluation.rank import Ranking, rank

__all__ = ["Ranking", "rank"]
