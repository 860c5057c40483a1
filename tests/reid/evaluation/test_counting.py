import math
import multiprocessing
import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reid.distances import DISTANCES
from reid.evaluation import counting, rank
from reid.evaluation.counting import Block, count_nearer, sieve_in_cache, sieve_nothing
from reid.evaluation.truth import Truth


def drawn(seed, items=300, dimensions=24, offset=0.0, scale=1.0, copies=True):
    """Embeddings with many exact ties, and neighbours a rounding apart."""
    random = np.random.default_rng(seed)
    gallery = random.standard_normal((items, dimensions))
    if copies:
        gallery[random.integers(items, size=items // 2)] = gallery[0]
        near = random.integers(items, size=items // 4)
        gallery[near] = gallery[1] + random.integers(-2, 3, (len(near), dimensions)) * 1e-7
    query = gallery[random.integers(items, size=8)] + random.standard_normal((8, dimensions))
    ids = [random.integers(6, size=n) for n in (8, items)]
    return [(side * scale + offset).astype(np.float32) for side in (query, gallery)], ids


def slowly(query, gallery, query_ids, gallery_ids, name):
    """Ranks of every true match, each distance in float64, non-matches first among equals."""
    found = []
    for row, mine in zip(query.astype(np.float64), query_ids, strict=True):
        rows = gallery.astype(np.float64)
        if name == "cosine":
            row = row / halves(row[None] ** 2)[0] ** 0.5
            rows = rows / halves(rows**2)[:, None] ** 0.5
        squared = halves((row - rows) ** 2)
        true = gallery_ids == mine
        order = np.lexsort((true, squared))
        found.append((np.flatnonzero(true[order]) + 1).tolist())
    return found


def halves(rows):
    """Sum rows by adding the second half to the first, again and again."""
    rows = rows.copy()
    while rows.shape[1] > 1:
        half = -(-rows.shape[1] // 2)
        rows[:, : rows.shape[1] - half] += rows[:, half:]
        rows = rows[:, :half]
    return rows[:, 0]


def ranks_by(sieve, data, ids, name, monkeypatch):
    monkeypatch.setattr(counting, "sieve_in_cache", sieve)
    comparison = DISTANCES[name].compare(*data)
    truth = Truth(*ids)
    query = truth.matches.nonzero()[:, 0]
    mates, same, true = truth.mates(query)
    block = Block.of(comparison, query, mates, true)
    truth.hide(block.values, query, mates, same)
    nearer = count_nearer(block)
    return [
        [int(count) + place for place, count in enumerate(row[:matches], 1)]
        for row, matches in zip(nearer, truth.matches[query].tolist(), strict=True)
    ]


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("sieve", [sieve_nothing, sieve_in_cache])
@pytest.mark.parametrize(
    "how", [{}, {"offset": 100.0}, {"scale": 1e-13}, {"scale": 1e9}, {"dimensions": 1500}]
)
def test_ranks_are_those_of_exact_distances(name, sieve, how, monkeypatch):
    for seed in range(3):
        data, ids = drawn(seed, **how)
        if how.get("scale") == 1e-13 and name == "cosine":
            data = [side * np.float32(1e3) for side in data]
        expected = slowly(*data, *ids, name)
        assert ranks_by(sieve, data, ids, name, monkeypatch) == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([2, 8, 64]), st.sampled_from([1, 16]))
def test_the_sieve_loses_and_moves_nothing(seed, buckets, few):
    data, ids = drawn(seed, items=80)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_BUCKETS", buckets + 3)
        patch.setattr(counting, "_FEW", few)
        patch.setattr(counting, "_IN_CACHE", 200)
        found = ranks_by(sieve_in_cache, data, ids, "euclidean", patch)
    assert found == slowly(*data, *ids, "euclidean")


def test_the_sieve_spares_most_items_a_closer_look():
    random = torch.Generator().manual_seed(0)
    gallery = torch.randn(20_000, 32, generator=random)
    ids = torch.arange(20_000) % 2_000
    truth = Truth(ids[:5], ids)
    query = torch.arange(5)
    mates, same, true = truth.mates(query)
    comparison = DISTANCES["euclidean"].compare(torch.randn(5, 32, generator=random), gallery)
    block = Block.of(comparison, query, mates, true)
    truth.hide(block.values, query, mates, same)
    _, places = sieve_in_cache(block)
    assert len(places) < 0.05 * block.values.numel()
    assert len(sieve_nothing(block)[1]) > 0.5 * block.values.numel()


def test_errors_of_the_product_are_within_what_is_assumed():
    random = torch.Generator().manual_seed(1)
    for dimensions in (3, 256, 2048):
        for shift in (0.0, 5.0):
            gallery = torch.randn(400, dimensions, generator=random) + shift
            query = gallery[:40] + 0.1 * torch.randn(40, dimensions, generator=random)
            comparison = DISTANCES["euclidean"].compare(query, gallery)
            rows = torch.arange(40)
            values = comparison.values(rows).double()
            pairs = rows.repeat_interleave(400), torch.arange(400).repeat(40)
            exact = comparison.exact(*pairs).view(40, 400) / 2
            # Values leave out |q|^2 / 2, and are scaled alike.
            scale = (values[:, 1:] - values[:, :1]) / (exact[:, 1:] - exact[:, :1])
            scale = 2.0 ** scale.median().log2().round()
            off = values - exact * scale
            off = (off - off.median(1, keepdim=True).values).abs()
            query_rows, item_rows = (side.view(40, 400) for side in pairs)
            error = comparison.error(query_rows, values.float(), item_rows)
            assert (off < error / 2).all()


def test_sums_that_grow_and_shrink_again_are_ranked_exactly():
    torch.manual_seed(28)
    v = torch.rand(2048) + 0.5
    signs = torch.where(torch.arange(400) % 2 == 0, 1.0, -1.0)
    gallery = signs[:, None] * v + 1e-5 * torch.randn(400, 2048)
    half = torch.ones(2048)
    half[1536:] = -3
    query = v * half + 1e-4 * torch.randn(20, 2048)
    ids = np.array(["other"] * 400)
    ids[264] = "mine"
    found = rank(query, gallery, ["mine"] * 20, ids).per_query["first"]
    for row, first in zip(query.double(), found, strict=True):
        squares = [math.fsum(((row - item) ** 2).tolist()) for item in gallery.double()]
        assert first == sum(square <= squares[264] for square in squares)


def test_small_rows_beside_large_ones_are_ranked_exactly():
    random = np.random.default_rng(0)
    gallery = np.concatenate(
        [random.standard_normal((40, 8)) * 1e-22, np.ones((2, 8)), -np.ones((2, 8))]
    )
    query = random.standard_normal((40, 8)) * 1e-22
    ids = [np.arange(40), np.concatenate([np.arange(40), [-1] * 4])]
    found = rank(query, gallery, *ids).per_query["first"]
    squares = ((query[:, None] - gallery) ** 2).sum(2)
    own = squares[np.arange(40), np.arange(40)]
    assert found.tolist() == (squares <= own[:, None]).sum(1).tolist()


def _rank_in_a_fork(connection):
    connection.send(rank(np.eye(3), np.eye(3), [0, 1, 2], [0, 1, 2]).mAP)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_ranks_too():
    rank(*drawn(0)[0], *drawn(0)[1])
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_rank_in_a_fork, args=(theirs,))
    process.start()
    try:
        assert ours.poll(60)
        assert ours.recv() == 1
    finally:
        process.kill()


def test_blocks_change_nothing(monkeypatch):
    data, ids = drawn(5)
    expected = rank(*data, *ids).per_query
    monkeypatch.setitem(rank.__globals__, "_BLOCK", 900)
    assert rank(*data, *ids).per_query.equals(expected)
