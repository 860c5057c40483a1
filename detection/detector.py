"""A trained part detector: images in, part boxes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn
from torchvision.ops import batched_nms

from annotations.vocabulary import Vocabulary
from detection.card import DetectorCard
from detection.letterbox import Letterboxed, letterbox
from detection.precision import choose_device, low_precision
from detection.settings import DetectSettings
from detection.yolo import load_checkpoint
from engines.engine import Engine, Whole, made_by

CANDIDATES = 1000
"""Boxes of an image, the best of all parts, that go into non-maximum suppression."""
COLUMNS = ["image", "part", "x1", "y1", "x2", "y2", "score"]


class Raw(nn.Module):
    """The network without the decoding of its boxes.

    A head in training mode returns its raw outputs, so that boxes can be decoded in single
    precision: in bfloat16 an edge at 250 pixels only moves in steps of one pixel.

    Args:
        network: ultralytics', in evaluation mode.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.eval()

    def train(self, mode: bool = True) -> Raw:
        """Keep the head's mode, whatever the others'."""
        super().train(mode)
        self.network.model[-1].training = True
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return offsets and scores of every anchor, (B, 4 bins + parts, anchors).

        Args:
            pixels: (B, 3, side, side) uint8, RGB.
        """
        raw = self.network(pixels.float().contiguous(memory_format=torch.channels_last) / 255)
        raw = raw.get("one2one", raw)
        return torch.cat([raw["boxes"], raw["scores"]], 1)


class Detector:
    """Finds parts in images.

    Args:
        card: what is known of the detector.
        model: the ultralytics network.
        device: where to run it.

    Attributes:
        card: as given.
        device: as given.
    """

    def __init__(self, card: DetectorCard, model: Any, device: torch.device) -> None:
        self.card, self.device = card, device
        # Any layout but this one makes a processor's convolutions half as fast.
        network = model.fuse(verbose=False).to(device, memory_format=torch.channels_last).eval()
        self._head = network.model[-1]
        self._head.xyxy = True
        self._raw: nn.Module = Raw(network)
        self._made: dict[tuple[str, bool, int, int], Whole] = {}
        self.precision = low_precision(device)
        """The 16-bit format that the network is computed in; None for single precision."""

    @classmethod
    def load(cls, folder: Path, device: str | None = None) -> Detector:
        """Load a trained detector.

        Args:
            folder: what `train_detector` wrote.
            device: such as ``cpu`` or ``cuda:0``; by default a GPU where there is one.

        Raises:
            InputError: the folder is not a detector, or its weights were changed.
        """
        card = DetectorCard.read(folder)
        model, _ = load_checkpoint(folder / card.WEIGHTS)
        return cls(card, model, choose_device(device))

    @property
    def hash(self) -> str:
        """SHA-256 of the weights."""
        return self.card.weights

    @property
    def vocabulary(self) -> Vocabulary:
        """The parts it finds."""
        return self.card.vocabulary

    def side(self, settings: DetectSettings) -> int:
        """Return the side of the square that the network sees, in pixels."""
        return settings.image_size or self.card.settings.image_size

    def check(self, settings: DetectSettings) -> None:
        """Demand that ``settings`` names no part that this detector does not know."""
        for part in settings.confidences:
            self.vocabulary.index(part)

    def detect(
        self,
        images: Sequence[npt.NDArray[np.uint8]],
        settings: DetectSettings | None = None,
        *,
        capped: bool = True,
    ) -> pd.DataFrame:
        """Find the parts in a batch of images.

        Args:
            images: RGB, uint8, shape (height, width, 3), of any sizes.
            settings: which boxes to report; by default the default ones.
            capped: keep at most `Part.count` boxes of a part and image, the best ones.

        Returns:
            A row per box, best first within an image: ``image`` (place in the batch), ``part``,
            ``x1 y1 x2 y2`` (fractions of the image), ``score``.
        """
        settings = settings or DetectSettings()
        self.check(settings)
        squares = [letterbox(image, self.side(settings)) for image in images]
        return self.detect_letterboxed(squares, settings, capped=capped)

    @torch.inference_mode()
    def detect_letterboxed(
        self, squares: Sequence[Letterboxed], settings: DetectSettings, *, capped: bool = True
    ) -> pd.DataFrame:
        """Do what `detect` does on images that are letterboxed already."""
        if not squares:
            return pd.DataFrame({name: [] for name in COLUMNS})
        boxes, scores = self.forward(torch.from_numpy(np.stack([s.pixels for s in squares])))
        found, images, parts, best = self._select(boxes, scores, settings)
        places = np.stack([square.place for square in squares])[images]
        corners = (found - np.tile(places[:, :2], 2)) / np.tile(places[:, 2:], 2)
        corners = np.clip(corners.astype(np.float64), 0.0, 1.0)
        names, counts = zip(*((p.name, p.count) for p in self.vocabulary.parts), strict=True)
        frame = pd.DataFrame(corners, columns=COLUMNS[2:6]).assign(
            image=images,
            part=pd.array(np.array(names, dtype=object)[parts], dtype="string"),
            score=best.astype(np.float64),
            count=np.array(counts)[parts],
        )
        frame = frame[(frame["x1"] < frame["x2"]) & (frame["y1"] < frame["y2"])]
        if capped:
            rank = frame.groupby(["image", "part"]).cumcount()
            frame = frame[rank < frame["count"]]
        return frame[COLUMNS].sort_values("image", kind="stable", ignore_index=True)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the network.

        Args:
            pixels: uint8, shape (images, side, side, 3).

        Returns:
            Corners ``x1 y1 x2 y2`` in pixels of the square, float32, shape (images, 4,
            anchors), and scores, float32, shape (images, parts, anchors).
        """
        pixels = pixels.to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        kind = self.device.type
        with torch.autocast(kind, self.precision, enabled=self.precision is not None):
            raw = self._raw(pixels).float()
        scores = len(self.vocabulary.names)
        sides = [int(pixels.shape[2] / stride) for stride in self._head.stride.tolist()]
        decoded = self._head._inference(
            {
                "boxes": raw[:, :-scores],
                "scores": raw[:, -scores:],
                # Only the shapes of the feature maps matter here, and the format of the anchors.
                "feats": [raw.new_empty(len(raw), 1, side, side) for side in sides],
            }
        )
        return decoded[:, :4], decoded[:, 4:]

    @contextmanager
    def computed_by(self, engine: Engine | None, batch: int, side: int) -> Iterator[None]:
        """Let an engine compute the network.

        Args:
            engine: None for PyTorch as it is.
            batch: images of a pass.
            side: of their squares, in pixels.
        """
        if engine is None:
            yield
            return
        before, half = self._raw, self.precision is not None
        key = (engine.name, half, batch, side)
        if key not in self._made:
            example = torch.zeros(batch, 3, side, side, dtype=torch.uint8, device=self.device)
            self._made[key] = Whole(made_by(engine, before, example, half), batch)
        self._raw = self._made[key]
        try:
            yield
        finally:
            self._raw = before

    def _select(
        self, boxes: torch.Tensor, scores: torch.Tensor, settings: DetectSettings
    ) -> tuple[Any, Any, Any, Any]:
        """Threshold and suppress; return corners, images, parts and scores, best first."""
        count, _, anchors = scores.shape
        lowest = torch.tensor(
            [settings.confidences.get(n, settings.confidence) for n in self.vocabulary.names],
            device=scores.device,
        )
        flat = (scores * (scores >= lowest[:, None])).flatten(1)
        best, where = flat.topk(min(CANDIDATES, flat.shape[1]), dim=1)
        images = torch.arange(count, device=scores.device)[:, None].expand_as(where)
        keep = best > 0
        best, where, images = best[keep], where[keep], images[keep]
        parts = where // anchors
        corners = boxes[images, :, where % anchors]
        kept = batched_nms(corners, best, images * len(lowest) + parts, settings.overlap)
        return tuple(t[kept].cpu().numpy() for t in (corners, images, parts, best))  # type: ignore[return-value]
