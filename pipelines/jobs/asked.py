"""How a person wants vehicles to be compared, as the command line takes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from reid.evaluation.protocols import PairVerification, Protocol, RandomGallery, protocol_for
from reid.evaluation.protocols.pairs import draw_pairs
from reid.reranking.refinement import Refinement
from reid.reranking.travel_times import TravelTimes

_TRAINING_PAIRS = 20_000


@dataclass(frozen=True)
class Asked:
    """How a person wants to be compared.

    Attributes:
        protocol: a name in `reid.evaluation.protocols.PROTOCOLS`, or ``pairs``; None for the
            usual one.
        repeats: draws of a random gallery.
        seed: of draws.
        pairs: files of test pairs.
        training_pairs: a file of pairs to choose the threshold on; None to draw them from the
            training split.
        same: the columns that make a drawn pair the same.
        by: columns to print scores by.
        expand: query expansion by so many images; 0 for none.
        rerank: k-reciprocal re-ranking.
        travel_times: width of a bin of travel times, in the unit of ``time``, learned on the
            training split; 0 for none.
        mirror: whether to average with the mirror image; None as each run's recipe says.
    """

    protocol: str | None = None
    repeats: int = 10
    seed: int = 0
    pairs: tuple[Path, ...] = ()
    training_pairs: Path | None = None
    same: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    expand: int = 0
    rerank: bool = False
    travel_times: float = 0.0
    mirror: bool | None = None

    def folder_name(self, data: Path, branches: str) -> str:
        """Return the name of the results' folder, another for whatever is asked otherwise."""
        steps = {"expand": self.expand, "rerank": self.rerank, "times": self.travel_times}
        said = [
            name if value is True else f"{name}{value:g}" for name, value in steps.items() if value
        ]
        if self.mirror is not None:
            said.insert(0, "mirror" if self.mirror else "no-mirror")
        protocol = "pairs" if self.pairs else self.protocol
        return "-".join(["eval", name_of(data), branches, *([protocol] if protocol else []), *said])

    def refinement(self, images: Images) -> Refinement:
        """Return what is done after the network."""
        times = None
        if self.travel_times:
            times = TravelTimes.fit(images.split("train"), width=self.travel_times)
        return Refinement(self.expand, self.rerank, times)

    def build(self, images: Images) -> Protocol:
        """Return the protocol for a table.

        Raises:
            InputError: it does not exist, or lacks its pairs.
        """
        if self.pairs and self.protocol not in (None, "pairs"):
            raise InputError(f"--pairs: the protocol {self.protocol} has no pairs")
        if self.protocol == "pairs" and not self.pairs:
            raise InputError("protocol pairs: give --pairs FILE, once or more")
        if self.pairs:
            names = [_short(path) for path in self.pairs]
            if len(set(names)) < len(names):
                names = [str(path) for path in self.pairs]
            tested = {name: Pairs.read(path) for name, path in zip(names, self.pairs, strict=True)}
            return PairVerification(tested, self._training(images))
        found = protocol_for(images, self.protocol)
        return RandomGallery(self.repeats, self.seed) if found.name == "random-gallery" else found

    def _training(self, images: Images) -> Pairs:
        if self.training_pairs:
            return Pairs.read(self.training_pairs)
        train = images.split("train")
        known = "identity" if train.frame["identity"].notna().any() else "model"
        return draw_pairs(train, self.same or (known,), _TRAINING_PAIRS, self.seed)


def name_of(data: Path) -> str:
    """Return what a data set is called: the name of its folder."""
    path = data.resolve()
    return path.parent.name if path.is_file() else path.name


def _short(path: Path) -> str:
    return path.stem.removeprefix("verification_pairs_")
