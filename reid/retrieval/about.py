"""What made the embeddings of a gallery."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from annotations.errors import InputError


class GalleryAbout(BaseModel):
    """What made the embeddings; galleries that agree in it can be searched together.

    Attributes:
        model: hash of the model's weights.
        run: the path of the run that holds the model.
        branches: which of the model's branches make an embedding.
        distance: by which embeddings are compared, see `reid.distances.distance_named`.
        mirror: whether an embedding is a mean with the mirror image's, see `reid.embedding.embed`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    run: str
    branches: str = "global"
    distance: str = "euclidean"
    mirror: bool = False

    def differs(self, other: GalleryAbout) -> str:
        """Say in which respect embeddings of the two cannot be compared; empty where they can."""
        if self.model != other.model:
            return f"the model {self.model[:12]} (run {self.run}), not {other.model[:12]}"
        for name in ("branches", "distance", "mirror"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                return f"{name} {mine}, not {theirs}"
        return ""

    def require_model(self, model: str, name: str) -> None:
        """Refuse queries that were embedded by another model.

        Args:
            model: hash of the weights that embed the queries.
            name: what holds the embeddings, for the error.

        Raises:
            InputError: it is another hash.
        """
        if model != self.model:
            raise InputError(
                f"{name}: made by model {self.model[:12]} (run {self.run}), the queries by "
                f"{model[:12]}: distances between two models mean nothing; build the gallery "
                "again with the model of the queries"
            )
