from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from annotations.overlaps import iou


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 5))
def test_every_pair_agrees_with_torchvision(seed, first, second):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 20, (first + second, 2))
    boxes = np.hstack([corners, corners + rng.integers(1, 20, corners.shape)]) / 40
    mine = iou(boxes[:first, None], boxes[None, first:])
    theirs = box_iou(torch.from_numpy(boxes[:first]), torch.from_numpy(boxes[first:]))
    np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-12)


def test_row_by_row():
    one = np.array([[0, 0, 1, 1], [0, 0, 0.5, 1]], float)
    other = np.array([[0, 0, 1, 0.5], [0.5, 0, 1, 1]], float)
    np.testing.assert_array_equal(iou(one, other), [0.5, 0.0])
