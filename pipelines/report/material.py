"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.vocabulary import Vocabulary
from reid.evaluation.report import Evaluation
from reid.retrieval.gallery import Gallery
from reid.run import Run

PLAIN, PRN = "plain", "PRN"


@dataclass(frozen=True)
class Network:
    """One of the two networks that are compared.

    Attributes:
        name: `PLAIN` or `PRN`.
        run: the trained network.
        evaluation: its scores on the test split.
        gallery: the gallery images as it sees them.
        results: the gallery's nearest images for each query, as
            `reid.retrieval.results.search` returns them.
    """

    name: str
    run: Run
    evaluation: Evaluation
    gallery: Gallery
    results: pd.DataFrame

    @property
    def history(self) -> pd.DataFrame:
        """A row per epoch: ``epoch``, ``loss``, ``loss/global`` and what else was logged.

        A training that was stopped and went on has one file for each piece; what a later
        piece did again counts.
        """
        files = (self.run.source / "csv").glob("version_*/metrics.csv")
        in_order = sorted(files, key=lambda file: int(file.parent.name.removeprefix("version_")))
        joined = pd.concat(map(pd.read_csv, in_order)).drop_duplicates("epoch", keep="last")
        return joined.sort_values("epoch").reset_index(drop=True)


@dataclass(frozen=True)
class Step:
    """One step of the job.

    Attributes:
        name: a few words.
        text: what was done, a sentence.
        seconds: how long it took, or None where it was done before times were kept.
    """

    name: str
    text: str
    seconds: float | None


@dataclass(frozen=True)
class Material:
    """Everything that the page tells of.

    Attributes:
        images: the whole data set.
        labels: images that the detector's labels are of.
        boxes: what the detector found.
        filled: the boxes for training, filled by identity.
        vocabulary: the parts.
        scores: the detector's table, `detection.evaluate.DetectorScores.table`.
        problems: columns ``image`` and ``problem``, a row per image that cannot be read.
        plain: the network without part branches.
        prn: the network with them.
        steps: what was done, in order.
        device: what everything ran on, in words.
        files: other outputs: what each is, and its path.
    """

    images: Images
    labels: int
    boxes: Boxes
    filled: Boxes
    vocabulary: Vocabulary
    scores: pd.DataFrame
    problems: pd.DataFrame
    plain: Network
    prn: Network
    steps: tuple[Step, ...]
    device: str
    files: tuple[tuple[str, Path], ...]

    @property
    def networks(self) -> tuple[Network, Network]:
        """The plain network, then PRN."""
        return self.plain, self.prn
