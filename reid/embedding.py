"""Turn images into embeddings: decode in threads, compute on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track
from torch import Tensor

from annotations.boxes import IDENTITY_MEAN, Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.reading import in_batches
from engines.choice import TORCH
from reid.data.dataset import InputReader
from reid.data.locate import Found, locate
from reid.device import Precision, keep_freed_memory, pick_device
from reid.distances import distance_named
from reid.engine_choice import Sample, using
from reid.methods import Branches, check_branches_of, needs_boxes, require_found
from reid.models.vectors import Vectors
from reid.passes import Passes
from reid.run import Run


@dataclass(frozen=True)
class Embedded:
    """Embeddings of the images that could be read.

    Attributes:
        vectors: (N, D) float32.
        images: their N rows.
        problems: one line for each image that could not be read.
        mirror: whether they are means over an image and its mirror image.
        distance: what they are compared by, see `reid.distances.distance_named`.
    """

    vectors: npt.NDArray[np.float32]
    images: Images
    problems: tuple[str, ...]
    mirror: bool = False
    distance: str = "euclidean"

    def take(self, rows: npt.NDArray[np.int64]) -> Embedded:
        """Keep some rows, in the table's order; ``rows`` ascend."""
        kept = np.zeros(len(self.images), dtype=bool)
        kept[rows] = True
        return replace(self, vectors=self.vectors[kept], images=self.images.where(kept))


class NothingReadError(InputError):
    """No image could be read.

    Attributes:
        problems: one line for each.
    """

    def __init__(self, message: str, problems: tuple[str, ...]) -> None:
        super().__init__(message)
        self.problems = problems


def embed(
    run: Run,
    images: Images,
    boxes: Found | None = None,
    *,
    branches: Branches = "global",
    mirror: bool | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    batch: int = 32,
    workers: int | None = None,
    engine: str = TORCH,
    expected: int = 0,
    progress: bool | Callable[[int], None] = True,
    each: Callable[[Vectors], None] | None = None,
) -> Embedded:
    """Embed every image.

    Args:
        run: the trained network.
        images: what to embed.
        boxes: where the parts of these images are, by boxes or masks; needed where the embedding
            is made of parts, as `reid.methods.needs_boxes` has it.
        branches: which branches make the embedding; PRN's ``global`` needs no part detection
            (PRN, section 4.2). ``views`` keeps all of them apart for the co-occurrence
            part-attentive distance (SPAN, section 3.3).
        mirror: whether an embedding is the mean of the image's and of its mirror image's (EIA-Net,
            section 4.5); None as the recipe says.
        device: ``auto``, ``cpu``, ``cuda``.
        precision: ``auto`` takes bf16 where the device has it, whatever it was trained in.
        batch: images per pass.
        workers: threads that read images; by default one per processor.
        engine: what computes the network, see `engines.choice.NAMES`; ``auto`` measures those
            that are installed where there are thousands of images, and takes the fastest that
            agrees with single precision.
        expected: how many images the whole job has, where this is a piece of it.
        progress: whether to show a bar; or what is called with how many more images are done.
        each: called with every branch's vectors of each pass, in the order of the images that
            could be read; boxes are then looked at wherever they are given.

    Raises:
        InputError: no image could be read, an embedding is not finite, parts are asked for
            without boxes, or the boxes of these images were filled by identity, which at test is
            the answer.
    """
    check_branches_of(run.recipe, branches)
    needed = needs_boxes(run.recipe, branches)
    if needed:
        who = f"{run.source}: branches '{branches}' of the method {run.recipe.method}"
        require_found(run.recipe, boxes, who)
    target = pick_device(device)
    size = (run.recipe.image.height, run.recipe.image.width)
    wanted = boxes if needed or each else None
    if isinstance(wanted, Boxes):
        wanted = wanted.of(images)
    if isinstance(wanted, Boxes) and (wanted.frame["source"] == IDENTITY_MEAN).any():
        raise InputError(
            f"{wanted.source}: has boxes filled by identity for images that are to be compared, "
            f"which tells the answer; give the boxes that the detector found"
        )
    where = locate(wanted, images, run.recipe.parts.use)
    mirror = run.recipe.mirror if mirror is None else mirror
    becomes = run.recipe.parts.load().mirrored if mirror and wanted is not None else ()
    partners = torch.tensor(becomes, dtype=torch.int64, device=target)
    model = run.model.to(target).to(memory_format=torch.channels_last)
    passes = Passes(run.recipe, model, branches, partners if mirror else None, target, precision)
    vectors: list[Tensor] = []
    kept = np.ones(len(images), dtype=bool)
    problems: list[str] = []
    keep_freed_memory(target)
    reader = InputReader(size)
    # A piece of a job has the batches of the whole.
    width = batch if expected > len(images) else min(batch, len(images))
    sample = Sample(images.paths, where, reader, width)
    with (
        torch.inference_mode(),
        using(engine, passes, sample, run.hash, max(expected, len(images))),
    ):
        read_batches = in_batches(
            reader, images.paths, batch, workers=workers, ahead=target.type != "cpu"
        )
        starts = range(0, len(images), batch)
        for start, read in zip(
            track(starts, "embedding", transient=True, disable=progress is not True),
            read_batches,
            strict=True,
        ):
            good = [item for item in read if isinstance(item, Tensor)]
            problems += [item for item in read if isinstance(item, str)]
            rows = np.arange(start, start + len(read))
            kept[rows] = [isinstance(item, Tensor) for item in read]
            if good:
                pixels = torch.stack(good).to(target, non_blocking=True)
                made, found = passes(pixels, where.take(rows[kept[rows]]).to(target))
                vectors.append(made.cpu())
                if each is not None:
                    each(found)
            if callable(progress):
                progress(len(read))
    by = passes.by
    if not vectors:
        said = f"{images.source}: none of {len(images)} images could be read"
        raise NothingReadError(said, tuple(problems))
    embedded = Embedded(torch.cat(vectors).numpy(), images.where(kept), tuple(problems), mirror, by)
    names = [str(path) for path in embedded.images.paths]
    distance_named(by).check(embedded.vectors, f"{run.source}: embedding", names)
    return embedded
