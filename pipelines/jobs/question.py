"""One question to several runs: the same images, compared by the same protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.masks import Masks
from annotations.spelling import shortest_endings
from pipelines.jobs.asked import Asked, name_of
from pipelines.jobs.found import found_at
from reid.data.locate import Found
from reid.evaluation.protocols import PairVerification, Protocol
from reid.evaluation.report import Evaluation, evaluate
from reid.methods import (
    Branches,
    check_branches_of,
    lacking_parts,
    located_by,
    needs_boxes,
    require_found,
)
from reid.reranking.refinement import Refinement
from reid.run import Run


@dataclass(frozen=True)
class Question:
    """What every run is asked.

    Attributes:
        name: of the data set.
        images: the data set.
        protocol: who is compared with whom.
        refine: what is done after the network.
        found: boxes, of several vocabularies where runs look at their parts, and masks; each run
            gets what its method looks at.
        branches: what makes an embedding.
        by: columns to score by.
        mirror: whether to average with the mirror image; None as each run's recipe says.
        device: ``auto``, ``cpu``, ``cuda``.
    """

    name: str
    images: Images
    protocol: Protocol
    refine: Refinement
    found: tuple[Found, ...]
    branches: Branches
    by: tuple[str, ...]
    mirror: bool | None
    device: str

    @classmethod
    def read(
        cls,
        asked: Asked,
        data: Path,
        dataset: str | None,
        found: Sequence[Path],
        branches: Branches,
        device: str,
    ) -> Question:
        """Read what a question is about.

        Raises:
            InputError: a file is not what it should be, or the protocol does not fit the data.
        """
        where = tuple(found_at(path) for path in found)
        masks = [path for path, each in zip(found, where, strict=True) if isinstance(each, Masks)]
        if len(masks) > 1:
            raise InputError(f"{masks[1]}: holds masks, as {masks[0]} does; give one of them")
        if len({path.resolve() for path in found}) < len(found):
            raise InputError(f"{found[-1]}: is given twice")
        images = read_images(data, dataset)
        for column in asked.by:
            if column not in images.frame:
                raise InputError(f"--by: {images.source} has no column '{column}'")
        protocol, refine = asked.build(images), asked.refinement(images)
        if isinstance(protocol, PairVerification) and (refine or asked.by):
            raise InputError("pairs are verified by their own distance, all together: leave out "
                             "--rerank, --expand, --travel-times and --by")  # fmt: skip
        return cls(
            name_of(data), images, protocol, refine, where, branches, asked.by, asked.mirror, device
        )

    def found_for(self, run: Run) -> Found | None:
        """Return where the parts are that a run's embedding is made of; None where it has none.

        Raises:
            InputError: the branches are not of this network, or what it needs was not given.
        """
        try:
            check_branches_of(run.recipe, self.branches)
            if not needs_boxes(run.recipe, self.branches):
                return None
            if not run.recipe.parts.use:
                raise InputError(f"branches '{self.branches}': this network has no part branches")
        except InputError as error:
            raise InputError(f"{run.source}: {error}") from None
        boxes = [each for each in self.found if isinstance(each, Boxes)]
        masks = [each for each in self.found if isinstance(each, Masks)]
        by_boxes = located_by(run.recipe) == "boxes"
        who = f"{run.source}: branches '{self.branches}' of the method {run.recipe.method}"
        if len(boxes) < 2 or not by_boxes:
            mine: Sequence[Found] = boxes if by_boxes else masks
            given = next(iter(mine or self.found), None)
            require_found(run.recipe, given, who)
            return given
        # Runs of several vocabularies are compared: each has boxes of its own.
        fitting = [each for each in boxes if not lacking_parts(run.recipe, each)[0]]
        if len(fitting) != 1:
            named = ", ".join(each.source for each in fitting or boxes)
            how = "several hold" if fitting else "none holds"
            raise InputError(f"{who} looks at {', '.join(run.recipe.parts.use)}, and {how} "
                             f"these: {named}")  # fmt: skip
        return fitting[0]

    def score(self, run: Run) -> Evaluation:
        """Embed and score; errors as `reid.evaluation.report.evaluate`."""
        return evaluate(
            run, self.images, self.found_for(run), protocol=self.protocol, refine=self.refine,
            by=self.by, branches=self.branches, mirror=self.mirror, device=self.device,
        )  # fmt: skip


def load_runs(folders: Sequence[Path]) -> dict[str, Run]:
    """Load runs, each called by the shortest ending of its path that is no other's.

    Raises:
        InputError: a run is there twice, or is none.
    """
    runs = [Run.load(folder) for folder in folders]
    paths = [run.source.resolve() for run in runs]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise InputError(f"{folders[place]}: the same run twice; name every run once")
    return dict(zip(shortest_endings(paths), runs, strict=True))
