"""What a gallery costs beside faiss and beside the network.

    python -m benchmarks.gallery FOLDER [search] [add] [open] [query] [index] [--items 1000000]

- search: exact search of 1,000 queries, and of one, in half and in single precision, against a flat
  faiss index of the same numbers in memory.
- add: seconds that adding 1,000 images to such a gallery takes beyond the network.
- open: seconds to open a gallery, and to search it exactly with one query, the first time and
  again, in a process of its own, and the memory that this takes.
- query: milliseconds of one question to the service beyond the network, by its parts.
- index: seconds and memory that `partreid gallery index` takes, what it chooses, and then 1,000
  queries, and one, against exact search, with the recall on these.

Embeddings are drawn around identities of 20 images each: of 256 dimensions and no shape, which is
the hardest for an index; or with ``--like GALLERY``, whose images have identities, with the spread
of its identities, and of the images of one, in every direction. Galleries are written below FOLDER,
and kept for the next time; what is measured is added to FOLDER/measured.csv, with the machine's
load before.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from PIL import Image

from pipelines.jobs import adding, keeping
from pipelines.recipes import load_recipe
from reid.distances import distance_named
from reid.embedding import embed
from reid.methods import build_model
from reid.retrieval.about import GalleryAbout
from reid.retrieval.approximate import recall
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import Manifest, is_gallery
from reid.retrieval.question import Question
from reid.retrieval.segment import CONTENT, MOST, ROOT, SIZE, TIME, as_table
from reid.retrieval.selection import Condition
from reid.retrieval.service.searcher import Searcher
from reid.retrieval.writer import GalleryWriter
from reid.run import Run, save_model

Floats = npt.NDArray[np.float32]

_WIDTH = 256
_TOP = 50
_QUERIES = 1000
_SHARED = 20
"""Images of one identity."""
_PIECE = 2**17


@dataclass(frozen=True)
class Shape:
    """How embeddings are spread.

    Attributes:
        mean: (D,).
        identities: (D, D), by which noise becomes an identity's place about the mean.
        images: (D, D), likewise an image's about its identity.
    """

    mean: Floats
    identities: Floats
    images: Floats

    @classmethod
    def none(cls) -> Shape:
        """Return the same spread in every direction."""
        unit = np.eye(_WIDTH, dtype=np.float32)
        return cls(np.zeros(_WIDTH, np.float32), unit, np.float32(0.7) * unit)

    @classmethod
    def of(cls, gallery: Gallery) -> Shape:
        """Return the spread of a gallery's embeddings."""
        identity = gallery.table(gallery.rows, ["identity"])["identity"]
        known = identity.notna().to_numpy()
        vectors = gallery.embeddings[known]
        who = pd.factorize(identity[known])[0]
        counts = np.bincount(who)
        sums = np.zeros((len(counts), vectors.shape[1]), np.float64)
        np.add.at(sums, who, vectors)
        means = sums / counts[:, None]
        apart = vectors - means[who]
        within = apart.T @ apart / max(1, len(vectors) - len(counts))
        # Of means over few images, a part of the spread is that of the images.
        between = np.cov(means.T) - within * (1 / counts).mean()
        return cls(means.mean(0).astype(np.float32), _root(between), _root(within))

    def drawn(self, count: int, seed: int, again: int = 0) -> Floats:
        """Return embeddings of length one.

        Args:
            count: how many.
            seed: of the identities; those of fewer are the first of those of more.
            again: of the images.
        """
        width = len(self.mean)
        random = np.random.default_rng(seed)
        centres = random.standard_normal((max(1, count // _SHARED), width), dtype=np.float32)
        centres = self.mean + centres @ self.identities
        random = np.random.default_rng((seed, again + 1))
        made = np.empty((count, width), np.float32)
        for start in range(0, count, _PIECE):
            some = slice(start, min(count, start + _PIECE))
            noise = random.standard_normal((some.stop - start, width), dtype=np.float32)
            made[some] = centres[np.arange(start, some.stop) % len(centres)] + noise @ self.images
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made


def _root(covariance: npt.NDArray[np.float64]) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T).astype(np.float32)
    return root


@dataclass(frozen=True)
class World:
    """What is measured in.

    Attributes:
        folder: where galleries are.
        items: how many images they have.
        like: a gallery whose spread embeddings have; None for none.
        rounds: of which medians are taken.
    """

    folder: Path
    items: int
    like: Path | None
    rounds: int

    @cached_property
    def shape(self) -> Shape:
        """How embeddings are spread."""
        return Shape.none() if self.like is None else Shape.of(Gallery.open(self.like))

    @property
    def width(self) -> int:
        """Dimensions."""
        return len(self.shape.mean)

    def run(self) -> Run:
        """Return an untrained small network of as many dimensions."""
        place = self.folder / f"run-{self.width}"
        if not (place / "model.pt").is_file():
            torch.manual_seed(0)
            changes = [
                "parts.use=[]", f"dimension={self.width}", "distance=cosine",
                "backbone.weights=null",
            ]  # fmt: skip
            recipe = load_recipe("prn-small", changes)
            place.mkdir(parents=True)
            model = build_model(recipe, 2, start=False)
            save_model(place / "model.pt", model, recipe, ("0", "1"))
        return Run.load(place)

    def path(self, half: bool = True) -> Path:
        """Return where a gallery is to be."""
        like = "" if self.like is None else f"-like-{self.like.name}"
        return self.folder / f"{self.items}-{'half' if half else 'single'}{like}"

    def gallery(self, half: bool = True) -> Gallery:
        """Return a gallery of so many drawn embeddings, with a table like a city's."""
        place = self.path(half)
        count = 0
        if is_gallery(place):
            writer = GalleryWriter.resume(place)
            count = sum(segment.count for segment in writer.manifest.segments)
        else:
            run = self.run()
            about = GalleryAbout(model=run.hash, run=str(run.source.resolve()), distance="cosine")
            place.mkdir(parents=True, exist_ok=True)
            new = Manifest(**about.model_dump(), dimension=self.width, half=half)
            writer = GalleryWriter.begin(place, new)
        root = writer.root_number(self.folder / "photos")
        for start in range(count, self.items, MOST):
            numbers = np.arange(start, min(self.items, start + MOST))
            vectors = self.shape.drawn(len(numbers), seed=start)
            table = as_table(_city(numbers, root))
            writer.append(vectors.astype(np.float16 if half else np.float32), table)
        return Gallery.open(place)


def _city(numbers: npt.NDArray[np.int64], root: int) -> pd.DataFrame:
    """Return the table of some images of 64 cameras."""
    random = np.random.default_rng(numbers[0])
    return pd.DataFrame(
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


class Measured:
    """What was measured, as lines, a table, and a file.

    Args:
        path: the CSV file, which is added to.
        items: of the galleries.
    """

    def __init__(self, path: Path, items: int) -> None:
        self._path = path
        self._items = items
        self._rows: list[dict[str, object]] = []

    def add(self, what: str, value: float, unit: str, beside: float | None = None) -> None:
        """Take a figure, and what it is to be compared with, and print it at once."""
        row = {
            "what": what, "items": self._items, "value": round(value, 5), "unit": unit,
            "beside": "" if beside is None else round(beside, 5),
            "ratio": "" if beside is None else round(value / beside, 3),
            "load": round(os.getloadavg()[0], 1), "cores": os.cpu_count(),
            "when": time.strftime("%Y-%m-%d %H:%M"),
        }  # fmt: skip
        self._rows.append(row)
        pd.DataFrame([row]).to_csv(
            self._path, mode="a", index=False, header=not self._path.is_file()
        )
        against = "" if beside is None else f" beside {beside:.4g}, ratio {value / beside:.3f}"
        say(f"{what}, {self._items:,}: {value:.4g} {unit}{against} (load {row['load']})")

    def table(self) -> str:
        """Return all of it."""
        return pd.DataFrame(self._rows).drop(columns=["cores", "when"]).to_string(index=False)


def seconds(operation: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of an operation, after one to warm up."""
    operation()
    return statistics.median(_once(operation) for _ in range(rounds))


def _once(operation: Callable[[], object]) -> float:
    start = time.perf_counter()
    operation()
    return time.perf_counter() - start


def search(world: World, measured: Measured) -> None:
    """Compare exact search with a flat index."""
    queries = distance_named("cosine").prepare(world.shape.drawn(_QUERIES, 0, again=1)).numpy()
    for half in (True, False):
        gallery = world.gallery(half)
        index = faiss.IndexFlatIP(world.width)
        for start in range(0, len(gallery), _PIECE):
            index.add(gallery.vectors(gallery.rows[start : start + _PIECE]))
        for count, rounds in ((_QUERIES, world.rounds), (1, 3 * world.rounds)):
            bare, ours, same = _in_turn(index, gallery, queries[:count], rounds)
            words = f"search {count}, {'half' if half else 'single'} precision"
            measured.add(f"{words}, to faiss in memory", ours, "s", bare)
            measured.add(f"{words}, rows that are the same", same, "")


def _in_turn(
    index: faiss.Index, gallery: Gallery, asked: Floats, rounds: int
) -> tuple[float, float, float]:
    """Return median seconds of both, run in turn, and the share of rows that they agree in."""
    operations: list[Callable[[], npt.NDArray[np.int64]]] = [
        lambda: np.asarray(index.search(asked, _TOP)[1]),
        lambda: gallery.search(asked, _TOP)[1],
    ]
    first, second = (one() for one in operations)
    pairs = [[_once(one) for one in operations] for _ in range(rounds)]
    bare, ours = (statistics.median(some) for some in zip(*pairs, strict=True))
    return bare, ours, float((first == second).mean())


def add(world: World, measured: Measured) -> None:
    """Time adding 1,000 images beyond the network."""
    run, gallery = world.run(), world.gallery()
    photos = world.folder / f"new-{os.getpid()}"
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
    whole = _once(lambda: adding.add(gallery.path, [photos], run.source))
    beyond = whole - sum(network)
    measured.add("add 1,000, beyond the network, to the network", beyond, "s", sum(network))


def open_it(world: World, measured: Measured) -> None:
    """Time opening and asking once, in a process that has done nothing before."""
    path = world.gallery().path
    asked = world.shape.drawn(1, 0, again=3)
    with get_context("spawn").Pool(1) as pool:
        figures = pool.apply(opened, (path, asked, world.rounds))
    for what, (value, unit) in figures.items():
        measured.add(what, value, unit)


def opened(path: Path, asked: Floats, rounds: int) -> dict[str, tuple[float, str]]:
    """Return what opening a gallery and searching it exactly take."""
    before = _resident()
    opening = _once(lambda: Gallery.open(path))
    again = seconds(lambda: Gallery.open(path), rounds)
    gallery = Gallery.open(path)
    after = _resident()
    first = _once(lambda: gallery.search(asked, _TOP))
    later = seconds(lambda: gallery.search(asked, _TOP), rounds)
    whole = _resident()
    return {
        "open, the first time": (opening, "s"),
        "open": (again, "s"),
        "open, memory of its own": (after[0] - before[0], "MiB"),
        "one exact query, the first": (first, "s"),
        "one exact query": (later, "s"),
        "one exact query, memory of its own": (whole[0] - before[0], "MiB"),
        "one exact query, mapped from the disk": (whole[1] - before[1], "MiB"),
    }


def _resident() -> tuple[float, float]:
    """Return MiB of this process in memory: its own, and of files that are mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    told = dict(line.split(":", 1) for line in lines)
    own, mapped = (int(told[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return own, mapped


def query(world: World, measured: Measured) -> None:
    """Time one question to the service beyond the network."""
    run, gallery = world.run(), world.gallery()
    picture = world.folder / "query.png"
    pixels = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)
    Image.fromarray(pixels).save(picture)
    searcher = Searcher([gallery.path], run.source)
    four = (Condition.parse("camera=c001,c002,c003,c004"),)
    questions = {
        "plain": Question(top=_TOP),
        "of 4 cameras": Question(top=_TOP, conditions=four),
        "by track": Question(top=_TOP, group="track"),
        "by camera": Question(top=_TOP, group="camera"),
        "by 4 cameras": Question(top=_TOP, conditions=four, group="camera"),
    }
    for name, question in questions.items():
        searcher.find(picture, question)
        answers = [searcher.find(picture, question) for _ in range(7)]
        beyond = statistics.median(answer.seconds - answer.embedding for answer in answers)
        network = statistics.median(answer.embedding for answer in answers)
        measured.add(f"query, {name}, beyond the network", 1000 * beyond, "ms", 1000 * network)


def index(world: World, measured: Measured) -> None:
    """Time making an index, and asking with it."""
    world.gallery()
    path = world.path()
    with get_context("spawn").Pool(1) as pool:
        taken, most = pool.apply(indexed, (path,))
    measured.add("index, made and verified", taken, "s")
    measured.add("index, most memory while it is made", most, "MiB")
    gallery = Gallery.open(path)
    stored = gallery.manifest.index
    if stored is None:
        say("nothing that finds enough is faster than exact search")
        return
    measured.add("index, on disk", stored.file.size / 2**20, "MiB")
    measured.add("index, lists looked at", stored.probes, "")
    measured.add(f"index, candidates of the {stored.top}", stored.candidates * stored.top, "")
    measured.add(f"index, recall of the {stored.top}, verified", stored.recall, "")
    queries = world.shape.drawn(_QUERIES, 0, again=2)
    top = stored.top
    gallery.search(queries[:1], top, exact=False)
    truth = gallery.search(queries, top)[1]
    found = gallery.search(queries, top, exact=False)[1]
    measured.add("index, recall on other images of its identities", recall(found, truth).mean(), "")
    for count, rounds in ((_QUERIES, world.rounds), (1, 9 * world.rounds)):
        exact, nearly = _both(gallery, queries[:count], top, rounds)
        what = f"index, queries a second, {count} at a time, to exact"
        measured.add(what, count / nearly, "a second", count / exact)


def _both(gallery: Gallery, asked: Floats, top: int, rounds: int) -> tuple[float, float]:
    """Return median seconds of exact search and of that by the index, run in turn."""
    pairs = [
        [_once(partial(gallery.search, asked, top, exact=exact)) for exact in (True, False)]
        for _ in range(rounds)
    ]
    exact, nearly = (statistics.median(some) for some in zip(*pairs, strict=True))
    return exact, nearly


def indexed(path: Path) -> tuple[float, float]:
    """Make an index; return seconds and the most memory, in MiB."""
    taken = _once(lambda: keeping.index(path, 0.95, 10))
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


_PARTS = {"search": search, "add": add, "open": open_it, "query": query, "index": index}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--like", type=Path, help="gallery whose spread embeddings have")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    measured = Measured(given.folder / "measured.csv", given.items)
    like = None if given.like is None else given.like.resolve()
    world = World(given.folder, given.items, like, given.rounds)
    for name in given.parts or _PARTS:
        _PARTS[name](world, measured)
    say(measured.table())


if __name__ == "__main__":
    main()
