"""A gallery: a folder of embedded images that can be searched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from annotations.errors import InputError
from annotations.files import whole_folder
from annotations.images import Images
from reid.distances import Distance, Embeddings, IndexedDistance, distance_named
from reid.distances.nearest import search

_INDEX, _IMAGES, _EMBEDDINGS, _MANIFEST = (
    "index.faiss",
    "images.parquet",
    "embeddings.npy",
    "manifest.json",
)


class GalleryAbout(BaseModel):
    """What made the embeddings.

    Attributes:
        model: hash of the model's weights.
        run: the path of the run that holds the model.
        branches: which of the model's branches make an embedding.
        distance: a name in `reid.distances.DISTANCES`.
        mirror: whether an embedding is a mean with the mirror image's, see `reid.embedding.embed`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    run: str
    branches: str = "global"
    distance: str = "euclidean"
    mirror: bool = False


class _Manifest(GalleryAbout):
    format: Literal[1] = 1
    count: PositiveInt
    dimension: PositiveInt


@dataclass(frozen=True)
class Gallery:
    """An opened gallery; make one with `build` or `open`.

    Attributes:
        path: its folder, which holds ``index.faiss`` (exact search over prepared
            embeddings; absent where faiss does not know the distance), ``images.parquet``,
            ``embeddings.npy`` (float32, as the model gave them) and ``manifest.json``.
        images: its images; row i is embedding i.
        embeddings: float32, shape (N, D), read from disk as needed.
        about: what made the embeddings.
        index: the faiss index, or None.
    """

    path: Path
    images: Images
    embeddings: npt.NDArray[np.float32]
    about: GalleryAbout
    index: Any

    @classmethod
    def build(
        cls, embeddings: Embeddings, images: Images, out: Path, about: GalleryAbout
    ) -> Gallery:
        """Write a gallery, which appears whole and replaces an earlier one, and open it.

        Args:
            embeddings: shape (N, D), one row per image.
            images: the N images.
            out: the folder to make.
            about: what made the embeddings.

        Raises:
            InputError: embeddings that cannot be compared or do not fit the images, an
                unknown distance, or ``out`` holds something else than a gallery.
        """
        distance = distance_named(about.distance)
        raw = torch.as_tensor(embeddings).detach().cpu().numpy()
        prepared = distance.prepare(raw, "gallery").numpy()
        if len(prepared) != len(images):
            raise InputError(f"{images.source}: {len(images)} images, {len(prepared)} embeddings")
        cls.require_replaceable(out)
        count, dimension = prepared.shape
        manifest = _Manifest(**about.model_dump(), count=count, dimension=dimension)
        with whole_folder(out) as folder:
            if isinstance(distance, IndexedDistance):
                faiss.write_index(flat_index(distance, prepared), str(folder / _INDEX))
            images.write(folder / _IMAGES)
            np.save(folder / _EMBEDDINGS, raw.astype(np.float32))
            (folder / _MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
        return cls.open(out)

    @staticmethod
    def require_replaceable(out: Path) -> None:
        """Demand that ``out`` is free or holds a gallery.

        Raises:
            InputError: it holds something else.
        """
        if out.is_file() or (out.is_dir() and any(out.iterdir()) and not _is_gallery(out)):
            raise InputError(f"{out}: holds something else than a gallery; choose another folder")

    @classmethod
    def open(cls, path: Path) -> Gallery:
        """Open a gallery.

        Raises:
            InputError: the folder is not a gallery, or a file in it is missing, damaged
                or of another gallery.
        """
        if not _is_gallery(path):
            raise InputError(f"{path}: not a gallery (no {_MANIFEST}); make one with gallery build")
        try:
            manifest = _Manifest.model_validate_json((path / _MANIFEST).read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise InputError(f"{path / _MANIFEST}: {place}: {first['msg']}") from None
        distance = distance_named(manifest.distance)
        indexed = isinstance(distance, IndexedDistance)
        for name in (*([_INDEX] if indexed else []), _IMAGES, _EMBEDDINGS):
            if not (path / name).is_file():
                raise InputError(f"{path / name}: missing; build the gallery again")
        images = Images.read(path / _IMAGES)
        name = _INDEX
        try:
            index = faiss.read_index(str(path / name)) if indexed else None
            name = _EMBEDDINGS
            embeddings = np.load(path / name, mmap_mode="r")
        except (RuntimeError, ValueError, EOFError, OSError):
            raise InputError(f"{path / name}: damaged; build the gallery again") from None
        shape = (manifest.count, manifest.dimension)
        found = {
            _INDEX: index is None or _is_of(index, shape, distance),
            _EMBEDDINGS: embeddings.shape == shape,
            _IMAGES: len(images) == manifest.count,
        }
        for name, fits in found.items():
            if not fits:
                raise InputError(f"{path / name}: is of another gallery; build the gallery again")
        about = GalleryAbout(**manifest.model_dump(include=set(GalleryAbout.model_fields)))
        return cls(path, images, embeddings, about, index)

    def __len__(self) -> int:
        return len(self.images)

    def require_model(self, model: str) -> None:
        """Refuse queries that were embedded by another model than the gallery.

        Args:
            model: hash of the weights that embed the queries.

        Raises:
            InputError: it is another hash than the gallery's.
        """
        if model != self.about.model:
            raise InputError(
                f"{self.path}: made by model {self.about.model[:12]} (run "
                f"{self.about.run}), the queries by {model[:12]}: distances between two "
                "models mean nothing; build the gallery again with the model of the queries"
            )

    def search(
        self, query_embeddings: Embeddings, top: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Find the nearest images of each query, exactly.

        Args:
            query_embeddings: shape (Q, D).
            top: how many to find, K; all where it is more than there are.

        Returns:
            Distances (float32) and gallery rows (int64), both (Q, K), nearest first.

        Raises:
            InputError: embeddings of another dimension or that cannot be compared, or
                ``top`` below 1.
        """
        if top < 1:
            raise InputError(f"top must be at least 1, not {top}")
        distance = distance_named(self.about.distance)
        prepared = distance.prepare(query_embeddings, "query").cpu().numpy()
        dimension = self.embeddings.shape[1]
        if prepared.shape[1] != dimension:
            raise InputError(
                f"{self.path}: holds embeddings of {dimension} dimensions, the queries have "
                f"{prepared.shape[1]}: embeddings of two models"
            )
        if not isinstance(distance, IndexedDistance):
            return search(distance.compare(prepared, self.embeddings), top)
        return search_flat(self.index, distance, prepared, top)


def flat_index(distance: IndexedDistance, prepared: npt.NDArray[np.float32]) -> Any:
    """Return a flat faiss index of prepared embeddings (N, D)."""
    index = faiss.IndexFlat(prepared.shape[1], getattr(faiss, distance.faiss_metric))
    index.add(prepared)
    return index


def search_flat(
    index: Any, distance: IndexedDistance, prepared: npt.NDArray[np.float32], top: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Find the nearest items of prepared queries (Q, D) in a flat index, as `Gallery.search`."""
    scores, rows = index.search(prepared, min(top, index.ntotal))
    return distance.from_faiss(scores), rows


def _is_of(index: Any, shape: tuple[int, int], distance: Distance) -> bool:
    assert isinstance(distance, IndexedDistance)
    metric = getattr(faiss, distance.faiss_metric)
    return bool((index.ntotal, index.d, index.metric_type) == (*shape, metric))


def _is_gallery(folder: Path) -> bool:
    return (folder / _MANIFEST).is_file()
