"""Search on several GPUs, by faiss' own calls; without GPUs these are played by the processor."""

import weakref
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest
import torch

from annotations.images import Images
from reid.distances import distance_named
from reid.retrieval.exact import Part, search_exactly
from reid.retrieval.gallery import Gallery, GalleryAbout
from reid.retrieval.gpus import Gpus, gpus_of

WIDTH = 8


class Played:
    """What faiss has for GPUs, on the processor; remembers who did what."""

    def __init__(self, free):
        self.free, self.added, self.passed = dict(free), [], []

    def index(self, resources, width, metric, settings):
        index = faiss.IndexFlat(width, metric)
        device, add = settings.device, index.add

        def counted(block):
            if 4 * block.size > self.free[device]:
                raise RuntimeError("out of memory")
            self.added.append((device, len(block)))
            self.free[device] -= 4 * block.size
            add(block)

        index.add = counted
        return index

    def knn(self, resources, queries, block, top, metric, device):
        self.passed.append((device, len(block)))
        return faiss.knn(queries, block, top, metric=metric)


@pytest.fixture
def played(monkeypatch):
    def play(free):
        found = Played(free)
        monkeypatch.setattr(faiss, "StandardGpuResources", lambda: object(), raising=False)
        monkeypatch.setattr(faiss, "GpuIndexFlatConfig", type("Config", (), {}), raising=False)
        monkeypatch.setattr(faiss, "GpuIndexFlat", found.index, raising=False)
        monkeypatch.setattr(faiss, "knn_gpu", found.knn, raising=False)
        monkeypatch.setattr(faiss, "knn_gpu_numpy", found.knn, raising=False)
        monkeypatch.setattr("reid.retrieval.gpus._SPARE", 0)
        monkeypatch.setattr("reid.retrieval.gpus.BLOCK", 64 * WIDTH)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda n: (found.free[n], 0))
        return found

    return play


def parts_of(distance, sizes, seed=0, half=True):
    random = np.random.default_rng(seed)
    made, start = [], 0
    for size in sizes:
        whole = torch.from_numpy(random.normal(size=(size, WIDTH)).astype(np.float32))
        vectors = distance.prepare(whole).numpy()
        vectors = vectors.astype(np.float16) if half else vectors
        index = faiss.IndexFlat(WIDTH, getattr(faiss, distance.faiss_metric))
        index.add(vectors.astype(np.float32))
        made.append(Part(vectors, start, None, index))
        start += size
    return made


@pytest.mark.parametrize("name", ["euclidean", "cosine"])
@pytest.mark.parametrize(
    ("free", "kept", "passes"),
    [
        ({0: 10**6, 1: 10**6}, 3, False),  # everything fits
        ({0: 250 * 4 * WIDTH, 1: 150 * 4 * WIDTH}, 2, True),  # one stretch does not
        ({0: 0}, 0, True),
    ],
)
@pytest.mark.parametrize("condition", [None, 0.02, 0.6])
def test_gpus_find_what_the_processor_finds(name, free, kept, passes, condition, played):
    distance = distance_named(name)
    parts = parts_of(distance, [200, 130, 170])
    if condition is not None:
        random = np.random.default_rng(1)
        parts = [
            part._replace(keep=random.random(len(part.vectors)) >= condition) for part in parts
        ]
    queries = distance.prepare(torch.randn(5, WIDTH)).numpy()
    exact = search_exactly(parts, distance, queries, 20)
    there = played(free)
    gpus = Gpus(sorted(free))
    gpus.most = 60
    for _ in range(2):
        found = search_exactly(parts, distance, queries, 20, gpus)
        np.testing.assert_allclose(found[0], exact[0], atol=1e-4)
        assert (found[1] == exact[1]).mean() > 0.99
    if condition == 0.6:
        assert not there.added  # too many may not be found: the others pass through
        assert there.passed
        return
    assert len(gpus._kept) == kept
    assert sum(count for _, count in there.added) == sum(
        len(part.vectors) for part in parts if part.index in gpus._kept
    )  # once, though asked twice
    assert bool(there.passed) == passes
    if len(free) == 2 and kept == 3:
        assert {device for device, _ in there.added} == {0, 1}  # spread over both


def test_what_fits_nowhere_passes_through_all_gpus(played):
    distance = distance_named("euclidean")
    there = played({0: 0, 1: 0, 2: 0})
    parts = parts_of(distance, [640])
    search_exactly(parts, distance, parts[0].vectors[:3].astype(np.float32), 5, Gpus([0, 1, 2]))
    assert sorted(count for _, count in there.passed) == [64] * 10
    shares = np.bincount([device for device, _ in there.passed])
    assert shares.tolist() == [4, 3, 3]


def test_gpus_forget_what_is_gone(played):
    distance = distance_named("euclidean")
    played({0: 10**6})
    parts = parts_of(distance, [50])
    gpus = Gpus([0])
    assert gpus.holds(parts, 5)
    assert not gpus.holds(parts, 2049)
    assert not gpus.holds([*parts, *parts_of(distance, [10**5])], 5)
    search_exactly(parts, distance, parts[0].vectors[:1].astype(np.float32), 5, gpus)
    assert len(gpus._kept) == 1
    del parts
    assert len(gpus._kept) == 0


def told_when_freed(gpus, monkeypatch):
    """Return a list that gets, for each index freed on a GPU, whether somebody held its lock."""
    freed = []

    def index(resources, width, metric, settings):
        made = faiss.IndexFlat(width, metric)
        lock = gpus._locks[settings.device]
        weakref.finalize(made, lambda: freed.append(lock.locked()))
        return made

    monkeypatch.setattr(faiss, "GpuIndexFlat", index)
    return freed


def test_what_is_gone_is_freed_by_who_has_the_gpu(played, monkeypatch):
    """Embeddings on a GPU are let go of under its lock, and never by who only drops a gallery."""
    distance = distance_named("euclidean")
    played({0: 10**6})
    gpus = Gpus([0])
    freed = told_when_freed(gpus, monkeypatch)
    old, new = parts_of(distance, [50]), parts_of(distance, [60], seed=1)
    query = np.zeros((1, WIDTH), np.float32)
    search_exactly(old, distance, query, 5, gpus)
    with gpus._locks[0]:  # as another request does; in this thread, waiting for it would never end
        del old
        assert len(gpus._kept) == 0 and not freed
    found = search_exactly(new, distance, query, 5, gpus)
    assert freed == [True]
    exact = search_exactly(new, distance, query, 5)
    np.testing.assert_array_equal(found[1], exact[1])
    # Before it is told whether more fits, what is gone has made room.
    del new
    last = parts_of(distance, [70], seed=2)
    assert gpus.holds(last, 5) and freed == [True, True]


def test_galleries_come_and_go_while_others_search(played, monkeypatch):
    distance = distance_named("euclidean")
    played({0: 10**9, 1: 10**9})
    gpus = Gpus([0, 1])
    freed = told_when_freed(gpus, monkeypatch)

    def ask(seed):
        for again in range(10):
            parts = parts_of(distance, [40, 30], seed=10 * seed + again)
            query = parts[1].vectors[:1].astype(np.float32)
            assert search_exactly(parts, distance, query, 3, gpus)[1][0, 0] == 40

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(8)))
    assert len(freed) > 100 and all(freed)


def test_more_than_a_gpu_finds_is_found_by_the_processor(played):
    distance = distance_named("euclidean")
    there = played({0: 10**6})
    gpus = Gpus([0])
    gpus.most = 10
    parts = parts_of(distance, [50])
    assert search_exactly(parts, distance, np.zeros((1, WIDTH), np.float32), 20, gpus)[1].shape == (
        1,
        20,
    )
    assert not there.added
    assert not there.passed


def test_without_a_gpu_the_processor_searches(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpus_of("auto") is None
    assert gpus_of("cpu") is None


@pytest.mark.gpu
def test_a_real_gpu_finds_what_the_processor_finds():
    distance = distance_named("cosine")
    parts = parts_of(distance, [2000, 3000])
    queries = distance.prepare(torch.randn(50, WIDTH)).numpy()
    exact = search_exactly(parts, distance, queries, 20)
    found = search_exactly(parts, distance, queries, 20, gpus_of("cuda"))
    np.testing.assert_allclose(found[0], exact[0], atol=1e-3)


def test_a_gallery_opened_again_shares_what_is_kept(tmp_path):
    made = np.random.default_rng(0).normal(size=(9, WIDTH)).astype(np.float32)
    rows = [{"image": f"{number}.jpg"} for number in range(9)]
    about = GalleryAbout(model="m", run="r", branches="global", distance="euclidean", mirror=False)
    images = Images.from_rows(rows, tmp_path, "images")
    first = Gallery.build(made, images, tmp_path / "gallery", about)
    again = Gallery.open(tmp_path / "gallery")
    assert again.parts()[0].index is first.parts()[0].index
    other = Gallery.build(made + 1, images, tmp_path / "gallery", about)
    assert other.parts()[0].index is not first.parts()[0].index


def viewed(count, seed):
    """Embeddings of two views beside the whole; some images lack one."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 20)).astype(np.float32)
    ratios = (random.random((count, 2)) * (random.random((count, 2)) > 0.3)).astype(np.float32)
    return np.concatenate([features, np.ones((count, 1), np.float32), ratios], 1)


CPDM = distance_named("cpdm:12,4,4")


def test_what_faiss_does_not_know_is_compared_where_the_gpu_is(monkeypatch):
    parts = [Part(viewed(300, 0)), Part(viewed(50, 1), start=300, keep=np.arange(50) % 2 > 0)]
    queries = viewed(40, 2)
    plain = search_exactly(parts, CPDM, queries, 7)
    asked, compare = [], type(CPDM).compare
    monkeypatch.setattr(
        type(CPDM), "compare", lambda self, a, b: asked.append(a) or compare(self, a, b)
    )

    class Played:
        most, device = 2048, torch.device("cpu")

    found = search_exactly(parts, CPDM, queries, 7, Played())
    assert all(isinstance(each, torch.Tensor) for each in asked)
    search_exactly(parts, CPDM, queries, 7)
    assert isinstance(asked[-1], np.ndarray)
    for one, other in zip(found, plain, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.gpu
def test_a_gpu_finds_by_views_what_the_processor_finds():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    gpus = gpus_of("cuda")
    assert gpus is not None
    parts = [Part(viewed(20000, 0)), Part(viewed(50, 1), start=20000)]
    queries = viewed(40, 2)
    plain = search_exactly(parts, CPDM, queries, 9)
    found = search_exactly(parts, CPDM, queries, 9, gpus)
    np.testing.assert_array_equal(found[1], plain[1])
    np.testing.assert_allclose(found[0], plain[0], rtol=1e-6)
