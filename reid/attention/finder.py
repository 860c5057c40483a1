"""A trained network that finds masks, and finding them on images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from annotations.cache import MaskCache
from annotations.errors import InputError
from annotations.images import Images
from annotations.looking import Looked, look_once
from annotations.masks import Masks, pack
from annotations.vocabulary import Vocabulary
from reid.attention.network import MaskNetwork
from reid.attention.settings import ForegroundSettings, MaskSettings, SpanSettings
from reid.data.dataset import InputReader
from reid.device import autocast, keep_freed_memory, pick_device
from reid.saving import fill_in, weights_of, write_saved

MODEL = "masks.pt"
FOREGROUND = ("foreground",)
Kind = Literal["foreground", "views"]
_FORMAT = 1
_SETTINGS: dict[Kind, type[MaskSettings]] = {
    "foreground": ForegroundSettings,
    "views": SpanSettings,
}


@dataclass(frozen=True)
class MaskFinder:
    """Finds the foreground, or the views, of vehicles.

    Attributes:
        network: in evaluation mode; on the CPU until something runs it elsewhere.
        kind: what it finds.
        views: the names of its V masks.
        settings: how it was trained.
        vocabulary: of the views; None of the foreground.
        hash: sha256 of the model file; caches remember it.
    """

    network: MaskNetwork
    kind: Kind
    views: tuple[str, ...]
    settings: MaskSettings
    vocabulary: Vocabulary | None = None
    hash: str = ""

    @classmethod
    def load(cls, folder: Path) -> MaskFinder:
        """Load what `save` wrote.

        Raises:
            InputError: the folder has none, its training has not finished, it is damaged, or its
                weights are not those of its settings.
        """
        path = folder / MODEL if folder.is_dir() or folder.name != MODEL else folder
        if not path.is_file():
            raise InputError(
                f"{folder}: no {MODEL} in it: no mask network, or one whose training has "
                "not finished; make one with 'partreid views foreground' or 'partreid views train'"
            )
        try:
            stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            kind, views, version = stored["kind"], tuple(stored["views"]), stored["format"]
            settings = _SETTINGS[kind].model_validate(stored["settings"])
            record, weights = stored["vocabulary"], stored["weights"]
            vocabulary = Vocabulary.from_record(record) if record else None
        except Exception as error:  # torch raises many kinds for a damaged file
            raise InputError(
                f"{path}: not a mask network of this toolkit, or damaged ({type(error).__name__})"
            ) from None
        if version != _FORMAT:
            raise InputError(f"{path}: format {version}; this version reads {_FORMAT}")
        network = MaskNetwork(settings.backbone, None, len(views), settings.cell)
        fill_in(network, weights, f"{path}: its weights are of other settings")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(network.eval(), kind, views, settings, vocabulary, digest)

    def save(self, folder: Path) -> None:
        """Write the model file that `load` reads."""
        write_saved(
            {
                "format": _FORMAT,
                "kind": self.kind,
                "views": list(self.views),
                "settings": self.settings.model_dump(mode="json"),
                "vocabulary": self.vocabulary.record() if self.vocabulary else None,
                "weights": weights_of(self.network),
            },
            folder / MODEL,
        )

    def find(
        self,
        images: Images,
        out: Path,
        *,
        redo: bool = False,
        device: str = "auto",
        batch: int = 64,
        workers: int | None = None,
        progress: bool = True,
    ) -> Looked[Masks]:
        """Find the masks of every image that is new or changed, into a cache.

        Args:
            images: the images.
            out: the folder of the cache: ``masks.parquet``, ``images.parquet``, ``problems.csv``.
            redo: forget what it holds.
            device: ``auto``, ``cpu``, ``cuda``.
            batch: images a pass.
            workers: threads that read images.
            progress: whether to show a bar.

        Raises:
            InputError: ``out`` holds masks of another network, or no image can be read.
        """
        target = pick_device(device)
        keep_freed_memory(target)
        network = self.network.to(target).to(memory_format=torch.channels_last)
        cells = self.settings.size // self.settings.cell
        about: dict[str, Any] = {"network": self.hash, "kind": self.kind}
        if self.vocabulary:
            about["vocabulary"] = self.vocabulary.record()

        def find(pixels: Sequence[Tensor]) -> pd.DataFrame:
            if not pixels:
                return pd.DataFrame({"image": [], "mask": []})
            with torch.inference_mode(), autocast(self.settings.precision, target):
                odds = network(torch.stack(list(pixels)).to(target, non_blocking=True))
            found = (odds.sigmoid() * 255).round().to(torch.uint8).cpu().numpy()
            masks = [pack(mask) for mask in found]
            return pd.DataFrame({"image": np.arange(len(masks)), "mask": masks})

        return look_once(
            MaskCache(out, about, self.views, (cells, cells)),
            images,
            InputReader((self.settings.size, self.settings.size)),
            find,
            doing=f"finding {self.kind}",
            redo=redo,
            batch=batch,
            workers=workers,
            ahead=target.type != "cpu",
            progress=progress,
        )
