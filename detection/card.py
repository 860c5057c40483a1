"""What is written down about a trained detector, beside its weights."""

from __future__ import annotations

import hashlib
import io
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from annotations.errors import InputError, explain
from annotations.files import whole_file, write_text
from annotations.images import Images
from annotations.vocabulary import Vocabulary
from detection.settings import DetectorSettings


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(images: Images) -> dict[str, str]:
    """Return the SHA-256 of each image file, by image."""
    return {
        name: digest(path) for name, path in zip(images.frame["image"], images.paths, strict=True)
    }


def _vocabulary(stored: Any) -> Any:
    return Vocabulary.from_record(stored) if isinstance(stored, dict) else stored


class DetectorCard(BaseModel):
    """What ``detector.json`` says about a detector.

    Attributes:
        format: version of this file.
        vocabulary: the detector's classes, in order.
        settings: how it was trained.
        sets: of several labelled sets, the parts that each looked for, by the set's number;
            empty where there is one, which looked for all. An image's name comes after its set's
            number then, ``2/plate_0001.jpg``.
        trained_on: SHA-256 of each image file trained on, by image.
        boxes: SHA-256 of the true boxes trained on.
        held_out: the same as ``trained_on`` for the images held out.
        unreadable: what was wrong with each image left out, by image.
        weights: SHA-256 of ``weights.pt``.
        ultralytics: version that trained it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    FILE: ClassVar[str] = "detector.json"
    WEIGHTS: ClassVar[str] = "weights.pt"

    format: Literal[1] = 1
    vocabulary: Annotated[
        Vocabulary, BeforeValidator(_vocabulary), PlainSerializer(Vocabulary.record)
    ]
    settings: DetectorSettings
    sets: dict[str, tuple[str, ...]] = {}
    trained_on: dict[str, str]
    boxes: str
    held_out: dict[str, str]
    unreadable: dict[str, str]
    weights: str = ""
    ultralytics: str = Field(default_factory=lambda: version("ultralytics"))

    def write(self, folder: Path, model: Any) -> None:
        """Write the network's weights, then the card that vouches for them."""
        import torch  # seconds, which who reads a card need not wait

        buffer = io.BytesIO()
        torch.save({"model": model, "version": self.ultralytics}, buffer)
        with whole_file(folder / self.WEIGHTS) as aside:
            aside.write_bytes(buffer.getvalue())
        card = self.model_copy(update={"weights": digest(folder / self.WEIGHTS)})
        write_text(folder / self.FILE, card.model_dump_json(indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> DetectorCard:
        """Read a detector's card and check the weights against it.

        Raises:
            InputError: the folder is not a detector, or its weights were changed.
        """
        path, weights = folder / cls.FILE, folder / cls.WEIGHTS
        for needed in (path, weights):
            if not needed.is_file():
                raise InputError(
                    f"{folder}: not a trained detector (no {needed.name}); train one with "
                    f"'partreid parts train'"
                )
        try:
            card = cls.model_validate_json(path.read_text("utf-8"))
        except (ValidationError, UnicodeDecodeError, KeyError, TypeError) as error:
            why = explain(error) if isinstance(error, ValidationError) else str(error)
            raise InputError(f"{path}: not a detector's card: {why}") from None
        if digest(weights) != card.weights:
            raise InputError(
                f"{weights}: not the weights that {cls.FILE} describes; the file is damaged or "
                f"of another detector"
            )
        return card
