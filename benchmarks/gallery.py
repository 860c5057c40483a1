"""What a gallery costs beside faiss and beside the network.

    python -m benchmarks.gallery FOLDER [search] [add] [open] [query] [--items 1000000]

- search: exact search of 1,000 queries, and of one, in a gallery of 256 dimensions in half and in
  single precision, against a flat faiss index of the same numbers in memory.
- add: seconds that adding 1,000 images to such a gallery takes beyond the network.
- open: seconds to open a gallery, and to search it once with one query right after.
- query: milliseconds of one question to the service beyond the network, by its parts.

Embeddings are drawn around identities of 20 images each. Galleries are written below FOLDER, and
kept for the next time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from PIL import Image

from pipelines.jobs import adding
from pipelines.recipes import load_recipe
from reid.distances import distance_named
from reid.embedding import embed
from reid.methods import build_model
from reid.retrieval.about import GalleryAbout
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import Manifest, is_gallery
from reid.retrieval.question import Question
from reid.retrieval.segment import CONTENT, MOST, ROOT, SIZE, TIME, as_table
from reid.retrieval.selection import Condition
from reid.retrieval.service.searcher import Searcher
from reid.retrieval.writer import GalleryWriter
from reid.run import Run, save_model

_WIDTH = 256
_TOP = 50
_QUERIES = 1000


def drawn(count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return embeddings of length one, 20 around each of ``count`` / 20 centres."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(1, count // 20), _WIDTH), dtype=np.float32)
    made = centres[np.arange(count) % len(centres)]
    made = made + 0.7 * random.standard_normal(made.shape, dtype=np.float32)
    unit: npt.NDArray[np.float32] = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


def a_run(folder: Path) -> Run:
    """Return an untrained small network of as many dimensions."""
    place = folder / "run"
    if not (place / "model.pt").is_file():
        torch.manual_seed(0)
        changes = [
            "parts.use=[]",
            f"dimension={_WIDTH}",
            "distance=cosine",
            "backbone.weights=null",
        ]
        recipe = load_recipe("prn-small", changes)
        place.mkdir(parents=True)
        model = build_model(recipe, 2, start=False)
        save_model(place / "model.pt", model, recipe, ("0", "1"))
    return Run.load(place)


def a_gallery(folder: Path, items: int, half: bool = True) -> Gallery:
    """Return a gallery of so many drawn embeddings, with a table like a city's."""
    place = folder / f"{items}-{'half' if half else 'single'}"
    if not is_gallery(place):
        run = a_run(folder)
        about = GalleryAbout(model=run.hash, run=str(run.source.resolve()), distance="cosine")
        place.mkdir(parents=True, exist_ok=True)
        writer = GalleryWriter(place, Manifest(**about.model_dump(), dimension=_WIDTH, half=half))
        root = writer.root_number(folder / "photos")
        random = np.random.default_rng(1)
        for start in range(0, items, MOST):
            count = min(MOST, items - start)
            numbers = np.arange(start, start + count)
            frame = pd.DataFrame(
                {
                    "image": [f"c{n % 64:03d}/{n:09d}.jpg" for n in numbers],
                    "camera": [f"c{n % 64:03d}" for n in numbers],
                    "track": [f"t{n // 12}" for n in numbers],
                    "time": numbers * 0.5,
                    ROOT: root,
                    SIZE: 4096,
                    TIME: 1,
                    CONTENT: [random.bytes(16) for _ in numbers],
                }
            )
            vectors = drawn(count, seed=start)
            writer.append(vectors.astype(np.float16 if half else np.float32), as_table(frame))
    return Gallery.open(place)


def seconds(operation: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of an operation, after one to warm up."""
    operation()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        operation()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def search(folder: Path, items: int) -> None:
    """Compare exact search with a flat index."""
    queries = distance_named("cosine").prepare(drawn(_QUERIES, seed=7)).numpy()
    for half in (True, False):
        gallery = a_gallery(folder, items, half)
        index = faiss.IndexFlatIP(_WIDTH)
        index.add(gallery.embeddings)
        for count, rounds in ((_QUERIES, 3), (1, 9)):
            bare, ours, same = _in_turn(index, gallery, queries[:count], rounds)
            words = f"search {count} in {items:,}, {'half' if half else 'single'} precision"
            say(
                f"{words}: {ours:.3f} s, faiss in memory {bare:.3f} s, ratio {ours / bare:.2f}, "
                f"same rows {same:.4f}"
            )


def _in_turn(
    index: faiss.Index, gallery: Gallery, asked: npt.NDArray[np.float32], rounds: int
) -> tuple[float, float, float]:
    """Return median seconds of both, run in turn, and the share of rows that they agree in."""
    operations: list[Callable[[], npt.NDArray[np.int64]]] = [
        lambda: np.asarray(index.search(asked, _TOP)[1]),
        lambda: gallery.search(asked, _TOP)[1],
    ]
    pairs = [[seconds(one, 1) for one in operations] for _ in range(rounds)]
    bare, ours = (statistics.median(some) for some in zip(*pairs, strict=True))
    first, second = (one() for one in operations)
    return bare, ours, float((first == second).mean())


def add(folder: Path, items: int) -> None:
    """Time adding 1,000 images beyond the network."""
    run, gallery = a_run(folder), a_gallery(folder, items)
    photos = folder / f"new-{os.getpid()}"
    photos.mkdir()
    random = np.random.default_rng()
    for number in range(1000):
        coarse = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((128, 128)).save(photos / f"{number}.jpg")
    network = []

    def timed(*given: object, **more: object) -> object:
        start = time.perf_counter()
        made = embed(*given, **more)  # type: ignore[arg-type]
        network.append(time.perf_counter() - start)
        return made

    vars(adding)["embed"] = timed
    start = time.perf_counter()
    adding.add(gallery.path, [photos], run.source)
    whole = time.perf_counter() - start
    say(f"add 1,000 to {items:,}: {whole - sum(network):.2f} s beyond the network's "
        f"{sum(network):.2f} s")  # fmt: skip


def open_it(folder: Path, items: int) -> None:
    """Time opening and the first question."""
    path = a_gallery(folder, items).path
    opening = seconds(lambda: Gallery.open(path), 5)
    asked = drawn(1, seed=3)
    first = seconds(lambda: Gallery.open(path).search(asked, _TOP), 3)
    say(f"open {items:,}: {1000 * opening:.0f} ms; open and search once: {first:.2f} s")


def query(folder: Path, items: int) -> None:
    """Time one question to the service beyond the network."""
    run, gallery = a_run(folder), a_gallery(folder, items)
    picture = folder / "query.png"
    pixels = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)
    Image.fromarray(pixels).save(picture)
    searcher = Searcher([gallery.path], run.source)
    four = (Condition.parse("camera=c001,c002,c003,c004"),)
    questions = {
        "plain": Question(top=_TOP),
        "of 4 cameras": Question(top=_TOP, conditions=four),
        "by track": Question(top=_TOP, group="track"),
    }
    for name, question in questions.items():
        searcher.find(picture, question)
        answers = [searcher.find(picture, question) for _ in range(7)]
        beyond = statistics.median(answer.seconds - answer.embedding for answer in answers)
        network = statistics.median(answer.embedding for answer in answers)
        say(
            f"query in {items:,}, {name}: {1000 * beyond:.0f} ms beyond the network's "
            f"{1000 * network:.0f} ms"
        )


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


_PARTS = {"search": search, "add": add, "open": open_it, "query": query}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--items", type=int, default=1_000_000)
    given = parser.parse_args()
    for name in given.parts or _PARTS:
        _PARTS[name](given.folder, given.items)


if __name__ == "__main__":
    main()
