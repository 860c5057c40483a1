"""What the papers and the owners say is in each public data set, and where to ask for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from annotations.datasets import vehicleid, veriwild
from annotations.datasets.listed import MissingError
from annotations.errors import InputError
from annotations.images import Images

logger = logging.getLogger(__name__)

WHOLE = ""
"""The key of the counts over all images, of whatever split."""

_WORDS = {
    "train": "training ",
    "query": "query ",
    "gallery": "gallery ",
    "test": "test ",
    WHOLE: "",
}


@dataclass(frozen=True)
class Counts:
    """How much is in a split.

    Attributes:
        images: images, None where the number is not known for certain.
        identities: vehicles, None where they are not known or not public.
    """

    images: int | None = None
    identities: int | None = None


@dataclass(frozen=True)
class Published:
    """What is known of a data set.

    Attributes:
        ask: the owners' page, which says how to ask for the data.
        source: where the counts are published.
        counts: by split, `WHOLE` for all images.
    """

    ask: str
    source: str
    counts: Mapping[str, Counts] = field(default_factory=dict)


_VEHICLEID = "https://www.pkuml.org/resources/pku-vehicleid.html"
_VEHICLEID_TESTS = {800: 6_493, 1600: 13_377, 2400: 19_777}
"""Images of a test list, where they are known."""

_VERIWILD = "https://github.com/PKU-IMRE/VERI-Wild"
_VERIWILD_GALLERIES = {3000: 38_861, 5000: 64_389, 10000: 128_517}
"""Images of a gallery, which does not hold the queries."""

_COMPCARS = "http://mmlab.ie.cuhk.edu.hk/datasets/comp_cars/index.html"

PUBLISHED: dict[str, Published] = {
    "veri776": Published(
        "https://github.com/JDAI-CV/VeRidataset",
        "MFG-Net, Table 2, and the lists themselves",
        {
            "train": Counts(37_778, 576),
            "gallery": Counts(11_579, 200),
            "query": Counts(1_678, 200),
        },
    ),
    **{
        f"vehicleid-{size}": Published(
            _VEHICLEID,
            # The paper has other counts: vehicles with false plates were taken apart later.
            "the README of the release; fast-reid's statistics for the lists",
            {
                "train": Counts(113_346, 13_164),
                "test": Counts(_VEHICLEID_TESTS.get(size), size),
                WHOLE: Counts(221_567, 26_328),
            },
        )
        for size in vehicleid.SIZES
    },
    "vric": Published(
        "https://qmul-vric.github.io",
        "MFG-Net, Table 2",
        {
            "train": Counts(54_808, 2_811),
            "gallery": Counts(2_811, 2_811),
            "query": Counts(2_811, 2_811),
        },
    ),
    **{
        f"veriwild-{size}": Published(
            _VERIWILD,
            "EIA-Net, section 4.1; Lou et al. for the galleries",
            {
                "train": Counts(277_797, 30_671),
                "gallery": Counts(_VERIWILD_GALLERIES[size], size),
                "query": Counts(size, size),
                WHOLE: Counts(416_314, 40_671),
            },
        )
        for size in veriwild.SIZES
    },
    "cityflow": Published(
        "https://www.aicitychallenge.org",
        # Later years of the challenge have other images.
        "SPAN, section 4.1, and the README of the AI City Challenge 2019",
        {"train": Counts(36_935, 333), "gallery": Counts(18_290), "query": Counts(1_052)},
    ),
    "compcars": Published(
        _COMPCARS,
        "the owners' page and the lists",
        {"test": Counts(14_939), WHOLE: Counts(136_726)},
    ),
    "compcars-surveillance": Published(
        _COMPCARS,
        # The paper speaks of 50,000.
        "the lists and color_list.mat of the release",
        {"train": Counts(31_148), "test": Counts(13_333), WHOLE: Counts(44_481)},
    ),
}


def differences(images: Images, published: Published) -> Iterator[str]:
    """Say in one line each where a table has not the published number of images or vehicles."""
    frame = images.frame
    for split, counts in published.counts.items():
        rows = frame if split == WHOLE else frame[frame["split"] == split]
        pairs = (
            (len(rows), counts.images, "images"),
            (rows["identity"].nunique(), counts.identities, "vehicles"),
        )
        for there, expected, things in pairs:
            if expected is None or there == expected:
                continue
            if there < expected:
                yield (
                    f"{there:,} of the {expected:,} published {_WORDS[split]}{things}; "
                    f"ask for the whole set at {published.ask}"
                )
            else:
                yield (
                    f"{there:,} {_WORDS[split]}{things}, where {expected:,} are published "
                    f"({published.source}); another release than that at {published.ask}?"
                )


def read_published(key: str, read: Callable[[Path], Images], root: Path) -> Images:
    """Read a public data set, and compare it with what is published.

    A difference is logged as a warning, as people use subsets and owners mend their sets.

    Args:
        key: a key of `PUBLISHED`.
        read: the data set's reader.
        root: the data set's folder.

    Raises:
        InputError: what the reader finds wrong; where something is missing, it says where to ask.
    """
    try:
        images = read(root)
    except MissingError as error:
        raise InputError(f"{error}; the data is to be had at {PUBLISHED[key].ask}") from None
    for line in differences(images, PUBLISHED[key]):
        logger.warning("%s: %s", key, line)
    return images
