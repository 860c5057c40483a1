"""The scores of other libraries' evaluators on the same embeddings."""

import numpy as np
import pytest
import torch
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torchmetrics.functional.retrieval import (
    retrieval_average_precision,
    retrieval_hit_rate,
    retrieval_reciprocal_rank,
)

from reid.evaluation.rank import rank


@pytest.fixture
def problem():
    random = np.random.default_rng(0)
    ids, cameras = ([random.integers(most, size=n) for n in (30, 400)] for most in (12, 4))
    centres = random.standard_normal((12, 16))
    vectors = [centres[side] + random.standard_normal((len(side), 16)) for side in ids]
    ids[1] = np.where(random.random(400) < 0.3, -1, ids[1])  # distractors
    return [side.astype(np.float32) for side in vectors], ids, cameras


def test_torchmetrics_agrees_with_what_is_left_out_removed(problem):
    vectors, ids, cameras = problem
    found = rank(*vectors, *ids, *cameras, ranks=(1, 5)).per_query
    assert len(found) == 30
    for row in found.itertuples():
        q = row.query
        kept = (ids[1] != ids[0][q]) | (cameras[1] != cameras[0][q])
        # That library takes a score below zero for an item that was not found.
        near = 1 / np.linalg.norm(vectors[1][kept].astype(float) - vectors[0][q], axis=1)
        scores, true = torch.from_numpy(near), torch.from_numpy(ids[1][kept] == ids[0][q])
        assert row.ap == pytest.approx(retrieval_average_precision(scores, true).item(), abs=1e-6)
        first = retrieval_reciprocal_rank(scores, true).item()
        assert 1 / row.first == pytest.approx(first, abs=1e-6)
        for k in (1, 5):
            assert (row.first <= k) == bool(retrieval_hit_rate(scores, true, top_k=k))


def test_pytorch_metric_learning_agrees_without_cameras(problem):
    vectors, ids, _ = problem
    found = rank(*vectors, *ids, ranks=(1,))
    peer = AccuracyCalculator(("mean_average_precision", "precision_at_1"), k=400)
    sides = [torch.from_numpy(side) for side in (*vectors, *ids)]
    expected = peer.get_accuracy(sides[0], sides[2], sides[1], sides[3])
    assert found.mAP == pytest.approx(expected["mean_average_precision"], abs=1e-6)
    assert found.cmc[1] == pytest.approx(expected["precision_at_1"])
