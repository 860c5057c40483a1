"""A writer that goes on until it is killed."""

import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from reid.retrieval import folding
from reid.retrieval.lock import writing
from reid.retrieval.manifest import is_gallery
from reid.retrieval.writer import GalleryWriter
from tests.reid.retrieval.conftest import Made, images


def write_on(folder: Path, tell: Connection) -> None:
    """Add 400 images again and again, each with its number as embedding; tell of every change."""
    folding.MANY = 3  # small segments are put together, too, and a kill may hit that
    with writing(folder):
        made = Made(folder, folder / "photos")
        if is_gallery(folder):
            made.writer = GalleryWriter.resume(folder)
        count = sum(segment.count for segment in made.writer.manifest.segments)
        tell.send(0.0)
        while True:
            start = time.perf_counter()
            table = images(folder / "photos", 400, first=count)
            values = np.arange(count, count + 400, dtype=np.float32)[:, None].repeat(6, 1)
            made.append(table, values)
            count += 400
            if made.writer.manifest.generation % 5 == 0:
                made.writer.compact()
            tell.send(time.perf_counter() - start)
