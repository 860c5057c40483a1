import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.fleet.camera.raster import planes, rasterise


def jittered_grid(seed, rows, columns, size):
    """Return the triangles of a grid that fills a square, its inner points moved at random."""
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, size, columns), np.linspace(0, size, rows))
    grid = np.stack([x, y], -1)
    grid[1:-1, 1:-1] += (
        random.uniform(-0.3, 0.3, grid[1:-1, 1:-1].shape) * size / max(rows, columns)
    )
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    halves = [np.stack([a, b, c], -2), np.stack([a, c, d], -2)]
    return np.concatenate([half.reshape(-1, 3, 2) for half in halves])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(2, 7))
def test_triangles_that_share_edges_cover_every_sample_once(seed, rows, columns):
    triangles = jittered_grid(seed, rows, columns, 24)
    found = rasterise(triangles, np.full(triangles.shape[:2], 0.1), (24, 24))
    assert np.array_equal(np.bincount(found.place, minlength=24 * 24), np.ones(24 * 24))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_a_sample_is_covered_where_a_plain_test_says_so(seed):
    random = np.random.default_rng(seed)
    corners = np.rint(random.uniform(-6, 20, (1, 3, 2)) * 16) / 16
    found = rasterise(corners, np.full((1, 3), 0.1), (14, 15))
    covered = np.zeros((14, 15), bool)
    covered.ravel()[found.place] = True
    for row in range(14):
        for column in range(15):
            point = np.array([column + 0.5, row + 0.5])
            sides = [
                np.linalg.det([corners[0, (i + 1) % 3] - corners[0, i], point - corners[0, i]])
                for i in range(3)
            ]
            if min(sides) > 1e-9:
                assert covered[row, column]
            if min(sides) < -1e-9:
                assert not covered[row, column]


def test_the_nearer_triangle_is_in_front():
    square = np.array([[[0, 0], [8, 0], [8, 8]], [[0, 0], [8, 0], [8, 8]]], float)
    near = np.array([[0.5, 0.1, 0.1], [0.1, 0.5, 0.1]])
    found = rasterise(square, near, (8, 8))
    for triangle, place, value, front in zip(
        found.triangle, found.place, found.nearness, found.front, strict=True
    ):
        other = found.nearness[(found.place == place) & (found.triangle != triangle)]
        assert front == (value >= other).all()
    assert 0 < found.front.sum() < len(found.front)


def test_what_faces_away_is_dropped():
    away = np.array([[[0, 0], [8, 8], [8, 0]]], float)
    assert len(rasterise(away, np.full((1, 3), 0.1), (8, 8)).place) == 0


@given(st.integers(0, 10_000))
def test_planes_pass_through_the_corners(seed):
    random = np.random.default_rng(seed)
    corners, values = random.uniform(0, 50, (5, 3, 2)), random.normal(size=(5, 3, 4))
    a, b, c = planes(corners, values)
    area = np.array([np.linalg.det([t[1] - t[0], t[2] - t[0]]) for t in corners])
    for triangle in np.flatnonzero(np.abs(area) > 1):
        for corner in range(3):
            dx, dy = corners[triangle, corner] - corners[triangle, 0]
            assert np.allclose(
                a[:, triangle] * dx + b[:, triangle] * dy + c[:, triangle], values[triangle, corner]
            )
