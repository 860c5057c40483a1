"""The whole job of finding views: foregrounds, SPAN, and the masks of every image."""

from __future__ import annotations

import shutil
from pathlib import Path

from annotations.datasets import read_images
from annotations.errors import InputError, suggest
from annotations.files import whole_file
from annotations.masks import Masks
from pipelines.jobs import views as views_jobs
from pipelines.jobs.whole import Job
from pipelines.settings import change
from reid.attention.finder import MODEL
from reid.attention.settings import ForegroundSettings, MaskSettings, SpanSettings
from reid.attention.span import labelled

_OWN = ("steps", "lr")
"""Settings that both networks have and that suit one of them alone: those given are SPAN's."""
_PREFIX = "foreground."


def find_views(
    data: Path | None,
    network: Path | None,
    settings: list[str],
    redo: bool,
    work: Path,
    device: str,
) -> Masks:
    """Train both networks (or take SPAN), and find the views of every image of a data set.

    Args:
        data: the data set, its images with viewpoints; they are not needed with ``network``.
        network: SPAN, trained elsewhere.
        settings: changes of SPAN's settings, and of the foreground's where it has the same.
        redo: find again with other networks.
        work: holds every job's output.
        device: ``auto``, ``cpu``, ``cuda``.

    Raises:
        InputError: there is no data set, a setting is none, or the data has no viewpoints.
    """
    if data is None:
        raise InputError(
            "give --data (DATA=): images with viewpoints, such as VeRi-776, or a fleet seen from "
            "all sides: 'partreid fleet DIR --preset views'"
        )
    if network is not None and settings:
        raise InputError(
            f"'{settings[0]}': the network given has its settings already; leave out --set (SET=) "
            "or --network (NETWORK=)"
        )
    mine, theirs = divided(settings)
    if network is None:
        # What is wrong with the labels is said before a folder is made and the foreground learned.
        images = read_images(data)
        if "viewpoint" not in images.frame:
            raise InputError(
                f"{data}: its images have no 'viewpoint'; label a few hundred, which 'partreid "
                "views sample' draws for you, and fill the rest by 'partreid views learn' and "
                "'label', or give --network (NETWORK=), a SPAN that is trained"
            )
        labelled(images.training(), change(SpanSettings, mine))
    job = Job.on(data, work)
    if network is None:
        views_jobs.foreground(data, None, job.foreground, theirs, redo, device)
        network = job.span
        views_jobs.train(data, None, job.foreground, network, mine, device, redo=redo)
    masks = views_jobs.find(network, data, None, job.views, redo, device)
    # What other folders' views are found by, wherever the network came from.
    with whole_file(job.views / views_jobs.NETWORK / MODEL) as aside:
        shutil.copy(network if network.is_file() else network / MODEL, aside)
    return masks


def divided(settings: list[str]) -> tuple[list[str], list[str]]:
    """Divide changes into those of SPAN's settings and those of the foreground's.

    A setting that both have is changed in both, but for how long and how fast one learns, which
    is SPAN's; ``foreground.KEY=VALUE`` is the foreground's alone.

    Raises:
        InputError: one is a setting of neither.
    """
    mine, theirs = [], []
    known = {*SpanSettings.model_fields, *ForegroundSettings.model_fields}
    for given in settings:
        key = given.partition("=")[0]
        alone = key.startswith(_PREFIX)
        key = key.removeprefix(_PREFIX)
        if key not in known:
            raise InputError(f"'{given}': no setting '{key}'; {suggest(key, known)}")
        of_span = key in SpanSettings.model_fields and not alone
        if of_span:
            mine.append(given)
        if not of_span or (key in MaskSettings.model_fields and key not in _OWN):
            theirs.append(given.removeprefix(_PREFIX))
    return mine, theirs
