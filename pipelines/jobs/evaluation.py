"""Evaluating a run by a protocol, alone or beside another run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import whole_file
from annotations.images import Images
from annotations.pairs import Pairs
from pipelines.jobs.found import found_at
from pipelines.report.curves import write_curves
from pipelines.report.two_runs import write_two_runs
from pipelines.tables import say, show, written
from reid.evaluation.compare import differences, paired
from reid.evaluation.protocols import PairVerification, Protocol, RandomGallery, protocol_for
from reid.evaluation.protocols.pairs import draw_pairs
from reid.evaluation.report import Evaluation
from reid.evaluation.report import evaluate as score
from reid.methods import check_branches
from reid.reranking.refinement import Refinement
from reid.reranking.travel_times import TravelTimes
from reid.run import Run

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
        path = data.resolve()
        steps = {"expand": self.expand, "rerank": self.rerank, "times": self.travel_times}
        said = [
            name if value is True else f"{name}{value:g}" for name, value in steps.items() if value
        ]
        if self.mirror is not None:
            said.insert(0, "mirror" if self.mirror else "no-mirror")
        protocol = "pairs" if self.pairs else self.protocol
        name = path.parent.name if path.is_file() else path.name
        return "-".join(["eval", name, branches, *([protocol] if protocol else []), *said])

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


def _short(path: Path) -> str:
    return path.stem.removeprefix("verification_pairs_")


def evaluate(
    run: Path,
    data: Path,
    dataset: str | None,
    boxes: Path | None,
    branches: str,
    out: Path | None,
    device: str,
    asked: Asked | None = None,
    other: Path | None = None,
) -> Evaluation:
    """Evaluate a run, print its table and write its files; with ``other``, compare the two.

    Args:
        run: its folder.
        data: the data set.
        dataset: its kind, or None.
        boxes: part boxes, or None.
        branches: what makes an embedding.
        out: folder for results; by default in the run's own.
        device: ``auto``, ``cpu``, ``cuda``.
        asked: by which protocol.
        other: a run to compare with, on the same images by the same protocol.
    """
    asked = asked or Asked()
    chosen = check_branches(branches)
    if other is not None and other.resolve() == run.resolve():
        raise InputError(f"--compare {other}: is the run itself")
    runs = [Run.load(path) for path in (run, *([other] if other else []))]
    found = found_at(boxes) if boxes else None
    images = read_images(data, dataset)
    for column in asked.by:
        if column not in images.frame:
            raise InputError(f"--by: {images.source} has no column '{column}'")
    protocol = asked.build(images)
    refine = asked.refinement(images)
    if isinstance(protocol, PairVerification) and (refine or asked.by):
        raise InputError("pairs are verified by their own distance, all together: leave out "
                         "--rerank, --expand, --travel-times and --by")  # fmt: skip
    folder = out or runs[0].source / asked.folder_name(data, chosen)
    scoring = partial(
        score, images=images, boxes=found, protocol=protocol, refine=refine, by=asked.by,
        branches=chosen, mirror=asked.mirror, device=device,
    )  # fmt: skip
    scored = _tell(runs[0], scoring(runs[0]), folder, asked.by)
    if other:
        second = _tell(runs[1], scoring(runs[1]), folder / "compared", asked.by)
        _compare((run, scored), (other, second), images, folder)
    return scored


def _tell(run: Run, scored: Evaluation, folder: Path, by: tuple[str, ...]) -> Evaluation:
    """Print scores and write their files."""
    show(scored.table, f"{run.source}, 95 % intervals")
    say(scored.protocol)
    for problem in scored.problems:
        say(problem)
    for column in by:
        if "column" in scored.groups:
            mine = scored.groups[scored.groups["column"] == column]
            show(mine.drop(columns="column").rename(columns={"group": column}), f"by {column}")
    scored.write(folder)
    write_curves({run.source.name: scored}, folder / "curve.png")
    written(folder / "metrics.json", "metrics:")
    written(folder / "curve.png", "curve:")
    return scored


def _compare(
    first: tuple[Path, Evaluation],
    second: tuple[Path, Evaluation],
    images: Images,
    folder: Path,
) -> None:
    names = [path.name for path, _ in (first, second)]
    if names[0] == names[1]:
        names = [str(path) for path, _ in (first, second)]
    table = differences(second[1], first[1]).rename(columns={"first": names[1], "second": names[0]})
    show(table, f"{names[0]} against {names[1]}: paired differences, 95 % intervals")
    both = paired(second[1], first[1])
    with whole_file(folder / "differences.csv") as aside:
        both.to_csv(aside, index=False)
    curves = dict(zip(names, (first[1], second[1]), strict=True))
    write_curves(curves, folder / "compared.png")
    page = folder / "compared.html"
    write_two_runs(page, curves, images)
    written(folder / "differences.csv", "every query:")
    written(page, "page:")
