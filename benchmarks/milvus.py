"""What a copy of a gallery on a Milvus server costs, beside the gallery itself.

    python -m benchmarks.milvus FOLDER ADDRESS [--items 100000]

Bytes of each kind of the gallery's files for an image; seconds to copy it, and to copy it again
where nothing has changed; milliseconds of one query's 10 nearest with each index, and which share
of the exact ones it finds. The gallery is `benchmarks.gallery`'s, in half precision, of 256
dimensions; ADDRESS is that of a server, such as milvus://127.0.0.1:19530.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.gallery import a_gallery, drawn, seconds
from pipelines.tables import say
from reid.retrieval.gallery import Gallery
from reid.retrieval.milvus.address import Address
from reid.retrieval.milvus.publish import Index, Publication
from reid.retrieval.milvus.server import Server
from reid.retrieval.milvus.store import MilvusStore

_TOP = 10
_QUERIES = 50


def sizes(gallery: Gallery) -> None:
    """Say what an image takes on the disk."""
    counts: Counter[str] = Counter()
    for file in gallery.manifest.files:
        counts[Path(file.name).name] += file.size
    for name, size in counts.items():
        say(f"{name}: {size / len(gallery):.1f} bytes an image")


def copy(gallery: Gallery, address: Address, index: Index | None = None) -> None:
    """Copy a gallery, and say how long it took."""
    start = time.perf_counter()
    planned = Publication.plan(gallery, Server(address), address, "benchmark", index)
    middle = time.perf_counter()
    planned.carry_out()
    end = time.perf_counter()
    say(
        f"{planned.index}: comparing {middle - start:.1f} s, copying {len(planned.rows):,} images "
        f"{end - middle:.1f} s"
    )


def ask(gallery: Gallery, address: Address) -> None:
    """Search the gallery and its copy for the same, one query at a time, in turn."""
    store = MilvusStore.open(str(address))
    queries = drawn(_QUERIES, seed=0)
    right = 0
    times: dict[str, list[float]] = {"gallery": [], store.index: []}
    for number in range(_QUERIES):
        query = queries[number : number + 1]
        times["gallery"].append(seconds(lambda query=query: gallery.search(query, _TOP), 1))
        times[store.index].append(
            seconds(lambda query=query: store.search(query, _TOP, exact=False), 1)
        )
        here, there = gallery.search(query, _TOP)[1], store.search(query, _TOP, exact=False)[1]
        true = gallery.table(here[0], ["image"])["file"]
        right += len(set(true) & set(store.table(there[0], ["image"])["file"]))
    words = [f"{name} {1000 * np.median(each):.1f} ms" for name, each in times.items()]
    say(f"one query of {len(gallery):,}: {', '.join(words)}; "
        f"{right / _QUERIES / _TOP:.3f} of the {_TOP} nearest")  # fmt: skip


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("address", type=Address.parse)
    parser.add_argument("--items", type=int, default=100_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    gallery = a_gallery(given.folder, given.items)
    sizes(gallery)
    address = given.address.of(f"benchmark_{given.items}")
    copy(gallery, address, "FLAT")
    copy(gallery, address)
    ask(gallery, address)
    for index in ("IVF_FLAT", "HNSW"):
        copy(gallery, address, index)
        ask(gallery, address)


if __name__ == "__main__":
    main()
