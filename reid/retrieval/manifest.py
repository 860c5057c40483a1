"""The file that says what a gallery consists of: what it does not name is not in the gallery."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, ValidationError

from annotations.errors import InputError
from reid.retrieval.about import GalleryAbout

MANIFEST = "manifest.json"
_BLOCK = 2**22
_REFUSED = {
    errno.EMFILE: "; let it have more files open ('ulimit -n')",
    errno.ENFILE: "; the machine has too many files open",
    errno.ENOMEM: "; free some, or let it map more files (vm.max_map_count)",
    errno.EACCES: "; let this user read it",
    errno.EPERM: "; let this user read it",
}
"""What the system refuses whatever a file holds, and what helps."""


class StoredFile(BaseModel):
    """A file of a gallery as it was written: it is never changed afterwards.

    Attributes:
        name: its path under the gallery's folder.
        size: bytes.
        sha256: of its content.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size: NonNegativeInt
    sha256: str

    @classmethod
    def of(cls, folder: Path, name: str) -> StoredFile:
        """Describe a file that has been written, and see that it is on the disk."""
        path = folder / name
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        return cls(name=name, size=path.stat().st_size, sha256=digest)

    def require(self, folder: Path) -> None:
        """Demand that the file is there, with its size.

        Raises:
            InputError: it is missing, cannot be looked at, or is shorter or longer than it was.
        """
        path = folder / self.name
        try:
            size = path.stat().st_size
        except OSError as error:
            raise self.unopened(folder, error) from None
        if size != self.size:
            raise InputError(
                f"{path}: damaged, {size} bytes where {self.size} were written; restore it, or "
                "make the gallery again"
            )

    def intact(self, folder: Path) -> bool:
        """Return whether the content is still what was written.

        Raises:
            InputError: the system does not let it be read, which says nothing of the content.
        """
        try:
            with (folder / self.name).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
        except OSError as error:
            if error.errno in _REFUSED:
                raise self.unopened(folder, error) from None
            return False

    def unopened(self, folder: Path, error: Exception) -> InputError:
        """Return what to say of an error at opening the file: whose fault it is.

        Only what has no number of the system's is the content's.
        """
        path = folder / self.name
        if isinstance(error, FileNotFoundError):
            return InputError(f"{path}: missing; restore it, or make the gallery again")
        if isinstance(error, OSError) and error.errno:
            why = f"{os.strerror(error.errno)}{_REFUSED.get(error.errno, '')}"
            return InputError(f"{path}: cannot be opened: {why}")
        return InputError(f"{path}: damaged; restore it, or make the gallery again")


class StoredSegment(BaseModel):
    """Images that were added together.

    Attributes:
        count: how many, those removed since included.
        vectors: their embeddings, `reid.retrieval.segment` says how.
        images: their table.
        removed: which of them are no longer in the gallery; None for none.
        removed_count: how many these are.
        thumbnails: small pictures of them; None where there are none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: PositiveInt
    vectors: StoredFile
    images: StoredFile
    removed: StoredFile | None = None
    removed_count: NonNegativeInt = 0
    thumbnails: StoredFile | None = None

    @property
    def files(self) -> list[StoredFile]:
        """Every file of the segment."""
        some = (self.vectors, self.images, self.removed, self.thumbnails)
        return [file for file in some if file is not None]


class StoredIndex(BaseModel):
    """An index that finds most of the nearest without looking at all.

    Attributes:
        file: of the index, whose numbers are rows of the gallery.
        rows: how many rows it knows; those that were added since are searched exactly.
        probes: of its lists, so many are looked at for each query.
        candidates: so many times as many as are asked for are then measured exactly.
        top: images found, of which `recall` is the share.
        recall: the share of the nearest that it finds, measured on the gallery's own embeddings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: StoredFile
    rows: PositiveInt
    probes: PositiveInt
    candidates: PositiveInt
    top: PositiveInt
    recall: float


class Manifest(GalleryAbout):
    """What a gallery consists of.

    Attributes:
        format: of the files.
        generation: how many changes have been made before.
        dimension: of the embeddings.
        half: whether embeddings are stored in half precision.
        roots: the folders that paths of images start from; relative to the gallery's where they
            are below or beside it, so that both can be moved together.
        segments: in the order in which rows are counted.
        index: finds most of the nearest faster; None for exact search.
        recipe: what trained the network, see `reid.recipe.Recipe`; None where it is not known, as
            in galleries of earlier versions.
    """

    format: Literal[2] = 2
    generation: NonNegativeInt = 0
    dimension: PositiveInt
    half: bool = True
    roots: tuple[str, ...] = ()
    segments: tuple[StoredSegment, ...] = ()
    index: StoredIndex | None = None
    recipe: dict[str, Any] | None = None

    @property
    def files(self) -> list[StoredFile]:
        """Every file but the manifest itself."""
        index = [] if self.index is None else [self.index.file]
        return [file for segment in self.segments for file in segment.files] + index

    @property
    def without_index(self) -> Manifest:
        """The same gallery, searched exactly."""
        return self.model_copy(update={"index": None})

    @property
    def about(self) -> GalleryAbout:
        """What made the embeddings."""
        return GalleryAbout(**self.model_dump(include=set(GalleryAbout.model_fields)))

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a gallery.

        Raises:
            InputError: the folder is no gallery, or one of another version, or the manifest is
                damaged or cannot be read.
        """
        path = folder / MANIFEST
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(
                f"{folder}: not a gallery (no {MANIFEST}); make one with 'partreid gallery add'"
            ) from None
        except OSError as error:
            why = f"{error.strerror}{_REFUSED.get(error.errno or 0, '')}"
            raise InputError(f"{path}: cannot be opened: {why}") from None
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            if place == "format":
                raise InputError(
                    f"{path}: format {first['input']}, where this version reads 2; make the "
                    "gallery again, or use the version that made it"
                ) from None
            raise InputError(f"{path}: {place}: {first['msg']}") from None

    def write(self, folder: Path) -> None:
        """Make this the gallery's state: the one step that readers see, and it happens whole."""
        aside = folder / f".{MANIFEST}.part"
        with aside.open("w", encoding="utf-8") as stream:
            stream.write(self.model_dump_json(indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(folder / MANIFEST)
        sync_folder(folder)


def not_as_written(folder: Path, names: Sequence[str], of: int) -> InputError:
    """Return what to say of files whose content is no longer what was written.

    Args:
        folder: the gallery's.
        names: of these files.
        of: how many were looked at.
    """
    return InputError(
        f"{folder}: {len(names)} of {of} files are not what was written: {', '.join(names)}; "
        "restore them, or make the gallery again"
    )


def is_gallery(folder: Path) -> bool:
    """Return whether a folder holds a gallery."""
    return (folder / MANIFEST).is_file()


def sync_folder(folder: Path) -> None:
    """See that the names in a folder are on the disk, as its files are."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
