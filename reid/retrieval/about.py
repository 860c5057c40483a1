"""What made the embeddings of a gallery."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


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
